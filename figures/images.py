"""Four networks for images on chips: accuracy against time, what noise of one kind costs, yield, and new norms."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import memsim as ms
from _drawing import command
from memsim import plotting

READS = Path("results/images/images.nc")
WITHIN = np.linspace(0.0, 0.05, 26)  # of digital accuracy


def figure(data, journal: str = "neutral", label=None) -> Figure:
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
        drawing = Figure(figsize=(wide, 0.6 * wide))
        panels = drawing.subplots(2, max(len(below), data.sizes["network"]), squeeze=False)
        for axes, network in zip(panels[0], data.network.values, strict=False):
            over_time(axes, data.isel(cells=0).sel(network=network), label)
            axes.set_title(plotting.readable(str(network), label))
        panels[0, 0].set_ylabel("Test accuracy (%)")
        drawing.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
        for axes, (drawn, of) in zip(panels[1], below, strict=False):
            drawn(axes, of, label)
        shown = [axes for axes in panels.flat if axes.has_data()]
        for axes in panels.flat:
            axes.set_visible(axes in shown)
        plotting.letter_panels(shown)
        plotting.describe(drawing, caption(data, training))
    return drawing


draw = command(READS, figure)


def over_time(axes, data, label) -> None:
    for place, training in enumerate(data.training.values):
        one = data.sel(training=training)
        named, of = plotting.readable(str(training), label), data.sizes["training"]
        plotting.draw_accuracy(axes, one[["accuracy", "right"]], place=place, label=named, of=of)
        colour = plotting.look(place)["color"]
        axes.axhline(100 * float(one.digital_accuracy.mean()), color=colour, linestyle=":", lw=0.6)
    plotting.label_time(axes, data.time.values, most=4)
    axes.set_xlabel("Age")


def lost_to_noise(axes, data, label) -> None:
    """One marker a network, its interval over seeds and chips."""
    losses = data.digital_accuracy - data.noisy_accuracy
    for place, network in enumerate(data.network.values):
        found = [ms.study.interval(losses.sel(network=network, kind=kind, drop=True)) for kind in data.kind.values]
        named, x = plotting.readable(str(network), label), np.arange(len(found)).astype(float)
        kept = {"place": place, "of": data.sizes["network"], "linestyle": "none"}
        plotting.draw_interval(axes, x, 100 * np.array(found), label=named, **kept)
    axes.set_xticks(range(data.sizes["kind"]), [str(kind) for kind in data.kind.values], rotation=30, ha="right")
    axes.set_xlabel(f"Noise of {100 * float(data.noise):g} % of the range")
    axes.set_ylabel("Accuracy lost (points)")
    axes.legend(loc="upper left")


def yields(axes, data, label) -> None:
    losses = data.digital_accuracy - data.accuracy
    for place, network in enumerate(data.network.values):
        curve = ms.study.yield_curve(losses.sel(network=network, drop=True), WITHIN, larger=False)
        found = 100 * np.stack([curve[name].values.ravel() for name in ("fraction", "low", "high")], 1)
        axes.step(100 * WITHIN, found[:, 0], color=plotting.look(place)["color"], where="post")
        kept = {"place": place, "of": data.sizes["network"], "linestyle": "none"}
        plotting.draw_interval(
            axes, 100 * WITHIN[::5], found[::5], label=plotting.readable(str(network), label), **kept
        )
    axes.set_xlabel("Accuracy lost, at most (points)")
    axes.set_ylabel("Chips (%)")


def norms(axes, data, label) -> None:
    found = data.norms_accuracy.dropna("network", how="all").squeeze("network", drop=True)
    for place, norm in enumerate(found.norms.values):
        named = f"norms {plotting.readable(str(norm), label)}"
        plotting.draw_accuracy(axes, found.sel(norms=norm), place=place, label=named, of=found.sizes["norms"])
    plotting.label_time(axes, data.time.values, most=4)
    axes.set_xlabel("Age")
    axes.set_ylabel("ResNet-8, no compensation (%)")
    axes.legend(loc="lower left")


def effects(axes, data, label) -> None:
    """The mean cost of each effect, with the smallest and largest of seeds, networks and trainings."""
    costs = 100 * data.cost.stack(one=["seed", "network", "training"]).dropna("one", how="all").dropna(
        "effect", how="all"
    )
    costs = costs.isel(effect=np.argsort(costs.mean("one").values))
    places = np.arange(costs.sizes["effect"])
    axes.barh(places, costs.mean("one"), color=plotting.COLOURS[6], height=0.7)
    axes.hlines(places, costs.min("one"), costs.max("one"), color="black")
    axes.set_yticks(places, [plotting.readable(str(each), label) for each in costs.effect.values])
    axes.set_xlabel("Cost after a day (points)")


def caption(data, training: str) -> str:
    return (
        f"Upper row, on {plotting.readable(str(data.cells.values[0]))}: means; thin bars: 5th to 95th percentile over "
        "chips and seeds, thick bars: 95 % interval of the mean; dotted: digital. Lower row: 95 % intervals over "
        "seeds and chips, of shares of chips at the last age as of memsim.study.yield_curve; noise, yield and norms "
        f"of networks trained with {training}; costs of single effects: mean, and smallest to largest of networks, "
        "trainings and seeds. Bars stand beside each other"
    )
