"""Accuracy against energy of designs that descended and of designs chosen by hand, and where the energy goes."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import memsim as ms
from _drawing import command
from memsim import plotting

READS = Path("results/design/design.nc")
LARGEST = 6  # components with a colour of their own


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """For each network a front with 95 % intervals, and below it where each design's energy goes."""
    wide = plotting.width(journal, 2)
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, min(0.8 * wide, plotting.JOURNALS[journal].tallest)))
        panels = drawing.subplots(2, data.sizes["network"], squeeze=False)
        plotting.letter_panels(panels.ravel())
        for above, below, name in zip(*panels, data.network.values, strict=True):
            one = data.sel(network=name)
            front(above, one, label)
            components(below, one, label)
            above.set_title(plotting.readable(str(name), label))
        panels[0][-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        panels[1][-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        config = json.loads(data.config)
        plotting.describe(
            drawing,
            f"{config['age']:g} s after programming, {config['nanometres']} nm, an operation is one inference. "
            "Vertical bars: 95 % interval of the mean accuracy over seeds and chips; horizontal bars: 5th to 95th "
            "percentile of energies",
        )
    return drawing


draw = command(READS, figure)


def front(axes, one, label) -> None:
    """Mean accuracy and energy of each way; those that descended are joined."""
    joules = 1e9 * one.joules.sum("component").transpose("way", ...)
    energies = joules.values.reshape(joules.sizes["way"], -1)
    ways = [str(way) for way in one.way.values]
    found = 100 * np.array([ms.study.interval(one.accuracy.sel(way=way)) for way in ways])
    descended = sorted(
        (at for at, way in enumerate(ways) if way.startswith("price ")), key=lambda at: energies[at].mean()
    )
    by_hand = [at for at in range(len(ways)) if at not in descended]
    groups = [("descended", descended)] * bool(descended) + [
        (plotting.readable(ways[at], label), [at]) for at in by_hand
    ]
    for place, (name, chosen) in enumerate(groups):
        look, mean = plotting.look(place), energies[chosen].mean(1)
        low, high = np.percentile(energies[chosen], [5, 95], axis=1)
        axes.plot(mean, found[chosen, 0], label=name, **look)
        axes.vlines(mean, found[chosen, 1], found[chosen, 2], color=look["color"], linewidth=0.8)
        axes.hlines(found[chosen, 0], low, high, color=look["color"], linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xlabel("Energy of a sample (nJ)")
    axes.set_ylabel("Test accuracy (%)")


def components(axes, one, label) -> None:
    """Stacked bars of shares of energy by component, the rest together."""
    mean = one.joules.mean(("seed", "chip"))
    mean = 100 * mean / mean.sum("component")
    largest = mean.sum("way").sortby(mean.sum("way"), ascending=False).component.values[:LARGEST]
    places, start = np.arange(one.sizes["way"]), np.zeros(one.sizes["way"])
    for place, name in enumerate(map(str, largest)):
        share = mean.sel(component=name).values
        fill = {"color": plotting.COLOURS[1 + place % 6], "edgecolor": "white", "linewidth": 0.5}
        axes.bar(places, share, bottom=start, label=plotting.readable(name, label), **fill)
        start = start + share
    axes.bar(places, mean.sum("component").values - start, bottom=start, color="0.8", label="other")
    axes.set_xticks(places, [plotting.readable(str(way), label) for way in one.way.values], rotation=60, ha="right")
    axes.set_ylabel("Share of energy (%)")
