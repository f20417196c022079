"""Energy of one network by machine and component, for arrays, digital arithmetic and Loihi, with accuracies."""

import json
from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/energy_bars/energy_bars.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """As `memsim.plotting.energy_breakdown`."""
    drawing = plotting.energy_breakdown(data, label=label, journal=journal)
    node = json.loads(data.config)["nanometres"]
    words = (
        f"an operation is one inference of one recording; {node} nm; Loihi: 14 nm, of simulations before silicon, "
        "static power for 1 ms a step"
    )
    plotting.describe(drawing, f"{drawing.get_label()}; {words}")
    return drawing


draw = command(READS, figure)
