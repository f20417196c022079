"""Error of identified conductances over reads, by how inputs were chosen."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/identification/identification.nc")


def figure(data, journal: str = "neutral") -> Figure:
    """One line a choice; points are arrays."""
    wide = plotting.width(journal, 1)
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.75 * wide))
        axes = drawing.subplots()
        for place, inputs in enumerate(data.inputs.values):
            error = 100 * data.error.sel(inputs=inputs)
            axes.plot(data.reads, error.median("chip"), color=f"C{place}", label=str(inputs))
            for chip in data.chip.values:
                axes.plot(data.reads, error.sel(chip=chip), ".", color=f"C{place}", markersize=2)
        axes.set(xlabel="Reads", ylabel="Error of conductances (% of range)", yscale="log")
        axes.legend(title="Inputs")
    return drawing


draw = command(READS, figure)
