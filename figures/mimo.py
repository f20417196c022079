"""Bit error rates over the signal-to-noise ratio, digital and after each refinement on arrays."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/mimo/mimo.nc")
NAMES = {"mmse": "MMSE"}


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """A row a detector, a column a number of refinements: curves so steep would hide each other in one panel."""
    wide, config = plotting.width(journal, 2), json.loads(data.config)
    named = NAMES | (label or {})
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.27 * wide * data.sizes["detector"]))
        rows, columns = data.sizes["detector"], data.sizes["refinements"]
        panels = drawing.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for row, detector in zip(panels, data.detector.values, strict=True):
            for axes, refined in zip(row, data.refinements.values, strict=True):
                rates(axes, data.sel(detector=detector), refined)
                axes.set_title(f"{plotting.readable(str(detector), named)}, {refined}")
            row[0].set_ylabel("Bit error rate")
        drawing.supxlabel("Signal to noise of a user at an antenna (dB)", fontsize=plotting.JOURNALS[journal].text)
        drawing.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
        plotting.letter_panels(panels.ravel())
        bits, error = int(data.bits.values.flat[0]), 100 * config["cell_error"]
        plotting.describe(
            drawing,
            "Above each panel the detector and how often its solution is refined; 4 users, 16 antennas, 16-QAM, "
            f"{bits} bits a point; bars and band: 95 % intervals of Wilson, every bit taken as a trial of its own; no "
            f"mark: no error in all bits; cells of 8 levels with {error:g} % of error",
        )
    return drawing


draw = command(READS, figure)


def rates(axes, data, refined) -> None:
    bits = data.bits.values.astype(float)
    low, high = interval(data.digital_bit_errors.values, bits)
    axes.fill_between(data.snr, low, high, color="0.8", linewidth=0, label="digital, 95 %")
    axes.plot(data.snr, data.digital_bit_errors / bits, color="0.6", linewidth=0.8)
    axes.set_yscale("log")
    wrong = data.bit_errors.sel(refinements=refined).values
    found = np.stack([wrong / bits, *interval(wrong, bits)], 1)
    found = np.where((wrong > 0)[:, None], found, np.nan)
    plotting.draw_interval(axes, data.snr.values.astype(float), found, place=4, label="arrays")


def interval(count, total):
    """The 95 % interval of Wilson of a share."""
    z, share = 1.96, count / total
    middle, scale = share + z**2 / (2 * total), 1 + z**2 / total
    half = z * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    return (middle - half) / scale, (middle + half) / scale
