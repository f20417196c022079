"""Up to how many spikes spikes pay, by machine and steps, and what a real network takes as spikes and as values."""

import json
from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/energy_crossover_snn/energy_crossover_snn.nc")
MARKS = ("o", "s", "^", "D")


def figure(data, journal: str = "neutral") -> Figure:
    """Break-evens over steps with the published ones and the spikes of the network; its energies against accuracy."""
    wide = plotting.width(journal, 2)
    mean = data.mean("seed")
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.45 * wide))
        left, right = drawing.subplots(1, 2)
        plotting.letter_panels((left, right))
        _break_evens(left, data, mean)
        _network(right, mean)
        plotting.describe(drawing, caption(data))
    return drawing


def _break_evens(axes, data, mean) -> None:
    steps = data.steps.values
    for place, name in enumerate(data.machine.values):
        even = data.break_even.sel(machine=name)
        axes.plot(
            steps, even.where(even > 0), MARKS[place % 4] + "-", color=plotting.COLOURS[place + 1], label=str(name)
        )
    axes.plot(steps, mean.spikes, "k:", label="network, counted")
    low, high = (float(data.published.sel(study=f"Dampfhoffer2022, {end}, a synapse")) for end in ("least", "most"))
    axes.axhspan(low, high, color="0.9", label="Dampfhoffer 2022")
    axes.axhline(
        float(data.reproduced.sel(study="Davidson2021, a synapse")), color="0.5", lw=0.8, label="Davidson 2021"
    )
    spyx = [(n, float(data.reproduced.sel(study=f"Spyx, a step, of {n}")) * n) for n in range(5, 11)]
    axes.plot(*zip(*spyx, strict=True), "x", color="0.3", label="Spyx 2026")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlabel("Steps")
    axes.set_ylabel("Spikes a synapse and inference")
    axes.legend()


def _network(axes, mean) -> None:
    for place, name in enumerate(mean.machine.values):
        one, colour = mean.sel(machine=name), plotting.COLOURS[place + 1]
        axes.plot(
            1e9 * one.spiking_joules,
            100 * one.spiking_accuracy,
            MARKS[place % 4] + "-",
            color=colour,
            label=f"{name}: spikes",
        )
        axes.plot(
            1e9 * one.rate_joules, 100 * one.rate_accuracy, MARKS[place % 4], color=colour, mfc="none", label="values"
        )
    axes.set_xscale("log")
    axes.set_xlabel("Energy of an image (nJ)")
    axes.set_ylabel("Test accuracy (%)")
    axes.legend()


draw = command(READS, figure)


def caption(data) -> str:
    config = json.loads(data.config)
    return (
        f"784-{config['hidden']}-10, a part of Fashion-MNIST, seeds: {data.sizes['seed']}; {config['nanometres']} nm; "
        f"left: a matrix of {config['size']} x {config['size']} with dense values; no marker: spikes never pay"
    )
