"""Four networks for images on chips: accuracy against time, what noise of one kind costs, yield, and new norms."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import memsim as ms
from _drawing import command
from memsim import plotting

READS = Path("results/images/images.nc")
WITHIN = np.linspace(0.0, 0.05, 26)  # of digital accuracy


def figure(data, journal: str = "neutral") -> Figure:
    """Above a panel a network, on the first cells; below the losses to noise, the yield, new norms and single effects.

    Noise, yield and norms are those of networks trained with Gaussian noise, where there are some.
    """
    wide = plotting.width(journal, 2)
    names = [str(name) for name in data.training.values]
    training = "Gaussian noise" if "Gaussian noise" in names else names[0]
    one = data.sel(training=training)
    below = [(lost_to_noise, one.isel(noise=-1))] * bool(one.noisy_accuracy.notnull().any())
    below += [(yields, one.isel(cells=0, time=-1))]
    below += [(norms, one)] * bool(one.norms_accuracy.notnull().any())
    below += [(effects, data)] * bool(data.cost.notnull().any())
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.56 * wide))
        panels = drawing.subplots(2, max(len(below), data.sizes["network"]), squeeze=False)
        for axes, network in zip(panels[0], data.network.values, strict=False):
            over_time(axes, data.isel(cells=0).sel(network=network))
            axes.set_title(str(network))
        panels[0, 0].set_ylabel("Test accuracy (%)")
        panels[0, 0].legend(loc="lower left")
        for axes, (drawn, of) in zip(panels[1], below, strict=False):
            drawn(axes, of)
        shown = [axes for axes in panels.flat if axes.has_data()]
        for axes in panels.flat:
            axes.set_visible(axes in shown)
        plotting.letter_panels(shown)
        plotting.describe(drawing, caption(data, training))
    return drawing


draw = command(READS, figure)


def over_time(axes, data) -> None:
    for place, training in enumerate(data.training.values):
        one = data.sel(training=training)
        plotting.draw_accuracy(axes, one[["accuracy", "right"]], place=place, label=str(training))
        axes.axhline(100 * float(one.digital_accuracy.mean()), color=plotting.COLOURS[place], linestyle=":", lw=0.6)
    plotting.label_time(axes, data.time.values)


def lost_to_noise(axes, data) -> None:
    """One marker a network, its interval over seeds and chips."""
    losses = data.digital_accuracy - data.noisy_accuracy
    for place, network in enumerate(data.network.values):
        found = [ms.study.interval(losses.sel(network=network, kind=kind, drop=True)) for kind in data.kind.values]
        mean, low, high = 100 * np.array(found).T
        at = np.arange(len(found)) + 0.15 * (place - 1.5)
        look = {"color": plotting.COLOURS[place], "marker": plotting.MARKERS[place], "label": str(network)}
        axes.plot(at, mean, linestyle="", **look)
        axes.vlines(at, low, high, color=plotting.COLOURS[place], linewidth=0.6)
    axes.set_xticks(range(data.sizes["kind"]), data.kind.values)
    axes.set_xlabel(f"Noise of {100 * float(data.noise):g} % of the range")
    axes.set_ylabel("Accuracy lost (points)")
    axes.legend(loc="upper left")


def yields(axes, data) -> None:
    losses = data.digital_accuracy - data.accuracy
    for place, network in enumerate(data.network.values):
        curve = ms.study.yield_curve(losses.sel(network=network, drop=True), WITHIN, larger=False)
        colour = plotting.COLOURS[place]
        axes.fill_between(100 * WITHIN, 100 * curve.low, 100 * curve.high, color=colour, alpha=0.15, linewidth=0)
        axes.step(100 * WITHIN, 100 * curve.fraction, color=colour, where="post", label=str(network))
    axes.set_xlabel("Accuracy lost at last, at most (points)")
    axes.set_ylabel("Chips (%)")


def norms(axes, data) -> None:
    found = data.norms_accuracy.dropna("network", how="all").squeeze("network", drop=True)
    for place, norm in enumerate(found.norms.values):
        plotting.draw_accuracy(axes, found.sel(norms=norm), place=place, label=f"norms {norm}")
    plotting.label_time(axes, data.time.values)
    axes.set_ylabel("ResNet-8, no compensation (%)")
    axes.legend(loc="lower left")


def effects(axes, data) -> None:
    costs = data.cost.max(["seed", "network", "training"]).dropna("effect")
    costs = costs.isel(effect=np.argsort(costs.values))
    axes.barh(costs.effect.values, 100 * costs.values, color=plotting.COLOURS[2], height=0.7)
    axes.set_xlabel("Cost after a day (points)")


def caption(data, training: str) -> str:
    cells, seeds = str(data.cells.values[0]), data.sizes["seed"]
    return (
        f"{cells}, {data.sizes['chip']} chips of each of {seeds} training seed{'s'[: seeds > 1]}; bars and bands as in "
        f"memsim.plotting; dotted: digital; noise, yield and norms of networks trained with {training}"
    )
