"""Exercises before a smartwatch on every machine: what was found, joules, latency."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from _machines import machines_figure

READS = Path("results/wearable/wearable.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """A row for each machine."""
    return machines_figure(data, journal, label)


draw = command(READS, figure)
