"""Error of an array and accuracy of a network against the writes a cell took, for each way to write."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/programming/programming.nc")


def figure(data, journal: str = "neutral") -> Figure:
    """Above the error, below the accuracy; one column a write noise; open markers with resistive wires."""
    wide = plotting.width(journal, 2)
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.6 * wide))
        panels = drawing.subplots(2, data.sizes["write_noise"], sharex="col", sharey="row", squeeze=False)
        plotting.letter_panels(panels.ravel())
        for column, noise in enumerate(data.write_noise.values):
            cell = data.sel(write_noise=noise)
            panels[0, column].set_title(f"{noise:g} times the published write noise")
            curves(panels[0, column], cell, "error")
            curves(panels[1, column], cell, "accuracy")
            panels[0, column].set_yscale("log")
            panels[1, column].set_xlabel("Writes a cell")
        panels[0, 0].set_ylabel("Error of outputs (%)")
        panels[1, 0].set_ylabel("Test accuracy (%)")
        panels[0, 0].legend()
    return drawing


draw = command(READS, figure)


def curves(axes, data, name: str) -> None:
    ways = {"once": "once", "verified": "each cell verified", "by outputs": "by outputs"}
    for place, (start, label) in enumerate(ways.items()):
        chosen = [way for way in data.way.values if str(way).startswith(start)]
        for wires, ohm in enumerate(data.resistance.values):
            points = data.sel(way=chosen, resistance=ohm).mean(("seed", "chip"))
            style = {"color": plotting.COLOURS[place], "marker": plotting.MARKERS[place]}
            style |= {"fillstyle": "none", "linestyle": "--"} if wires else {}
            axes.plot(points.writes, 100 * points[name], label=f"{label}, {ohm:g} Ω", **style)
