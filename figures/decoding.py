"""What a decoder on chips loses over days: to neurons that wander, to the chip that ages, and what is mended."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import memsim as ms
from _drawing import command
from memsim import plotting

READS = Path("results/decoding/decoding.nc")
GREY = {"kalman": "--", "kalman_again": ":", "wiener": "-."}


def figure(data, journal: str = "neutral") -> Figure:
    """A row a machine, a column for what moves, a line for what is done about it; linear decoders in grey."""
    wide, config = plotting.width(journal, 2), json.loads(data.config)
    trained = data.sel(training=data.training.values[-1])
    with plotting.style():
        rows, columns = data.sizes["machine"], data.sizes["change"]
        drawing = Figure(figsize=(wide, 0.15 * wide + 0.2 * wide * rows))
        panels = drawing.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        plotting.letter_panels(panels.ravel())
        for line, machine in zip(panels, data.machine.values, strict=True):
            for axes, change in zip(line, data.change.values, strict=True):
                ways(axes, trained.sel(machine=machine, change=change), beside=change != "chip ages")
            line[0].set_ylabel(f"{machine}\nR$^2$")
        for axes, change in zip(panels[0], data.change.values, strict=True):
            axes.set_title(str(change), loc="right")
        for axes in panels[-1]:
            plotting.label_time(axes, data.time.values)
        axes.set_ylim(max(-0.5, float(trained.r2.min()) - 0.05), 1.0)
        panels[0, -1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        drawing.supxlabel(
            f"Bars: 95 % intervals over {data.sizes['seed']} populations and {data.sizes['chip']} chips; trained for "
            f"the machine; mended from {config['known']} s of known movements; grey: linear decoders, same spikes",
            fontsize=5,
        )
    return drawing


def ways(axes, data, *, beside: bool) -> None:
    """A line for each way to mend, a little apart along time so that none hides another."""
    for place, way in enumerate(data.mended.values):
        each = data.r2.sel(mended=way)
        if bool(each.isnull().any()):
            continue
        found = [ms.study.interval(each.sel(time=t)) for t in data.time.values]
        mean, low, high = (np.array([getattr(one, end) for one in found]) for end in ("mean", "low", "high"))
        bars = np.nan_to_num(np.maximum([mean - low, high - mean], 0.0))
        how = {"color": plotting.COLOURS[place + 1], "marker": plotting.MARKERS[place], "markersize": 2.5}
        axes.errorbar(data.time.values * 1.3**place, mean, bars, label=f"mended: {way}", **how)
    for name, style in GREY.items() if beside else ():
        axes.plot(data.time, data[name].mean("seed"), color="0.5", linestyle=style, label=name.replace("_", " "))


draw = command(READS, figure)
