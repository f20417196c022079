"""What every figure does with a result: opened, drawn at a journal's width, and written with its caption."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import memsim as ms
from memsim import plotting

LAYERS = {".layers[0]": "input", ".layers[1].synapse": "feedback", ".layers[2]": "readout"}  # of the recurrent network


def command(reads: Path, figure: Callable[..., Figure], *, name: str | None = None) -> Callable[..., None]:
    """The command that draws the `figure` of a result, by default of that at `reads` into files beside it.

    The script is called `name`, by default as the result is. The first sentence of its text begins the caption.
    """
    called = name or reads.stem
    title = (figure.__globals__["__doc__"] or "").split("\n\n")[0]

    beside = reads.with_name(called)

    def draw(
        result: Path = reads, out: Path = beside, journal: str = "neutral", label: dict[str, str] | None = None
    ) -> None:
        """Draws the figure from `result` into `out`.pdf and `out`.png, and what belongs beside it into `out`.txt.

        Args:
            result: The data set that `memsim run` writes.
            out: Where the figure goes, without ending.
            journal: neutral, nature, ieee, science or pnas.
            label: Names of yours for cells, layers, methods: `--label .layers[0] hidden`.
        """
        data = ms.study.open_result(result)
        drawing = figure(data, journal, label)
        words = f"memsim draw {called}" + (f" --journal {journal}" if journal != "neutral" else "")
        text = plotting.caption(drawing, data, title=title, command=words, file=result)
        for file in plotting.save(drawing, out, caption=text):
            print(f"Wrote {file}")

    return draw


def intervals(values, along: str) -> np.ndarray:
    """Mean and ends of the 95 % interval for each of `along`, for `draw_interval`; NaN where a value is missing."""
    each = [values.isel({along: at}) for at in range(values.sizes[along])]
    found = [(np.nan,) * 3 if bool(one.isnull().any()) else tuple(ms.study.interval(one)) for one in each]
    return np.array(found, float).reshape(-1, 3)
