"""What the wires of an array cost."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..._checks import checked
from ...study import interval
from ...study._factors import FACTORS
from ...study._right import best_of
from .._caption import describe
from .._lines import stand_beside
from .._names import readable
from .._style import letter_panels, look, panels_of, style
from ._parts import check_has

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES = (":", "--", "-")  # of smaller tiles, and of the largest


@checked()
def ir_drop(result: "xr.Dataset", *, label: Mapping[str, str] | None = None, journal: str = "neutral") -> "Figure":
    """Where an array loses its voltage, how wrong arrays are over their size, and, where measured, what networks lose.

    **Arguments:**

    - `result`: `lost_voltage`, the share of the applied voltage that a cell does not see, over (word line, bit line),
      and `array_error`, the error of currents over their mean, over (size, model). Beside them, or not, `accuracy` over
      (resistance, training) and what chance decided, with "tile" and "network". Of `memsim run ir_drop`.
    - `label`: What networks, trainings and models are called, see `readable`.
    - `journal`: A name of `memsim.plotting.JOURNALS`.

    **Raises:** `ValueError` for another data set.

    >>> import memsim as ms, numpy as np, xarray as xr
    >>> lost = xr.Dataset({"lost_voltage": (("word_line", "bit_line"), np.ones((4, 4)) / 50)})
    >>> lost = lost.assign(array_error=(("size", "model"), [[0.01], [0.03]]))
    >>> lost = lost.assign_coords(size=[32, 64], model=["exact"])
    >>> ms.plotting.ir_drop(lost).axes[1].get_xlabel()
    'Lines of a square array'
    """
    check_has(
        result,
        ("lost_voltage", "array_error", "size", "model"),
        "`memsim run ir_drop`",
        over=("word_line", "bit_line", "size", "model"),
    )
    if "accuracy" in result:
        check_has(
            result, ("accuracy", "resistance", "training"), "`memsim run ir_drop`", over=("resistance", "training")
        )
    networks = [str(name) for name in result.network.values] if "network" in result.dims else [""]
    networks = networks if "accuracy" in result else []
    with style(journal):
        figure, grid = panels_of(journal, 1, 2 + len(networks), height=0.36 if networks else 0.45)
        panels = list(grid[0])
        _voltages(panels[0], result)
        _errors(panels[1], result, label)
        for axes, name in zip(panels[2:], networks, strict=True):
            one = result.sel(network=name) if name else result
            _accuracies(axes, one, label)
            axes.set_title(readable(name, label))
        letter_panels(panels)
        bars = "; bars: 95 % interval of the mean over what is counted below; thin: means of smaller tiles"
        describe(
            figure,
            "a: share of the applied voltage that each cell does not see; b: error of bit-line currents, one array "
            f"each, so without spread{'; c on: accuracy behind exact wires' + bars if networks else ''}",
        )
    return figure


def _voltages(axes: "Axes", data: "xr.Dataset") -> None:
    image = axes.imshow(100 * data.lost_voltage, cmap="viridis", vmin=0, rasterized=True)
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.colorbar(image, ax=axes, location="bottom", aspect=25, pad=0.03, label="Voltage lost (%)")
    axes.set_xlabel("Bit line (driver left)")
    axes.set_ylabel("Word line (sink below)")


def _errors(axes: "Axes", data: "xr.Dataset", label: Mapping[str, str] | None) -> None:
    for place, model in enumerate(data.model.values):
        error = 100 * data.array_error.sel(model=model)
        axes.loglog(data["size"], error, label=readable(str(model), label), **look(place))
    axes.set_xticks(data["size"].values, [str(n) for n in data["size"].values], minor=False)
    axes.minorticks_off()
    axes.set_xlabel("Lines of a square array")
    axes.set_ylabel("Error of currents (%)")
    axes.legend()


def _accuracies(axes: "Axes", data: "xr.Dataset", label: Mapping[str, str] | None) -> None:
    """The largest tile with intervals beside each other, smaller ones as thin lines."""
    tiles = [None] if "tile" not in data.dims else list(data.tile.values)
    used = [tile for tile in tiles if tile is None or data.accuracy.sel(tile=tile).notnull().any()]
    for place, training in enumerate(data.training.values):
        for depth, tile in enumerate(used[::-1]):
            one = data.sel(training=training) if tile is None else data.sel(training=training, tile=tile)
            kept = best_of(one[[name for name in ("accuracy", "right") if name in one]])
            mean = 100 * one.accuracy.mean([name for name in FACTORS if name in one.accuracy.dims]).values
            if depth:  # smaller tiles lose less: their means tell enough
                line = LINES[::-1][min(depth, 2)]
                axes.plot(data.resistance, mean, linestyle=line, color=look(place)["color"], linewidth=0.6)
                continue
            shown, there = look(place), (len(axes.lines), len(axes.collections))
            named = readable(str(training), label) + ("" if tile is None else f", tile {tile}")
            axes.plot(data.resistance, mean, label=named, **shown)
            found = 100 * np.array([interval(kept.sel(resistance=r)) for r in data.resistance.values])
            if np.isfinite(found).any():
                axes.vlines(data.resistance, found[:, 1], found[:, 2], color=shown["color"])
            stand_beside(axes, there, place, data.sizes["training"])
    axes.set_xlabel("Resistance of a segment (Ω)")
    axes.set_ylabel("Accuracy (%)")
    axes.legend()
