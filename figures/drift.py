"""Accuracy against time since programming: trainings by processes, with drift compensation and without."""

import json
from pathlib import Path

from matplotlib.figure import Figure

import memsim as ms
from _drawing import command
from memsim import plotting

READS = Path("results/drift/drift.nc")


def figure(data, journal: str = "neutral") -> Figure:
    """One panel a process and compensation; a dotted line is the digital accuracy of the first training."""
    rows, columns = data.sizes["write_noise"], data.sizes["compensation"]
    wide = plotting.width(journal, 2)
    with plotting.style():
        drawing = Figure(figsize=(wide, 0.06 * wide + 0.3 * wide * rows))
        panels = drawing.subplots(rows, columns, sharex=True, sharey="row", squeeze=False)
        for row, noise in enumerate(data.write_noise.values):
            for column, compensation in enumerate(data.compensation.values[::-1]):
                panel(panels[row, column], data.sel(write_noise=noise, compensation=compensation))
                name = {"global": "global drift compensation", "none": "no compensation"}[str(compensation)]
                panels[row, column].set_title(f"{noise:g}$\\times$ write noise, {name}")
                letter = "abcdefgh"[row * columns + column]
                panels[row, column].set_title(letter, loc="left", fontweight="bold", fontsize=8)
            panels[row, 0].set_ylabel("Test accuracy (%)")
        for axes in panels[-1]:
            plotting.label_time(axes, data.time.values)
        panels[0, -1].legend(loc="lower left")
        drawing.supxlabel(caption(data), fontsize=5)
    return drawing


draw = command(READS, figure)


def panel(axes, data) -> None:
    for place, training in enumerate(data.training.values):
        plotting.draw_accuracy(axes, data.sel(training=training), place=place, label=str(training))
    digital = 100 * float(data.digital_accuracy.isel(training=0).mean())
    axes.axhline(digital, color="0.5", linestyle=":", linewidth=0.6)


def caption(data) -> str:
    config = json.loads(data.config)
    seeds = data.sizes["seed"]
    over = ms.study.interval_over(data)
    bars = f", bars 95 % interval of the mean over {over}"
    return (
        f"{data.sizes['chip']} chips of each of {seeds} training seed{'s'[: seeds > 1]}; "
        f"band: 5th to 95th percentile{bars}"
        f"\n{config['device']}, {config['adc_bits']}-bit ADC, read noise {config['read_noise'].replace('_', ' ')}; "
        "dotted: digital; dashed: beyond the ages that were measured; split by recording, no speaker labels"
    )
