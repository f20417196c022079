"""What a day of listening takes on each machine, over how many words there are in it."""

from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/keywords/keywords.nc")


def figure(data, journal: str = "neutral") -> Figure:
    """Joules a day, trained for the machine: always on, and behind a wake-up."""
    wide = plotting.width(journal, 2)
    mean = data.isel(training=-1).mean(("seed", "chip"), skipna=False)
    with plotting.style():
        drawing = Figure(figsize=(wide, 0.42 * wide), layout="constrained")
        panels = drawing.subplots(1, mean.sizes["way"], sharex=True, sharey=True)
        plotting.letter_panels(panels)
        for axes, way in zip(panels, mean.way.values, strict=True):
            for place, name in enumerate(mean.machine.values):
                panel_line(axes, mean.sel(way=way, machine=name), str(name), place)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_title(str(way), fontsize=7)
            axes.set_xlabel("Words a day")
        panels[0].set_ylabel("Energy of a day (J)")
        handles, labels = panels[0].get_legend_handles_labels()
        drawing.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return drawing


draw = command(READS, figure)


def panel_line(axes, one, name: str, place: int) -> None:
    """Of what happens, and dashed with static power where there is some."""
    style = {"color": plotting.COLOURS[place % len(plotting.COLOURS)], "linewidth": 1}
    word = name if bool(one.day.notnull().all()) else f"{name} (no published price)"
    axes.plot(one.words, one.dynamic, plotting.MARKERS[place % 4], linestyle="-", markersize=3, label=word, **style)
    if bool((one.day > 1.001 * one.dynamic).any()):
        axes.plot(one.words, one.day, linestyle="--", label=f"{name}, with static power", **style)
