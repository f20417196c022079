"""Accuracy against time of each way to mend an ageing chip, a panel for each law by which cells remember."""

from pathlib import Path

from matplotlib.figure import Figure

import memsim as ms
from memsim import plotting

READS = Path("results/what_lasts/what_lasts.nc")


def draw(result: Path = READS, out: Path = Path("results/what_lasts/what_lasts"), journal: str = "neutral") -> None:
    """Draws the figure from `result` into `out`.pdf and `out`.png at a journal's two-column width.

    Args:
        result: The data set that `memsim run what_lasts` writes.
        out: Where the figure goes, without ending.
        journal: neutral, nature or ieee.
    """
    for file in plotting.save(figure(ms.study.open_result(result), journal), out):
        print(f"Wrote {file}")


def figure(data, journal: str = "neutral") -> Figure:
    """Means over chips and seeds, with 95 % intervals over seeds."""
    wide = plotting.width(journal, 2)
    with plotting.style():
        drawing = Figure(figsize=(wide, 0.45 * wide), layout="constrained")
        panels = drawing.subplots(1, data.sizes["law"], sharey=True, squeeze=False)[0]
        plotting.letter_panels(panels)
        for axes, law in zip(panels, data.law.values, strict=True):
            axes.set_title(f"Cells that {'move as measured' if law == 'as measured' else law + ' their rank'}")
            for place, way in enumerate(data.way.values):
                curve(axes, data.accuracy.sel(law=law, way=way), place, str(way))
            axes.axhline(100 * float(data.digital_accuracy.mean()), color="0.6", linewidth=0.8, zorder=0)
            axes.set_xscale("log")
            axes.set_xlabel("Time since programming (s)")
        panels[0].set_ylabel("Test accuracy (%)")
        handles, labels = panels[0].get_legend_handles_labels()
        drawing.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return drawing


def curve(axes, accuracy, place: int, label: str) -> None:
    seeds = 100 * accuracy.mean("chip").transpose("time", "seed").values
    found = [ms.study.mean_interval(each) for each in seeds]
    times = accuracy.time.values * 1.06 ** (place - 3)  # beside each other, so that none hides another
    mean = [each.mean for each in found]
    errors = [[each.mean - each.low for each in found], [each.high - each.mean for each in found]]
    style = {"color": plotting.COLOURS[place % len(plotting.COLOURS)], "marker": plotting.MARKERS[place % 4]}
    if seeds.shape[1] < 2:
        axes.plot(times, mean, label=label, markersize=3, linewidth=1, **style)
    else:
        axes.errorbar(times, mean, errors, label=label, markersize=3, linewidth=1, elinewidth=0.7, **style)
