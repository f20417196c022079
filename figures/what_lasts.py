"""What each way to mend an ageing chip gains over time, a panel for each law by which cells remember."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import memsim as ms
from _drawing import command
from memsim import plotting

BASE = "one factor a tile"
READS = Path("results/what_lasts/what_lasts.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """Gains over one factor a tile: means over chips and seeds, with 95 % intervals paired by seed."""
    wide = plotting.width(journal, 2)
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.45 * wide))
        panels = drawing.subplots(1, data.sizes["law"], sharey=True, squeeze=False)[0]
        plotting.letter_panels(panels)
        for axes, law in zip(panels, data.law.values, strict=True):
            panel(axes, data.sel(law=law), label)
            axes.set_title(f"Cells that {'move as measured' if law == 'as measured' else law + ' their rank'}")
        panels[0].set_ylabel(f"Gain over {BASE} (points)")
        drawing.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
        plotting.describe(
            drawing,
            f"Accuracy less that of {BASE}, on the same chips: means over chips and seeds; bars: 95 % interval over "
            "seeds, paired, beside each other; dotted: digital",
        )
    return drawing


draw = command(READS, figure)


def panel(axes, data, label) -> None:
    ways = [str(way) for way in data.way.values if way != BASE]
    times, base = plotting.shown_time(data.time.values), data.accuracy.sel(way=BASE)
    for place, way in enumerate(ways):
        seeds = 100 * (data.accuracy.sel(way=way) - base).mean("chip").transpose("time", "seed").values
        found = np.array([ms.study.mean_interval(each) for each in seeds])
        named = plotting.readable(way, label)
        plotting.draw_interval(axes, times, found, place=place, label=named, of=len(ways))
    digital = 100 * (data.digital_accuracy - base.mean("chip")).mean("seed")
    axes.plot(times, digital, color="0.6", linestyle=":", label="digital")
    axes.axhline(0.0, color="0.6", linewidth=0.8, zorder=0)
    plotting.label_time(axes, data.time.values, most=5)
