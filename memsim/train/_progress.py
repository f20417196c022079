"""A progress line with loss, validation accuracy and time left; silent where nobody is looking."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def progress_bar(epochs: int, first: int) -> Iterator[Callable[[Any], None]]:
    """Yields a function that shows a finished `Epoch`."""
    if not sys.stderr.isatty():
        yield lambda epoch: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}")
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("epoch", total=epochs, completed=first)
        yield lambda epoch: progress.update(
            task,
            completed=epoch.number,
            description=f"loss {epoch.loss:.3f}, {epoch.metric} {epoch.validation:.4g}",
        )
