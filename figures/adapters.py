"""What share of the lost loss and accuracy adapters bring back, by network, cells and way, with intervals."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import memsim as ms
from _drawing import command
from memsim import plotting

READS = Path("results/adapters/adapters.nc")


def figure(data, journal: str = "neutral") -> Figure:
    """Points with the 95 % interval over seeds, chips and recordings; a panel for each network."""
    wide = plotting.width(journal, 2)
    networks = data.network.values
    with plotting.style():
        drawing = Figure(figsize=(wide, 0.35 * wide), layout="constrained")
        panels = drawing.subplots(1, len(networks), sharey=True, squeeze=False)[0]
        plotting.letter_panels(panels)
        for axes, network in zip(panels, networks, strict=True):
            panel(axes, data.sel(network=network))
            axes.set_title(str(network), fontsize=7)
        panels[0].set_ylabel("Regained (%)")
        handles, labels = panels[0].get_legend_handles_labels()
        drawing.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return drawing


draw = command(READS, figure)


def panel(axes, data) -> None:
    """A group for each kind of cells, within it a point for each way, by loss (filled) and by accuracy."""
    cells, ways = list(data.cell.values), list(data.remedy.values)
    for place, way in enumerate(ways):
        for by, shift, face in (("loss", -0.06, None), ("accuracy", 0.06, "white")):
            found = [ms.heal.regained(data.sel(cell=cell, remedy=way), by) for cell in cells]
            mean, low, high = 100 * np.asarray(found).T
            colour = plotting.COLOURS[place % len(plotting.COLOURS)]
            at = np.arange(len(cells)) + shift + 0.3 * (place - (len(ways) - 1) / 2)
            style = {"color": colour, "marker": plotting.MARKERS[place % 4], "markerfacecolor": face or colour}
            axes.errorbar(at, mean, [mean - low, high - mean], linestyle="none", label=f"{way}, of {by}", **style)
    axes.axhline(90.0, color="0.6", linestyle=":", linewidth=0.8, zorder=0)
    axes.set_xticks(np.arange(len(cells)), cells)
    axes.set_xlim(-0.6, len(cells) - 0.4)
