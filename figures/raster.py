"""Spike raster, membrane traces and rate histogram: the ideal network beside one analog chip, on the same input."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/raster/raster.nc")
STYLES = {"ideal": ("#000000", "-"), "analog": ("#D55E00", "--")}


def figure(data, journal: str = "neutral") -> Figure:
    """Rasters on the left, membranes of the two most active neurons in the middle, rates and lags on the right."""
    wide = plotting.width(journal, 2)
    with plotting.style():
        drawing = Figure(figsize=(wide, 0.5 * wide))
        panels = drawing.subplots(2, 3)
        for row, version in enumerate(data.version.values):
            raster(panels[row, 0], data.sel(version=version), str(version))
        active = np.argsort(-data.spikes.sum("step").min("version").values, kind="stable")[:2]
        for row, neuron in enumerate(active):
            membranes(panels[row, 1], data, int(neuron))
        rates(panels[0, 2], data)
        lags(panels[1, 2], data)
        plotting.letter_panels(panels.flat)
        drawing.supxlabel(caption(data), fontsize=5)
    return drawing


draw = command(READS, figure)


def raster(axes, data, version: str) -> None:
    colour, _ = STYLES[version]
    step, neuron = np.nonzero(data.spikes.values)
    axes.scatter(step, neuron, s=1.5, marker="|", linewidths=0.6, color=colour)
    axes.set(
        xlim=(-0.5, data.sizes["step"] - 0.5), ylim=(-1, data.sizes["neuron"]), ylabel="Neuron", xlabel="Time (ms)"
    )
    axes.set_title("Digital" if version == "ideal" else "One chip")


def membranes(axes, data, neuron: int) -> None:
    for version, (colour, line) in STYLES.items():
        trace = data.membranes.sel(version=version).isel(neuron=neuron)
        axes.plot(data.step, trace, line, color=colour, label="digital" if version == "ideal" else "chip")
    axes.axhline(1.0, color="0.6", linewidth=0.6, linestyle=":")
    axes.set(xlabel="Time (ms)", ylabel="Membrane / threshold")
    axes.set_title(f"Neuron {neuron}")
    axes.legend(loc="best")


def rates(axes, data) -> None:
    bins = np.linspace(0, max(float(data.rate.max()), 1.0), 21)
    for version, (colour, line) in STYLES.items():
        axes.hist(data.rate.sel(version=version), bins, histtype="step", color=colour, linestyle=line)
    axes.set(xlabel="Rate (Hz)", ylabel="Neurons")
    axes.set_title("Mean rates")


def lags(axes, data) -> None:
    share = 100 * data.lag_count / data.lag_count.sum("lag").clip(min=1)
    low, high = np.percentile(share, [5, 95], axis=0)
    mean = share.mean("chip")
    axes.bar(data.lag, mean, color="0.75", yerr=[mean - low, high - mean], error_kw={"elinewidth": 0.6, "capsize": 1.5})
    axes.set(xlabel="Shift of a spike (ms)", ylabel="Paired spikes (%)", yscale="log")
    axes.set_title(f"Jitter {1e3 * float(data.jitter.mean()):.2f} ms rms")


def caption(data) -> str:
    config = json.loads(data.config)
    lost, added = (100 * float(data[name].mean()) for name in ("lost", "added"))
    return (
        "a, d: one recording, digital and on one chip. b, e: the two most active neurons. "
        f"c: over {config['recordings']} recordings. f: {data.sizes['chip']} chips, bars 5th to 95th percentile; "
        f"{lost:.1f} % of spikes lost, {added:.1f} % added\n{config['device']} after {config['time']:g} s, "
        f"{config['adc_bits']}-bit ADC, {100 * config['mismatch']:g} % mismatch of time constants and thresholds; "
        "split by recording, no speaker labels"
    )
