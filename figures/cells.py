"""Memory cells as populations: write error against target, conductance against time, drift exponent against target."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/cells/cells.nc")


def figure(data, journal: str = "neutral") -> Figure:
    """Three rows of two panels: phase-change cells on the left, all others on the right."""
    wide = plotting.width(journal, 2)
    names = [str(name) for name in data.device.values]
    groups = [[name for name in names if name.startswith("pcm")], [n for n in names if not n.startswith("pcm")]]
    with plotting.style():
        drawing = Figure(figsize=(wide, 0.95 * wide))
        panels = drawing.subplots(3, 2)
        for column, group in enumerate(groups):
            for place, name in enumerate(group):
                one = data.sel(device=name)
                write_error(panels[0, column], one, place)
                over_time(panels[1, column], one, place)
                exponent(panels[2, column], one, place)
            plotting.label_time(panels[1, column], data.time.values)
            panels[0, column].legend(loc="lower right", fontsize=5, ncols=2)
            panels[0, column].set_yscale("log")
            panels[0, column].set_ylim(3e-4, 20)
        label(panels)
        plotting.letter_panels(panels.flat)
        drawing.supxlabel(caption(data), fontsize=5)
    return drawing


draw = command(READS, figure)


def look(place: int) -> tuple[str, str]:
    """Colour and marker; more than seven cells in a panel go on in grey."""
    return (*plotting.COLOURS, "0.6")[min(place, 7)], (*plotting.MARKERS, "X")[min(place, 7)]


def write_error(axes, one, place: int) -> None:
    """Marks are written cells, the line is what the source says."""
    colour, marker = look(place)
    unit = float(one.g.max() - one.g.min()) / 100
    axes.plot(one.target, one.published_std / unit, color=colour, linewidth=0.8)
    axes.plot(
        one.target[::4], one.error_std[::4] / unit, marker, color=colour, markersize=2.5, label=str(one.device.values)
    )


def over_time(axes, one, place: int) -> None:
    """Median, and the band of 5th to 95th percentile, of cells in the middle of the range."""
    colour, _ = look(place)
    middle = one.left.isel(target=one.sizes["target"] // 2)
    times = plotting.shown_time(one.time.values)
    low, median, high = middle.transpose("percentile", "time").values
    axes.fill_between(times, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.plot(times, median, color=colour)


def exponent(axes, one, place: int) -> None:
    colour, _ = look(place)
    low, median, high = one.exponent.transpose("percentile", "target").values
    if not np.nanmax(np.abs(high)) > 0:
        return  # a cell that nobody saw drift
    axes.fill_between(one.target, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.plot(one.target, median, color=colour)


def label(panels) -> None:
    for axes in panels[0]:
        axes.set_xlabel("Target (from $g_\\mathrm{min}$ to $g_\\mathrm{max}$)")
    for axes in panels[2]:
        axes.set_xlabel("Target (from $g_\\mathrm{min}$ to $g_\\mathrm{max}$)")
        axes.set_ylim(-0.05, 0.2)
    panels[0, 0].set_ylabel("Write error (% of range)")
    panels[1, 0].set_ylabel("$G / G_0$, middle of the range")
    panels[2, 0].set_ylabel("Exponent, an hour to a month")
    panels[0, 0].set_title("phase-change memory")
    panels[0, 1].set_title("other cells")


def caption(data) -> str:
    config = json.loads(data.config)
    return (
        f"{config['cells']} cells for each target; marks: standard deviation of written cells, lines: published curve "
        "(below the end of the range cells are clipped, and marks lie below the line);\n"
        "bands: 5th to 95th percentile over cells. Only cells of published drift or relaxation move"
    )
