"""A progress line with loss, validation accuracy and time left; silent where nobody is looking."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .._keeping import progress


@contextmanager
def progress_bar(epochs: int, first: int) -> Iterator[Callable[[Any], None]]:
    """Yields a function that shows a finished `Epoch`."""
    with progress("epoch", epochs, first=first, words="compiling") as show:
        yield lambda epoch: show(epoch.number, f"loss {epoch.loss:.3f}, {epoch.metric} {epoch.validation:.4g}")
