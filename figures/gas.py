"""What a nose on chips loses over months: to sensors that drift, to the chip that ages, and what is mended."""

import json
from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command, intervals
from _machines import over
from memsim import plotting

READS = Path("results/gas/gas.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """A row a machine, a column for what moves, a line for what is done about it; the linear classifier in grey."""
    wide, config = plotting.width(journal, 2), json.loads(data.config)
    trained = data.sel(training=data.training.values[-1])
    machines = [name for name in data.machine.values if name in ("PCM", "RRAM")] or list(data.machine.values)
    with plotting.style(journal):
        drawing = Figure(
            figsize=(wide, min(0.2 * wide + 0.2 * wide * len(machines), plotting.JOURNALS[journal].tallest))
        )
        panels = drawing.subplots(len(machines), data.sizes["change"], sharex=True, sharey=True, squeeze=False)
        plotting.letter_panels(panels.ravel())
        for line, machine in zip(panels, machines, strict=True):
            for axes, change in zip(line, data.change.values, strict=True):
                ways(axes, trained.sel(machine=machine, change=change), label)
            line[0].set_ylabel(f"{plotting.readable(str(machine), label)}\nAccuracy (%)")
        for axes, change in zip(panels[0], data.change.values, strict=True):
            axes.set_title(plotting.readable(str(change), label))
        for axes in panels[-1]:
            axes.set(xlabel="Month", ylim=(0.0, 104.0))
        drawing.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
        plotting.describe(
            drawing,
            f"Trained {data.training.values[-1]}; lines: means; {over(data)}, cut at 0 and 104 %; outputs and last "
            f"layer are fitted to {config['known']} known recordings of each gas and month; grey: a linear "
            "classifier of the signals, mean over noses",
        )
    return drawing


def ways(axes, data, label) -> None:
    """A line for each way to mend, and the linear classifier where sensors drift."""
    months = data.month.values
    for place, way in enumerate(data.mended.values):
        found = 100 * intervals(data.accuracy.sel(mended=way), "month")
        named = f"mended: {plotting.readable(str(way), label)}"
        plotting.draw_interval(axes, months, found, place=place, label=named, of=data.sizes["mended"])
    if str(data.change.values) != "chip ages":
        for remedy, style in zip(data.remedy.values, ("--", ":", "-."), strict=True):
            mean = 100 * data.linear.sel(remedy=remedy).mean("seed")
            axes.plot(months, mean, color="0.5", linestyle=style, label=f"linear, mended: {remedy}")


draw = command(READS, figure)
