"""What each way to mend an ageing chip gains over time, a panel for each law by which cells remember."""

from pathlib import Path

from matplotlib.figure import Figure

import memsim as ms
from _drawing import command
from memsim import plotting

BASE = "one factor a tile"
READS = Path("results/what_lasts/what_lasts.nc")


def figure(data, journal: str = "neutral") -> Figure:
    """Gains over one factor a tile: means over chips and seeds, with 95 % intervals paired by seed."""
    wide = plotting.width(journal, 2)
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.45 * wide), layout="constrained")
        panels = drawing.subplots(1, data.sizes["law"], sharey=True, squeeze=False)[0]
        plotting.letter_panels(panels)
        for axes, law in zip(panels, data.law.values, strict=True):
            axes.set_title(f"Cells that {'move as measured' if law == 'as measured' else law + ' their rank'}")
            accuracy = data.accuracy.sel(law=law)
            ways = [way for way in data.way.values if way != BASE]
            for place, way in enumerate(ways):
                curve(
                    axes, accuracy.sel(way=way) - accuracy.sel(way=BASE), place - (len(ways) - 1) / 2, place, str(way)
                )
            digital = 100 * (data.digital_accuracy - accuracy.sel(way=BASE).mean("chip")).mean("seed")
            axes.plot(data.time, digital, color="0.6", linestyle=":", label="digital")
            axes.axhline(0.0, color="0.6", linewidth=0.8, zorder=0)
            axes.set_xscale("log")
            axes.set_xlabel("Time since programming (s)")
        panels[0].set_ylabel(f"Gain over {BASE} (points)")
        handles, labels = panels[0].get_legend_handles_labels()
        drawing.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return drawing


draw = command(READS, figure)


def curve(axes, gain, beside: float, place: int, label: str) -> None:
    seeds = 100 * gain.mean("chip").transpose("time", "seed").values
    found = [ms.study.mean_interval(each) for each in seeds]
    times = gain.time.values * 1.12**beside  # beside each other, so that none hides another
    mean = [each.mean for each in found]
    errors = [[each.mean - each.low for each in found], [each.high - each.mean for each in found]]
    style = {"color": plotting.COLOURS[place % len(plotting.COLOURS)], "marker": plotting.MARKERS[place % 4]}
    if seeds.shape[1] < 2:
        axes.plot(times, mean, label=label, markersize=3, linewidth=1, **style)
    else:
        axes.errorbar(times, mean, errors, label=label, markersize=3, linewidth=1, elinewidth=0.7, **style)
