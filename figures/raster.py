"""Spike raster, membrane traces and rate histogram: the ideal network beside one analog chip, on the same input."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/raster/raster.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """As `memsim.plotting.raster`."""
    drawing = plotting.raster(data, label=label, journal=journal)
    plotting.describe(drawing, f"{drawing.get_label()}; spoken digits, split by recording, no speaker labels")
    return drawing


draw = command(READS, figure)
