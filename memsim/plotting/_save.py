"""Figures as files: PDF, PNG, and their caption beside them."""

import logging
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from device_models._files import as_path, written_whole

from .._checks import checked
from ..study import make_folder
from ._style import WANTED, font, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@checked()
def save(figure: "Figure", path: Path | str, *, caption: str | None = None) -> list[Path]:
    """Writes PDF (TrueType fonts embedded), PNG (600 dpi) and caption of `figure`, whole or not at all.

    Returns their paths. A caption is text beside the figure, never in it: what `memsim.plotting.caption` wrote, or
    words of yours. The first figure that is saved where Arial and Helvetica are not installed says which font came
    instead.

    **Arguments:**

    - `figure`: Of matplotlib.
    - `path`: Without an ending, and it may hold dots: "fig_r0.5" becomes fig_r0.5.pdf, fig_r0.5.png and fig_r0.5.txt.
    - `caption`: The text of the .txt file; none is written without, and an old one is removed, which was of another
      figure.

    **Raises:** `ValueError` for a path without a name, `OSError` where the folder cannot be written.

    >>> import tempfile
    >>> from matplotlib.figure import Figure
    >>> import memsim as ms
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print([file.suffix for file in ms.plotting.save(Figure(), f"{folder}/x", caption="One axis.")])
    ['.pdf', '.png', '.txt']
    """
    if str(path).endswith(("/", os.sep)) or as_path(path).name in ("", ".."):
        raise ValueError(f'`path` must end in the name of a file, such as "folder/name". Got {str(path)!r}.')
    path = as_path(path)
    make_folder(path.parent)
    name = path.stem if path.suffix in (".pdf", ".png", ".txt") else path.name
    files = [path.with_name(f"{name}.{ending}") for ending in ("pdf", "png")]
    said = path.with_name(f"{name}.txt")
    _say_font(font())
    with style():
        for file in files:
            with written_whole(file) as partial:
                figure.savefig(partial, format=file.suffix[1:])
    if caption is None:
        said.unlink(missing_ok=True)
        return files
    with written_whole(said) as partial:
        partial.write_text(caption.rstrip() + "\n", encoding="utf-8")
    return [*files, said]


@cache
def _say_font(name: str) -> None:
    """Once a process and font."""
    if name not in WANTED:
        logging.getLogger("memsim").warning(
            "Arial is not installed: figures are set in %s. Journals want Arial or Helvetica; Liberation Sans has "
            "letters of the same widths.",
            name,
        )
