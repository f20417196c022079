"""The error of solutions after each refinement, bits gained a refinement over cell errors, and what wires cost."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/matrix_equations/matrix_equations.nc")
SHOWN = 0.01  # the cell error of the first panel, or the nearest
GOAL, FLOOR = 2.0**-24, 1e-17


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """Panels: error over refinements, bits over cell error, error over wires."""
    wide = plotting.width(journal, 2)
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.36 * wide))
        panels = drawing.subplots(1, 3)
        plotting.letter_panels(panels)
        errors(panels[0], data, label)
        bits(panels[1], data, label)
        wires(panels[2], data, label)
        plotting.describe(
            drawing,
            "Lines: medians over chips; bars: 5th to 95th percentile; b: bits gained a refinement, over the first five",
        )
    return drawing


draw = command(READS, figure)


def errors(axes, data, label) -> None:
    """A line a method, of the first kind of matrices."""
    nearest = int(np.argmin(np.abs(data.cell_error.values - SHOWN)))
    chosen = data.error.isel(matrix=0, cell_error=nearest)
    axes.set_yscale("log")
    for place, method in enumerate(data["method"].values):
        error = np.maximum(chosen.isel(method=place).transpose("chip", "step").values, FLOOR)
        spread(axes, data.step.values, error, place=place, label=plotting.readable(str(method), label))
    axes.axhline(GOAL, color="0.5", linestyle=":", linewidth=0.6)
    axes.annotate(
        "$2^{-24}$",
        (1, GOAL),
        (0, -2),
        ("axes fraction", "data"),
        "offset points",
        ha="right",
        va="top",
        fontsize="small",
    )
    axes.set_xlabel("Refinements")
    axes.set_ylabel("Error of the solution")
    axes.set_title(f"{data.matrix.values[0]}, cells with {float(chosen.cell_error):.0%}")
    axes.legend()


def bits(axes, data, label) -> None:
    """A line a kind of matrices, combined solid and plain dashed, over the first five refinements."""
    last = min(5, data.sizes["step"] - 1)
    methods = [name for name in ("combined", "plain") if name in data["method"].values]
    for place, matrix in enumerate(data.matrix.values):
        for number, method in enumerate(methods):
            error = data.error.sel(matrix=matrix).isel(method=list(data["method"].values).index(method))
            gained = np.log2(error.isel(step=0) / np.maximum(error.isel(step=last), 1e-15)) / last
            line = "--" if number else "-"
            named = None if number else plotting.readable(str(matrix), label)
            at = place + number * data.sizes["matrix"]
            values = gained.transpose("chip", "cell_error").values
            spread(axes, 100 * data.cell_error.values, values, place=at, label=named, linestyle=line)
    axes.axhline(0, color="0.5", linewidth=0.6)
    axes.set_xlabel("Cell error (% of the range)")
    axes.set_ylabel("Bits gained a refinement")
    axes.set_title("combined, plain dashed")
    axes.legend()


def wires(axes, data, label) -> None:
    """Of the first kind of matrices, a line a resistance."""
    chosen = data.wired_error.isel(matrix=0)
    axes.set_yscale("log")
    for place, wire in enumerate(data.wire.values):
        error = np.maximum(chosen.sel(wire=wire).transpose("chip", "step").values, FLOOR)
        spread(axes, data.step.values, error, place=place, label=f"{wire:g} Ω")
    axes.axhline(1e-12, color="0.5", linestyle=":", linewidth=0.6)
    axes.set_xlabel("Refinements")
    axes.set_ylabel("Error of the solution")
    axes.set_title(f"{data.matrix.values[0]}, wires")
    axes.legend(title="a segment")


def spread(axes, x, values, *, place: int, label, linestyle: str = "-") -> None:
    """The median with the 5th to 95th percentile of the first axis, at its place: the curves are steep."""
    low, middle, high = np.percentile(values, [5, 50, 95], axis=0)
    found = np.stack([middle, low, high], 1)
    plotting.draw_interval(axes, x.astype(float), found, place=place, label=label, linestyle=linestyle)
