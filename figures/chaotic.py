"""Errors of chaotic predictions: digital beside the published number, and on ageing chips by each readout."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/chaotic/chaotic.nc")


def figure(data, journal: str = "neutral") -> Figure:
    """On the left each series in digital, on the right a panel a device: the error of chips over age."""
    wide, config = plotting.width(journal, 2), json.loads(data.config)
    with plotting.style():
        drawing = Figure(figsize=(wide, 0.4 * wide))
        panels = drawing.subplots(1, 1 + data.sizes["device"], sharey=True)
        plotting.letter_panels(panels)
        each = data.digital_smape.transpose("delay", "seed")
        panels[0].plot(data.delay, each, color=plotting.COLOURS[0], marker="o", markersize=2, linestyle="none")
        panels[0].axhline(data.published_smape, color=plotting.COLOURS[1], label="published mean of 14")
        panels[0].axhline(float(each.mean()), color=plotting.COLOURS[0], linestyle="--", label="mean of these")
        panels[0].set_xlabel("Delay of the series")
        panels[0].set_ylabel("sMAPE over ten Lyapunov times (%)".replace("ten", str(config["lyapunov"])))
        panels[0].set_title("float64", loc="right")
        chosen = data.dropna("delay", subset=["smape"])
        for axes, device in zip(panels[1:], data.device.values, strict=True):
            of_chips(axes, chosen.sel(device=device))
            axes.set_title(str(device), loc="right")
        for axes in panels:
            axes.legend()
        drawing.supxlabel(
            f"Right: median and quartiles of {chosen.sizes['delay']} series with {data.sizes['seed']} reservoirs each, "
            "every one on a chip of its own; dashed: the same in float64",
            fontsize=5,
        )
    return drawing


def of_chips(axes, data) -> None:
    """A line a readout, a little apart along age so that none hides another."""
    for place, which in enumerate(data.readout.values):
        each = data.smape.sel(readout=which).stack(chip=("delay", "seed"))
        low, middle, high = (each.quantile(share, "chip").values for share in (0.25, 0.5, 0.75))
        times = data.time.values * 1.15**place
        colour, marker = plotting.COLOURS[place + 1], plotting.MARKERS[place]
        bars = np.array([middle - low, high - middle])
        axes.errorbar(times, middle, bars, color=colour, marker=marker, markersize=2.5, label=str(which))
    axes.axhline(float(data.digital_smape.median()), color=plotting.COLOURS[0], linestyle="--")
    axes.set_xscale("log")
    plotting.label_time(axes, data.time.values)


draw = command(READS, figure)
