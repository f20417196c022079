"""Up to how many spikes spikes pay, by machine and steps, and what a real network takes as spikes and as values."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import memsim as ms
from _drawing import command
from memsim import plotting

READS = Path("results/energy_crossover_snn/energy_crossover_snn.nc")
GREY = "0.45"


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """Break-evens over steps with the published ones and the spikes of the network; below a panel of each machine."""
    wide = plotting.width(journal, 2)
    columns = data.sizes["machine"]
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.72 * wide))
        grid = drawing.add_gridspec(2, columns, height_ratios=(1.2, 1))
        above = drawing.add_subplot(grid[0, :])
        below = [drawing.add_subplot(grid[1, column]) for column in range(columns)]
        break_evens(above, data, label)
        for place, (axes, name) in enumerate(zip(below, data.machine.values, strict=True)):
            network(axes, data.sel(machine=name), place)
            axes.set_title(plotting.readable(str(name), label))
        below[0].set_ylabel("Test accuracy (%)")
        below[0].legend(loc="lower left")
        plotting.letter_panels((above, *below))
        plotting.describe(drawing, words(data))
    return drawing


draw = command(READS, figure)


def break_evens(axes, data, label) -> None:
    steps, over = data.steps.values, ["seed"]
    for place, name in enumerate(data.machine.values):
        even = data.break_even.sel(machine=name)
        even = even.mean([dim for dim in even.dims if dim != "steps"])
        look = plotting.look(place + 1)
        axes.plot(steps, even.where(even > 0), label=plotting.readable(str(name), label), **look)
    spikes = data.spikes.mean([dim for dim in data.spikes.dims if dim not in ("steps", *over)])
    low, high = spikes.min("seed"), spikes.max("seed")
    axes.plot(steps, spikes.mean("seed"), color="black", linestyle=":", label="network, counted")
    axes.vlines(steps, low, high, color="black", linewidth=1.5)
    low, high = (float(data.published.sel(study=f"Dampfhoffer2022, {end}, a synapse")) for end in ("least", "most"))
    axes.axhspan(low, high, color="0.9", label="Dampfhoffer 2022")
    davidson = float(data.reproduced.sel(study="Davidson2021, a synapse"))
    axes.axhline(davidson, color=GREY, linestyle="-.", linewidth=0.8, label="Davidson 2021")
    spyx = [(n, float(data.reproduced.sel(study=f"Spyx, a step, of {n}")) * n) for n in range(5, 11)]
    axes.plot(*zip(*spyx, strict=True), "x", color=GREY, label="Spyx 2026")
    axes.set_xscale("log", base=2)
    axes.set_xticks(steps, [f"{each:g}" for each in steps])
    axes.set_yscale("log")
    axes.set_xlabel("Steps")
    axes.set_ylabel("Spikes a synapse and inference")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def network(axes, one, place: int) -> None:
    """Energy against accuracy as spikes, a point a number of steps, and as values; bars over seeds."""
    for kind, name, filled in (("spiking", "spikes", True), ("rate", "values", False)):
        accuracy = one[f"{kind}_accuracy"].transpose("seed", ...).values.reshape(one.sizes["seed"], -1)
        joules = 1e9 * one[f"{kind}_joules"].transpose("seed", ...).values.reshape(one.sizes["seed"], -1)
        found = 100 * np.array([ms.study.mean_interval(each) for each in accuracy.T])
        look = plotting.look(place + 1) | ({} if filled else {"markerfacecolor": "white", "linestyle": "none"})
        axes.plot(joules.mean(0)[: len(found)], found[:, 0], label=name, **look)
        axes.vlines(joules.mean(0)[: len(found)], found[:, 1], found[:, 2], color=look["color"], linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xlabel("Energy of an image (nJ)")


def words(data) -> str:
    config = json.loads(data.config)
    return (
        f"784-{config['hidden']}-10 on a part of Fashion-MNIST; {config['nanometres']} nm; a: a matrix of "
        f"{config['size']} x {config['size']} with dense values; no marker: spikes never pay; black bars: smallest to "
        "largest seed; grey: published; below: one panel a machine, filled: spikes, a point a number of steps, open: "
        "values; bars: 95 % interval of the mean over seeds; an operation is one inference of one image"
    )
