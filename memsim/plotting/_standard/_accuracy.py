"""Accuracy against one thing: time since programming, noise of weights, or any other number."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._checks import checked, did_you_mean
from ...study import interval_over
from ...study._factors import FACTORS, best_of, factors
from .._caption import describe
from .._lines import INTERVALS, draw_spread
from .._names import readable
from .._style import JOURNALS, letter_panels, style, width
from .._time import label_time, shown_time
from ._parts import below, check_has

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Names = Mapping[str, str]


@checked()
def accuracy_over_time(
    result: "xr.Dataset",
    *,
    lines: str | None = None,
    panels: Sequence[str] = (),
    label: Names | None = None,
    journal: str = "neutral",
) -> "Figure":
    """Accuracy in percent against time since programming: a line for each training or correction, beside each other.

    It is dashed where cells of that age were not measured. A dotted line is `digital_accuracy`, where the result has
    it.

    **Arguments:**

    - `result`: Of `memsim.study.robustness`, or of an experiment: `accuracy` over "time", what chance decided ("seed",
      "chip", ...) and what is compared. With what was right of each recording, intervals are over these, too.
    - `lines`: The dimension of what is compared in each panel; by default the first that is none of the above and none
      of `panels`.
    - `panels`: One dimension for columns of panels, or two, for rows and columns.
    - `label`: What lines and panels are called, see `readable`.
    - `journal`: A name of `memsim.plotting.JOURNALS`.

    **Raises:** `ValueError` for another data set, or dimensions that it does not have.

    >>> import memsim as ms, numpy as np, xarray as xr
    >>> values = np.linspace(0.7, 0.9, 40).reshape(20, 2, 1) * np.ones(3)
    >>> data = xr.Dataset({"accuracy": (("chip", "training", "time"), values)}, {"time": [1.0, 3600.0, 86400.0]})
    >>> data = data.assign_coords(training=["plain", "for chips"])
    >>> len(ms.plotting.accuracy_over_time(data).axes[0].lines)
    2
    """
    check_has(result, ("accuracy", "time"), "`memsim.study.robustness`")

    def finish(axes: "Axes") -> None:
        label_time(axes, result.time.values, most=8 if len(panels) < 2 else 6)

    x = shown_time(result.time.values)
    return _families(result, "time", x, finish, _Chosen(lines, tuple(panels), label, journal))


@checked()
def accuracy_over_noise(
    result: "xr.Dataset",
    *,
    along: str = "noise",
    lines: str | None = None,
    panels: Sequence[str] = (),
    label: Names | None = None,
    journal: str = "neutral",
    name: str = "Noise of weights (% of the largest)",
) -> "Figure":
    """Accuracy in percent against the noise of weights, or any other share: a line for each training.

    **Arguments:**

    - `result`: `accuracy` over `along`, what chance decided ("seed", "chip", ...) and what is compared.
    - `along`: The dimension of the horizontal axis: shares, shown in percent.
    - `lines`, `panels`, `label`, `journal`: As of `accuracy_over_time`.
    - `name`: Of the horizontal axis.

    **Raises:** `ValueError` for another data set, or dimensions that it does not have.

    >>> import memsim as ms, numpy as np, xarray as xr
    >>> values = np.linspace(0.9, 0.5, 4)[:, None] + 0.01 * np.arange(20)
    >>> data = xr.Dataset({"accuracy": (("noise", "chip"), values)}, {"noise": [0.0, 0.02, 0.05, 0.1]})
    >>> ms.plotting.accuracy_over_noise(data).axes[0].lines[0].get_xdata().tolist()
    [0.0, 2.0, 5.0, 10.0]
    """
    check_has(result, ("accuracy", along), f"accuracies over {along}")

    def finish(axes: "Axes") -> None:
        axes.set_xlabel(name)

    x = 100 * np.asarray(result[along], float)
    return _families(result, along, x, finish, _Chosen(lines, tuple(panels), label, journal))


class _Chosen:
    """What lines and panels are of."""

    def __init__(self, lines: str | None, panels: tuple[str, ...], label: Names | None, journal: str):
        self.lines, self.panels, self.label, self.journal = lines, panels, label, journal

    def of(self, values: "xr.DataArray", along: str) -> tuple[str | None, tuple[str, ...]]:
        """Dimensions of lines and panels that are there; `ValueError` for others, and for what is left over."""
        others = [str(dim) for dim in values.dims if dim not in (*FACTORS, along)]
        for name, given in (("lines", (self.lines,) if self.lines else ()), ("panels", self.panels)):
            for dim in given:
                if dim not in others:
                    raise ValueError(did_you_mean(f"`{name}`, a dimension of the accuracy,", dim, others or ["none"]))
        if len(self.panels) > 2:
            raise ValueError(f"`panels` must be one dimension or two. Got {len(self.panels)}.")
        free = [dim for dim in others if dim not in self.panels]
        lines = self.lines or (free[0] if free else None)
        left = [dim for dim in free if dim != lines]
        if left:
            raise ValueError(
                f"`panels` must name {' and '.join(left)}, too, over which there are accuracies; or choose one."
            )
        return lines, self.panels


def _families(
    result: "xr.Dataset", along: str, x: np.ndarray, finish: "Callable[[Axes], None]", chosen: _Chosen
) -> "Figure":
    from matplotlib.figure import Figure

    lines, dims = chosen.of(result.accuracy, along)
    rows, columns = (None, *dims)[-2:] if dims else (None, None)
    count = [1 if dim is None else result.sizes[dim] for dim in (rows, columns)]
    wide = width(chosen.journal, 1 if count == [1, 1] else 2)
    tall = 0.75 * wide if count == [1, 1] else (0.1 + (0.3 if count[1] < 3 else 0.25) * count[0]) * wide
    with style(chosen.journal):
        figure = Figure(figsize=(wide, min(tall, JOURNALS[chosen.journal].tallest)))
        grid = figure.subplots(*count, sharex=True, sharey="row", squeeze=False)
        for (row, column), axes in np.ndenumerate(grid):
            at = {dim: place for dim, place in ((rows, row), (columns, column)) if dim is not None}
            _panel(axes, result.isel(at), along, x, lines, chosen.label)
            axes.set_title(", ".join(_named(result, dim, place, chosen.label) for dim, place in at.items()))
        for axes in grid[-1]:
            finish(axes)
        for axes in grid[:, 0]:
            axes.set_ylabel("Accuracy (%)")
        below(figure, grid[0, 0])
        if grid.size > 1:
            letter_panels(grid.flat)
        digital = "; dotted: digital" if "digital_accuracy" in result else ""
        dashed = "measured" in result.coords and not bool(result.measured.all())
        beyond = "; dashed: beyond the ages that were measured" if dashed else ""
        describe(figure, f"{_spread(result)}{digital}{beyond}")
    return figure


def _panel(axes: "Axes", one: "xr.Dataset", along: str, x: np.ndarray, lines: str | None, label: Names | None) -> None:
    kept: Any = one[[name for name in ("accuracy", "right") if name in one]]
    for place in range(1 if lines is None else one.sizes[lines]):
        values = kept if lines is None else kept.isel({lines: place})
        name = None if lines is None else _named(one, lines, place, label)
        many = 1 if lines is None else one.sizes[lines]
        draw_spread(axes, x, values, along=along, place=place, label=name, of=many)
    if "digital_accuracy" in one:
        axes.axhline(100 * float(one.digital_accuracy.mean()), color="0.5", linestyle=":", linewidth=0.6)


def _named(result: "xr.Dataset", dim: str, place: int, label: Names | None) -> str:
    """The value of a dimension at a place, as people say it: a name, or a number with what it is of."""
    value = result[dim].values[place] if dim in result.coords else place
    if label is not None and str(value) in label:
        return label[str(value)]
    if isinstance(value, str):
        return readable(value, label)
    return f"{dim.replace('_', ' ')} {value:g}"


def _spread(result: "xr.Dataset") -> str:
    """What lines and bars are; of one network, chip and accuracy there are no bars."""
    if factors(best_of(result)):
        return f"{_sentence(INTERVALS)} over {interval_over(result)}"
    return f"Lines: one value each, without spread, for {interval_over(result)}"


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]
