"""Weights of two trainings of one network, and the conductances that hold them on chips."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import LAYERS, command
from memsim import plotting

READS = Path("results/reliability/distributions.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """As `memsim.plotting.distributions`."""
    return plotting.distributions(data, label=LAYERS | (label or {}), journal=journal)


draw = command(READS, figure)
