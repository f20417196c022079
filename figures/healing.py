"""What share of the lost accuracy comes back for how many reads, a panel for each law of memory and age."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/healing/healing.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """Means over seeds, with the 95 % interval over chips and recordings of the first, beside each other."""
    wide = plotting.width(journal, 2)
    rows, columns = data.sizes["time"], data.sizes["law"]
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.3 * wide * rows))
        panels = drawing.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        plotting.letter_panels(panels.ravel())
        for row, t in zip(panels, data.time.values, strict=True):
            for axes, law in zip(row, data.law.values, strict=True):
                panel(axes, data.sel(time=t, law=law), label)
                axes.set_title(f"{plotting.readable(str(law), label)}, at {t / 3600:.3g} h")
            row[0].set_ylabel("Regained (%)")
        for axes in panels[-1]:
            axes.set_xlabel("Reads of arrays, of each chip")
        drawing.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
        plotting.describe(
            drawing,
            "Share of the lost accuracy that comes back: means over seeds; bars: 95 % interval over chips and "
            "recordings of the first seed, beside each other; 100 %: digital accuracy, 0: not mended.",
        )
    return drawing


draw = command(READS, figure)


def panel(axes, data, label) -> None:
    """Regained against reads, a line for each way."""
    axes.set_xscale("log")
    axes.set_xlim(0.7 * float(data.reads.min()), 1.4 * float(data.reads.max()))
    for place, way in enumerate(data.way.values):
        one = data.sel(way=way).mean("chip").transpose("size", "seed", ...)
        share, low, high = (100 * one[name].values for name in ("regained", "low", "high"))
        mean = share.mean(axis=1)
        found = np.stack([mean, mean + (low - share)[:, 0], mean + (high - share)[:, 0]], 1)
        named = plotting.readable(str(way), label)
        reads = one.reads.mean([dim for dim in one.reads.dims if dim != "size"]).values.astype(float)
        plotting.draw_interval(axes, reads, found, place=place, label=named, of=data.sizes["way"])
    axes.axhline(100.0, color="0.6", linestyle=":", linewidth=0.8, zorder=0)
    axes.axhline(0.0, color="0.6", linewidth=0.8, zorder=0)
    axes.set_ylim(-110, 130)
