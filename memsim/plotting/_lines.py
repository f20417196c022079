"""Lines with their spread over chips, dashed where cells were not measured."""

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from .._checks import Must, checked, did_you_mean
from ..study import interval
from ..study._right import best_of
from ._style import COLOURS, MARKERS
from ._time import shown_time

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

BEYOND = "--"  # where cells were not measured


@checked()
def draw_accuracy(axes: "Axes", accuracy: "xr.DataArray | xr.Dataset", *, place: int, label: str | None) -> None:
    """One line on `axes` against time since programming, as of `draw_spread`, of a result or its accuracy.

    >>> import numpy as np, xarray as xr, matplotlib.pyplot as plt, memsim as ms
    >>> values = np.linspace(0.8, 0.9, 6).reshape(2, 3)
    >>> accuracy = xr.DataArray(values, {"chip": [0, 1], "time": [0.0, 3600.0, 86400.0]})
    >>> figure, axes = plt.subplots()
    >>> ms.plotting.draw_accuracy(axes, accuracy, place=0, label="digital")
    >>> [line.get_label() for line in axes.get_lines()][:1]
    ['digital']
    """
    draw_spread(axes, shown_time(accuracy.time.values), accuracy, along="time", place=place, label=label)


@checked()
def draw_spread(
    axes: "Axes",
    x: np.ndarray,
    values: "xr.DataArray | xr.Dataset",
    *,
    along: str,
    place: int,
    label: str | None,
    linestyle: str = "-",
) -> None:
    """One line on `axes`, in percent: mean with the 5th to 95th percentile over chips (and seeds) as a band.

    Bars show the 95 % interval of the mean, `memsim.study.interval`, where there are several seeds, or `values` are a
    result that kept what is right of each recording. `along` is the dimension of `values` that `x` shows, and `place`
    chooses colour and marker. Where the coordinate `measured` is there and False, the line is dashed.

    >>> import numpy as np, xarray as xr, matplotlib.pyplot as plt, memsim as ms
    >>> values = xr.DataArray(np.linspace(0.8, 0.9, 6).reshape(2, 3), {"chip": [0, 1], "bits": [4, 6, 8]})
    >>> figure, axes = plt.subplots()
    >>> ms.plotting.draw_spread(axes, np.array([4, 6, 8]), values, along="bits", place=0, label="mine")
    >>> axes.get_legend_handles_labels()[1]
    ['mine']
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
    colour, marker = COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]
    mean = 100 * np.asarray(shares.mean(over, skipna=False))
    low, high = 100 * np.percentile(np.asarray(shares.transpose(*over, along)), [5, 95], axis=tuple(range(len(over))))
    axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
    look = {"color": colour, "marker": marker, "label": label, "linestyle": linestyle}
    draw_line(axes, x, mean, measured_along(values, along), **look)
    if values.sizes.get("seed", 1) > 1 or "recording" in values.dims:
        known = np.flatnonzero(np.isfinite(mean))
        found = 100 * np.array([interval(values.isel({along: place})) for place in known]).reshape(-1, 3)
        bars = np.abs(found[:, 1:] - found[:, :1]).T
        axes.errorbar(x[known], mean[known], bars, fmt="none", ecolor=colour, capsize=1.5, lw=0.6)


@checked(y=Must("numbers", lambda y: np.full(np.shape(y), True)))  # what is NaN is left out
def draw_line(axes: "Axes", x: np.ndarray, y: np.ndarray, measured: np.ndarray | None = None, **look: Any) -> None:
    """`y` over `x`, as `axes.plot` draws it, but dashed to and from points that are not `measured`.

    >>> import numpy as np, matplotlib.pyplot as plt, memsim as ms
    >>> figure, axes = plt.subplots()
    >>> ms.plotting.draw_line(axes, np.arange(3.0), np.arange(3.0), np.array([True, True, False]))
    >>> "--" in [line.get_linestyle() for line in axes.get_lines()]
    True
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

    >>> import xarray as xr, memsim as ms
    >>> values = xr.DataArray([0.9, 0.8], {"time": [0.0, 3e8], "measured": ("time", [True, False])}, dims="time")
    >>> ms.plotting.measured_along(values, "time").tolist()
    [True, False]
    """
    measured = values.coords.get("measured")
    return None if measured is None or measured.dims != (along,) else np.asarray(measured, bool)
