"""What every figure does with a result: opened, drawn at a journal's width, and written as PDF and PNG."""

from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

import memsim as ms
from memsim import plotting


def command(reads: Path, figure: Callable[..., Figure]) -> Callable[..., None]:
    """The command that draws the `figure` of a result, by default of that at `reads` into files beside it."""
    beside = reads.with_suffix("")

    def draw(result: Path = reads, out: Path = beside, journal: str = "neutral") -> None:
        """Draws the figure from `result` into `out`.pdf and `out`.png at the width of a journal's columns.

        Args:
            result: The data set that `memsim run` writes.
            out: Where the figure goes, without ending.
            journal: neutral, nature or ieee.
        """
        for file in plotting.save(figure(ms.study.open_result(result), journal), out):
            print(f"Wrote {file}")

    return draw
