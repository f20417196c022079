"""Errors of chaotic predictions: digital beside the published number, and on ageing chips by each readout."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/chaotic/chaotic.nc")


def figure(data, journal: str = "neutral") -> Figure:
    """Above sMAPE, below the horizon: on the left each series in digital, then a column a device, over age."""
    wide, config = plotting.width(journal, 2), json.loads(data.config)
    chosen = data.dropna("delay", subset=["smape"])
    with plotting.style():
        drawing = Figure(figsize=(wide, 0.6 * wide))
        panels = drawing.subplots(2, 1 + data.sizes["device"], sharey="row", sharex="col")
        plotting.letter_panels(panels.ravel())
        for axes, name in zip(panels, ("smape", "horizon"), strict=True):
            each = data[f"digital_{name}"].transpose("delay", "seed")
            axes[0].plot(data.delay, each, color=plotting.COLOURS[0], marker="o", markersize=2, linestyle="none")
            axes[0].axhline(float(each.mean()), color=plotting.COLOURS[0], linestyle="--", label="mean of these")
            for place, device in enumerate(data.device.values):
                of_chips(axes[1 + place], chosen.sel(device=device), name)
        panels[0, 0].axhline(data.published_smape, color=plotting.COLOURS[-1], label="published mean of 14")
        constant = float(data.constant_smape.mean())
        panels[0, 0].axhline(constant, color="0.5", linestyle=":", label="of a constant")
        panels[0, 0].legend()
        panels[0, 0].set_ylabel(f"sMAPE over {config['lyapunov']} Lyapunov times (%)")
        panels[1, 0].set_ylabel("Horizon (Lyapunov times)")
        panels[1, 0].set_xlabel("Delay of the series")
        for axes, name in zip(panels[0], ("float64", *data.device.values), strict=True):
            axes.set_title(str(name), loc="right")
        panels[0, -1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), title="Readout")
        drawing.supxlabel(
            f"Right: median and quartiles of {chosen.sizes['delay']} series with {data.sizes['seed']} reservoirs each, "
            "every one on a chip of its own; dashed: the same in float64",
            fontsize=5,
        )
    return drawing


def of_chips(axes, data, name: str) -> None:
    """A line a readout, a little apart along age so that none hides another."""
    for place, which in enumerate(data.readout.values):
        each = data[name].sel(readout=which).stack(chip=("delay", "seed"))
        low, middle, high = (each.quantile(share, "chip").values for share in (0.25, 0.5, 0.75))
        times = data.time.values * 1.3**place
        how = {"color": plotting.COLOURS[place + 1], "marker": plotting.MARKERS[place], "markersize": 2.5}
        axes.errorbar(times, middle, np.array([middle - low, high - middle]), label=str(which), **how)
    axes.axhline(float(data[f"digital_{name}"].median()), color=plotting.COLOURS[0], linestyle="--")
    plotting.label_time(axes, data.time.values)


draw = command(READS, figure)
