"""Accuracy against mismatch of neurons, of synapses and of both, for networks trained without it and with it."""

import json
from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/mismatch/mismatch.nc")
NAMES = {"both": "neurons and synapses", "without": "trained without", "with": "trained with"}


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """As `memsim.plotting.accuracy_over_noise`: a panel a place of the mismatch, a line a training."""
    trained = {str(each): f"trained {each}" for each in data.training.values}
    drawing = plotting.accuracy_over_noise(
        data,
        along="mismatch",
        lines="training",
        panels=("place",),
        label=trained | NAMES | (label or {}),
        journal=journal,
        name="Relative standard deviation (%)",
    )
    for axes in drawing.axes:
        met = 100 * json.loads(data.config)["training_mismatch"]
        axes.axvline(met, color="0.5", linestyle=":", linewidth=0.6)
    words = (
        "dotted vertical: mismatch in training; membrane time constants and thresholds of neurons, weights of "
        "synapses; spoken digits, split by recording, no speaker labels"
    )
    plotting.describe(drawing, f"{drawing.get_label()}; {words}")
    return drawing


draw = command(READS, figure)
