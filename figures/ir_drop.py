"""Accuracy against wire resistance, the error of arrays against their size, and where an array loses its voltage."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import memsim as ms
from _drawing import command
from memsim import plotting

READS = Path("results/ir_drop/ir_drop.nc")


def figure(data, journal: str = "neutral") -> Figure:
    """One panel a network, one for the arrays, one for the voltages."""
    config, wide = json.loads(data.config), plotting.width(journal, 2)
    with plotting.style():
        drawing = Figure(figsize=(wide, 0.33 * wide))
        panels = drawing.subplots(1, data.sizes["network"] + 2, squeeze=False)[0]
        plotting.letter_panels(panels)
        for axes, network in zip(panels, data.network.values, strict=False):
            accuracies(axes, data.sel(network=network), config)
            axes.set_title(str(network).removesuffix(" neurons"), loc="right")
        panels[0].set_ylabel("Test accuracy (%)")
        panels[0].legend()
        errors(panels[-2], data, config)
        voltages(drawing, panels[-1], data)
    return drawing


draw = command(READS, figure)


def accuracies(axes, data, config) -> None:
    """The largest tile as lines with markers and 95 % intervals of the mean, smaller ones as thin lines."""
    used = [tile for tile in data.tile.values if data.accuracy.sel(tile=tile).notnull().any()]
    for place, training in enumerate(data.training.values):
        colour = plotting.COLOURS[place]
        for tile in used:
            accuracy = 100 * data.accuracy.sel(tile=tile, training=training)
            mean, largest = accuracy.mean("seed"), tile == used[-1]
            if not largest:
                axes.plot(data.resistance, mean, color=colour, linewidth=0.4)
                continue
            shown = data.sel(tile=tile, training=training)
            values = ms.study.right(shown) if "right" in shown else shown.accuracy
            found = 100 * np.array([ms.study.interval(values.sel(resistance=r)) for r in data.resistance.values])
            bars = np.abs(found[:, 1:] - found[:, :1]).T
            axes.errorbar(
                data.resistance,
                mean,
                bars,
                color=colour,
                marker=plotting.MARKERS[place],
                label=f"{training}, tile {tile}",
            )
    axes.axvline(config["training_resistance"], color="0.5", linestyle=":", linewidth=0.6)
    axes.set_xlabel("Resistance of a segment (Ω)")


def errors(axes, data, config) -> None:
    for place, model in enumerate(data.model.values):
        error = 100 * data.array_error.sel(model=model)
        axes.loglog(
            data["size"], error, color=plotting.COLOURS[place], marker=plotting.MARKERS[place], label=str(model)
        )
    axes.set_xticks(data["size"].values, [str(n) for n in data["size"].values], minor=False)
    axes.minorticks_off()
    axes.set_xlabel("Lines of a square array")
    axes.set_ylabel("Error of currents (%)")
    axes.set_title(f"{config['training_resistance']:g} Ω a segment", loc="right")
    axes.legend()


def voltages(drawing, axes, data) -> None:
    image = axes.imshow(100 * data.lost_voltage, cmap="viridis", vmin=0)
    drawing.colorbar(image, ax=axes, label="Voltage lost before a cell (%)")
    axes.set_xlabel("Bit line (driver left)")
    axes.set_ylabel("Word line (sink below)")
