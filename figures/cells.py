"""Memory cells as populations: the spread of written conductances against their target."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/cells/cells.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """As `memsim.plotting.programming_error`."""
    return plotting.programming_error(data, label=label, journal=journal)


draw = command(READS, figure)
