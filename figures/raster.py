"""Spikes, membranes and rates of one network, ideal beside analog, for the same input, and how far spikes move."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import memsim as ms
from memsim import plotting

READS = Path("results/raster/raster.nc")
TRACES = 3  # membranes drawn: those of the neurons that spike most


def draw(result: Path = READS, out: Path = Path("results/raster/raster"), journal: str = "neutral") -> None:
    """Draws the figure from `result` into `out`.pdf and `out`.png at a journal's two-column width.

    Args:
        result: The data set that `memsim run raster` writes.
        out: Where the figure goes, without ending.
        journal: neutral, nature or ieee.
    """
    for file in plotting.save(figure(ms.study.open_result(result), journal), out):
        print(f"Wrote {file}")


def figure(data, journal: str = "neutral") -> Figure:
    """Above the rasters and the rates, below the membranes and the shifts."""
    wide = plotting.width(journal, 2)
    with plotting.style():
        drawing = Figure(figsize=(wide, 0.62 * wide))
        panels = drawing.subplots(2, 3, height_ratios=(1.2, 1))
        plotting.letter_panels(panels.flat)
        most = np.argsort(-data.spikes.sel(kind="ideal").sum("step").values, kind="stable")[:TRACES]
        milliseconds = 1e3 * data.time.values
        for column, kind in enumerate(data.kind.values):
            name = {"ideal": "ideal", "analog": "one analog chip"}[str(kind)]
            raster(panels[0, column], milliseconds, data.sel(kind=kind), most)
            panels[0, column].set_title(name)
            traces(panels[1, column], milliseconds, data.membranes.sel(kind=kind).values[:, most])
        panels[1, 1].sharey(panels[1, 0])
        panels[0, 0].set_ylabel("Neuron")
        panels[1, 0].set_ylabel("Membrane (thresholds)")
        rates(panels[0, 2], data)
        shifts(panels[1, 2], data)
        drawing.supxlabel(caption(data), fontsize=5)
    return drawing


def raster(axes, milliseconds, data, most) -> None:
    step, neuron = np.nonzero(data.spikes.values)
    colours = np.full(data.sizes["neuron"], "0.35", dtype=object)
    colours[most] = plotting.COLOURS[2 : 2 + len(most)]
    axes.scatter(milliseconds[step], neuron, s=3, c=list(colours[neuron]), marker="|", linewidths=0.7)
    axes.set_xlim(milliseconds[0], milliseconds[-1])
    axes.set_ylim(-1, data.sizes["neuron"])


def traces(axes, milliseconds, membranes) -> None:
    for place, membrane in enumerate(membranes.T):
        axes.plot(milliseconds, membrane, color=plotting.COLOURS[2 + place], linewidth=0.8)
    axes.axhline(1.0, color="0.5", linestyle="--", linewidth=0.6)
    axes.set_xlim(milliseconds[0], milliseconds[-1])
    axes.set_xlabel("Time (ms)")


def rates(axes, data) -> None:
    """Histograms of the neurons' rates; that of the chips is their mean, with the 5th to 95th percentile."""
    top = max(float(data.ideal_rate.max()), float(data.analog_rate.max()), 1.0)
    edges = np.linspace(0, top * 1.001, 13)
    ideal = np.histogram(data.ideal_rate, edges)[0]
    chips = np.array([np.histogram(rate, edges)[0] for rate in data.analog_rate.values])
    low, high = np.percentile(chips, [5, 95], axis=0)
    axes.stairs(ideal, edges, color=plotting.COLOURS[0], label="ideal")
    axes.stairs(chips.mean(0), edges, color=plotting.COLOURS[1], label="chips")
    axes.stairs(high, edges, baseline=low, fill=True, color=plotting.COLOURS[1], alpha=0.2, linewidth=0)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("Rate (Hz)")
    axes.set_ylabel("Neurons")
    axes.legend(loc="upper right")


def shifts(axes, data) -> None:
    """Spikes of the chips against those of the ideal network, by shift, as a fraction of paired spikes."""
    shares = 100 * data.moved / data.moved.sum("shift").clip(min=1)
    low, high = np.percentile(shares, [5, 95], axis=0)
    mean, x = shares.mean("chip").values, 1e3 * data["shift"].values
    wide = 0.8 * (x[1] - x[0])
    axes.bar(
        x, mean, wide, yerr=np.maximum([mean - low, high - mean], 0), color=plotting.COLOURS[1], error_kw={"lw": 0.6}
    )
    axes.set_yscale("log")
    axes.set_xlabel("Shift of a spike (ms)")
    axes.set_ylabel("Paired spikes (%)")
    jitter, low, high = (1e3 * value for value in ms.study.mean_interval(data.jitter.values))
    text = f"jitter {jitter:.2f} ms\nmissing {100 * float(data.missing.mean()):.1f} %\n"
    text += f"extra {100 * float(data.extra.mean()):.1f} %"
    axes.text(0.98, 0.98, text, transform=axes.transAxes, ha="right", va="top", fontsize=5)


def caption(data) -> str:
    config = json.loads(data.config)
    return (
        f"{data.shown}; coloured: the {TRACES} neurons that spike most; rates and shifts over the test set and "
        f"{data.sizes['chip']} chips of one network, bars and band: 5th to 95th percentile over chips\n"
        f"{config['device']} at {config['time']:g} s with drift compensation, {config['adc_bits']}-bit ADC, neuron "
        f"mismatch {100 * config['mismatch']:g} %; jitter: standard deviation of shifts, nearest spikes paired within "
        f"{1e3 * config['window'] * config['dt']:g} ms"
    )
