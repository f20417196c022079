"""Accuracy over the ratio of resistances, and the angle between local rules and the exact gradient."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/equilibrium/equilibrium.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """Above a panel a data set, below one for the angles by each rule."""
    wide, sets, rules = plotting.width(journal, 2), data.sizes["data"], data.sizes["rule"]
    names = dict.fromkeys(map(str, (*data.model.values, *data.turned.values)))
    looks = {name: place for place, name in enumerate(names)}
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.62 * wide))
        above, below = drawing.subplots(2, max(sets, rules), squeeze=False)
        panels = [*above[:sets], *below[:rules]]
        for axes in {*above, *below} - {*panels}:
            axes.remove()
        for axes, name in zip(above, data.data.values, strict=False):
            accuracies(axes, data.sel(data=name), looks, label)
            axes.set_title(plotting.readable(str(name), label))
        above[0].set_ylabel("Test accuracy (%)")
        for axes, rule in zip(below, data.rule.values, strict=False):
            angles(axes, data.sel(rule=rule), looks, label)
            axes.set_title(f"Rule: {rule}")
            axes.sharey(below[0])
        below[0].set_ylabel("Rule to exact gradient (°)")
        named = {}
        for axes in panels:  # a model has one look in all panels
            named |= dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
        drawing.legend(list(named.values()), list(named), loc="outside lower center", ncols=4)
        plotting.letter_panels(panels)
        plotting.describe(
            drawing,
            "Accuracies: means; thin bars: 5th to 95th percentile over seeds, thick bars: 95 % interval of the mean, "
            "beside each other; dashed and dotted: digitally trained on the same inputs. Angles: circuits of random "
            "states, mean over 20 inputs, one circuit each",
        )
    return drawing


draw = command(READS, figure)


def accuracies(axes, data, looks, label) -> None:
    axes.set_xscale("log")
    for model in data.model.values:
        one, named = data.accuracy.sel(model=model, drop=True).drop_vars("data", errors="ignore"), str(model)
        kept = {"place": looks[named], "label": plotting.readable(named, label), "of": data.sizes["model"]}
        plotting.draw_spread(axes, data.ratio.values.astype(float), one, along="ratio", **kept)
    for dashes, name in zip(("--", ":"), data.digitally.values, strict=False):
        reached = 100 * float(data.digital.sel(digitally=name))
        axes.axhline(reached, color="0.4", linestyle=dashes, linewidth=0.8, zorder=0, label=f"Digital, {name}")
    axes.set_xlabel("Off over on resistance")


def angles(axes, data, looks, label) -> None:
    for model in data.turned.values:
        found = np.degrees(np.arccos(np.clip(data.cosine.sel(turned=model).values, -1, 1)))
        axes.plot(
            data.beta,
            np.maximum(found, 1e-3),
            label=plotting.readable(str(model), label),
            **plotting.look(looks[str(model)]),
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("Pull over a cell")
