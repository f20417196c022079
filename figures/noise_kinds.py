"""What white and frozen read noise cost against the number of time steps, and whether errors grow within a sequence."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/noise_kinds/noise_kinds.nc")
LINES = ("-", "--", ":", "-.")


def figure(data, journal: str = "neutral") -> Figure:
    """One row a setting: lost accuracy, error of the class scores, and changed spikes within the sequence."""
    rows = data.sizes["setting"]
    wide = plotting.width(journal, 2)
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.06 * wide + 0.29 * wide * rows))
        panels = drawing.subplots(rows, 3, squeeze=False, sharex="col", sharey="col")
        plotting.letter_panels(panels.flat)
        for row, setting in zip(panels, data.setting.values, strict=True):
            chosen = data.sel(setting=setting)
            against_steps(row[0], chosen, chosen.lost_accuracy, "Lost accuracy (points)")
            against_steps(row[1], chosen, chosen.score_error, "Error of class scores (%)")
            within_sequence(row[2], chosen)
            row[1].set_title(str(setting), fontweight="bold")
        handles, names = panels[0, 0].get_legend_handles_labels()
        panels[1, 2].legend(
            handles, names, loc="upper left", bbox_to_anchor=(1.0, 1.0), title="a, b, d, e", title_fontsize=6
        )
        panels[0, 2].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), title="c, f: steps", title_fontsize=6)
        for axes, name in zip(panels[-1], ("Time steps", "Time steps", "Time within the sequence"), strict=True):
            axes.set_xlabel(name)
        plotting.describe(drawing, caption(data))
    return drawing


draw = command(READS, figure)


def against_steps(axes, data, values, name: str) -> None:
    for place, kind in enumerate(data.kind.values):
        for number, scale in enumerate(data.noise_scale.values):
            chosen = values.sel(kind=kind, noise_scale=scale)
            label, line = f"{kind} {scale:g}$\\times$", LINES[number % len(LINES)]
            plotting.draw_spread(
                axes, data.steps.values, chosen, along="steps", place=place + 1, label=label, linestyle=line
            )
    axes.set_xscale("log")
    axes.set_xticks(data.steps.values, [str(steps) for steps in data.steps.values])
    axes.minorticks_off()
    axes.set_ylabel(name)


def within_sequence(axes, data) -> None:
    """Changed spikes against the place in the sequence, at the loudest noise: solid white, dashed frozen."""
    for place, steps in enumerate(data.steps.values):
        at = data.sel(steps=steps).isel(step=slice(int(steps)), noise_scale=-1)
        changed = 100 * (at.spike_deviation / at.spike_rate.mean("step")).mean(["seed", "chip"])
        x = (np.arange(steps) + 0.5) / steps
        for kind, line in zip(data.kind.values, LINES, strict=False):
            label = str(steps) if line == "-" else None
            axes.plot(x, changed.sel(kind=kind), line, color=plotting.COLOURS[place % 7], label=label)
    axes.set_ylabel("Changed spikes (% of spikes)")
    axes.set_ylim(bottom=0)


def caption(data) -> str:
    config = json.loads(data.config)
    seeds = data.sizes["seed"]
    bars = ", bars 95 % interval of the mean over seeds" if seeds > 1 else ""
    loudest, (white, frozen) = float(data.noise_scale[-1]), data.kind.values
    return (
        f"{data.sizes['chip']} chips of each of {seeds} training seed{'s'[: seeds > 1]}, against the same chip without "
        f"read noise; band: 5th to 95th percentile{bars}\n"
        f"multiples of the read noise of {config['device']}; c, f: mean at {loudest:g} times the noise, "
        f"solid {white}, dashed {frozen}\n"
        f'"same duration": {1e3 * config["duration"]:g} ms cut into steps, "same step": 1 ms a step; '
        f"recurrent network of {config['hidden']} neurons on spoken digits; split by recording, no speaker labels"
    )
