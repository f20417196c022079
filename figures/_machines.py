"""One network on every kind of machine, drawn: what it is worth, what it takes, how soon it answers."""

import numpy as np
from matplotlib.figure import Figure

from _drawing import intervals
from memsim import plotting


def over(data) -> str:
    """What the bars are, in words: with one training seed they know nothing of others."""
    return f"bars: 95 % interval of the mean over {means_over(data)}, beside each other"


def means_over(data) -> str:
    """What was drawn at random, in words."""
    return "seeds and chips" if data.sizes["seed"] > 1 else "chips, of one training seed"


def machines_figure(data, journal: str, label=None, *, metric="accuracy", axis="Test accuracy (%)") -> Figure:
    """A row for each machine: the metric by training with intervals, joules without and with static power, seconds."""
    wide = plotting.width(journal, 2)
    names = [str(name) for name in data.machine.values]
    mean = data[["joules", "answer"]].mean(("seed", "training"))
    rows = np.arange(len(names))[::-1]
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.14 * wide + 0.045 * wide * len(names)))
        panels = drawing.subplots(1, 3, sharey=True)
        plotting.letter_panels(panels)
        draw_worth(panels[0], data[metric], rows)
        priceless = draw_joules(panels[1], mean.joules, rows)
        timeless = draw_seconds(panels[2], mean.answer, rows)
        panels[0].set_yticks(rows, [plotting.readable(name, label) for name in names])
        panels[0].set_ylim(-0.7, len(names) - 0.3)
        panels[0].set_xlabel(axis)
        handles = [each for axes in panels for each in axes.get_legend_handles_labels()[0]]
        drawing.legend(handles=handles, loc="outside lower center", ncols=4)
        plotting.describe(
            drawing,
            f"a: means, {over(data)}; b: energy of a recording, means over seeds and trainings, without a spread"
            f"{without(names, priceless, 'no published price')}; c: seconds from the last step to the answer"
            f"{without(names, timeless, 'without a clock here')}",
        )
    return drawing


def draw_worth(axes, worth, rows) -> None:
    """Two points a machine, one above the other, with the 95 % interval over seeds and chips."""
    for place, training in enumerate(worth.training.values):
        at = rows + 0.12 - 0.24 * place
        draw_points(axes, worth.sel(training=training), "machine", at, place, f"trained {training}")


def draw_points(axes, worth, along: str, at, place: int, label: str) -> None:
    """A point in percent with its 95 % interval for each value `along`, at its height."""
    middle, low, high = 100 * intervals(worth, along).T
    ends = np.nan_to_num([middle - low, high - middle])
    axes.errorbar(middle, at, xerr=ends, linestyle="", label=label, **plotting.look(place))


def draw_joules(axes, joules, rows) -> np.ndarray:
    """Energy of a recording, of what happens and with static power; returns where prices are not published."""
    whole, moving = joules.sum("component", skipna=False), of_events(joules)
    differs = (whole > moving).values
    axes.set_xscale("log")
    axes.plot(moving, rows, linestyle="", label="energy of what happens", **plotting.look(2))
    axes.plot(whole[differs], rows[differs], linestyle="", label="with static power", **plotting.look(3))
    axes.set_xlabel("Energy of a recording (J)")
    return np.isnan(whole.values)


def of_events(joules):
    """Without static power; NaN where prices are not published."""
    whole = joules.sum("component", skipna=False)
    return joules.drop_sel(component="static").sum("component").where(whole.notnull())


def draw_seconds(axes, answer, rows) -> np.ndarray:
    """From the last step to the answer; returns which machines have no clock here."""
    axes.set_xscale("log")
    axes.plot(answer, rows, linestyle="", **plotting.look(2))
    axes.set_xlabel("Last step to answer (s)")
    return np.isnan(answer.values)


def without(names: list[str], missing: np.ndarray, why: str) -> str:
    """Which machines have no mark, in words."""
    lacking = [name for name, lacks in zip(names, missing, strict=True) if lacks]
    return f" ({', '.join(lacking)}: {why})" if lacking else ""
