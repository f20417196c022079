"""Accuracy over the bits of converters."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..._checks import checked, finite
from ...study import interval
from ...study._factors import FACTORS
from .._caption import describe
from .._names import readable
from .._style import letter_panels, panels_of, style
from ._parts import check_has, check_known, check_over

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAKER = "`memsim run converters`"


@checked(margin=finite())
def accuracy_over_bits(
    result: "xr.Dataset", *, margin: float = 1.0, label: Mapping[str, str] | None = None, journal: str = "neutral"
) -> "Figure":
    """Maps of accuracy over bits of ADC and DAC, with the line of equal accuracy, some points below no converters.

    **Arguments:**

    - `result`: `accuracy` over (adc_bits, dac_bits), what chance decided, and where there are some, "network" for rows,
      "ranges" for columns, and "cells", of which "ideal" gets a dashed line beside the map of the others. Infinite bits
      are no converter. Of `memsim run converters`.
    - `margin`: In points of accuracy, how far the line is below no converters.
    - `label`: What networks, ranges and cells are called, see `readable`.
    - `journal`: A name of `memsim.plotting.JOURNALS`.

    **Raises:** `ValueError` for another data set.

    >>> import memsim as ms, numpy as np, xarray as xr
    >>> bits = [2.0, 4.0, np.inf]
    >>> data = xr.Dataset({"accuracy": (("adc_bits", "dac_bits"), np.linspace(0.5, 0.9, 9).reshape(3, 3))})
    >>> data = data.assign_coords(adc_bits=bits, dac_bits=bits)
    >>> [tick.get_text() for tick in ms.plotting.accuracy_over_bits(data).axes[0].get_xticklabels()]
    ['2', '4', 'none']
    """
    check_has(result, ("accuracy", "adc_bits", "dac_bits"), MAKER)
    check_known(result, "accuracy")
    check_over(result, "accuracy", ("adc_bits", "dac_bits"), (*FACTORS, "network", "ranges", "cells"))
    accuracy = 100 * result.accuracy.mean([name for name in FACTORS if name in result.accuracy.dims])
    for name in ("network", "ranges", "cells"):
        accuracy = accuracy if name in accuracy.dims else accuracy.expand_dims({name: [""]})
    low = float(np.floor(accuracy.min() / 10) * 10)
    with style(journal):
        rows, columns = accuracy.sizes["network"], accuracy.sizes["ranges"]
        figure, grid = panels_of(
            journal, rows, columns, height=0.28 if columns > 1 else 0.75, wide=min(columns, 2), sharex=True, sharey=True
        )
        image = None
        for (row, column), axes in np.ndenumerate(grid):
            chosen = accuracy.isel(network=row, ranges=column).transpose("cells", "adc_bits", "dac_bits")
            image = _panel(axes, chosen, margin, low)
            words = [
                readable(str(each), label) for each in (accuracy.network.values[row], accuracy.ranges.values[column])
            ]
            axes.set_title(", ".join(word for word in words if word))
        for axes in grid[:, 0]:
            axes.set_ylabel("ADC (bits)")
        for axes in grid[-1]:
            axes.set_xlabel("DAC (bits)")
        if grid.size > 1:
            letter_panels(grid.flat)
        figure.colorbar(image, ax=grid, label="Accuracy (%)", aspect=40, pad=0.01)  # type: ignore[arg-type]
        describe(figure, _words(result, margin, accuracy, label))
    return figure


def _panel(axes: "Axes", accuracy: "xr.DataArray", margin: float, low: float):
    """A map of the first cells that are not ideal, and a line of equal accuracy of each kind of cells."""
    names = [str(name) for name in accuracy.cells.values]
    shown = next((place for place, name in enumerate(names) if name != "ideal"), 0)
    image = axes.imshow(
        accuracy.isel(cells=shown), origin="lower", vmin=low, vmax=100, cmap="viridis", aspect="auto", rasterized=True
    )
    for place, name in enumerate(names):
        grid = accuracy.isel(cells=place).values
        goal = grid[-1, -1] - margin
        if min(grid.shape) > 1 and np.isfinite(grid).all() and grid.min() < goal:  # a contour needs two of both
            line = "--" if name == "ideal" and len(names) > 1 else "-"
            axes.contour(grid, levels=[goal], colors="white", linestyles=line, linewidths=2.0)
            axes.contour(grid, levels=[goal], colors="black", linestyles=line, linewidths=1.0)
    for set_ticks, bits in ((axes.set_xticks, accuracy.dac_bits), (axes.set_yticks, accuracy.adc_bits)):
        set_ticks(range(bits.size), ["none" if np.isinf(value) else f"{value:g}" for value in bits.values])
    return image


def _words(result: "xr.Dataset", margin: float, accuracy: "xr.DataArray", label: Mapping[str, str] | None) -> str:
    names = [readable(str(name), label) for name in accuracy.cells.values if str(name) not in ("", "ideal")]
    cells = f" of {names[0]}" if names else ""
    dashed = "; dashed: of ideal cells" if "ideal" in accuracy.cells.values and names else ""
    uncertain = _uncertain(result)
    within = (
        f"; 95 % intervals of the means of maps reach at most {uncertain:.1f} points to a side" if uncertain else ""
    )
    return (
        f"Colour: mean accuracy of chips{cells} over what is counted below; line: {margin:g} point below that of no "
        f"converters{dashed}{within}"
    )


def _uncertain(result: "xr.Dataset") -> float:
    """Half of the widest 95 % interval among some 60 cells of the maps, in points; 0 where nothing was repeated."""
    if not any(result.accuracy.sizes.get(name, 1) > 1 for name in FACTORS):
        return 0.0
    others = [name for name in result.accuracy.dims if name not in FACTORS]
    stacked = result.accuracy.stack(place=others)
    every = max(1, stacked.sizes["place"] // 60)
    kept = [stacked.isel(place=at, drop=True) for at in range(0, stacked.sizes["place"], every)]
    found = [interval(each) for each in kept if each.notnull().all()]
    return 50 * max((each.high - each.low for each in found if np.isfinite(each.low)), default=0.0)
