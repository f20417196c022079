"""A measure at every point of a grid: in parts that are saved as they finish, on any number of processes."""

import json
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Array, Key

from device_models._files import as_path

from .._checks import Must, checked
from .._keeping import claimed, environment, fingerprint
from ._assemble import Part, assembled
from ._collect import Collected, collected
from ._executors import ambient, task_of, using
from ._grid import Grid, Point
from ._measured import check_measure
from ._parts import in_use
from ._provenance import provenance
from ._results import make_folder

if TYPE_CHECKING:
    import xarray as xr

GRID = Must("a mapping of arguments to lists of values", lambda x: np.full(np.shape(x), True))  # judged by `Grid`
MOST_FAILED, LONGEST_REASON = 100, 300  # points, and letters of each: an attribute holds 64 kB
LONGEST_NAME = 60  # letters of a file's name that say which point it is


@checked(grid=GRID)
def sweep(
    measure: Callable[..., Any],
    grid: Mapping[str, Any],
    *,
    folder: Path | str | None = None,
    executor: Any = None,
    key: Key[Array, ""] | None = None,
    unpaired: Sequence[str] = (),
) -> "xr.Dataset":
    """What `measure` finds at every point of a `grid`, as one labelled data set.

    ```python
    def measure(adc_bits, training, seed, *, key): ...

    result = ms.study.sweep(
        measure,
        {"adc_bits": [4, 6, 8], "training": {"digital": None, "noisy": ms.train.GaussianNoise(0.06)}, "seed": range(3)},
        folder="results/mine",
        key=jr.key(0),
    )
    ```

    Points are paired: each has the same `key`, so the same chips, whatever its settings. Along names of what is drawn,
    not chosen ("seed", "chip", "moment", "read", "recording"), and those `unpaired`, the value is folded in with
    `jax.random.fold_in`, one name after the other by alphabet; of what is no whole number, 32 bits that stand for it.
    No key depends on the order or the size of the grid.

    With a `folder`, each point is saved as it finishes, whole or not at all, and an interrupted or killed sweep goes
    on where it was: alone, or beside other processes with the same call, which share the points. A point that is there
    is not computed again as long as its values, its key, the code of `measure` with all that it captures (arguments
    of a `functools.partial`, defaults, what it names of your files), and `memsim` with the packages below are the same;
    so a grid may grow, shrink and turn. The parts stay in `folder` / the attribute "parts", where `remove_parts` finds
    them.

    **Arguments:**

    - `measure`: Called by name with the values of one point, and with `key` where one is given. It returns a number, an
      array, a dict of these or of `(dims, values)`, or what xarray has; without the names of the grid.
    - `grid`: For each argument a list of values, or a mapping of names to values. Coordinates of the result are the
      numbers or the texts, the names of a mapping, or else what the values are called. Numbers of NumPy reach `measure`
      as those of Python.
    - `folder`: Where finished points are kept; `None` keeps nothing.
    - `executor`: What computes: `None`, this process, or whatever has `submit` whose future has `result`, such as a
      `concurrent.futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))`,
      `dask.distributed.Client(...).get_executor()`, submitit's or mpi4py's. It reads and writes `folder`.
    - `key`: For everything that chance decides.
    - `unpaired`: Names along which points have keys of their own.

    Returns the variables of `measure` over the names of the grid and over what they have besides; where a dimension
    has a coordinate, points may differ in it, and NaN is what is missing. Attributes: `provenance`, what was "swept",
    what is "shared", and as "failed" which points raised an error, or lost their process. These are NaN, a warning
    says why, and the next call tries them again.

    Raises `ValueError` for what does not fit, before any work, and for results that differ in their variables or
    shapes, with two points that do; `RuntimeError` from the first error where every point failed.

    >>> import jax.random as jr, memsim as ms
    >>> def measure(bits, seed, *, key):
    ...     return {"error": 2.0**-bits}
    >>> found = ms.study.sweep(measure, {"bits": [4, 6], "seed": range(3)}, key=jr.key(0))
    >>> dict(found.sizes), found["error"].sel(bits=4).values.tolist()
    ({'bits': 2, 'seed': 3}, [0.0625, 0.0625, 0.0625])
    """
    found = Grid.of(grid, unpaired)
    check_measure(measure, found.names, keyed=key is not None)
    executor = ambient() if executor is None else executor
    with using(executor):  # judges it
        pass
    keep = None if folder is None else _folder_of(measure, folder)
    if keep is None:
        all_parts = _all(measure, found, None, executor, key)
    else:
        make_folder(keep)
        with claimed(in_use(keep), shared=True, wait=f"Waiting for the process that removes {keep}."):
            all_parts = _all(measure, found, keep, executor, key)
    return _whole(measure, found, all_parts, keep, keyed=key is not None)


def _all(
    measure: Callable[..., Any], grid: Grid, folder: Path | None, executor: Any, key: Key[Array, ""] | None
) -> Collected:
    tasks = []
    for point in grid.points():
        own = None if key is None else grid.key_of(point, key)
        file = None if folder is None else folder / _name(point, own)
        tasks.append(task_of(measure, point.values, own, grid.names, file))
    return collected(tasks, [str(point) for point in grid.points()], executor)


def _whole(
    measure: Callable[..., Any], grid: Grid, found: Collected, folder: Path | None, *, keyed: bool
) -> "xr.Dataset":
    points = list(grid.points())
    if not found.results:
        raise RuntimeError(
            f"A sweep must have a point that can be measured. Got an error at all {len(points)}, first at {points[0]}: "
            f"{found.failed[min(found.failed)]}"
        ) from found.error
    parts = [Part(str(points[number]), points[number].place, part) for number, part in sorted(found.results.items())]
    told = {"measure": _called(measure), "swept": json.dumps(grid.described()), "shared": grid.shared(keyed)}
    if folder is not None:
        told["parts"] = folder.name
    if found.failed:
        failed = {str(points[number]): why[:LONGEST_REASON] for number, why in sorted(found.failed.items())}
        first = dict(list(failed.items())[:MOST_FAILED])
        more = {f"and {len(failed) - MOST_FAILED} more": ""} if len(failed) > MOST_FAILED else {}
        told["failed"] = json.dumps(first | more)
    return assembled(grid, parts).assign_attrs(provenance() | told)


def _folder_of(measure: Callable[..., Any], folder: Path | str) -> Path:
    """Where the parts of this measure are: one with other code, or beside other packages, has another place."""
    named = fingerprint((measure, environment()))
    if named.unknown:
        warnings.warn(
            f"`measure` should capture numbers, arrays, text, functions and modules. Got {', '.join(named.unknown)}, "
            "of which only the class is known: parts made with another one would be taken over.",
            stacklevel=4,
        )
    return as_path(folder) / f"parts-{named.digest[:12]}"


def _name(point: Point, key: Key[Array, ""] | None) -> str:
    """The file of a point: its plain values, for a person to read, and what tells it from all others."""
    plain = {name: value for name, value in point.values.items() if isinstance(value, bool | int | float | str)}
    words = "-".join(f"{name}{value}" for name, value in sorted(plain.items()))
    words = re.sub(r"[^A-Za-z0-9.]+", "-", words)[:LONGEST_NAME].strip("-.")
    return f"{words or 'part'}-{fingerprint((point.digest, key)).digest[:16]}.nc"


def _called(measure: Callable[..., Any]) -> str:
    bare = measure.func if isinstance(measure, partial) else measure
    name = getattr(bare, "__qualname__", type(bare).__qualname__)
    return f"{getattr(bare, '__module__', '')}.{name}"
