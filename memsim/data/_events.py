"""Events: a NumPy structured array of time, place and polarity, and the checks that make one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Real, Shaped

from .._checks import finite, judge, not_nan, positive
from ._arrays import as_array

EVENT = np.dtype([("t", "<i8"), ("x", "<u2"), ("y", "<u2"), ("p", "u1")])
Size = tuple[int, ...]  # (channels,) of a line, (width, height) of an image sensor
Times = Real[np.ndarray, " events"] | Sequence[int | float]
Places = Real[np.ndarray, " events"] | Sequence[int | float]
Polarities = Real[np.ndarray, " events"] | Bool[np.ndarray, " events"] | Sequence[int | float]
BUILD = "Build one with `event_array(t, x, y, p)`."
END = 2.0**63  # microseconds, after all that a time may be


def event_array(
    t: Times,
    x: Places,
    y: Places | None = None,
    p: Polarities | None = None,
    *,
    size: Size | None = None,
    tick: float | None = None,
) -> Shaped[np.ndarray, " events"]:
    """Events as one structured array of `EVENT`: fields `t` (microseconds, int64), `x`, `y` (uint16) and `p` (uint8).

    **Times in the field `t` are integer microseconds**, exact and the unit of every event camera, and the one exception
    to seconds in memsim: whatever takes a duration takes seconds.

    **Arguments:**

    - `t`: Times from the start of the recording, in order. Integers are microseconds; floats need `tick`. Like the
      others, an array or a list.
    - `x`, `y`: Column and row, or `x` alone for the channel of a line such as a cochlea (`y` is then 0).
    - `p`: 1 for brighter, 0 or -1 for darker; 1 everywhere if `None`.
    - `size`: What the sensor has: (width, height), or (channels,); checked if given.
    - `tick`: Seconds that one unit of `t` lasts: 1.0 for times in seconds, 1e-3 for milliseconds. Times are then
      rounded to whole microseconds.

    Raises `ValueError` for times that are negative, not finite, not in order or of unknown unit, and for places outside
    the sensor.

    >>> import memsim as ms
    >>> events = ms.data.event_array([0.001, 0.002], [3, 4], [0, 1], [1, 0], tick=1.0)
    >>> events["t"].tolist(), events["p"].tolist()
    ([1000, 2000], [1, 0])
    """
    given = {"t": t, "x": x, "y": y, "p": p}
    columns = {name: _column(name, values) for name, values in given.items() if values is not None or name in "tx"}
    columns.setdefault("y", np.zeros(columns["t"].shape, np.uint16))
    columns.setdefault("p", np.ones(columns["t"].shape, np.uint8))
    _check_shapes(columns)
    found = np.empty(len(columns["t"]), EVENT)
    found["t"] = _microseconds(columns["t"], tick)
    for name, bound in zip(("x", "y"), _bounds(size), strict=True):
        found[name] = _places(name, columns[name], bound)
    found["p"] = _polarity(columns["p"])
    return found


def as_events(
    array: Shaped[np.ndarray, " events"], *, size: Size | None = None, tick: float | None = None
) -> Shaped[np.ndarray, " events"]:
    """Events from any structured array with fields `t` and `x`, and perhaps `y` and `p`, such as those of other tools.

    Arguments `size` and `tick` and errors as for `event_array`. What has the dtype `EVENT` is checked, not copied.

    >>> import numpy as np, memsim as ms
    >>> given = np.array([(5, 1, 2), (9, 3, 0)], [("t", "i4"), ("x", "i2"), ("y", "i2")])
    >>> ms.data.as_events(given)["p"].tolist()
    [1, 1]
    """
    dtype = getattr(array, "dtype", None)
    names = getattr(dtype, "names", None) or ()
    if "t" not in names or "x" not in names:
        came = f"fields {', '.join(names)}" if names else str(dtype or type(array).__name__)
        raise ValueError(
            f"`events` must be a structured array with fields t and x, and perhaps y and p. Got {came}. {BUILD}"
        )
    y, p = (array[name] if name in names else None for name in ("y", "p"))
    checked = event_array(array["t"], array["x"], y, p, size=size, tick=tick)
    return array if array.dtype == EVENT and tick is None else checked


def in_order(array: Shaped[np.ndarray, " events"]) -> Shaped[np.ndarray, " events"]:
    """The same events sorted by their field `t`; those of one time keep their order."""
    return array[np.argsort(array["t"], kind="stable")]


def crop(events: Shaped[np.ndarray, " events"], start: float, stop: float) -> Shaped[np.ndarray, " kept"]:
    """The events from `start` up to but without `stop`, both in seconds; their time counts from `start`.

    `stop` may be infinite: all events from `start` on.

    Raises `ValueError` unless 0 <= start < stop.

    >>> import numpy as np, memsim as ms
    >>> events = ms.data.event_array(np.array([0, 10, 20]), np.array([1, 2, 3]))
    >>> ms.data.crop(events, 5e-6, 15e-6)["t"].tolist()
    [5]
    """
    judge("start", start, float, finite("in seconds"))
    judge("stop", stop, float, not_nan("a number of seconds, perhaps infinite"))
    if not 0 <= start < stop:
        raise ValueError(
            f"`start` and `stop` must satisfy 0 <= start < stop, in seconds. Got {start} and {stop}. "
            "Microseconds? Multiply by 1e-6."
        )
    events = as_events(events)
    kept = events[_number_before(events["t"], start) : _number_before(events["t"], stop)].copy()
    if len(kept):
        kept["t"] -= whole_microseconds(np.array(start, np.float64))
    return kept


def downsample(events: Shaped[np.ndarray, " events"], size: Size, to: Size) -> Shaped[np.ndarray, " events"]:
    r"""The same events on a coarser sensor: column $x$ goes to $\lfloor x\, w_\text{to} / w \rfloor$, rows alike.

    No event is lost, so counts add up. Where `to` does not divide `size`, as for 700 channels on 256, a new channel
    gathers one old channel more than its neighbour (2 or 3).

    **Arguments:**

    - `size`, `to`: The sensor's size and the new one: (width, height), or (channels,).

    Raises `ValueError` where `to` is larger than `size` or has other dimensions.

    >>> import numpy as np, memsim as ms
    >>> events = ms.data.event_array(np.array([0, 10, 20]), np.array([0, 350, 699]))
    >>> ms.data.downsample(events, (700,), (100,))["x"].tolist()
    [0, 50, 99]
    """
    check_coarser("to", to, size)
    moved = as_events(events, size=size).copy()
    for name, old, new in zip(("x", "y"), size, to, strict=False):
        moved[name] = moved[name].astype(np.int64) * new // old
    return moved


def whole_microseconds(seconds: Real[np.ndarray, "*times"]) -> Int[np.ndarray, "*times"]:
    """The first whole microsecond at or after each time in seconds, all of which must be below 9.2e12 s."""
    exact = seconds.astype(np.float64) * 1e6
    # Half a thousandth of a microsecond absorbs the rounding of decimals such as 0.07 s.
    near = np.abs(exact - np.rint(exact)) <= np.maximum(5e-4, np.spacing(exact))
    return np.where(near, np.rint(exact), np.ceil(exact)).astype(np.int64)


def check_size(name: str, size: Any) -> None:
    """Raises `ValueError` unless `size` is a width and a height, or a number of channels, from 1 to 2**16."""
    judge(name, size, Size)
    if not 1 <= len(size) <= 2 or any(not 1 <= extent <= 2**16 for extent in size):
        raise ValueError(
            f"`{name}` must be (width, height) or (channels,), each from 1 to {2**16}. Got {size}. "
            "Without polarity: (34, 34), not (34, 34, 2)."
        )


def check_coarser(name: str, to: Any, size: Size) -> None:
    """Raises `ValueError` unless `to` has the dimensions of `size` and no more places."""
    judge(name, to, Size)
    check_size("size", size)
    if len(to) != len(size) or any(not 1 <= new <= old for new, old in zip(to, size, strict=False)):
        raise ValueError(
            f"`{name}` must have the dimensions of `size` and be from 1 to {size}. Got {to}. "
            "Events cannot be placed finer than they were recorded."
        )


def _number_before(t: Int[np.ndarray, " events"], seconds: float) -> int:
    """How many of the sorted times are before a moment, which may be infinite."""
    if seconds >= END * 1e-6:
        return len(t)
    return int(np.searchsorted(t, whole_microseconds(np.array(seconds, np.float64))))


def _column(name: str, values: Any) -> np.ndarray:
    found = as_array(name, values)
    if not (np.issubdtype(found.dtype, np.number) or found.dtype == bool) or np.iscomplexobj(found):
        raise ValueError(
            f"`{name}` must hold one number for each event. Got {found.dtype}; convert it with `np.asarray`."
        )
    return found


def _check_shapes(fields: dict[str, np.ndarray]) -> None:
    shapes = {name: values.shape for name, values in fields.items()}
    if len(set(shapes.values())) > 1 or len(shapes["t"]) != 1:
        raise ValueError(f"`t`, `x`, `y` and `p` must have one entry for each event. Got shapes {shapes}.")


def _microseconds(t: np.ndarray, tick: float | None) -> Int[np.ndarray, " events"]:
    if tick is None and not np.issubdtype(t.dtype, np.integer):
        raise ValueError(
            "`t` must be integer microseconds, or come with `tick`, the seconds that one unit lasts. "
            f"Got {t.dtype}. Seconds? Pass tick=1.0. Milliseconds? tick=1e-3. Microseconds? tick=1e-6."
        )
    if not np.isfinite(t).all():
        raise ValueError("`t` must be finite. Got NaN or infinity. Remove those events.")
    judge("tick", tick, float | None, positive("in seconds", most=1e6, hint="Milliseconds? Pass 1e-3."))
    with np.errstate(over="ignore"):  # what overflows is refused below
        scaled = t if tick is None else np.round(t.astype(np.float64) * (tick * 1e6))
    if len(t) and (scaled.min() < 0 or scaled.max() >= 2**63):
        raise ValueError(
            f"`t` must count microseconds from the start of the recording, from 0 to 2**63 - 1. "
            f"Got {scaled.min()} to {scaled.max()}. Subtract the first time."
        )
    found = scaled.astype(np.int64)
    if np.any(found[1:] < found[:-1]):
        first = int(np.argmax(found[1:] < found[:-1])) + 1
        raise ValueError(
            f"`t` must be in order. Got {found[first]} after {found[first - 1]} at event {first}. "
            'Sort with `np.argsort(t, kind="stable")`.'
        )
    return found


def _bounds(size: Size | None) -> tuple[int, int]:
    if size is None:
        return 2**16, 2**16
    check_size("size", size)
    return size[0], size[1] if len(size) == 2 else 1


def _places(name: str, values: np.ndarray, bound: int) -> np.ndarray:
    if len(values) and not (values.min() >= 0 and values.max() < bound and np.all(values == np.floor(values))):
        raise ValueError(
            f"`{name}` must hold whole numbers from 0 to {bound - 1}. Got {values.min()} to {values.max()}. "
            "Give the sensor's `size` as (width, height), and count from 0."
        )
    return values


def _polarity(p: np.ndarray) -> Bool[np.ndarray, " events"]:
    if not np.isin(p, (-1, 0, 1)).all() or (np.any(p == -1) and np.any(p == 0)):
        raise ValueError(f"`p` must be 1 for brighter and 0 (or else -1) for darker. Got {np.unique(p)[:5]}.")
    return p == 1
