"""How chips of one design differ: their accuracies, and how many of them are good enough."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..._checks import checked, described, did_you_mean
from ...study import interval, interval_over, yield_curve
from ...study._factors import FACTORS
from ...study._right import best_of
from .._caption import describe
from .._lines import stand_beside
from .._names import readable
from .._style import letter_panels, look, panels_of, style
from ._parts import BAND, check_has

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

THRESHOLDS, BARS = 60, 9  # points of the curve, and how many of them have an interval


@checked()
def chip_to_chip(
    result: "xr.Dataset", *, lines: str | None = None, label: Mapping[str, str] | None = None, journal: str = "neutral"
) -> "Figure":
    """Accuracy from chip to chip as violins, and the share of chips that are at least so good.

    **Arguments:**

    - `result`: Of `memsim.study.robustness` at one time, or of an experiment: `accuracy` over "chip", perhaps "seed",
      and what is compared.
    - `lines`: The dimension of what is compared; by default the one that is there.
    - `label`: What is compared is called, see `readable`.
    - `journal`: A name of `memsim.plotting.JOURNALS`.

    **Raises:** `ValueError` for another data set, or one over more than that.

    >>> import memsim as ms, numpy as np, xarray as xr
    >>> data = xr.Dataset({"accuracy": (("training", "chip"), 0.9 + 0.002 * np.arange(40).reshape(2, 20))})
    >>> ms.plotting.chip_to_chip(data.assign_coords(training=["plain", "for chips"])).axes[1].get_ylabel()
    'Chips at least so good (%)'
    """
    check_has(result, ("accuracy",), "`memsim.study.robustness`")
    values = result.accuracy.squeeze(
        [name for name, size in result.accuracy.sizes.items() if name == "time" and size == 1]
    )
    others = [str(name) for name in values.dims if name not in FACTORS]
    if lines is not None and lines not in others:
        raise ValueError(did_you_mean("`lines`, a dimension of the accuracy,", lines, others or ["none"]))
    if "chip" not in values.dims or values.sizes["chip"] < 3 or len(others) > 1:
        raise ValueError(
            '`result` must have accuracies over three chips or more, along "chip", and over nothing but one thing that '
            f"is compared. Got {described(values)} over {', '.join(map(str, values.dims))}; choose with `sel`."
        )
    names = [None] if not others else list(range(values.sizes[others[0]]))
    kept = result[[name for name in ("accuracy", "right") if name in result]]
    with style(journal):
        figure, grid = panels_of(journal, 1, 2, height=0.42)
        violins, curves = grid[0]
        for place, at in enumerate(names):
            one = values if at is None else values.isel({others[0]: at})
            one_kept = kept.squeeze(drop=False) if at is None else kept.isel({others[0]: at})
            known = at is not None and others[0] in result.coords
            text = readable(str(result[others[0]].values[at]), label) if known else ""
            _violin(violins, one, _interval(one_kept, one), place)
            _curve(curves, one, place, len(names), text, _range(values))
        violins.set_xticks(range(len(names)), [handle.get_label() for handle in curves.lines])
        violins.set_ylabel("Accuracy (%)")
        curves.set(xlabel="Accuracy (%)", ylabel="Chips at least so good (%)", ylim=(-3, 103))
        if curves.get_legend_handles_labels()[0] and len(names) > 1:
            curves.legend(loc="lower left")
        letter_panels(grid[0])
        describe(
            figure,
            "a: violins: density of chips; white marks: medians, grey bars: 25th to 75th percentile, black bars: 95 % "
            f"interval of the mean over {interval_over(kept)}; b: share of chips, bars: 95 % intervals of it "
            "(memsim.study.yield_curve), beside each other",
        )
    return figure


def _interval(kept: "xr.Dataset", one: "xr.DataArray") -> tuple[float, float, float]:
    values = best_of(kept) if "right" in kept else one
    return tuple(100 * np.asarray(interval(values.squeeze(drop=True))))


def _range(values: "xr.DataArray") -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return low - 0.03 * (high - low) - 1e-4, high + 0.03 * (high - low) + 1e-4


def _violin(axes: "Axes", one: "xr.DataArray", mean: tuple[float, float, float], place: int) -> None:
    each, shown = 100 * np.ravel(one.values), look(place)
    if np.ptp(each) > 0:
        (body,) = axes.violinplot(each, [place], widths=0.8, showextrema=False)["bodies"]  # pyright: ignore
        body.set(facecolor=shown["color"], alpha=2 * BAND, edgecolor=shown["color"], linewidth=0.5)
    low, middle, high = np.percentile(each, [25, 50, 75])
    axes.vlines(place, low, high, color="0.4", linewidth=3)
    axes.plot(place, middle, marker=shown["marker"], color="white", markersize=3, zorder=4)
    axes.vlines(place + 0.3, mean[1], mean[2], color="black", linewidth=1.2)


def _curve(axes: "Axes", one: "xr.DataArray", place: int, of: int, name: str, ends: tuple[float, float]) -> None:
    thresholds = np.linspace(*ends, THRESHOLDS)
    found = yield_curve(one, thresholds)
    shown, there = look(place), (len(axes.lines), len(axes.collections))
    fraction = 100 * found.fraction.values.ravel()
    every = slice(THRESHOLDS // BARS // 2, None, THRESHOLDS // BARS)
    how = {
        "label": name,
        "color": shown["color"],
        "marker": shown["marker"],
        "markevery": every,
        "drawstyle": "steps-post",
    }
    axes.plot(100 * thresholds, fraction, **how)
    low, high = 100 * found.low.values.ravel()[every], 100 * found.high.values.ravel()[every]
    axes.vlines(100 * thresholds[every], low, high, color=shown["color"], linewidth=1.2)
    stand_beside(axes, there, place, of)
