"""Weight against pulses up and down for every published pulsed device: single ones, mean and spread, nominal curve."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/pulse_response/pulse_response.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """As `memsim.plotting.staircase`."""
    return plotting.staircase(data, label=label, journal=journal)


draw = command(READS, figure)
