"""What a decoder on chips loses over days: to neurons that wander, to the chip that ages, and what is mended."""

import json
from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command, intervals
from memsim import plotting

READS = Path("results/decoding/decoding.nc")
GREY = {"kalman": "--", "kalman_again": ":", "wiener": "-."}
FILTERS = {"kalman": "Kalman filter", "kalman_again": "Kalman filter, fitted again", "wiener": "Wiener filter"}


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """A row a machine, a column for what moves, a line for what is done about it; linear decoders in grey."""
    wide, config = plotting.width(journal, 2), json.loads(data.config)
    trained = data.sel(training=data.training.values[-1])
    with plotting.style(journal):
        rows, columns = data.sizes["machine"], data.sizes["change"]
        drawing = Figure(figsize=(wide, min(0.15 * wide + 0.2 * wide * rows, plotting.JOURNALS[journal].tallest)))
        panels = drawing.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        plotting.letter_panels(panels.ravel())
        for line, machine in zip(panels, data.machine.values, strict=True):
            for axes, change in zip(line, data.change.values, strict=True):
                ways(axes, trained.sel(machine=machine, change=change), label, beside=change != "chip ages")
            line[0].set_ylabel(f"{plotting.readable(str(machine), label)}\nR$^2$")
        for axes, change in zip(panels[0], data.change.values, strict=True):
            axes.set_title(plotting.readable(str(change), label))
        for axes in panels[-1]:
            plotting.label_time(axes, data.time.values, most=6)
        axes.set_ylim(max(-0.5, float(trained.r2.min()) - 0.05), 1.0)
        drawing.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
        plotting.describe(
            drawing,
            "Trained for the machine. Lines: means; bars: 95 % intervals over populations and chips, beside each "
            f"other; mended from {config['known']} s of known movements; grey: linear decoders on the same spikes, "
            "means over populations",
        )
    return drawing


def ways(axes, data, label, *, beside: bool) -> None:
    """A line for each way to mend."""
    times = plotting.shown_time(data.time.values)
    for place, way in enumerate(data.mended.values):
        each = data.r2.sel(mended=way)
        if bool(each.isnull().any()):
            continue
        named = f"mended: {plotting.readable(str(way), label)}"
        found = intervals(each, "time")
        plotting.draw_interval(axes, times, found, place=place, label=named, of=data.sizes["mended"])
    for name, style in GREY.items() if beside else ():
        named = plotting.readable(
            name, {"kalman": "Kalman", "kalman_again": "Kalman, fitted again", "wiener": "Wiener"}
        )
        axes.plot(times, data[name].mean("seed"), color="0.5", linestyle=style, label=named)


draw = command(READS, figure)
