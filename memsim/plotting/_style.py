"""How wide a figure is, and what its type and lines are, for a journal."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from device_models import _style
from device_models._style import COLOURS as COLOURS
from device_models._style import JOURNALS as JOURNALS
from device_models._style import MARKERS as MARKERS
from device_models._style import Journal as Journal

from .._checks import checked, did_you_mean, positive

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


WANTED = ("Arial", "Helvetica")  # fonts that journals ask for


@checked()
def style(journal: str = "neutral") -> "AbstractContextManager[None]":
    """Type, lines and embedded TrueType fonts as a `journal` wants them, for the figures drawn inside.

    Sans-serif: Arial, or the nearest to it that is installed, see `font`. No line is thinner than half a point.

    **Arguments:**

    - `journal`: A name of `memsim.plotting.JOURNALS`.

    **Raises:** `ValueError` for another name.

    >>> import memsim as ms
    >>> with ms.plotting.style("ieee"):
    ...     import matplotlib
    ...     print(matplotlib.rcParams["font.size"])
    8.0
    """
    return _style.style(_known(journal))


@checked(columns=positive())
def width(journal: str, columns: int | float = 1) -> float:
    """Width of a figure over so many `columns` of a `journal`, in inches.

    **Arguments:**

    - `journal`: A name of `memsim.plotting.JOURNALS`.
    - `columns`: 1 or 2, or 1.5 where the journal has a width between (Science, PNAS).

    **Raises:** `ValueError` for another name, and for a width that the journal does not have.

    >>> import memsim as ms
    >>> round(25.4 * ms.plotting.width("nature", 2))
    183
    """
    widths = JOURNALS[_known(journal)].widths
    if columns not in widths:
        known = " or ".join(f"{each:g}" for each in widths)
        raise ValueError(f"`columns` must be {known} for {journal}. Got {columns}.")
    return widths[columns]


@checked()
def letter_panels(panels: Iterable["Axes"]) -> None:
    """Bold letters above the left corners of `panels`: a, A or (a), as the journal that is drawn for has them.

    They stand left of the titles, which begin at the left edge in `style`.

    >>> import memsim as ms
    >>> from matplotlib.figure import Figure
    >>> with ms.plotting.style("science"):
    ...     panels = Figure().subplots(1, 2)
    ...     ms.plotting.letter_panels(panels)
    ...     print(panels[1].texts[0].get_text())
    B
    """
    _style.letter_panels(panels)


def font() -> str:
    """The font that figures are set in on this machine: Arial, or the nearest to it that is installed.

    `memsim.plotting.save` says once which, where it is not Arial or Helvetica, and caption files do.

    >>> import memsim as ms
    >>> isinstance(ms.plotting.font(), str)
    True
    """
    return _style.font()


@checked()
def look(place: int) -> dict[str, Any]:
    """Colour and marker of one among several lines, for `axes.plot`; each of the first 49 is unlike all others.

    Seven colours that colour-blind readers tell apart, and as many markers for print in black and white.

    >>> import memsim as ms
    >>> ms.plotting.look(2)
    {'color': '#0072B2', 'marker': '^'}
    """
    return _style.look(int(place))


def panels_of(
    journal: str, rows: int = 1, columns: int = 1, *, height: float, wide: int = 2, **shared: Any
) -> "tuple[Figure, Any]":
    """A figure of `rows` and `columns` of panels, each row `height` of the width high; at most as the journal allows.

    Drawn within `style`.
    """
    from matplotlib.figure import Figure

    across = width(journal, wide)
    tall = min(height * across * rows, JOURNALS[journal].tallest)
    figure = Figure(figsize=(across, tall))
    return figure, figure.subplots(rows, columns, squeeze=False, **shared)


def _known(journal: str) -> str:
    if journal not in JOURNALS:
        raise ValueError(did_you_mean("`journal`, a name of a style,", str(journal), JOURNALS))
    return journal
