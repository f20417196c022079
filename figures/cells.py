"""Memory cells as populations: the spread of written conductances against their target."""

import json
from pathlib import Path

from matplotlib.figure import Figure

from _drawing import command
from memsim import plotting

READS = Path("results/cells/cells.nc")


def figure(data, journal: str = "neutral", label=None) -> Figure:
    """As `memsim.plotting.programming_error`."""
    drawing = plotting.programming_error(data, label=label, journal=journal)
    cells = json.loads(data.config)["cells"]
    error = 100 / (2 * (cells - 1)) ** 0.5  # of a normal standard deviation
    plotting.describe(
        drawing, f"{drawing.get_label()}; {cells} cells a target: marks have a standard error of {error:.1f} %"
    )
    return drawing


draw = command(READS, figure)
