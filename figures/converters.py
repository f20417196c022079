"""Accuracy over ADC and DAC bits for four ways to find converter ranges, with a line of equal accuracy."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from _drawing import command
from memsim import plotting

READS = Path("results/converters/converters.nc")
MARGIN = 1.0  # points
LINE = f"{MARGIN:g} point below no converters"
TITLES = {
    "percentile": "Percentile",
    "least squares": "Least squares",
    "maximal": "Maximal",
    "ten cells": "ADC: 10 cells",
}


def figure(data, journal: str = "neutral") -> Figure:
    """One row a network, one column a way to find the ranges."""
    wide = plotting.width(journal, 2)
    device = json.loads(data.config)["device"]
    accuracy = 100 * data.accuracy.mean(["seed", "chip"])
    with plotting.style():
        drawing = Figure(figsize=(wide, 0.58 * wide))
        panels = drawing.subplots(data.sizes["network"], data.sizes["ranges"], sharex=True, sharey=True, squeeze=False)
        for row, network in enumerate(data.network.values):
            for column, ranges in enumerate(data.ranges.values):
                chosen = accuracy.sel(network=network, ranges=ranges).transpose("cells", "adc_bits", "dac_bits")
                image = panel(panels[row, column], chosen, device)
            panels[row, 0].set_ylabel(f"{network} network\nADC (bits)")
        for axes, ranges in zip(panels[0], data.ranges.values, strict=True):
            axes.set_title(TITLES[str(ranges)])
        for axes in panels[-1]:
            axes.set_xlabel("DAC (bits)")
        plotting.letter_panels(panels.flat)
        drawing.colorbar(image, ax=panels, label="Test accuracy (%)", aspect=40, pad=0.01)
        lines = [
            Line2D([], [], color="black", linestyle="--" if cells == "ideal cells" else "-", label=f"{LINE}, {cells}")
            for cells in (device, "ideal cells")
        ]
        drawing.legend(handles=lines, loc="outside upper center", ncols=2)
        drawing.supxlabel(caption(data, device), fontsize=5)
    return drawing


draw = command(READS, figure)


def panel(axes, accuracy, device: str):
    """A map of the chips; lines of equal accuracy, that of no converters less `MARGIN`, of chips and of ideal cells."""
    image = axes.imshow(accuracy.sel(cells=device), origin="lower", vmin=10, vmax=100, cmap="viridis", aspect="auto")
    for cells, line in ((device, "-"), ("ideal", "--")):
        grid = accuracy.sel(cells=cells).values
        goal = grid[-1, -1] - MARGIN
        if grid.min() < goal:
            axes.contour(grid, levels=[goal], colors="black", linestyles=line, linewidths=0.9)
    for set_ticks, bits in ((axes.set_xticks, accuracy.dac_bits), (axes.set_yticks, accuracy.adc_bits)):
        set_ticks(range(bits.size), ["none" if np.isinf(value) else f"{value:g}" for value in bits.values])
    return image


def caption(data, device: str) -> str:
    config = json.loads(data.config)
    found = data.accuracy.sel(adc_bits=np.inf, dac_bits=np.inf, cells=device).isel(ranges=0).mean(["seed", "chip"])
    without = ", ".join(
        f"{network} {100 * float(found.sel(network=network)):.1f} %" for network in found.network.values
    )
    return (
        f"Mean over {data.sizes['chip']} chips of each of {data.sizes['seed']} training seeds, {device} just written "
        f"(colour); lines: {LINE} ({without}); spoken digits, {config['recordings']} "
        f"test recordings,\nsplit by recording; {config['hidden']} hidden neurons; ranges from {config['calibration']} "
        "training recordings; a DAC makes no error of spikes, so only the spiking network's first layer suffers from it"
    )
