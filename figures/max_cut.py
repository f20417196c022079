"""How often runs on chips find the best cut, over the noise that is added."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/max_cut/max_cut.nc")


def figure(data, journal: str = "neutral") -> Figure:
    """A panel a number of vertices, a line a way the noise goes, graphs as points."""
    wide, config = plotting.width(journal, 2), json.loads(data.config)
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.4 * wide))
        panels = drawing.subplots(1, data.sizes["vertices"], sharey=True, squeeze=False)[0]
        plotting.letter_panels(panels)
        for axes, vertices in zip(panels, data.vertices.values, strict=True):
            chosen = data.sel(vertices=vertices)
            found = (chosen.cut >= chosen.best - 1e-3).mean("run")
            for place, cooling in enumerate(data.cooling.values):
                colour, marker = plotting.COLOURS[place + 1], plotting.MARKERS[place]
                each = 100 * found.sel(cooling=cooling).transpose("graph", "noise")
                for graph in each.values:
                    axes.plot(data.noise, graph, color=colour, marker=marker, markersize=2, linestyle="none", alpha=0.4)
                axes.plot(data.noise, each.mean("graph"), color=colour, marker=marker, label=f"{cooling} noise")
            solved = (chosen.cut >= chosen.best - 1e-3).any("run").mean("graph")
            axes.set_title(
                f"{vertices} vertices, solved at best {100 * float(np.max(solved)):.0f} % of graphs", loc="right"
            )
            axes.set_xlabel("Noise over the input of a neuron")
        panels[0].set_ylabel("Runs that find the best cut (%)")
        panels[0].legend()
        plotting.describe(
            drawing,
            f"Lines: mean of {data.sizes['graph']} graphs (points), each on its chip; {config['runs']} runs of "
            f"{config['cycles']} cycles; {config['device']}; a graph is solved where any run finds its best cut",
        )
    return drawing


draw = command(READS, figure)
