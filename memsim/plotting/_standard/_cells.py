"""Memory cells as populations: the error of a write, and how conductance goes over time."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._checks import checked
from .._caption import describe
from .._names import readable
from .._style import COLOURS, MARKERS, letter_panels, style
from .._time import label_time, shown_time
from ._parts import BAND, check_has, in_rows, title_two

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAKER = "`memsim run cells`"
COLUMNS = 5
TARGET = "Target ($g_\\mathrm{min}$ to $g_\\mathrm{max}$)"


@checked()
def programming_error(
    result: "xr.Dataset", *, label: Mapping[str, str] | None = None, journal: str = "neutral"
) -> "Figure":
    r"""Spread of written conductances against their target, a panel a cell, with the published curve over it.

    **Arguments:**

    - `result`: `error_std`, `published_std` and `g` in siemens, over (device, target), the target from 0 to 1: of
      `memsim run cells`.
    - `label`: What cells are called, see `readable`.
    - `journal`: A name of `memsim.plotting.JOURNALS`.

    **Raises:** `ValueError` for another data set.

    >>> import memsim as ms, numpy as np, xarray as xr
    >>> over = {name: (("device", "target"), np.ones((1, 5)) * 1e-6) for name in ("error_std", "published_std")}
    >>> over["g"] = (("device", "target"), np.linspace(0, 25e-6, 5)[None])
    >>> cells = xr.Dataset(over, {"device": ["pcm_joshi2020"], "target": np.linspace(0, 1, 5)})
    >>> ms.plotting.programming_error(cells).axes[0].get_title(loc="left")
    'PCM\n(Joshi 2020)'
    """
    check_has(result, ("error_std", "published_std", "g", "device", "target"), MAKER, over=("device", "target"))
    with style(journal):
        figure, panels = in_rows(journal, result.sizes["device"], COLUMNS, height=0.18, sharex=True, sharey=True)
        for axes, name in zip(panels, result.device.values, strict=True):
            one = result.sel(device=name)
            unit = float(one.g.max() - one.g.min()) / 100
            axes.plot(
                one.target, one.published_std.where(one.published_std > 0) / unit, color=COLOURS[4], label="published"
            )
            every = max(1, one.sizes["target"] // 14)
            found = one.error_std[::every] / unit
            look: dict[str, Any] = {"marker": MARKERS[0], "linestyle": "none", "color": COLOURS[0]}
            axes.plot(one.target[::every], found.where(found > 0), markersize=2.5, label="cells as written", **look)
            axes.set_title(readable(str(name), label).replace(" (", "\n("))
            axes.set_yscale("log")
        _outer_labels(panels, TARGET, "Write error (%)")
        panels[0].legend(loc="lower right")
        letter_panels(panels)
        describe(
            figure,
            "Marks: standard deviation of conductances just written to one target, over cells, in % of the range; "
            "lines: the published curve. Near the ends of the range cells are clipped, and marks lie below the line",
        )
    return figure


@checked()
def conductance_drift(
    result: "xr.Dataset", *, label: Mapping[str, str] | None = None, journal: str = "neutral"
) -> "Figure":
    r"""Conductance against time and the exponent of its fall against the target, two panels a cell.

    Cells of which nobody saw drift or relaxation are left out.

    **Arguments:**

    - `result`: `left`, $G/G_0$, over (device, percentile, time, target), and `exponent` over (device, percentile,
      target), the percentiles 5, 50 and 95 over cells: of `memsim run cells`.
    - `label`: What cells are called, see `readable`.
    - `journal`: A name of `memsim.plotting.JOURNALS`.

    **Raises:** `ValueError` for another data set, or one in which no cell moves.

    >>> import memsim as ms, numpy as np, xarray as xr
    >>> names = ("device", "percentile", "time", "target")
    >>> left = np.array([0.8, 0.9, 1.0])[None, :, None, None] * np.ones((1, 3, 2, 5))
    >>> cells = xr.Dataset({"left": (names, left), "exponent": (("device", "percentile", "target"), left[:, :, 0])})
    >>> cells = cells.assign_coords(device=["mine"], percentile=[5, 50, 95], time=[1.0, 1e6], target=np.arange(5))
    >>> ms.plotting.conductance_drift(cells).axes[0].lines[0].get_ydata().tolist()
    [0.9, 0.9]
    """
    check_has(
        result,
        ("left", "exponent", "device", "time", "target", "percentile"),
        MAKER,
        over=("device", "time", "target", "percentile"),
    )
    if result.sizes["percentile"] != 3:
        raise ValueError(f"`result` must have the percentiles 5, 50 and 95. Got {result.percentile.values.tolist()}.")
    moving = [name for name in result.device.values if float(np.abs(result.exponent.sel(device=name)).max()) > 0]
    if not moving:
        raise ValueError("`result` must have a cell that moves, with an `exponent` other than zero. Got none.")
    with style(journal):
        figure, panels = in_rows(journal, 2 * len(moving), 6, height=0.18, every=2)
        for name, over_time, exponents in zip(moving, panels[::2], panels[1::2], strict=True):
            one = result.sel(device=name)
            _fall(over_time, one)
            _exponents(exponents, one)
            title_two(over_time, readable(str(name), label))
        letter_panels(panels[::2])
        describe(
            figure,
            "Pairs of panels, a cell each: on the left conductance over that just after the write, of cells written "
            "to the middle of the range; on the right the exponent of the fall from an hour to a month. Lines: median "
            "over cells; bands: 5th to 95th percentile",
        )
    return figure


def _fall(axes: "Axes", one: "xr.Dataset") -> None:
    middle = one.left.isel(target=one.sizes["target"] // 2)
    low, median, high = middle.transpose("percentile", "time").values
    times = shown_time(one.time.values)
    axes.fill_between(times, low, high, color=COLOURS[2], alpha=BAND, linewidth=0)
    axes.plot(times, median, color=COLOURS[2])
    label_time(axes, one.time.values, most=3)
    axes.set_xlabel("Age")
    axes.set_ylabel("$G / G_0$")


def _exponents(axes: "Axes", one: "xr.Dataset") -> None:
    low, median, high = one.exponent.transpose("percentile", "target").values
    axes.fill_between(one.target, low, high, color=COLOURS[4], alpha=BAND, linewidth=0)
    axes.plot(one.target, median, color=COLOURS[4])
    shown = np.concatenate([low[2:], high[2:]])  # cells near zero are written to little more than noise
    shown = shown[np.isfinite(shown)]
    if shown.size:
        least, most = shown.min(), shown.max()
        axes.set_ylim(least - 0.15 * (most - least) - 1e-3, most + 0.15 * (most - least) + 1e-3)
    axes.set_xlabel(TARGET.split(" (")[0])
    axes.set_ylabel("Exponent $\\nu$")


def _outer_labels(panels: "list[Axes]", x: str, y: str) -> None:
    """Labels of axes that panels share, at the left and the lower edge only."""
    for number, axes in enumerate(panels):
        if number % COLUMNS == 0:
            axes.set_ylabel(y)
        if number + COLUMNS >= len(panels):
            axes.set_xlabel(x)
            axes.tick_params(labelbottom=True)
