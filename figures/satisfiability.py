"""Runs solved within so many flips, on arrays and in software."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/satisfiability/satisfiability.nc")


def figure(data, journal: str = "neutral") -> Figure:
    """The curve of all formulas, and how each formula does on arrays beside software."""
    wide, config = plotting.width(journal, 2), json.loads(data.config)
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.4 * wide))
        left, right = drawing.subplots(1, 2)
        plotting.letter_panels([left, right])
        flips = np.unique(np.geomspace(1, config["flips"], 60).astype(int))
        software = solved(data.software_flips, flips)
        half = band(software, data.software_flips.size)
        left.fill_between(flips, 100 * (software - half), 100 * (software + half), color="0.8", label="software, 95 %")
        for place, cells in enumerate(data.cells.values):
            look = {"color": plotting.COLOURS[place], "label": name(str(cells))}
            left.plot(flips, 100 * solved(data.flips.sel(cells=cells), flips), **look)
            median = data.flips.sel(cells=cells).median("run")
            right.plot(
                data.software_flips.median("run"), median, color=plotting.COLOURS[place],
                marker=plotting.MARKERS[place], linestyle="none",
            )  # fmt: skip
        left.set_xscale("log")
        left.set_xlabel("Flips")
        left.set_ylabel("Runs solved (%)")
        left.legend()
        ends = [1, config["flips"]]
        right.loglog(ends, ends, color="0.5", linewidth=0.6)
        right.set_xlabel("Median flips of a formula in software")
        right.set_ylabel("Median flips on arrays")
        plotting.describe(
            drawing,
            f"{data.sizes['formula']} formulas of {config['variables']} variables and {config['clauses']} clauses, "
            f"{config['runs']} runs each; the band takes runs as trials of their own; cells: {config['device']} by "
            "multiples of its write noise",
        )
    return drawing


draw = command(READS, figure)


def name(cells: str) -> str:
    return "exact cells" if cells == "exact" else f"{cells} x write noise"


def solved(found, flips):
    """The share of runs that took at most so many flips."""
    values = np.sort(found.values.ravel())
    return np.searchsorted(values, flips, side="right") / values.size


def band(share, runs: int):
    """Half of a normal 95 % interval."""
    return 1.96 * np.sqrt(share * (1 - share) / runs)
