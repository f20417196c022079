"""A network of two senses while one fails, on every machine, beside networks that never had the other sense."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from _drawing import command
from _machines import draw_points, over
from memsim import plotting

READS = Path("results/fusion/fusion.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """A panel a machine, a row for each way to fail, a mark for each way to learn; arrays at the last age."""
    wide = plotting.width(journal, 2)
    trained = str(data.training.values[-1])
    old = data.accuracy.sel(training=trained).isel(time=-1)
    rows = np.arange(data.sizes["failing"])[::-1]
    with plotting.style(journal):
        drawing = Figure(figsize=(wide, 0.12 * wide + 0.05 * wide * len(rows)))
        panels = drawing.subplots(1, data.sizes["machine"], sharex=True, sharey=True, squeeze=False)[0]
        plotting.letter_panels(panels)
        for axes, machine in zip(panels, data.machine.values, strict=True):
            for place, senses in enumerate(data.senses.values):
                at = rows + 0.27 - 0.18 * place
                named = plotting.readable(str(senses), label)
                draw_points(axes, old.sel(machine=machine, senses=senses), "failing", at, place, f"learnt: {named}")
            axes.set_title(plotting.readable(str(machine), label))
            axes.set(xlabel="Accuracy (%)", xlim=(0.0, 104.0))
        panels[0].set_yticks(rows, [plotting.readable(str(name), label) for name in data.failing.values])
        panels[0].set_ylabel("What fails")
        drawing.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
        age = f"{float(data.time.values[-1]) / (365.25 * 86400):.3g}"
        plotting.describe(
            drawing, f"Trained {trained}; age of arrays in years: {age}; means; {over(data)}, cut at 0 and 104 %"
        )
    return drawing


draw = command(READS, figure)
