"""Accuracy of one network on every chip, as it is and after training through the chip."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import memsim as ms
from _drawing import command
from memsim import plotting

READS = Path("results/chips/chips.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """A row for each chip that takes its network: two points, and a mark for the network itself, as floats."""
    wide = plotting.width(journal)
    taken = [name for name in data.target.values if np.isfinite(data.accuracy.sel(target=name)).any()]
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, min(0.25 * wide + 0.1 * wide * len(taken), plotting.JOURNALS[journal].tallest)))
        axes = drawing.subplots()
        rows = np.arange(len(taken))[::-1]
        for place, training in enumerate(data.training.values):
            each = [ms.study.interval(data.accuracy.sel(training=training, target=name)) for name in taken]
            mean, low, high = 100 * np.array(each).T
            at, look = rows + 0.15 - 0.3 * place, plotting.look(place)
            axes.plot(mean, at, linestyle="none", label=f"trained {training}", **look)
            axes.hlines(at, low, high, color=look["color"], linewidth=0.8)
        own = 100 * data.network_accuracy.isel(training=0).mean("seed").sel(target=taken).values
        axes.plot(own, rows, "|", color="0.4", markersize=14, label="the network itself, as floats")
        axes.set_yticks(rows, [f"{plotting.readable(str(name), label)}\n{kind(data, name)}" for name in taken])
        axes.set_xlabel("Test accuracy (%)")
        drawing.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=1)
        config = json.loads(data.config)
        plotting.describe(
            drawing,
            f"{config['hidden']} neurons, spoken digits as spikes in {config['steps']} steps. Marks: means over "
            "seeds, bars: 95 % interval of the mean over seeds, for this test set; under each chip the network that "
            "it gets",
        )
    return drawing


draw = command(READS, figure)


def kind(data, name: str) -> str:
    """The network that a chip got."""
    return str(data.network.isel(seed=0, training=0).sel(target=name).item())
