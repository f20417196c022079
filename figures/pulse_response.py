"""Weight against pulses up and down for every published pulsed device: single ones, mean and spread, nominal curve."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/pulse_response/pulse_response.nc")
COLUMNS, EXAMPLES = 4, 2  # panels a row; single devices in each


def figure(data, journal: str = "neutral") -> Figure:
    """One panel a device; the band is the 5th to 95th percentile over devices, the vertical line where pulses turn."""
    rows, wide = -(-data.sizes["device"] // COLUMNS), plotting.width(journal, 2)
    with plotting.style():
        drawing = Figure(figsize=(wide, (0.27 * rows + 0.02) * wide))
        panels = drawing.subplots(rows, COLUMNS, squeeze=False).ravel()
        used = panels[: data.sizes["device"]]
        plotting.letter_panels(used)
        for axes, name in zip(used, data.device.values, strict=True):
            panel(axes, data.sel(device=name), str(name))
        for axes in panels[len(used) :]:
            axes.set_axis_off()
        for axes in used[::COLUMNS]:
            axes.set_ylabel("Weight")
        for axes in used[-COLUMNS:]:
            axes.set_xlabel("Pulses")
        handles, labels = used[0].get_legend_handles_labels()
        free = panels[len(used)] if len(panels) > len(used) else used[0]
        free.legend(handles, labels, loc="center" if len(panels) > len(used) else "best")
    return drawing


draw = command(READS, figure)


def panel(axes, data, name: str) -> None:
    pulses, weight = data.pulses.values, data.weight.values
    low, high = np.percentile(weight, [5, 95], axis=1)
    blue = plotting.COLOURS[2]
    axes.fill_between(pulses, low, high, color=blue, alpha=0.2, linewidth=0, label="5 to 95 % of devices")
    for example in range(min(EXAMPLES, weight.shape[1])):
        label = "single devices" if example == 0 else None
        axes.plot(pulses, weight[:, example], color=plotting.COLOURS[1], linewidth=0.5, label=label)
    axes.plot(pulses, weight.mean(1), color=blue, label="mean over devices")
    axes.plot(pulses, data.nominal.values, color=plotting.COLOURS[0], linestyle="--", label="nominal, without noise")
    axes.axvline(pulses[len(pulses) // 2], color="0.6", linewidth=0.5, linestyle=":" if data.one_sided else "-")
    axes.set_title("\n".join(name.rsplit("_", 1)).replace("_", " "), loc="right")
    axes.ticklabel_format(axis="x", style="sci", scilimits=(-3, 4))
