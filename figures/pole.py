"""Whether control forgives what ages: runs that fail, beside the error of the force in open loop."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command, intervals
from memsim import plotting

READS = Path("results/pole/pole.nc")
ARRAYS = ("PCM", "RRAM")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """Above failures over age, below the error in open loop; a column a kind of array, other machines as lines."""
    wide, config = plotting.width(journal, 2), json.loads(data.config)
    arrays = [name for name in data.machine.values if name in ARRAYS]
    others = data.sel(machine=[name for name in data.machine.values if name not in ARRAYS])
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.6 * wide))
        panels = drawing.subplots(2, len(arrays) or 1, sharex=True, sharey="row", squeeze=False)
        plotting.letter_panels(panels.ravel())
        for column, name in zip(panels.T, arrays, strict=False):
            ways(column, data.sel(machine=name), label)
            column[0].set_title(plotting.readable(str(name), label))
        for axes in panels[0]:
            beside(axes, others, label)
        for axes in panels[1]:
            plotting.label_time(axes, data.time.values)
        panels[0, 0].set_ylabel("Runs that fail (%)")
        panels[1, 0].set_ylabel("Error of the force in open loop (%)")
        drawing.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
        plotting.describe(
            drawing,
            f"Lines: means; bars, beside each other: above 95 % intervals over trainings, chips and runs of "
            f"{config['seconds']} s, below from the least to the largest of all chips; "
            "grey: other machines, trained for them, at the first time",
        )
    return drawing


def ways(column, data, label) -> None:
    """A line for each training and correction."""
    each = [(a, b) for a in data.training.values for b in data.correction.values]
    times = plotting.shown_time(data.time.values)
    for place, (training, correction) in enumerate(each):
        one = data.sel(training=training, correction=correction)
        words = [plotting.readable(str(word), label) for word in (training, correction)]
        named = f"{words[0]}, correction: {words[1]}"
        for axes, found in zip(column, (intervals(one.failed, "time"), ranges(one.open_loop)), strict=True):
            plotting.draw_interval(axes, times, 100 * found, place=place, label=named, of=len(each))


def ranges(error) -> np.ndarray:
    """Mean, least and largest over trainings and chips, at each time."""
    over = [name for name in error.dims if name != "time"]
    return np.stack([error.mean(over), error.min(over), error.max(over)], axis=-1)


def beside(axes, others, label) -> None:
    """Machines that do not age, as grey lines."""
    for place, name in enumerate(others.machine.values):
        one = others.sel(machine=name, training=others.training.values[-1], correction="none").isel(time=0)
        style = (":", "--", "-.")[place % 3]
        named = plotting.readable(str(name), label)
        axes.axhline(100 * float(one.failed.mean()), color="0.5", linestyle=style, label=named)


draw = command(READS, figure)
