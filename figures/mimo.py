"""Bit error rates over the signal-to-noise ratio, digital and after each refinement on arrays."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/mimo/mimo.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """A panel a detector."""
    wide, config = plotting.width(journal, 2), json.loads(data.config)
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.44 * wide))
        panels = drawing.subplots(1, data.sizes["detector"], sharey=True, squeeze=False)[0]
        plotting.letter_panels(panels)
        for axes, detector in zip(panels, data.detector.values, strict=True):
            rates(axes, data.sel(detector=detector))
            axes.set_title(plotting.readable(str(detector), label))
        panels[0].set_ylabel("Bit error rate")
        drawing.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
        bits, error = int(data.bits.values.flat[0]), 100 * config["cell_error"]
        plotting.describe(
            drawing,
            f"4 users, 16 antennas, 16-QAM, {bits} bits a point; bars and band: 95 % intervals of Wilson, every bit "
            f"taken as a trial of its own, beside each other; cells of 8 levels with {error:g} % of error",
        )
    return drawing


draw = command(READS, figure)


def rates(axes, data) -> None:
    bits = data.bits.values.astype(float)
    low, high = interval(data.digital_bit_errors.values, bits)
    axes.fill_between(data.snr, low, high, color="0.85", linewidth=0, label="digital, 95 %")
    axes.set_yscale("log")
    for place, refined in enumerate(data.refinements.values):
        wrong = data.bit_errors.sel(refinements=refined).values
        low, high = interval(wrong, bits)
        found = np.where((wrong > 0)[:, None], np.stack([wrong / bits, low, high], 1), np.nan)
        named, x = f"{refined} refined", data.snr.values.astype(float)
        plotting.draw_interval(axes, x, found, place=place, label=named, of=data.sizes["refinements"])
    axes.set_xlabel("Signal to noise of a user at an antenna (dB)")


def interval(count, total):
    """The 95 % interval of Wilson of a share."""
    z, share = 1.96, count / total
    middle, scale = share + z**2 / (2 * total), 1 + z**2 / total
    half = z * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    return (middle - half) / scale, (middle + half) / scale
