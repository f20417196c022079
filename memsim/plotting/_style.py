"""What figures of journals look like: widths, type, colours, files."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device_models._files import as_path, written_whole

from .._checks import checked, did_you_mean, whole
from ..study import make_folder

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MILLIMETRE = 1 / 25.4  # inches
WIDTHS = {  # one column and two columns, in inches
    "neutral": (3.3, 6.9),  # fits inside the others
    "nature": (89 * MILLIMETRE, 183 * MILLIMETRE),
    "ieee": (3.5, 7.16),
}
COLOURS = ("#000000", "#E69F00", "#0072B2", "#009E73", "#D55E00", "#CC79A7", "#56B4E9")  # Wong, colour-blind safe
MARKERS = ("o", "s", "^", "D", "v", "P", "X")  # a second channel, for black and white


@contextmanager
def style() -> Iterator[None]:
    """Small sans-serif type, thin lines, embedded TrueType fonts, for the figures drawn inside.

    >>> import matplotlib.pyplot as plt, memsim as ms
    >>> with ms.plotting.style():
    ...     figure, axes = plt.subplots()
    ...     small = plt.rcParams["font.size"]
    >>> small < plt.rcParams["font.size"]
    True
    """
    import matplotlib as mpl

    settings: Any = {
        "font.family": "sans-serif",
        "font.sans-serif": ["Arial", "Helvetica", "DejaVu Sans"],
        "font.size": 7,
        "axes.labelsize": 7,
        "axes.titlesize": 7,
        "legend.fontsize": 6,
        "xtick.labelsize": 6,
        "ytick.labelsize": 6,
        "axes.linewidth": 0.6,
        "lines.linewidth": 1.0,
        "lines.markersize": 3,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
        "pdf.fonttype": 42,
        "ps.fonttype": 42,
        "savefig.dpi": 600,
        "figure.constrained_layout.use": True,
    }
    with mpl.rc_context(settings):
        yield


@checked(columns=whole(1, most=2))
def width(journal: str, columns: int = 1) -> float:
    """Width of a figure over one or two `columns` of a `journal`, in inches.

    - `journal`: "neutral", "nature" or "ieee".
    - `columns`: 1 or 2.

    >>> import memsim as ms
    >>> print(f"{ms.plotting.width('nature'):.2f}, {ms.plotting.width('nature', 2):.2f} inches")
    3.50, 7.20 inches
    """
    if journal not in WIDTHS:
        raise ValueError(did_you_mean("A journal", journal, WIDTHS))
    return WIDTHS[journal][int(columns) - 1]


@checked()
def letter_panels(panels: Iterable["Axes"]) -> None:
    """Bold lower-case letters above the left corners of `panels`, as Nature asks for.

    >>> import matplotlib.pyplot as plt, memsim as ms
    >>> figure, panels = plt.subplots(1, 2)
    >>> ms.plotting.letter_panels(panels)
    >>> [panel.get_title(loc="left") for panel in panels]
    ['a', 'b']
    """
    for axes, letter in zip(panels, "abcdefghijklmnopqrstuvwxyz", strict=False):
        axes.set_title(letter, loc="left", fontweight="bold", fontsize=8)


@checked()
def save(figure: "Figure", path: Path | str) -> list[Path]:
    """Writes PDF (TrueType fonts embedded) and PNG (600 dpi) of `figure`, whole or not at all; returns their paths.

    `path` is without an ending, and may hold dots: "fig_r0.5" becomes fig_r0.5.pdf and fig_r0.5.png.

    >>> import matplotlib.pyplot as plt, memsim as ms
    >>> figure, axes = plt.subplots()
    >>> [path.name for path in ms.plotting.save(figure, "mine")]
    ['mine.pdf', 'mine.png']
    """
    if str(path).endswith(("/", os.sep)) or as_path(path).name in ("", ".."):
        raise ValueError(f'`path` must end in the name of a file, such as "folder/name". Got {str(path)!r}.')
    path = as_path(path)
    make_folder(path.parent)
    name = path.stem if path.suffix in (".pdf", ".png") else path.name
    files = [path.with_name(f"{name}.{ending}") for ending in ("pdf", "png")]
    with style():
        for file in files:
            with written_whole(file) as partial:
                figure.savefig(partial, format=file.suffix[1:])
    return files
