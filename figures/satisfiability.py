"""Runs solved within so many flips, on arrays and in software."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/satisfiability/satisfiability.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """The curve of all formulas for each kind of cells, and how each formula does on them beside software."""
    wide, config = plotting.width(journal, 2), json.loads(data.config)
    flips = np.unique(np.geomspace(1, config["flips"], 60).astype(int))
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.6 * wide))
        panels = drawing.subplots(2, data.sizes["cells"], squeeze=False, sharex="row", sharey="row")
        plotting.letter_panels(panels.ravel())
        for cells, above, below in zip(data.cells.values, *panels, strict=True):
            one = data.flips.sel(cells=cells)
            band(above, flips, data.software_flips, "0.5", "software", "--")
            band(above, flips, one, plotting.COLOURS[4], "arrays", "-")
            above.set_xscale("log")
            above.set_xlabel("Flips")
            above.set_title(name(str(cells), label))
            each_formula(below, one, data.software_flips, config["flips"])
        panels[0, 0].set_ylabel("Runs solved (%)")
        panels[1, 0].set_ylabel("Median flips on arrays")
        drawing.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
        plotting.describe(
            drawing,
            f"{config['variables']} variables and {config['clauses']} clauses a formula; bands: normal 95 % intervals "
            "that take runs as trials of their own; below: a mark a formula, bars: 25th to 75th percentile over its "
            f"runs on arrays; cells: {plotting.readable(config['device'])} by multiples of its write noise",
        )
    return drawing


draw = command(READS, figure)


def name(cells: str, label) -> str:
    if label and cells in label:
        return label[cells]
    return "exact cells" if cells == "exact" else f"{float(cells):g}$\\times$ write noise"


def band(axes, flips, found, colour: str, words: str, linestyle: str) -> None:
    """The share of runs that took at most so many flips, with half of a normal 95 % interval to each side."""
    values = np.sort(found.values.ravel())
    share = np.searchsorted(values, flips, side="right") / values.size
    half = 1.96 * np.sqrt(share * (1 - share) / values.size)
    axes.fill_between(flips, 100 * (share - half), 100 * (share + half), color=colour, alpha=0.3, linewidth=0)
    axes.plot(flips, 100 * share, color=colour, linewidth=0.8, linestyle=linestyle, label=words)


def each_formula(axes, found, software, most: int) -> None:
    runs = found.transpose("formula", "run").values
    low, middle, high = (np.minimum(each, most) for each in np.percentile(runs, [25, 50, 75], axis=1, method="nearest"))
    x = np.minimum(software.median("run").values, most)
    axes.plot([1, most], [1, most], color="0.5", linewidth=0.6)
    axes.vlines(x, low, high, color=plotting.COLOURS[4], linewidth=0.5)
    axes.plot(x, middle, "o", color=plotting.COLOURS[4], markersize=2)
    axes.set(xscale="log", yscale="log", xlabel="Median flips in software")
