"""Where the points of a sweep are computed: this process, or whatever has `submit` as in `concurrent.futures`."""

import os
import pickle
import signal
import sys
import traceback
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Key

from .._checks import checked
from .._keeping import Carried, claimed, jax_options, scripts_of
from ._measured import Unusable, as_dataset
from ._results import open_result, save_result

if TYPE_CHECKING:
    import xarray as xr

# What a process is told before it computes: beside the options that decide bits, where compiled functions are kept.
OPTIONS = (
    "jax_disable_most_optimizations",
    "jax_compilation_cache_dir",
    "jax_persistent_cache_min_compile_time_secs",
    "jax_persistent_cache_min_entry_size_bytes",
)
LAST_LINES = 6  # of a traceback, in a warning
BY_CLOUDPICKLE = ("distributed", "submitit", "loky", "dask")  # packages whose executors carry functions by value
_ambient: ContextVar[Any] = ContextVar("executor", default=None)
_part: ContextVar[Path | None] = ContextVar("part", default=None)  # the file of the point that is computed


@contextmanager
def using(executor: Any) -> Iterator[None]:
    """Within the block, a `sweep` that is given no `executor` takes this one.

    **Arguments:**

    - `executor`: As of `sweep`; `None` is this process.

    >>> import concurrent.futures, memsim as ms
    >>> with concurrent.futures.ThreadPoolExecutor(2) as executor, ms.study.using(executor):
    ...     ms.study.sweep(lambda bits: 2.0**-bits, {"bits": [1, 2]})["value"].values.tolist()
    [0.5, 0.25]
    """
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise ValueError(f"`executor` must have a method `submit`, as in `concurrent.futures`. Got {executor!r}.")
    token = _ambient.set(executor)
    try:
        yield
    finally:
        _ambient.reset(token)


def ambient() -> Any:
    """The executor of the `using` around."""
    return _ambient.get()


@checked()
def checkpoint(name: str = "training") -> Path | None:
    """A file for what is there so far of the point that a `sweep` is at; `None` where nothing is kept.

    Such as `fit(..., checkpoint=ms.study.checkpoint())` in a measure: a killed sweep then goes on within a training. It
    is removed when the point is saved.

    **Arguments:**

    - `name`: Tells several files of one point apart.

    >>> import memsim as ms
    >>> ms.study.checkpoint() is None  # outside of a sweep
    True
    """
    if not name.isidentifier():
        raise ValueError(f'`name` must be one word, such as "training". Got {name!r}.')
    part = _part.get()
    return None if part is None else part.with_name(f"{part.stem}.{name}.checkpoint")


class Task(NamedTuple):
    """One point, as it travels: keys as their numbers, since typed keys are not carried everywhere."""

    measure: Callable[..., Any]
    values: dict[str, Any]
    key: tuple[np.ndarray, str] | None
    names: tuple[str, ...]
    file: Path | None
    options: dict[str, Any]
    once: str
    """Nothing else is the same: dask takes calls with equal arguments for one."""

    def arguments(self) -> dict[str, Any]:
        """What the measure is called with."""
        return self.values | ({} if self.key is None else {"key": _key(*self.key)})


class Done(NamedTuple):
    """What came of a point: its `result` where there is no file; "busy" is a point that another process is at."""

    status: Literal["computed", "found", "busy", "failed", "unusable"]
    result: "xr.Dataset | None" = None
    lines: str = ""
    error: Exception | None = None


def task_of(
    measure: Callable[..., Any],
    values: dict[str, Any],
    key: Key[Array, ""] | None,
    names: tuple[str, ...],
    file: Path | None,
) -> Task:
    """A point that can travel."""
    numbers = None if key is None else (np.asarray(jr.key_data(key)), str(jr.key_impl(key)))
    return Task(measure, values, numbers, names, file, {}, uuid.uuid4().hex)


def work(carried: Carried) -> Done:
    """Computes one point in whatever process this is, and saves it where it has a file."""
    task: Task = carried.value
    for name, value in task.options.items():
        if _option(name) != value:
            jax.config.update(name, value)
    found = compute(task)
    try:
        pickle.loads(pickle.dumps(found.error))
    except Exception:  # an error that cannot travel would end a pool
        found = found._replace(error=None)
    return found


def compute(task: Task) -> Done:
    """Computes one point here, or finds it in its file."""
    if task.file is None:
        return _measured(task)
    if saved(task.file) is not None:
        return Done("found")
    with claimed(task.file.with_suffix(".claim")) as mine:
        if not mine:
            return Done("busy")
        if saved(task.file) is not None:  # finished while we asked
            return Done("found")
        token = _part.set(task.file)
        try:
            done = _measured(task)
        finally:
            _part.reset(token)
        if done.result is not None:
            save_result(done.result, task.file)
            for left in task.file.parent.glob(f"{task.file.stem}.*.checkpoint*"):
                left.unlink(missing_ok=True)
        return done._replace(result=None)


def saved(file: Path) -> "xr.Dataset | None":
    """A part that is finished; `None` where it is not, or its file is damaged."""
    try:
        return open_result(file)
    except FileNotFoundError:
        return None
    except ValueError:
        print(f"{file} cannot be read and is computed again.", file=sys.stderr, flush=True)
        return None


def _measured(task: Task) -> Done:
    try:
        return Done("computed", as_dataset(task.measure(**task.arguments()), task.names))
    except Unusable as error:
        return Done("unusable", lines=str(error), error=error)
    except Exception as error:
        lines = "".join(traceback.format_exception(error)).rstrip().splitlines()
        lines = [line for line in lines if line.strip(" ^~")]
        return Done("failed", lines="\n".join(lines[-LAST_LINES:]), error=error)


def told(tasks: list[Task], executor: Any) -> list[Carried]:
    """The tasks with how this process computes, and with the scripts that hold their functions and classes.

    Raises `ValueError` before any work for a measure that cannot be sent to the processes of `executor`.
    """
    options = {name: _option(name) for name in (*jax_options(), *OPTIONS)}
    scripts = scripts_of([(task.measure, task.values) for task in tasks])
    executor = executor.executor if isinstance(executor, Counted) else executor
    package, dump = type(executor).__module__.partition(".")[0], pickle.dumps
    if package in BY_CLOUDPICKLE:
        import cloudpickle

        dump = cloudpickle.dumps
    carried = [Carried(task._replace(options=options), scripts, dump) for task in tasks]
    if isinstance(executor, ProcessPoolExecutor) or package in ("mpi4py", *BY_CLOUDPICKLE):
        for each in carried[:1]:
            _check_travels(each)
    return carried


def _check_travels(carried: Carried) -> None:
    measure = carried.value.measure
    main = getattr(measure, "__module__", None) == "__main__"
    if main and carried.dump is pickle.dumps and not hasattr(sys.modules.get("__main__"), "__file__"):
        raise ValueError(
            "`measure` must be in a file, where other processes find it. Got one typed into this session; put it "
            "into a script or a module, or use an executor of dask or submitit, which send functions whole."
        )
    try:
        pickle.dumps(carried)
    except Exception as error:
        raise ValueError(
            "`measure` and the values of `grid` must reach other processes: functions at the top of a file, no lambdas "
            f"or functions within functions, and `functools.partial` for what they need. Got {type(error).__name__}: "
            f"{error}."
        ) from error


@contextmanager
def processes(workers: int) -> Iterator[Executor]:
    """A pool of processes of this machine. On an interruption they end at once; parts are saved whole or not at all.

    They keep the number of threads of XLA: with another one, its sums are rounded in another order.
    """
    # They share an accelerator with this process: none takes most of its memory before it is needed.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begin)
    try:
        yield pool
    except BaseException:
        for process in list((getattr(pool, "_processes", None) or {}).values()):
            process.terminate()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that was interrupted ends this one
    # The workers of a pool whose process was killed would wait for work for ever.
    Thread(target=_end_with, args=(parent_process(),), daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


class Counted:
    """An executor that knows how many points it was given."""

    def __init__(self, executor: Any):
        self.executor = executor
        self.submitted = 0

    def submit(self, *arguments: Any) -> Any:
        """As the executor does."""
        self.submitted += 1
        return self.executor.submit(*arguments)

    def batch(self) -> Any:
        """What submissions go together in, where the executor has that."""
        return getattr(self.executor, "batch", nullcontext)()


def slurm(partition: str, minutes: int, folder: Path) -> Any:
    """An executor that makes each point a job of a SLURM array; logs go into `folder`.

    Raises `ValueError` where there is no submitit, or no SLURM.
    """
    # Or its import shuts down every handler of `logging`, and so ends log files of whoever calls.
    os.environ.setdefault("SUBMITIT_LOG_LEVEL", "NOCONFIG")
    try:
        import submitit
    except ImportError as error:
        raise ValueError("Jobs of SLURM need the package submitit. Got none; pip install 'memsim[cluster]'.") from error
    try:
        executor = submitit.AutoExecutor(folder=folder, cluster="slurm")
    except RuntimeError as error:
        raise ValueError(f"Jobs of SLURM need its commands on this machine. Got none: {error}") from error
    executor.update_parameters(slurm_partition=partition, timeout_min=minutes, name="memsim")
    return executor


def _option(name: str) -> Any:
    """A setting of jax; some are flags, which are read in another way."""
    return getattr(jax.config, name) if hasattr(jax.config, name) else jax.config.read(name)


def _key(words: np.ndarray, implementation: str) -> Key[Array, ""]:
    return jr.wrap_key_data(jnp.asarray(words), impl=implementation)
