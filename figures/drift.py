"""Accuracy against time since programming: trainings by processes, with drift compensation and without."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/drift/drift.nc")
NAMES = {"global": "global drift compensation", "none": "no compensation"}


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """As `memsim.plotting.accuracy_over_time`: a row a process, a column a compensation, a line a training."""
    noise = {f"{each:g}": f"{each:g}$\\times$ write noise" for each in data.write_noise.values}
    data = data.assign_coords(write_noise=[f"{each:g}" for each in data.write_noise.values])
    data = data.isel(compensation=slice(None, None, -1))
    drawing = plotting.accuracy_over_time(
        data,
        lines="training",
        panels=("write_noise", "compensation"),
        label=NAMES | noise | (label or {}),
        journal=journal,
    )
    plotting.describe(drawing, f"{drawing.get_label()}; spoken digits, split by recording, no speaker labels")
    return drawing


draw = command(READS, figure)
