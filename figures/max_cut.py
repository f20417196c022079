"""How often runs on chips find the best cut, over the noise that is added."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/max_cut/max_cut.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """A panel a number of vertices, a line a way the noise goes, the spread over graphs beside each other."""
    wide = plotting.width(journal, 2)
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.4 * wide))
        panels = drawing.subplots(1, data.sizes["vertices"], sharey=True, squeeze=False)[0]
        plotting.letter_panels(panels)
        best = []
        for axes, vertices in zip(panels, data.vertices.values, strict=True):
            chosen = data.sel(vertices=vertices)
            right = chosen.cut >= chosen.best - 1e-3
            for place, cooling in enumerate(data.cooling.values):
                each = right.mean("run").sel(cooling=cooling, drop=True).transpose("noise", "graph")
                values = each.drop_vars("vertices").rename(graph="chip")  # each graph is on a chip of its own
                named = f"{plotting.readable(str(cooling), label)} noise"
                x, lines = data.noise.values.astype(float), data.sizes["cooling"]
                plotting.draw_spread(axes, x, values, along="noise", place=place, label=named, of=lines)
            best.append(f"{vertices}: {100 * float(np.max(right.any('run').mean('graph'))):.0f} %")
            if float(data.noise.min()) > 0:
                axes.set_xscale("log")
            axes.set_title(f"{vertices} vertices")
            axes.set_xlabel("Noise over the input of a neuron")
        panels[0].set_ylabel("Runs that find the best cut (%)")
        drawing.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
        plotting.describe(
            drawing,
            "Lines: means over graphs, each on its chip; thin bars: 5th to 95th percentile over graphs, thick bars: "
            "95 % interval of the mean, beside each other. Graphs that any run solves, at the best noise: "
            f"{', '.join(best)}",
        )
    return drawing


draw = command(READS, figure)
