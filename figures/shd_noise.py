"""Accuracy against weight noise, for networks trained without it and with it, beside the published curve of DenRAM."""

from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/shd_noise/shd_noise.nc")
NAMES = {"shd": "Spiking Heidelberg Digits", "spoken_digits": "embedded spoken digits, not SHD"}


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """As `memsim.plotting.accuracy_over_noise`: trained without noise, and with the noise of the test."""
    without = data.accuracy.sel(training_noise=0.0, drop=True)
    both = xr.concat([without, matched(data)], "training").rename(draw="chip")
    shown = both.to_dataset(name="accuracy").assign_coords(
        training=["trained without noise", "trained with the noise of the test"]
    )
    drawing = plotting.accuracy_over_noise(shown, label=label, journal=journal)
    words = f"{drawing.get_label()}; each draw of the noise as a chip; split by recording, no speaker labels"
    axes = drawing.axes[0]
    with plotting.style(journal):
        axes.set_title(NAMES[data.task])
        if "published" in data:
            x, y = 100 * data.published_noise.values, 100 * data.published.values
            axes.plot(x, y, "--", label="published, trained with it", **plotting.look(2))
            axes.annotate(
                "published", (x[-1], y[-1]), (0, -6), textcoords="offset points", ha="right", va="top", fontsize="small"
            )
            words += f"; dashed: published, without spread, {data.published.source}"
    plotting.describe(drawing, words)
    return drawing


draw = command(READS, figure)


def matched(data) -> xr.DataArray:
    """Accuracy at each level of noise of the network that was trained at that level."""
    at_each = [data.accuracy.sel(training_noise=level, noise=level, drop=True) for level in data.noise.values]
    return xr.concat(at_each, "noise").assign_coords(noise=data.noise.values)
