"""Memory cells as populations: conductance against time, and the exponent of its fall against the target."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/cells/cells.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """As `memsim.plotting.conductance_drift`."""
    return plotting.conductance_drift(data, label=label, journal=journal)


draw = command(READS, figure, name="cells_drift")
