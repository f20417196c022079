"""Accuracy over ADC and DAC bits for four ways to find converter ranges, with a line of equal accuracy."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/converters/converters.nc")
NAMES = {"ten cells": "ten cells, ADC"}


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """As `memsim.plotting.accuracy_over_bits`: a row a network, a column a way to find the ranges."""
    drawing = plotting.accuracy_over_bits(data, label=NAMES | (label or {}), journal=journal)
    words = (
        "a DAC makes no error of spikes, so only the spiking network's first layer suffers from it; split by recording"
    )
    plotting.describe(drawing, f"{drawing.get_label()}; {words}")
    return drawing


draw = command(READS, figure)
