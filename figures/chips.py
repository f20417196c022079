"""Accuracy of one network on every chip, as it is and after training through the chip."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import memsim as ms
from _drawing import command
from memsim import plotting

READS = Path("results/chips/chips.nc")


def figure(data, journal: str = "neutral") -> Figure:
    """A row for each chip that takes its network: two points, and a mark for the network itself, as floats."""
    wide = plotting.width(journal)
    taken = [name for name in data.target.values if np.isfinite(data.accuracy.sel(target=name)).any()]
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.2 * wide + 0.09 * wide * len(taken)))
        axes = drawing.subplots()
        rows = np.arange(len(taken))[::-1]
        for place, training in enumerate(data.training.values):
            each = [ms.study.interval(data.accuracy.sel(training=training, target=name)) for name in taken]
            middle = 100 * np.array([found.mean for found in each])
            ends = 100 * np.array([[found.mean - found.low, found.high - found.mean] for found in each]).T
            colour = plotting.COLOURS[place]
            axes.errorbar(
                middle, rows + 0.12 - 0.24 * place, xerr=ends, fmt="o", color=colour, label=f"trained {training}"
            )
        own = 100 * data.network_accuracy.isel(training=0).mean("seed").sel(target=taken).values
        axes.plot(own, rows, "|", color="0.4", markersize=14, label="the network itself, as floats")
        axes.set_yticks(rows, [f"{name}\n{_kind(data, name)}" for name in taken])
        axes.set_xlabel("Test accuracy (%)")
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0))
        plotting.describe(drawing, caption(data))
    return drawing


draw = command(READS, figure)


def _kind(data, name: str) -> str:
    """The network that a chip got."""
    return str(data.network.isel(seed=0, training=0).sel(target=name).item())


def caption(data) -> str:
    config = json.loads(data.config)
    seeds = data.sizes["seed"]
    bars = "\nbars: 95 % interval of the mean over seeds, for this test set" if seeds > 1 else ""
    return (
        f"{config['hidden']} neurons, spoken digits as spikes in {config['steps']} steps; "
        f"{seeds} training seed{'s'[: seeds > 1]}{bars}"
    )
