"""How weights lie, and the conductances that hold them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._checks import checked
from .._caption import describe
from .._names import readable
from .._style import COLOURS, letter_panels, panels_of, style
from ._parts import BAND, below, check_has, prefixed

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES = ("-", "--", "-.", ":")
DECADES = 4.0  # below the largest density, that are shown


@checked()
def distributions(
    result: "xr.Dataset", *, label: Mapping[str, str] | None = None, journal: str = "neutral"
) -> "Figure":
    """Weights of each layer, and the conductances that hold them, before and after a training for chips.

    **Arguments:**

    - `result`: Of `memsim.study.distributions`.
    - `label`: What trainings and layers are called: `{".layers[0]": "hidden"}`.
    - `journal`: A name of `memsim.plotting.JOURNALS`.

    **Raises:** `ValueError` for another data set.

    >>> import jax.random as jr, memsim as ms, device_models as dm
    >>> network, key = ms.nn.Linear(8, 8, key=jr.key(0)), jr.key(1)
    >>> found = ms.study.distributions({"as it is": network}, ms.Crossbar(dm.pcm_joshi2020()), key=key, bins=10)
    >>> ms.plotting.distributions(found).axes[1].get_xlabel()
    'Conductance (µS)'
    """
    names = ("weight_density", "conductance_density", "weight", "conductance", "version", "layer")
    check_has(result, names, "`memsim.study.distributions`", over=("layer", "version", "chip", "conductance_bin"))
    with style(journal):
        rows = result.sizes["layer"]
        figure, grid = panels_of(journal, rows, 2, height=0.3)
        for (weights, cells), layer in zip(grid, result.layer.values, strict=True):
            one = result.sel(layer=layer)
            _weights(weights, one, label)
            _cells(cells, one)
            weights.set_title(f"Layer {readable(str(layer), label)}")
        below(figure, grid[0, 0])
        letter_panels(grid.flat)
        at = (
            f"{float(result.time.values.flat[0]):g} s after programming" if "time" in result.coords else "as programmed"
        )
        describe(
            figure,
            "Left: densities of all digital weights of a layer, one network each, so without spread; right: of the "
            f"conductances of all cells, {at}: lines: mean over chips, bands: smallest to largest chip",
        )
    return figure


def _weights(axes: "Axes", one: "xr.Dataset", label: Mapping[str, str] | None) -> None:
    for place, version in enumerate(one.version.values):
        density = one.weight_density.sel(version=version)
        look: dict[str, Any] = {
            "color": COLOURS[place % 7],
            "linestyle": LINES[place % 4],
            "label": readable(str(version), label),
        }
        axes.step(one.weight, density, where="mid", **look)
    axes.set(xlabel="Weight", ylabel="Density", ylim=(0, None))


def _cells(axes: "Axes", one: "xr.Dataset") -> None:
    scale, prefix = prefixed(float(one.conductance.max()))
    for place, version in enumerate(one.version.values):
        density = scale * one.conductance_density.sel(version=version).transpose("chip", "conductance_bin")
        colour, x = COLOURS[place % 7], np.asarray(one.conductance) / scale
        low, high = density.min("chip").values, density.max("chip").values
        axes.fill_between(x, low, high, color=colour, alpha=2 * BAND, linewidth=0, step="mid")
        axes.step(x, density.mean("chip"), where="mid", color=colour, linestyle=LINES[place % 4])
    most = scale * float(one.conductance_density.max())  # cells near the least conductance are half of all in pairs
    axes.set(xlabel=f"Conductance ({prefix}S)", ylabel=f"Density (1/{prefix}S)", yscale="log")
    axes.set_ylim(most * 10**-DECADES, 2 * most)
