"""Accuracy against weight noise, for networks trained without it and with it, beside the published curve of DenRAM."""

import json
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/shd_noise/shd_noise.nc")
NAMES = {"shd": "Spiking Heidelberg Digits", "spoken_digits": "embedded spoken digits, not SHD"}


def figure(data, journal: str = "neutral") -> Figure:
    """Two lines: trained without noise, and with the noise of the test; a third where it was published."""
    wide = plotting.width(journal)
    noise = 100 * data.noise.values
    with plotting.style():
        drawing = Figure(figsize=(wide, 0.85 * wide))
        axes = drawing.subplots()
        without = data.accuracy.sel(training_noise=0.0).rename(draw="chip")
        plotting.draw_spread(axes, noise, without, along="noise", place=0, label="trained without noise")
        label = "trained with the noise of the test"
        plotting.draw_spread(axes, noise, matched(data), along="noise", place=1, label=label)
        if "published" in data:
            x, y = 100 * data.published_noise.values, 100 * data.published.values
            axes.plot(x, y, "--", color=plotting.COLOURS[2], marker="^", label="published, trained with it")
        axes.set_xlabel("Weight noise (% of the largest weight)")
        axes.set_ylabel("Test accuracy (%)")
        axes.set_title(NAMES[data.task])
        axes.legend(loc="lower left")
        drawing.supxlabel(caption(data), fontsize=5)
    return drawing


draw = command(READS, figure)


def matched(data) -> xr.DataArray:
    """Accuracy at each level of noise of the network that was trained at that level."""
    at_each = [data.accuracy.sel(training_noise=level, noise=level, drop=True) for level in data.noise.values]
    return xr.concat(at_each, "noise").assign_coords(noise=data.noise.values).rename(draw="chip")


def caption(data) -> str:
    config = json.loads(data.config)
    seeds = data.sizes["seed"]
    bars = ",\nbars 95 % interval of the mean over seeds and draws, for this test set" if seeds > 1 else ""
    source = f"\n{data.published.source}" if "published" in data else ""
    return (
        f"{data.sizes['draw']} draws for each of {seeds} training seed{'s'[: seeds > 1]}; "
        f"band: 5th to 95th percentile{bars}\n{data.channels} channels, {config['dendrites']} random delays "
        f"from each channel to each class, steps of {1e3 * config['dt']:g} ms{source}"
    )
