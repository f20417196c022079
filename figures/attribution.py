"""What each effect costs alone, what leaving it out gains, and the error it makes in each layer."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import LAYERS, command
from memsim import plotting

READS = Path("results/reliability/attribution.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """As `memsim.plotting.attribution`."""
    return plotting.attribution(data, label=LAYERS | (label or {}), journal=journal)


draw = command(READS, figure)
