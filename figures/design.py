"""Accuracy against energy of designs that descended and of designs chosen by hand, and where the energy goes."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import memsim as ms
from _drawing import command
from memsim import plotting

READS = Path("results/design/design.nc")
MARKS = "osD^v<>"


def figure(data, journal: str = "neutral") -> Figure:
    """For each network a front with 95 % intervals, and below it where each design's energy goes."""
    wide = plotting.width(journal, 2)
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.75 * wide))
        panels = drawing.subplots(2, data.sizes["network"], squeeze=False)
        plotting.letter_panels(panels.ravel())
        for above, below, name in zip(*panels, data.network.values, strict=True):
            one = data.sel(network=name)
            front(above, one, str(name))
            components(below, one)
        panels[1][-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        plotting.describe(drawing, caption(data))
    return drawing


def front(axes, one, title: str) -> None:
    """Mean accuracy and energy of each way."""
    nanojoules = 1e9 * one.joules.sum("component").mean(("seed", "chip"))
    descended = [way for way in map(str, one.way.values) if way.startswith("price ")]
    by_hand = [way for way in map(str, one.way.values) if way not in descended]
    worth = {way: ms.study.interval(one.accuracy.sel(way=way)) for way in map(str, one.way.values)}

    def drawn(ways, **how):
        mean = np.asarray([[100 * x for x in worth[way]] for way in ways])
        reach = np.abs(mean[:, 1:] - mean[:, :1]).T
        axes.errorbar([float(nanojoules.sel(way=way)) for way in ways], mean[:, 0], yerr=reach, capsize=2, **how)

    if descended:
        drawn(sorted(descended, key=lambda way: float(nanojoules.sel(way=way))), marker="o", label="descended")
    for place, way in enumerate(by_hand):
        how = {"marker": MARKS[1 + place % 6], "linestyle": "none", "color": plotting.COLOURS[1 + place]}
        drawn([way], label=way, **how)
    axes.set_xscale("log")
    axes.set_xlabel("Energy of a sample (nJ)")
    axes.set_ylabel("Test accuracy (%)")
    axes.set_title(title)
    axes.legend()


def components(axes, one) -> None:
    """Stacked bars of shares of energy by component, the rest together."""
    mean = one.joules.mean(("seed", "chip"))
    mean = 100 * mean / mean.sum("component")
    largest = mean.sum("way").sortby(mean.sum("way"), ascending=False).component.values[:6]
    places, start = np.arange(one.sizes["way"]), np.zeros(one.sizes["way"])
    for place, name in enumerate(map(str, largest)):
        share = mean.sel(component=name).values
        axes.bar(places, share, bottom=start, color=plotting.COLOURS[place % len(plotting.COLOURS)], label=name)
        start = start + share
    axes.bar(places, mean.sum("component").values - start, bottom=start, color="0.8", label="other")
    axes.set_xticks(places, [str(way) for way in one.way.values], rotation=60, ha="right")
    axes.set_ylabel("Share of energy (%)")


draw = command(READS, figure)


def caption(data) -> str:
    config = json.loads(data.config)
    return (
        f"{data.sizes['chip']} chips, seeds: {data.sizes['seed']}, {config['age']:g} s after programming; "
        f"{config['nanometres']} nm; 95 % intervals over seeds, chips"
    )
