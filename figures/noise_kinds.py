"""What white and frozen read noise cost against the number of time steps, and whether errors grow within a sequence."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/noise_kinds/noise_kinds.nc")
LINES = ("-", "--", ":", "-.")
STRETCHES = 10


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """One column a setting: lost accuracy, error of the class scores, and changed spikes within the sequence."""
    wide = plotting.width(journal, 2)
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, min(1.1 * wide, plotting.JOURNALS[journal].tallest)))
        panels = drawing.subplots(2 + data.sizes["kind"], data.sizes["setting"], squeeze=False, sharey="row")
        plotting.letter_panels(panels.flat)
        for column, setting in zip(panels.T, data.setting.values, strict=True):
            chosen = data.sel(setting=setting)
            against_steps(column[0], chosen, chosen.lost_accuracy)
            against_steps(column[1], chosen, chosen.score_error)
            for axes, kind in zip(column[2:], data.kind.values, strict=True):
                within_sequence(axes, chosen.sel(kind=kind))
            column[0].set_title(plotting.readable(str(setting), label))
        named = ["Lost accuracy (points)", "Error of class scores (%)"]
        named += [f"Spikes changed,\n{kind} noise (%)" for kind in data.kind.values]
        for axes, name in zip(panels[:, 0], named, strict=True):
            axes.set_ylabel(name)
        panels[0, -1].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), title="Noise")
        panels[2, -1].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), title="Steps")
        plotting.describe(drawing, words(data))
    return drawing


draw = command(READS, figure)


def against_steps(axes, data, values) -> None:
    kinds, scales = data.kind.values, data.noise_scale.values
    axes.set_xscale("log")
    for number, scale in enumerate(scales):
        for place, kind in enumerate(kinds):
            chosen = values.sel(kind=kind, noise_scale=scale, drop=True)
            named, line = f"{kind} {scale:g}$\\times$", LINES[number % len(LINES)]
            at, of = number * len(kinds) + place, len(kinds) * len(scales)
            x = data.steps.values.astype(float)
            plotting.draw_spread(axes, x, chosen, along="steps", place=at, label=named, linestyle=line, of=of)
    axes.set_xticks(data.steps.values, [str(steps) for steps in data.steps.values])
    axes.minorticks_off()
    axes.set_xlabel("Time steps")


def within_sequence(axes, data) -> None:
    """Changed spikes against the place in the sequence, at the loudest noise, of ten stretches."""
    for place, steps in enumerate(data.steps.values):
        at = data.sel(steps=steps).isel(step=slice(int(steps)), noise_scale=-1)
        changed = 100 * (at.spike_deviation / at.spike_rate.mean("step"))
        each = changed.transpose(..., "step").values.reshape(-1, int(steps))
        parts = [part.mean(1) for part in np.array_split(each, min(STRETCHES, int(steps)), axis=1)]
        found = np.array([[part.mean(), *np.percentile(part, [5, 95])] for part in parts])
        x = (np.arange(len(parts)) + 0.5) / len(parts)
        plotting.draw_interval(axes, x, found, place=place, label=str(steps), of=data.sizes["steps"])
    axes.set_xlabel("Time within the sequence")
    axes.set_ylim(bottom=0)


def words(data) -> str:
    config = json.loads(data.config)
    loudest = float(data.noise_scale[-1])
    return (
        "Against the same chip without read noise. Two upper rows: means; thin bars: 5th to 95th percentile, "
        f"thick bars: 95 % interval of the mean, beside each other; lower rows: at {loudest:g} times the noise, means "
        f"over stretches of the sequence, bars: 5th to 95th percentile; multiples of the read noise of "
        f"{plotting.readable(config['device'])}; "
        f'"same duration": {1e3 * config["duration"]:g} ms cut into steps, "same step": 1 ms a step; recurrent '
        f"network of {config['hidden']} neurons on spoken digits, split by recording, no speaker labels"
    )
