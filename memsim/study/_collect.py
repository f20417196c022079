"""The points of a sweep, handed to an executor and collected as they finish."""

import time
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, nullcontext
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple

from .._keeping import SECONDS_BETWEEN_LOOKS, progress
from ._assemble import Part, check_alike
from ._executors import Done, Task, compute, saved, told, work
from ._measured import Unusable

if TYPE_CHECKING:
    import xarray as xr

SLOWEST_LOOK = 2.0  # seconds between looks at futures that cannot call back


class Collected(NamedTuple):
    """What is there of each point by its number, and why the others are not."""

    results: dict[int, "xr.Dataset"]
    failed: dict[int, str]
    error: Exception | None
    """Of the first point that failed."""


def collected(tasks: list[Task], names: list[str], executor: Any) -> Collected:
    """All points computed by `executor`, or here for `None`; `names` is how they are called.

    A point whose measure raises, or whose process is killed, is left out with a warning, and the others go on.
    Raises `Unusable` for results that no other point could have either, and passes an interruption on.
    """
    results: dict[int, xr.Dataset] = {}

    def keep(number: int, part: "xr.Dataset") -> None:
        """As soon as two points are not alike, there is no use in going on."""
        results[number] = part
        first = next(iter(results))
        check_alike(Part(names[first], (), results[first]), Part(names[number], (), part))

    for number, task in enumerate(tasks):
        if task.file is not None and (part := saved(task.file)) is not None:
            keep(number, part)
    missing = [number for number in range(len(tasks)) if number not in results]
    failed: dict[int, str] = {}
    error: Exception | None = None
    line = progress("sweep", len(tasks), first=len(results), words="compiling" if missing else "")
    with line as show, closing(_passed(tasks, missing, executor)) as passed:
        for number, done in passed:
            if done.status == "unusable":
                raise Unusable(f"{done.lines} The point: {names[number]}.") from done.error
            if done.status == "failed":
                error = error or done.error or RuntimeError(done.lines)
                failed[number] = done.lines.rpartition("\n")[2]
                words = f"A point of the sweep failed, and the others go on: {names[number]}.\n{done.lines}"
                warnings.warn(words, stacklevel=5)
            else:
                keep(number, _result(tasks[number], done))
            words = f"sweep, {len(failed)} failed" if failed else "sweep"
            show(len(results) + len(failed), words)
    return Collected(results, failed, error)


def _result(task: Task, done: Done) -> "xr.Dataset":
    if done.result is not None:
        return done.result
    assert task.file is not None
    part = saved(task.file)
    if part is None:
        raise OSError(f"A part that is finished must be where it was written. Got none at {task.file}.")
    return part


def _passed(tasks: list[Task], missing: list[int], executor: Any) -> Generator[tuple[int, Done], None, None]:
    """The points that are missing as they come; those that other processes are at last of all."""
    one_round = _here if executor is None else _elsewhere(executor, tasks, missing)
    while missing:
        busy = []
        for number, done in one_round(tasks, missing):
            if done.status == "busy":
                busy.append(number)
            else:
                yield number, done
        if len(busy) == len(missing):
            time.sleep(SECONDS_BETWEEN_LOOKS)
        missing = busy


Round = Callable[[list[Task], list[int]], Iterator[tuple[int, Done]]]


def _here(tasks: list[Task], missing: list[int]) -> Iterator[tuple[int, Done]]:
    for number in missing:
        yield number, compute(tasks[number])


def _elsewhere(executor: Any, tasks: list[Task], missing: list[int]) -> Round:
    """Rounds by an executor, whose processes are told how this one computes."""
    carried = dict(zip(missing, told([tasks[number] for number in missing], executor), strict=True))

    def one_round(tasks: list[Task], missing: list[int]) -> Iterator[tuple[int, Done]]:
        changed = Event()
        futures = {}
        broken: Exception | None = None
        batch = getattr(executor, "batch", nullcontext)  # of submitit: one array of jobs
        with batch():
            for number in missing:
                try:
                    futures[number] = executor.submit(work, carried[number])
                except Exception as error:  # a pool that broke takes nothing more
                    broken = error
        for future in futures.values():
            if hasattr(future, "add_done_callback"):
                future.add_done_callback(lambda _: changed.set())
        try:
            yield from ((number, _broken(broken)) for number in missing if number not in futures)
            yield from _finished(futures, changed)
        finally:
            for future in futures.values():
                if hasattr(future, "cancel") and not _is_done(future):
                    future.cancel()

    return one_round


def _finished(futures: dict[int, Any], changed: Event) -> Iterator[tuple[int, Done]]:
    """What futures give as they finish, whether they call back, can be asked, or can only be waited for."""
    waiting, pause = dict(futures), SECONDS_BETWEEN_LOOKS
    while waiting:
        changed.clear()
        ready = [number for number, future in waiting.items() if _is_done(future)]
        for number in ready:
            yield number, _outcome(waiting.pop(number))
        if waiting and not ready:
            changed.wait(pause)
            pause = min(1.2 * pause, SLOWEST_LOOK)
        else:
            pause = SECONDS_BETWEEN_LOOKS


def _is_done(future: Any) -> bool:
    return not hasattr(future, "done") or bool(future.done())


def _outcome(future: Any) -> Done:
    try:
        return future.result()
    except Exception as error:
        return _broken(error)


def _broken(error: Exception | None) -> Done:
    words = "Its process, or the executor, failed; the same call tries it again."
    return Done("failed", lines=f"{words}\n{type(error).__name__}: {str(error).strip()[-600:]}", error=error)
