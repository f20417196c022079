"""Accuracy over the ratio of resistances, and the angle between local rules and the exact gradient."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/equilibrium/equilibrium.nc")


def figure(data, journal: str = "neutral") -> Figure:
    """A panel a data set, and one for the angles."""
    wide, config = plotting.width(journal, 2), json.loads(data.config)
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.36 * wide))
        panels = drawing.subplots(1, data.sizes["data"] + 1, squeeze=False)[0]
        plotting.letter_panels(panels)
        for axes, name in zip(panels, data.data.values, strict=False):
            accuracies(axes, data.sel(data=name))
            axes.set_title(str(name))
        panels[0].set_ylabel("Test accuracy (%)")
        panels[0].legend()
        angles(panels[-1], data)
        plotting.describe(
            drawing,
            f"Lines: mean of {data.sizes['seed']} seeds (points); {config['hidden']} hidden nodes, {config['epochs']} "
            "epochs, test half; angles: circuits of random states, mean over 20 inputs",
        )
    return drawing


draw = command(READS, figure)


def accuracies(axes, data) -> None:
    for place, model in enumerate(data.model.values):
        colour, marker = plotting.COLOURS[place], plotting.MARKERS[place]
        each = 100 * data.accuracy.sel(model=model).transpose("seed", "ratio")
        for seed in each.values:
            axes.plot(data.ratio, seed, color=colour, marker=marker, markersize=2, linestyle="none", alpha=0.4)
        axes.plot(data.ratio, each.mean("seed"), color=colour, marker=marker, label=str(model))
    axes.set_xscale("log")
    axes.set_xlabel("Off over on resistance")


def angles(axes, data) -> None:
    """Solid by the rule of ohmic cells, dashed by that of any cell."""
    for place, model in enumerate(data.turned.values):
        for rule, line in (("square", "-"), ("co-content", "--")):
            found = np.degrees(np.arccos(np.clip(data.cosine.sel(turned=model, rule=rule).values, -1, 1)))
            look = {"color": plotting.COLOURS[place], "marker": plotting.MARKERS[place], "linestyle": line}
            axes.plot(data.beta, np.maximum(found, 1e-3), label=str(model) if line == "-" else None, **look)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("Pull over the conductance of a cell")
    axes.set_ylabel("Rule to exact gradient (°)")
    axes.set_title("square, co-content dashed")
    axes.legend()
