"""Whether control forgives what ages: runs that fail, beside the error of the force in open loop."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import memsim as ms
from _drawing import command
from memsim import plotting

READS = Path("results/pole/pole.nc")
ARRAYS = ("PCM", "RRAM")


def figure(data, journal: str = "neutral") -> Figure:
    """Above failures over age, below the error in open loop; a column a kind of array, other machines as lines."""
    wide, config = plotting.width(journal, 2), json.loads(data.config)
    arrays = [name for name in data.machine.values if name in ARRAYS]
    others = [name for name in data.machine.values if name not in ARRAYS]
    with plotting.style():
        drawing = Figure(figsize=(wide, 0.6 * wide))
        panels = drawing.subplots(2, len(arrays) or 1, sharex=True, sharey="row", squeeze=False)
        plotting.letter_panels(panels.ravel())
        for column, name in zip(panels.T, arrays, strict=False):
            ways(column, data.sel(machine=name))
            column[0].set_title(str(name), loc="right")
            for place, other in enumerate(others):
                one = data.sel(machine=other, training=data.training.values[-1], correction="none").isel(time=0)
                style = (":", "--", "-.")[place]
                column[0].axhline(100 * float(one.failed.mean()), color="0.5", linestyle=style, label=str(other))
            column[1].set_xscale("log")
            plotting.label_time(column[1], data.time.values)
        panels[0, 0].set_ylabel("Runs that fail (%)")
        panels[1, 0].set_ylabel("Error of the force in open loop (%)")
        panels[0, -1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        drawing.supxlabel(
            f"Bars: 95 % intervals over {data.sizes['seed']} trainings, {data.sizes['chip']} chips and "
            f"{data.sizes['recording']} runs of {config['seconds']} s; grey: other machines, trained for them",
            fontsize=5,
        )
    return drawing


def ways(column, data) -> None:
    """A line for each training and correction, a little apart along age so that none hides another."""
    for place, (training, correction) in enumerate(
        (a, b) for a in data.training.values for b in data.correction.values
    ):
        one = data.sel(training=training, correction=correction)
        times = data.time.values * 1.15**place
        how = {"color": plotting.COLOURS[place + 1], "marker": plotting.MARKERS[place], "markersize": 2.5}
        for axes, name in zip(column, ("failed", "open_loop"), strict=True):
            found = [ms.study.interval(one[name].sel(time=t)) for t in data.time.values]
            mean, low, high = (
                100 * np.array([getattr(each, end) for each in found]) for end in ("mean", "low", "high")
            )
            bars = np.nan_to_num(np.maximum([mean - low, high - mean], 0.0))
            axes.errorbar(times, mean, bars, label=f"{training}, correction: {correction}", **how)


draw = command(READS, figure)
