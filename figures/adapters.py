"""What share of the lost loss and accuracy adapters bring back, by network, cells and way, with intervals."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import memsim as ms
from _drawing import command
from memsim import plotting

READS = Path("results/adapters/adapters.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """Points with the 95 % interval over seeds, chips and recordings; a panel for each network."""
    wide = plotting.width(journal, 2)
    networks = data.network.values
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.35 * wide))
        panels = drawing.subplots(1, len(networks), sharey=True, squeeze=False)[0]
        plotting.letter_panels(panels)
        for axes, network in zip(panels, networks, strict=True):
            panel(axes, data.sel(network=network), label)
            axes.set_title(plotting.readable(str(network), label))
        panels[0].set_ylabel("Regained (%)")
        drawing.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
        plotting.describe(
            drawing,
            "Share of the lost loss, and of the lost accuracy, that comes back; bars: 95 % interval over seeds, chips "
            "and recordings, beside each other; 100 %: digital, 0: not mended; dotted: 90 %",
        )
    return drawing


draw = command(READS, figure)


def panel(axes, data, label) -> None:
    """A group for each kind of cells, within it a point for each way, by loss and by accuracy."""
    cells, lines = list(data.cell.values), [(way, by) for way in data.remedy.values for by in ("loss", "accuracy")]
    for place, (way, by) in enumerate(lines):
        found = [ms.heal.regained(data.sel(cell=cell, remedy=way), by) for cell in cells]
        named = f"{plotting.readable(str(way), label)}, of {by}"
        at, shares = np.arange(len(cells), dtype=float), 100 * np.asarray(found)
        plotting.draw_interval(axes, at, shares, place=place, label=named, of=len(lines), linestyle="none")
    axes.axhline(90.0, color="0.6", linestyle=":", linewidth=0.8, zorder=0)
    axes.set_xticks(np.arange(len(cells)), [plotting.readable(str(cell), label) for cell in cells])
    axes.set_xlim(-0.6, len(cells) - 0.4)
