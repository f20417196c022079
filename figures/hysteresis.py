"""Current against voltage of every compact memristor, at multiples of a frequency that opens its loop."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/hysteresis/hysteresis.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """As `memsim.plotting.hysteresis`."""
    return plotting.hysteresis(data, label=label, journal=journal)


draw = command(READS, figure)
