"""Which digits chips take for which, and whether their confidence can be believed."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/reliability/reliability.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """As `memsim.plotting.confusion`."""
    return plotting.confusion(data, label=label, journal=journal)


draw = command(READS, figure)
