"""Lines with their spread over chips, beside each other, dashed where cells were not measured."""

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from .._checks import Must, checked, did_you_mean, whole
from ..study import interval
from ..study._right import best_of
from ._style import look
from ._time import shown_time

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

BEYOND = "--"  # where cells were not measured
APART = 2.6  # points between the intervals of neighbouring lines
INTERVALS = "lines: means; thin bars: 5th to 95th percentile; thick bars: 95 % interval of the mean, beside each other,"


@checked(of=whole(1))
def draw_accuracy(
    axes: "Axes", accuracy: "xr.DataArray | xr.Dataset", *, place: int, label: str | None, of: int = 1
) -> None:
    """One line on `axes` against time since programming, as of `draw_spread`, of a result or its accuracy.

    >>> import memsim as ms, numpy as np, xarray as xr
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> accuracy = xr.DataArray(np.ones((20, 2)), {"time": [1.0, 100.0]}, ("chip", "time"))
    >>> ms.plotting.draw_accuracy(axes, accuracy, place=0, label="trained for chips")
    >>> axes.lines[0].get_ydata().tolist()
    [100.0, 100.0]
    """
    draw_spread(axes, shown_time(accuracy.time.values), accuracy, along="time", place=place, label=label, of=of)


@checked(of=whole(1))
def draw_spread(
    axes: "Axes",
    x: np.ndarray,
    values: "xr.DataArray | xr.Dataset",
    *,
    along: str,
    place: int,
    label: str | None,
    linestyle: str = "-",
    of: int = 1,
) -> None:
    """One line on `axes`, in percent: the mean, and a thin bar of the 5th to 95th percentile over chips and seeds.

    A thick bar is the 95 % interval of the mean, `memsim.study.interval`, where there are several chips or seeds, or
    `values` are a result that kept what is right of each recording: then it is over recordings, too, while that of
    `result.accuracy` is over chips and seeds alone. Where the coordinate `measured` is there and False, the line is
    dashed.

    **Arguments:**

    - `axes`: Of matplotlib.
    - `x`: Where the values stand, one number for each along `along`.
    - `values`: A result with `accuracy`, or an array, as shares; over `along`, and what chance decided.
    - `along`: The dimension of `values` that `x` shows.
    - `place`: Which of the lines it is: chooses colour and marker, see `look`.
    - `label`: What the legend calls it.
    - `linestyle`: Of matplotlib.
    - `of`: How many lines there are: bars of one x stand beside each other, so that none hides another.

    **Raises:** `ValueError` for a dimension that the values do not have. Values that are not finite are left out, with
    a warning.

    >>> import memsim as ms, numpy as np, xarray as xr
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> values = xr.DataArray(np.linspace(0.8, 0.9, 21)[:, None] * np.ones(3), dims=("chip", "noise"))
    >>> ms.plotting.draw_spread(axes, np.arange(3.0), values, along="noise", place=0, label=None)
    >>> axes.lines[0].get_ydata().round(1).tolist()
    [85.0, 85.0, 85.0]
    """
    values = best_of(values)
    if along not in values.dims:
        raise ValueError(did_you_mean("`along`, a dimension of `values`,", along, map(str, values.dims)))
    shares = values.mean("recording", skipna=False) if "recording" in values.dims else values
    missing = int((~np.isfinite(np.asarray(shares))).sum())
    if missing:
        said = f"{missing} of {shares.size} values to draw are NaN or infinite; what they enter is left out."
        warnings.warn(said, stacklevel=3)
    over = [name for name in shares.dims if name != along]
    mean = 100 * np.asarray(shares.mean(over, skipna=False), float)
    shown, there = look(place), (len(axes.lines), len(axes.collections))
    each = 100 * np.asarray(shares.transpose(*over, along), float).reshape(-1, len(mean))
    low, high = np.percentile(each, [5, 95], axis=0) if len(each) > 1 else np.full((2, len(mean)), np.nan)
    axes.vlines(x, low, high, color=shown["color"], linewidth=0.6)
    draw_line(axes, x, mean, measured_along(values, along), **shown, label=label, linestyle=linestyle)
    if any(values.sizes.get(name, 1) > 1 for name in ("seed", "chip", "recording")):
        known = np.flatnonzero(np.isfinite(mean))
        found = 100 * np.array([interval(values.isel({along: at})) for at in known]).reshape(-1, 3)
        axes.vlines(x[known], found[:, 1], found[:, 2], color=shown["color"], linewidth=1.8)
    stand_beside(axes, there, place, of)


@checked(found=Must("numbers", lambda y: np.full(np.shape(y), True)), of=whole(1))  # what is NaN is left out
def draw_interval(
    axes: "Axes", x: np.ndarray, found: np.ndarray, *, place: int, label: str | None, of: int = 1, linestyle: str = "-"
) -> None:
    """One line on `axes` with a bar at each point, as they are given: bars of several lines stand beside each other.

    **Arguments:**

    - `axes`: Of matplotlib.
    - `x`: Where the points stand.
    - `found`: Mean and lower and upper end of the bar, one row a point, such as `memsim.study.interval` returns. NaN is
      left out: a point without a bar.
    - `place`, `label`, `of`, `linestyle`: As of `draw_spread`.

    >>> import memsim as ms, numpy as np
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> ms.plotting.draw_interval(axes, np.arange(2.0), np.array([[1, 0, 2], [2, 1, 3]]), place=0, label="regained")
    >>> axes.lines[0].get_ydata().tolist()
    [1, 2]
    """
    if np.ndim(found) != 2 or np.shape(found) != (len(x), 3):
        raise ValueError(
            f"`found` must have a row of three numbers for each of {len(x)} points. Got {np.shape(found)}."
        )
    shown, there = look(place), (len(axes.lines), len(axes.collections))
    axes.plot(x, found[:, 0], **shown, label=label, linestyle=linestyle)
    axes.vlines(x, found[:, 1], found[:, 2], color=shown["color"], linewidth=0.8)
    stand_beside(axes, there, place, of)


def stand_beside(axes: "Axes", there: tuple[int, int], place: int, of: int) -> None:
    """Moves what was drawn last, all but the first lines and collections that were `there`, some points beside its x.

    On any scale. The limits of the axes stay those of the data: an artist that is made with another transform than that
    of the data does not enter them.
    """
    from matplotlib.transforms import ScaledTranslation

    points = APART * (place % of - (of - 1) / 2) if of > 1 else 0.0
    figure = axes.get_figure(root=True)
    assert figure is not None
    moved = axes.transData + ScaledTranslation(points / 72, 0, figure.dpi_scale_trans)
    for artist in (*axes.lines[there[0] :], *axes.collections[there[1] :]):
        artist.set_transform(moved)
    if of > 1:
        axes.set_xmargin(max(axes.get_xmargin(), 0.03 + 0.015 * of))  # room for what moved


@checked(y=Must("numbers", lambda y: np.full(np.shape(y), True)))  # what is NaN is left out
def draw_line(axes: "Axes", x: np.ndarray, y: np.ndarray, measured: np.ndarray | None = None, **look: Any) -> None:
    """`y` over `x`, as `axes.plot` draws it with what it takes, but dashed to and from points that are not `measured`.

    >>> import memsim as ms, numpy as np
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> ms.plotting.draw_line(axes, np.arange(3.0), np.ones(3), np.array([True, True, False]), color="black")
    >>> [line.get_linestyle() for line in axes.lines]
    ['None', '-', '--', '-']
    """
    if measured is None or measured.all():
        axes.plot(x, y, **look)
        return
    label, linestyle = look.pop("label", None), look.pop("linestyle", "-")
    axes.plot(x, y, **look, linestyle="none")
    bare = {name: value for name, value in look.items() if name not in ("marker", "markersize")}
    for first in range(len(x) - 1):
        solid = measured[first] and measured[first + 1]
        axes.plot(x[first : first + 2], y[first : first + 2], **bare, linestyle=linestyle if solid else BEYOND)
    axes.plot([], [], **look, linestyle=linestyle, label=label)


@checked()
def measured_along(values: "xr.DataArray", along: str) -> np.ndarray | None:
    """The coordinate `measured` of `values` along one of their dimensions, if it is there.

    >>> import memsim as ms, numpy as np, xarray as xr
    >>> values = xr.DataArray(np.ones(2), {"measured": ("time", [True, False])}, ("time",))
    >>> ms.plotting.measured_along(values, "time")
    array([ True, False])
    """
    measured = values.coords.get("measured")
    return None if measured is None or measured.dims != (along,) else np.asarray(measured, bool)
