"""Accuracy from chip to chip of one design, and the share of chips that are good enough."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/reliability/chip_to_chip.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """As `memsim.plotting.chip_to_chip`."""
    return plotting.chip_to_chip(data, label=label, journal=journal)


draw = command(READS, figure)
