"""Analog against exact outputs of a matrix-vector product, and the error of each non-ideality alone."""

import json
from pathlib import Path

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/mvm_error/mvm_error.nc")
SHOWN = ("write noise", "read noise", "drift, compensated", "stuck cells", "ADC", "saturation", "all together")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 2)), "-")


def figure(data, journal: str = "neutral") -> Figure:
    """All together on the left, densities in the middle, size of every error on the right."""
    wide = plotting.width(journal, 2)
    with plotting.style():
        drawing = Figure(figsize=(wide, 0.36 * wide))
        panels = drawing.subplots(1, 3)
        scatter(panels[0], data)
        densities(panels[1], data)
        sizes(panels[2], data)
        for axes in panels:
            axes.set_box_aspect(1)
        plotting.letter_panels(panels)
        drawing.supxlabel(caption(data), fontsize=5)
    return drawing


draw = command(READS, figure)


def scatter(axes, data) -> None:
    """Binned, because there are millions of outputs."""
    shown = data["count"].transpose("analog", "exact")
    image = axes.pcolormesh(
        data.exact, data.analog, shown.where(shown > 0), norm=LogNorm(), cmap="viridis", rasterized=True
    )
    colours = axes.inset_axes((0.07, 0.93, 0.42, 0.03))
    bar = axes.figure.colorbar(image, cax=colours, orientation="horizontal", ticks=[1, 10, 100, 1000])
    bar.set_label("Outputs in a bin", fontsize=5, labelpad=1)
    colours.tick_params(labelsize=5)
    axes.set_title("All together")
    ends = [float(data.exact[0]), float(data.exact[-1])]
    axes.plot(ends, ends, color=plotting.COLOURS[4], linestyle="--", linewidth=0.8)
    axes.set(xlabel="Exact output (σ)", ylabel="Analog output (σ)", xticks=range(-4, 5, 2), yticks=range(-4, 5, 2))


def densities(axes, data) -> None:
    """Those of `SHOWN`: all the lines would hide each other."""
    drawn = data.error_density.mean("chip")
    for number, case in enumerate(name for name in SHOWN if name in data.case.values):
        density = drawn.sel(case=case)
        colour = plotting.COLOURS[(number + 1) % len(SHOWN)]
        axes.plot(data.error, density.where(density > 0), color=colour, linestyle=LINES[number], label=case)
    axes.set(yscale="log", xlim=(-1.2, 1.2), ylim=(1e-4, 1e4), xlabel="Error (σ)", ylabel="Probability density (1/σ)")
    axes.legend(loc="upper left", fontsize=5, handlelength=2.4, ncols=2, columnspacing=0.8)


def sizes(axes, data) -> None:
    """Points, because a bar on a logarithmic axis has no foot; smallest at the bottom."""
    rms = 100 * data.rms.transpose("case", "chip")
    rms = rms.isel(case=np.argsort(rms.mean("chip").values, kind="stable"))
    places, mean = np.arange(rms.sizes["case"]), rms.mean("chip").values
    colours = [plotting.COLOURS[0 if str(case).startswith("all ") else 2] for case in rms.case.values]
    axes.hlines(places, rms.min("chip"), rms.max("chip"), color=colours, linewidth=1.5)
    axes.scatter(mean, places, color=colours, s=9)
    for place, case in enumerate(rms.case.values):
        snr = float(data.snr.sel(case=case).mean())
        axes.text(1.3 * float(rms.isel(case=place).max()), place, f"{snr:.1f} dB", va="center", fontsize=5)
    axes.set_yticks(places, [str(case) for case in rms.case.values])
    axes.set(xscale="log", xlabel="RMS error (% of σ)", xlim=(0.6 * mean.min(), 5 * mean.max()))


def caption(data) -> str:
    config = json.loads(data.config)
    return (
        f"σ: standard deviation of the exact outputs; {data.sizes['chip']} chips, each with {config['size']} x "
        f"{config['size']} Gaussian weights, {config['inputs']} Gaussian inputs each; lines: smallest to largest chip; "
        f"dB: signal-to-noise ratio\n{config['device']} read after {config['time']:g} s, {config['levels']} levels, "
        f"{100 * config['stuck']:g} % stuck cells, {config['dac_bits']}-bit DAC, {config['adc_bits']}-bit ADC of "
        f"±{config['full_scale']:g} σ, {config['segment']:g} Ω a segment; I-V (sinh, κ = {config['kappa']:g}/V) alone"
    )
