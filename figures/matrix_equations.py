"""The error of solutions after each refinement, bits gained a refinement over cell errors, and what wires cost."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/matrix_equations/matrix_equations.nc")
SHOWN = 0.01  # the cell error of the first panel, or the nearest
GOAL, FLOOR = 2.0**-24, 1e-17


def figure(data, journal: str = "neutral") -> Figure:
    """Panels: error over refinements, bits over cell error, error over wires."""
    wide = plotting.width(journal, 2)
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.36 * wide))
        panels = drawing.subplots(1, 3)
        plotting.letter_panels(panels)
        errors(panels[0], data)
        bits(panels[1], data)
        wires(panels[2], data)
        chips = f"{data.sizes['chip']} chips"
        plotting.describe(drawing, f"Lines are medians, bands the 5th to 95th percentile of {chips}")
    return drawing


draw = command(READS, figure)


def errors(axes, data) -> None:
    """A line a method, of the first kind of matrices, with all chips within its band."""
    nearest = int(np.argmin(np.abs(data.cell_error.values - SHOWN)))
    chosen = data.error.isel(matrix=0, cell_error=nearest)
    for place, method in enumerate(data["method"].values):
        error = np.maximum(chosen.isel(method=place).transpose("chip", "step").values, FLOOR)
        band(axes, data.step.values, error, place, str(method))
    axes.axhline(GOAL, color="0.5", linestyle=":", linewidth=0.6)
    axes.text(0, GOAL * 1.5, "$2^{-24}$", fontsize=6)
    axes.set_yscale("log")
    axes.set_xlabel("Refinements")
    axes.set_ylabel("Error of the solution")
    axes.set_title(f"{data.matrix.values[0]}, cells with {float(chosen.cell_error):.0%}")
    axes.legend()


def bits(axes, data) -> None:
    """A line a kind of matrices, combined solid and plain dashed, over the first five refinements."""
    last = min(5, data.sizes["step"] - 1)
    for place, matrix in enumerate(data.matrix.values):
        for method, line in (("combined", "-"), ("plain", "--")):
            if method not in data["method"].values:
                continue
            error = data.error.sel(matrix=matrix).isel(method=list(data["method"].values).index(method))
            gained = np.log2(error.isel(step=0) / np.maximum(error.isel(step=last), 1e-15)) / last
            label = str(matrix) if method == "combined" else None
            look = {"color": plotting.COLOURS[place], "marker": plotting.MARKERS[place], "label": label}
            axes.plot(100 * data.cell_error, gained.median("chip"), linestyle=line, **look)
    axes.axhline(0, color="0.5", linewidth=0.6)
    axes.set_xlabel("Cell error (% of the range)")
    axes.set_ylabel("Bits gained a refinement")
    axes.set_title("combined, plain dashed")
    axes.legend()


def wires(axes, data) -> None:
    """Of the first kind of matrices, a line a resistance."""
    chosen = data.wired_error.isel(matrix=0)
    for place, wire in enumerate(data.wire.values):
        error = np.maximum(chosen.sel(wire=wire).transpose("chip", "step").values, FLOOR)
        band(axes, data.step.values, error, place, f"{wire:g} Ω")
    axes.axhline(1e-12, color="0.5", linestyle=":", linewidth=0.6)
    axes.set_yscale("log")
    axes.set_xlabel("Refinements")
    axes.set_ylabel("Error of the solution")
    axes.set_title(f"{data.matrix.values[0]}, wires")
    axes.legend(title="a segment", title_fontsize=6)


def band(axes, x, error, place: int, label: str) -> None:
    """The median with the 5th to 95th percentile of the first axis."""
    colour, marker = plotting.COLOURS[place % 7], plotting.MARKERS[place % 7]
    low, middle, high = np.percentile(error, [5, 50, 95], axis=0)
    axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.plot(x, middle, color=colour, marker=marker, label=label)
