"""Analog against exact outputs of a matrix-vector product, and the error of each non-ideality alone."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/mvm_error/mvm_error.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """As `memsim.plotting.mvm_scatter`."""
    return plotting.mvm_scatter(data, label=label, journal=journal)


draw = command(READS, figure)
