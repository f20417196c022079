"""One network on every kind of machine, drawn: what it is worth, what it takes, how soon it answers."""

import numpy as np
from matplotlib.figure import Figure

import memsim as ms
from memsim import plotting

NOT_KNOWN = "no published price"


def machines_figure(data, journal: str, *, metric: str = "accuracy", axis: str = "Test accuracy (%)") -> Figure:
    """A row for each machine: the metric by training with intervals, joules without and with static power, seconds."""
    wide = plotting.width(journal, 2)
    names = [str(name) for name in data.machine.values]
    with plotting.style():
        drawing = Figure(figsize=(wide, 0.12 * wide + 0.045 * wide * len(names)), layout="constrained")
        panels = drawing.subplots(1, 3, sharey=True)
        plotting.letter_panels(panels)
        rows = np.arange(len(names))[::-1]
        draw_worth(panels[0], data[metric], rows)
        draw_joules(panels[1], data.joules.mean(("seed", "training")), rows)
        draw_seconds(panels[2], data.mean(("seed", "training")), rows)
        panels[0].set_yticks(rows, names)
        panels[0].set_ylim(-0.7, len(names) - 0.3)
        panels[0].set_xlabel(axis)
        for axes in panels:
            handles, labels = axes.get_legend_handles_labels()
            axes.legend(handles, labels, loc="lower left", bbox_to_anchor=(0.0, 1.0), frameon=False)
    return drawing


def draw_worth(axes, worth, rows) -> None:
    """Two points a machine, one beside the other, with the 95 % interval over seeds and chips."""
    for place, training in enumerate(worth.training.values):
        found = [_interval(worth.sel(training=training, machine=name)) for name in worth.machine.values]
        middle, low, high = 100 * np.asarray(found).T
        style = {"color": plotting.COLOURS[place], "marker": plotting.MARKERS[place], "linestyle": ""}
        ends = np.nan_to_num([middle - low, high - middle])
        shift = 0.12 - 0.24 * place
        axes.errorbar(middle, rows + shift, xerr=ends, markersize=3, label=f"trained {training}", **style)


def draw_joules(axes, joules, rows) -> None:
    """Energy of a recording, of what happens and with static power; a word where prices are not published."""
    whole, moving = joules.sum("component", skipna=False), of_events(joules)
    axes.set_xscale("log")
    axes.plot(moving, rows, "o", color=plotting.COLOURS[0], markersize=4, label="of what happens")
    differs = (whole > moving).values
    beside = {"color": plotting.COLOURS[1], "markersize": 4, "markerfacecolor": "none"}
    axes.plot(whole[differs], rows[differs], "s", label="with static power", **beside)
    for row in rows[np.isnan(whole.values)]:
        axes.text(0.5, row, NOT_KNOWN, transform=axes.get_yaxis_transform(), ha="center", va="center", fontsize=6)
    axes.set_xlabel("Energy of a recording (J)")


def of_events(joules):
    """Without static power; NaN where prices are not published."""
    whole = joules.sum("component", skipna=False)
    return joules.drop_sel(component="static").sum("component").where(whole.notnull())


def draw_seconds(axes, data, rows) -> None:
    """From the last step to the answer; digital machines have no clock here."""
    axes.set_xscale("log")
    axes.plot(data.answer, rows, "o", color=plotting.COLOURS[0], markersize=4, label="last step to answer")
    for row in rows[np.isnan(data.answer.values)]:
        axes.text(0.5, row, "not modelled", transform=axes.get_yaxis_transform(), ha="center", va="center", fontsize=6)
    axes.set_xlabel("Latency (s)")


def _interval(worth) -> tuple[float, float, float]:
    if worth.isnull().any():
        return np.nan, np.nan, np.nan
    found = ms.study.interval(worth)
    return found.mean, found.low, found.high
