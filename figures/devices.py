"""Technologies compared: test error against time on each memory cell, and against how large the cell's own error is."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/devices/devices.nc")
DAY = 86400.0
COLOURS = {"pcm": "#D55E00", "rram": "#0072B2", "cmo": "#56B4E9", "sonos": "#009E73", "ecram": "#CC79A7"}
COLOURS |= {"fefet": "#E69F00", "mtj": "#999999", "ideal": "#000000"}
MARKERS = "osD^v"


def figure(data, journal: str = "neutral") -> Figure:
    """A panel for each training over time, and one over the error of the cells after a day."""
    wide = plotting.width(journal, 2)
    looks = appearances([str(name) for name in data.device.values])
    trainings = [str(name) for name in data.training.values]
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.52 * wide))
        panels = drawing.subplots(1, len(trainings) + 1, sharey=True)
        for axes, training in zip(panels, trainings, strict=False):
            over_time(axes, data.sel(training=training), looks)
            axes.set_title(f"{training} training")
        over_error(panels[-1], data, looks)
        panels[0].set_ylabel("Test error (%)")
        panels[0].set_yscale("log")
        panels[0].set_yticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
        panels[0].minorticks_off()
        plotting.letter_panels(panels)
        drawing.legend(*panels[0].get_legend_handles_labels(), loc="outside right center")
        plotting.describe(drawing, caption(data))
    return drawing


draw = command(READS, figure)


def appearances(names: list[str]) -> dict[str, dict]:
    """One colour a technology, one marker a cell of it."""
    seen: dict[str, int] = {}
    looks = {}
    for name in names:
        technology = name.split("_")[0]
        place = seen.get(technology, 0)
        seen[technology] = place + 1
        looks[name] = {"color": COLOURS[technology], "marker": MARKERS[place]}
    return looks


def over_time(axes, data, looks) -> None:
    times = plotting.shown_time(data.time.values)
    for name, look in looks.items():
        accuracy = data.accuracy.sel(device=name)
        error = 100 * (1 - accuracy.mean(["seed", "chip"]).values)
        measured = plotting.measured_along(accuracy, "time")
        plotting.draw_line(axes, times, error, measured, label=name, markersize=3, **look)
    axes.axhline(100 * (1 - float(data.digital_accuracy.mean())), color="0.5", linestyle=":", linewidth=0.6)
    plotting.label_time(axes, data.time.values)
    axes.tick_params("x", labelsize=5.5)


def over_error(axes, data, looks) -> None:
    """After a day: filled markers of the last training, open ones of the first; bars are 5th to 95th percentile."""
    trainings = data.training.values
    for name, look in looks.items():
        one = data.sel(device=name, time=nearest(data.time.values, DAY))
        error = max(100 * float(one.cell_error.sel(age=DAY)), 1e-2)
        for training, filled in ((trainings[0], False), (trainings[-1], True)):
            wrong = 100 * (1 - one.accuracy.sel(training=training).values)
            low, high = np.percentile(wrong, [5, 95])
            axes.vlines(error, low, high, color=look["color"], linewidth=0.6)
            face = look["color"] if filled else "white"
            axes.plot(error, wrong.mean(), look["marker"], color=look["color"], markerfacecolor=face, markersize=3.5)
    axes.set_xscale("log")
    axes.set_xlabel("Error of cells after a day\n(% of range)")
    axes.set_title(f"a day old; open: {trainings[0]}")


def nearest(times: np.ndarray, time: float) -> float:
    return float(times[np.argmin(np.abs(times - time))])


def caption(data) -> str:
    config = json.loads(data.config)
    return (
        f"Mean over {data.sizes['chip']} chips of each of {data.sizes['seed']} training seeds; bars: 5th to 95th "
        f"percentile; one pair of cells a weight, {config['adc_bits']}-bit ADC, global drift compensation;\n"
        "dotted: digital; dashed: ages at which no cell was measured, where equations are continued; spoken digits, "
        "split by recording.\nNumbers of ECRAM are in part assumed, of FeFET recalled, of magnetic junctions assumed"
    )
