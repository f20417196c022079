"""Errors of chaotic predictions: digital beside the published number, and on ageing chips by each readout."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/chaotic/chaotic.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """Above sMAPE, below the horizon: on the left each series in digital, then a column a device, over age."""
    wide, config = plotting.width(journal, 2), json.loads(data.config)
    chosen = data.dropna("delay", subset=["smape"])
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.6 * wide))
        panels = drawing.subplots(2, 1 + data.sizes["device"], sharey="row", sharex="col")
        plotting.letter_panels(panels.ravel())
        for axes, name in zip(panels, ("smape", "horizon"), strict=True):
            digital(axes[0], data, name)
            for place, device in enumerate(data.device.values):
                of_chips(axes[1 + place], chosen.sel(device=device), name, label)
        for axes in panels[1, 1:]:
            plotting.label_time(axes, data.time.values)
        panels[0, 0].set_ylabel(f"sMAPE over {config['lyapunov']} Lyapunov times (%)")
        panels[1, 0].set(ylabel="Horizon (Lyapunov times)", xlabel="Delay of the series")
        for axes, name in zip(panels[0], ("float64", *data.device.values), strict=True):
            axes.set_title(plotting.readable(str(name), label))
        handles = [each for axes in panels[0, :2] for each in axes.get_legend_handles_labels()[0]]
        drawing.legend(handles=handles, loc="outside lower center", ncols=3)
        plotting.describe(
            drawing,
            f"Left: every series and reservoir in float64; right: medians and quartiles over reservoirs (seeds) and "
            f"series (delays {', '.join(map(str, chosen.delay.values))}), each on a chip of its own, a line a readout, "
            "bars beside each other; dashed there: the median of the same in float64",
        )
    return drawing


def digital(axes, data, name: str) -> None:
    """Each series in float64, their mean, and what to hold them against."""
    shown, each = plotting.look(0), data[f"digital_{name}"].transpose("delay", "seed")
    axes.plot(data.delay, each, linestyle="none", **shown)
    axes.axhline(float(each.mean()), color=shown["color"], linestyle="--", label="mean of these")
    if name == "smape":
        axes.axhline(data.published_smape, color=plotting.COLOURS[-1], label="published mean of 14")
        axes.axhline(float(data.constant_smape.mean()), color="0.5", linestyle=":", label="of a constant")


def of_chips(axes, data, name: str, label) -> None:
    """A line a readout."""
    axes.set_xscale("log")
    times = plotting.shown_time(data.time.values)
    for place, which in enumerate(data.readout.values):
        each = data[name].sel(readout=which).stack(chip=("delay", "seed"))
        found = np.stack([each.quantile(share, "chip").values for share in (0.5, 0.25, 0.75)], 1)
        named = f"readout: {plotting.readable(str(which), label)}"
        plotting.draw_interval(axes, times, found, place=place + 1, label=named, of=data.sizes["readout"])
    axes.axhline(float(data[f"digital_{name}"].median()), color=plotting.COLOURS[0], linestyle="--")


draw = command(READS, figure)
