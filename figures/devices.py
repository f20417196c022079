"""Technologies compared: test error against time on each memory cell, and against how large the cell's own error is."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import memsim as ms
from _drawing import command
from memsim import plotting

READS = Path("results/devices/devices.nc")
DAY = 86400.0
COLUMNS = 5
TICKS = [1, 2, 5, 10, 20, 50]


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """A panel for each cell over time, and one over the error of the cells after a day."""
    wide, count = plotting.width(journal, 2), data.sizes["device"] + 1
    rows = -(-count // COLUMNS)
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, min(0.22 * wide * rows + 0.05 * wide, plotting.JOURNALS[journal].tallest)))
        panels = drawing.subplots(rows, COLUMNS, sharey=True, squeeze=False).ravel()
        for axes in panels[count:]:
            axes.set_axis_off()
        for axes, name in zip(panels, data.device.values, strict=False):
            over_time(axes, data.sel(device=name), label)
            axes.set_title(plotting.readable(str(name), label).replace(" (", "\n("))
        over_error(panels[count - 1], data)
        for axes in panels[:count:COLUMNS]:
            axes.set_ylabel("Test error (%)")
        panels[0].set_yscale("log")
        panels[0].set_yticks(TICKS, [str(tick) for tick in TICKS])
        panels[0].minorticks_off()
        panels[0].set_ylim(bottom=0.5)
        plotting.letter_panels(panels[:count])
        drawing.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
        plotting.describe(drawing, words(data))
    return drawing


draw = command(READS, figure)


def over_time(axes, data, label) -> None:
    """The error, so that what is lost is seen, of each training."""
    for place, training in enumerate(data.training.values):
        one = data.sel(training=training)
        error = (1 - one.accuracy).assign_coords(one.accuracy.coords)
        named = f"{plotting.readable(str(training), label)} training"
        plotting.draw_accuracy(axes, error, place=place, label=named, of=data.sizes["training"])
    digital = 100 * (1 - float(data.digital_accuracy.mean()))
    axes.axhline(digital, color="0.5", linestyle=":", linewidth=0.6)
    plotting.label_time(axes, data.time.values, most=4)
    axes.set_xlabel("Age")


def over_error(axes, data) -> None:
    """After a day, a mark a cell and training, with the 95 % interval of its mean."""
    time = float(data.time.values[np.argmin(np.abs(data.time.values - DAY))])
    for place, training in enumerate(data.training.values):
        one, look = data.sel(training=training, time=time), plotting.look(place)
        for name in data.device.values:
            error = max(100 * float(one.cell_error.sel(device=name, age=DAY).mean()), 1e-2)
            mean, low, high = 100 * (1 - np.array(ms.study.interval(one.accuracy.sel(device=name))))
            axes.plot(error, mean, linestyle="none", **look)
            axes.vlines(error, low, high, color=look["color"], linewidth=0.8)
    axes.set_xscale("log")
    axes.xaxis.set_minor_formatter("")
    axes.set_xlabel("Error of cells (% of range)")
    axes.set_title("All, a day old")


def words(data) -> str:
    config = json.loads(data.config)
    return (
        "Error against age, a panel a cell: means; thin bars: 5th to 95th percentile over chips and seeds, thick "
        "bars: 95 % interval of the mean, beside each other; last panel: all cells after a day over the distance of "
        f"cells from their targets. One pair of cells a weight, {config['adc_bits']}-bit ADC, global drift "
        "compensation; dotted: digital; dashed: ages at which no cell was measured, where equations are continued. "
        "Numbers of ECRAM are in part assumed, of FeFET recalled, of magnetic junctions assumed; spoken digits, "
        "split by recording, no speaker labels"
    )
