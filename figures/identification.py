"""Error of identified conductances over reads, by how inputs were chosen."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/identification/identification.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """One line a choice, with the spread over arrays."""
    wide = plotting.width(journal)
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.75 * wide))
        axes = drawing.subplots()
        for place, inputs in enumerate(data.inputs.values):
            error = 100 * data.error.sel(inputs=inputs).transpose("reads", "chip").values
            low, middle, high = np.percentile(error, [5, 50, 95], axis=1)
            named = plotting.readable(str(inputs), label)
            found = np.stack([middle, low, high], 1)
            reads = data.reads.values.astype(float)
            plotting.draw_interval(axes, reads, found, place=place, label=named, of=data.sizes["inputs"])
        axes.set(xlabel="Reads", ylabel="Error of conductances (% of range)", yscale="log")
        axes.legend(title="Inputs")
        plotting.describe(drawing, "Lines: median over arrays; bars: 5th to 95th percentile, beside each other")
    return drawing


draw = command(READS, figure)
