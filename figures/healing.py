"""What share of the lost accuracy comes back for how many reads, a panel for each law of memory and age."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/healing/healing.nc")


def figure(data, journal: str = "neutral") -> Figure:
    """Means over seeds, with the 95 % interval over chips and recordings of the first."""
    wide = plotting.width(journal, 2)
    rows, columns = data.sizes["time"], data.sizes["law"]
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.3 * wide * rows), layout="constrained")
        panels = drawing.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        plotting.letter_panels(panels.ravel())
        for row, t in zip(panels, data.time.values, strict=True):
            for axes, law in zip(row, data.law.values, strict=True):
                panel(axes, data.sel(time=t, law=law))
                axes.set_title(f"{law}, judged at {t:g} s")
            row[0].set_ylabel("Regained (%)")
        for axes in panels[-1]:
            axes.set_xlabel("Reads of arrays, of each chip")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        drawing.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return drawing


draw = command(READS, figure)


def panel(axes, data) -> None:
    """Regained against reads, a line for each way."""
    axes.set_xscale("log")
    axes.set_xlim(0.7 * float(data.reads.min()), 1.4 * float(data.reads.max()))
    for place, way in enumerate(data.way.values):
        one = data.sel(way=way).mean("chip").transpose("size", "seed", ...)
        share, low, high = (100 * one[name].values for name in ("regained", "low", "high"))
        errors = [(share - low)[:, 0], (high - share)[:, 0]]
        style = {"color": plotting.COLOURS[place % len(plotting.COLOURS)], "marker": plotting.MARKERS[place % 4]}
        reads, mean = one.reads.values[:, 0], share.mean(axis=1)
        axes.errorbar(reads, mean, errors, label=str(way), markersize=3, linewidth=1, elinewidth=0.7, **style)
    axes.axhline(100.0, color="0.6", linestyle=":", linewidth=0.8, zorder=0)
    axes.axhline(0.0, color="0.6", linewidth=0.8, zorder=0)
    axes.set_ylim(-110, 120)
