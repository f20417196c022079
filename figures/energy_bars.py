"""Stacked bars of energy by component, for one network on arrays, in digital arithmetic and on Loihi."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/energy_bars/energy_bars.nc")
HATCHES = ("", "///", "...")
COLOURS = plotting.COLOURS[1:]  # on black no hatch is seen


def figure(data, journal: str = "neutral") -> Figure:
    """A bar for each machine, its share by component; on top energy, accuracy and latency."""
    wide = plotting.width(journal, 2)
    mean = data.mean("seed")
    total = mean.joules.sum("component")
    names = [str(name) for name in mean.component.values if float(mean.joules.sel(component=name).max()) > 0]
    with plotting.style():
        drawing = Figure(figsize=(wide, 0.5 * wide))
        above, below = drawing.subplots(2, 1, sharex=True, height_ratios=(1, 2))
        plotting.letter_panels((above, below))
        places, start = np.arange(data.sizes["machine"]), np.zeros(data.sizes["machine"])
        above.bar(places, 1e9 * total, color=plotting.COLOURS[0])
        above.set_yscale("log")
        above.set_ylabel("Energy (nJ)")
        for place, name in enumerate(names):
            share = 100 * (mean.joules.sel(component=name) / total).values
            colour, hatch = COLOURS[place % len(COLOURS)], HATCHES[place // len(COLOURS) % 3]
            below.bar(places, share, bottom=start, color=colour, hatch=hatch, label=name)
            start = start + share
        below.set_ylabel("Share (%)")
        below.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        accuracy = 100 * mean.accuracy.values
        below.set_xticks(places, [f"{name}\n{a:.1f} %" for name, a in zip(mean.machine.values, accuracy, strict=True)])
        drawing.supxlabel(caption(data), fontsize=5)
    return drawing


draw = command(READS, figure)


def caption(data) -> str:
    config = json.loads(data.config)
    return (
        f"{config['hidden']} neurons, spoken digits as spikes in {config['steps']} steps; seeds: {data.sizes['seed']}; "
        f"{config['nanometres']} nm (Loihi: 14 nm, of simulations before silicon, static power for 1 ms a step); "
        "below each machine its test accuracy"
    )
