"""Error of an array and accuracy of a network against the writes a cell took, for each way to write."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import memsim as ms
from _drawing import command
from memsim import plotting

READS = Path("results/programming/programming.nc")
WAYS = {"once": "once", "verified": "each cell verified", "by outputs": "by outputs"}


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """Rows: error and accuracy for each resistance of wires; columns: the write noise."""
    wide = plotting.width(journal, 2)
    rows = [(name, ohm) for name in ("error", "accuracy") for ohm in data.resistance.values]
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, min(0.24 * wide * len(rows), plotting.JOURNALS[journal].tallest)))
        panels = drawing.subplots(len(rows), data.sizes["write_noise"], sharex="col", sharey="row", squeeze=False)
        for (row, column), axes in np.ndenumerate(panels):
            (name, ohm), noise = rows[row], data.write_noise.values[column]
            curves(axes, data.sel(write_noise=noise, resistance=ohm), name, label)
            axes.set_title(f"{noise:g}$\\times$ write noise, {ohm:g} Ω" if name == "error" else f"{ohm:g} Ω")
            if name == "error":
                axes.set_yscale("log")
            if column == 0:
                axes.set_ylabel("Error of outputs (%)" if name == "error" else "Test accuracy (%)")
        for axes in panels[-1]:
            axes.set_xlabel("Writes a cell")
        drawing.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
        plotting.letter_panels(panels.ravel())
        plotting.describe(
            drawing,
            "Errors of the outputs of a random array, and accuracies of a network: means over chips and seeds; bars: "
            "95 % interval of the mean; in Ω: resistance of a segment of word and bit lines",
        )
    return drawing


draw = command(READS, figure)


def curves(axes, data, name: str, label) -> None:
    for place, (start, words) in enumerate(WAYS.items()):
        chosen = data.sel(way=[way for way in data.way.values if str(way).startswith(start)])
        over = [dim for dim in chosen.writes.dims if dim != "way"]
        each = [
            chosen[name].isel(way=at, drop=True).drop_vars("way", errors="ignore") for at in range(chosen.sizes["way"])
        ]
        found = 100 * np.array([ms.study.interval(one) for one in each])
        named = plotting.readable(words, label)
        plotting.draw_interval(axes, chosen.writes.mean(over).values, found, place=place, label=named)
