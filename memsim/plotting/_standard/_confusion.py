"""Which classes are taken for which, and whether confidence can be believed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._checks import checked
from .._caption import describe
from .._lines import stand_beside
from .._style import COLOURS, MARKERS, letter_panels, panels_of, style
from ._parts import check_has, check_known, percentiles

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FEWEST = 5  # samples in a bin of the calibration curve that is drawn


@checked()
def confusion(result: "xr.Dataset", *, label: Mapping[str, str] | None = None, journal: str = "neutral") -> "Figure":
    """Confusion matrices in digital, on chips and their difference, and how often what is named surely is right.

    **Arguments:**

    - `result`: Of `memsim.study.confusion`.
    - `label`: What classes are called.
    - `journal`: A name of `memsim.plotting.JOURNALS`.

    **Raises:** `ValueError` for another data set.

    >>> import memsim as ms, numpy as np, xarray as xr
    >>> bins = {"number": [5, 5], "confidence": [0.4, 0.8], "right": [0.4, 1.0]}
    >>> data = xr.Dataset({f"digital_{name}": ("bin", each) for name, each in bins.items()})
    >>> data = data.assign({name: (("chip", "bin"), [each]) for name, each in bins.items()})
    >>> data = data.assign(digital_count=(("true", "named"), [[4, 1], [0, 5]]))
    >>> data = data.assign(count=(("chip", "true", "named"), [[[3, 2], [1, 4]]]))
    >>> data = data.assign(calibration_error=("chip", [0.1]), digital_calibration_error=0.1)
    >>> figure = ms.plotting.confusion(data.assign_coords(true=["a", "b"], named=["a", "b"]))
    >>> [axes.get_title(loc="left") for axes in figure.axes[:3]]
    ['Digital', 'On chips', 'Difference']
    """
    both = ("count", "number", "confidence", "right", "calibration_error")
    needed = (*both, *(f"digital_{name}" for name in both))
    check_has(result, needed, "`memsim.study.confusion`", over=("true", "named", "chip", "bin"))
    check_known(result, "count", "digital_count", "confidence", "right")
    names = [dict(label or {}).get(str(each), str(each)) for each in result.true.values]
    digital, chips = (_shares(result[each]) for each in ("digital_count", "count"))
    analog = chips.mean("chip")
    difference = analog - digital
    most = max(1.0, float(np.nanmax(np.abs(difference))))
    with style(journal):
        figure, grid = panels_of(journal, 2, 2, height=0.42)
        panels = list(grid.flat)
        shares: dict[str, Any] = {"cmap": "Blues", "vmin": 0, "vmax": 100}
        image = _matrix(panels[0], digital, names, "Digital", shares)
        _matrix(panels[1], analog, names, "On chips", shares)
        figure.colorbar(image, ax=panels[:2], label="Of the true class (%)", aspect=25, pad=0.01)
        changes: dict[str, Any] = {"cmap": "PuOr_r", "vmin": -most, "vmax": most}
        image = _matrix(panels[2], difference, names, "Difference", changes)
        figure.colorbar(image, ax=panels[2], label="Chips less digital (points)", aspect=25, pad=0.02)
        _calibration(panels[3], result)
        letter_panels(panels)
        widest = float((chips.quantile(0.95, "chip") - chips.quantile(0.05, "chip")).max())
        describe(
            figure,
            "a to c: share of each true class that is named as each, b and c: mean over chips (5th to 95th percentile "
            f"over chips of one entry: at most {widest:.1f} points apart); d: share that is right of samples named "
            f"with about the same confidence, in bins of at least {FEWEST}; bars: of digital, 95 % interval of Wilson; "
            "of chips, 5th to 95th percentile over them; dashed: calibrated; the error is the mean distance from it",
        )
    return figure


def _shares(counts: "xr.DataArray") -> "xr.DataArray":
    return 100 * counts / counts.sum("named").clip(min=1)


def _matrix(axes: "Axes", values: "xr.DataArray", names: list[str], title: str, look: dict[str, Any]) -> Any:
    image = axes.imshow(values.transpose("true", "named"), **look)
    every = range(0, len(names), 1 if len(names) <= 12 else -(-len(names) // 12))
    short = max(map(len, names)) <= 3
    axes.set_xticks(list(every), [names[at] for at in every], rotation=0 if short else 90)
    axes.set_yticks(list(every), [names[at] for at in every])
    axes.set(xlabel="Named", ylabel="True")
    axes.set_title(title)
    for side in ("top", "right"):
        axes.spines[side].set_visible(True)
    return image


def _calibration(axes: "Axes", result: "xr.Dataset") -> None:
    axes.plot([0, 100], [0, 100], color="0.6", linestyle="--", linewidth=0.8)
    known = result.digital_number.values >= FEWEST
    sure, right, number = (result[f"digital_{name}"].values[known] for name in ("confidence", "right", "number"))
    low, high = _wilson(right, number)
    error = 100 * float(result.digital_calibration_error)
    axes.plot(100 * sure, 100 * right, color=COLOURS[0], marker=MARKERS[0], label=f"digital, error {error:.1f} points")
    axes.vlines(100 * sure, 100 * low, 100 * high, color=COLOURS[0])
    enough = result.number >= FEWEST
    sure, right = (100 * result[name].where(enough).transpose("chip", "bin").values for name in ("confidence", "right"))
    low, _, high = percentiles(right)
    some = np.isfinite(low)
    x, y = (np.array([np.nanmean(each) for each in values.T[some]]) for values in (sure, right))
    low_error, _, high_error = 100 * percentiles(result.calibration_error.values)
    words = f"chips, error {low_error:.1f} to {high_error:.1f} points"
    there = len(axes.lines), len(axes.collections)
    axes.plot(x, y, color=COLOURS[4], marker=MARKERS[1], label=words)
    axes.vlines(x, low[some], high[some], color=COLOURS[4])
    stand_beside(axes, there, 1, 2)
    axes.set(xlabel="Confidence (%)", ylabel="Right (%)", xlim=(0, 102), ylim=(0, 102))
    axes.set_box_aspect(1)
    axes.legend(loc="lower right")


def _wilson(share: np.ndarray, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    z = 1.96
    middle, scale = share + z**2 / (2 * number), 1 + z**2 / number
    half = z * np.sqrt(share * (1 - share) / number + z**2 / (4 * number**2))
    return (middle - half) / scale, (middle + half) / scale
