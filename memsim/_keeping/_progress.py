"""A line with what is done and the time left, where a person looks; silent everywhere else."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PERIOD = 7 * 86400.0  # seconds that the speed is a mean over: a step of a study may take hours


# `show(done, words="")` shows how much is done, and some words; with `None` for `done`, the words alone.
Show = Callable[..., None]


def looked_at() -> bool:
    """Whether a person looks: whether standard error is a terminal."""
    return sys.stderr.isatty()


_shown: list[Show] = []  # the line on the screen: work within that work speaks through its words


@contextmanager
def progress(what: str, total: int, *, first: int = 0, words: str = "") -> Iterator[Show]:
    """Yields a function that shows how much is done; it does nothing where standard error is no terminal.

    Within another `progress`, the words of that one say it: a screen has one line.

    **Arguments:**

    - `what`: Such as "epoch", shown until there are words.
    - `total`: What all of it is.
    - `first`: What is done already, by an earlier run.
    - `words`: Shown at the start, such as "compiling": until the first step is done, that is most of the work.
    """
    if not looked_at():
        yield lambda done, words="": None
        return
    if _shown:
        yield _within(_shown[-1], what, total)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}")
    with Progress(
        *columns,
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        speed_estimate_period=PERIOD,
    ) as bar:
        task = bar.add_task(_description(what, words), total=total, completed=first)

        def show(done: int | None, words: str = "") -> None:
            bar.update(task, completed=done, description=words or what)

        _shown.append(show)
        try:
            yield show
        finally:
            _shown.remove(show)


def _within(outer: Show, what: str, total: int) -> Show:
    def show(done: int | None, words: str = "") -> None:
        place = what if done is None else f"{what} {done} of {total}"
        outer(None, _description(place, words))

    return show


def _description(what: str, words: str) -> str:
    return f"{what}: {words}" if words else what
