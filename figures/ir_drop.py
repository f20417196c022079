"""Where an array loses its voltage, the error of arrays against their size, and accuracy against wire resistance."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/ir_drop/ir_drop.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """As `memsim.plotting.ir_drop`."""
    return plotting.ir_drop(data, label=label, journal=journal)


draw = command(READS, figure)
