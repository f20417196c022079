"""Accuracy against mismatch of neurons, of synapses and of both, for networks trained without it and with it."""

import json
from pathlib import Path

from matplotlib.figure import Figure

import memsim as ms
from _drawing import command
from memsim import plotting

READS = Path("results/mismatch/mismatch.nc")


def figure(data, journal: str = "neutral") -> Figure:
    """One panel a place of the mismatch, one line a training."""
    config = json.loads(data.config)
    wide = plotting.width(journal, 2)
    with plotting.style():
        drawing = Figure(figsize=(wide, 0.4 * wide))
        panels = drawing.subplots(1, data.sizes["place"], sharey=True, squeeze=False)[0]
        plotting.letter_panels(panels)
        for axes, place in zip(panels, data.place.values, strict=True):
            for number, training in enumerate(data.training.values):
                accuracy = data.sel(place=place, training=training)
                label = f"trained {training}"
                x = 100 * data.mismatch.values
                plotting.draw_spread(axes, x, accuracy, along="mismatch", place=number, label=label)
            axes.axvline(100 * config["training_mismatch"], color="0.5", linestyle=":", linewidth=0.6)
            axes.set_title({"both": "neurons and synapses"}.get(str(place), str(place)))
            axes.set_xlabel("Relative standard deviation (%)")
        panels[0].set_ylabel("Test accuracy (%)")
        panels[0].legend(loc="lower left")
        drawing.supxlabel(caption(data, config), fontsize=5)
    return drawing


draw = command(READS, figure)


def caption(data, config) -> str:
    seeds = data.sizes["seed"]
    bars = f", bars 95 % interval of the mean over {ms.study.interval_over(data)}"
    return (
        f"{data.sizes['chip']} chips of each of {seeds} training seed{'s'[: seeds > 1]}; band: 5th to 95th percentile"
        f"{bars}; dotted: mismatch in training\nmembrane time constants and thresholds of neurons, weights of "
        f"synapses; recurrent network of {config['hidden']} neurons on spoken digits, {config['steps']} steps; "
        "split by recording, no speaker labels"
    )
