"""What figures of journals look like: widths, type, panel letters, colours."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, NamedTuple

from ._checks._names import lookup

MILLIMETRE = 1 / 25.4  # inches


class Journal(NamedTuple):
    """How a journal sets figures. What is no reading of its pages says "recalled" in `source`.

    - `widths`: Of figures over so many columns, in inches.
    - `tallest`: The greatest height, in inches.
    - `text`, `small`: Sizes of labels, and of ticks and legends, in points. Nothing is smaller than `small`.
    - `letters`: What letters of panels look like: "a", "A" or "(a)".
    - `letter`: Their size, in points.

    >>> import memsim as ms
    >>> ms.plotting.JOURNALS["ieee"].letters
    '(a)'
    """

    widths: Mapping[int | float, float]
    tallest: float
    text: int
    small: int
    letters: str
    letter: int
    source: str


def _millimetres(**widths: int) -> dict[int | float, float]:
    named = {"one": 1, "middle": 1.5, "two": 2}
    return {named[name]: width * MILLIMETRE for name, width in widths.items()}


JOURNALS = {
    "neutral": Journal({1: 3.3, 2: 6.9}, 6.6, 7, 6, "a", 8, "fits inside the columns of the others but Science"),
    "nature": Journal(
        _millimetres(one=89, two=183),
        170 * MILLIMETRE,
        7,
        6,
        "a",
        8,
        "research-figure-guide.nature.com; letters second-hand",
    ),
    "ieee": Journal({1: 3.5, 2: 7.16}, 8.5, 8, 7, "(a)", 8, "ieeeauthorcenter.ieee.org; height and letters recalled"),
    "science": Journal(_millimetres(one=57, middle=121, two=184), 220 * MILLIMETRE, 7, 6, "A", 9, "recalled"),
    "pnas": Journal(_millimetres(one=87, middle=114, two=178), 225 * MILLIMETRE, 7, 6, "A", 9, "recalled"),
}
"""Styles by name; "neutral" is for no journal."""

FONTS = ("Arial", "Helvetica", "Arimo", "Liberation Sans", "Nimbus Sans", "DejaVu Sans")  # the first that is there
COLOURS = ("#000000", "#E69F00", "#0072B2", "#009E73", "#D55E00", "#CC79A7", "#56B4E9")  # Wong, colour-blind safe
MARKERS = ("o", "s", "^", "D", "v", "P", "X")  # a second channel, for black and white
TITLE_PAD = 4.0  # points between a panel and its title
THINNEST = 0.5  # points: journals refuse thinner lines

_drawn_for: ContextVar[Journal] = ContextVar("journal", default=JOURNALS["neutral"])


def journal_of(name: str) -> Journal:
    """The style of that name. Raises `ValueError` with the near ones where there is none."""
    return lookup("A journal", name, JOURNALS)


def current() -> Journal:
    """The style of the `style` that is drawn in."""
    return _drawn_for.get()


@contextmanager
def style(journal: str = "neutral") -> Iterator[None]:
    """Type, lines and embedded TrueType fonts as a `journal` wants them, for the figures drawn inside."""
    import matplotlib as mpl

    chosen = journal_of(journal)
    token = _drawn_for.set(chosen)
    try:
        with mpl.rc_context(_settings(chosen)):
            yield
    finally:
        _drawn_for.reset(token)


def font() -> str:
    """The font that figures are set in here: Arial, or the nearest to it that is installed."""
    return _first(FONTS)


@cache
def _first(fonts: tuple[str, ...]) -> str:
    from matplotlib.font_manager import get_font_names

    there = set(get_font_names())
    return next((name for name in fonts if name in there), fonts[-1])


def look(place: int) -> dict[str, Any]:
    """Colour and marker of one among several lines, each of the first 49 unlike all others."""
    turn, at = divmod(place % (len(COLOURS) * len(MARKERS)), len(COLOURS))
    return {"color": COLOURS[at], "marker": MARKERS[(at + turn) % len(MARKERS)]}


def letter_panels(panels: Iterable[Any]) -> None:
    """Bold letters above the left corners of `panels`, left of their titles, as the journal has them."""
    chosen = current()
    for number, axes in enumerate(panels):
        letter = chosen.letters.replace("a", chr(ord("a") + number)).replace("A", chr(ord("A") + number))
        where = {"xytext": (-5, TITLE_PAD), "xycoords": "axes fraction", "textcoords": "offset points", "ha": "right"}
        axes.annotate(letter, (0, 1), **where, fontweight="bold", fontsize=chosen.letter, annotation_clip=False)


def _settings(chosen: Journal) -> Any:
    from cycler import cycler

    name = font()
    maths: dict[str, Any] = {"mathtext.fontset": "dejavusans"}
    if name != "DejaVu Sans":
        maths = {"mathtext.fontset": "custom", "mathtext.rm": name, "mathtext.it": f"{name}:italic"}
        maths |= {"mathtext.bf": f"{name}:bold", **dict.fromkeys(("mathtext.cal", "mathtext.sf", "mathtext.tt"), name)}
    return {
        "font.family": "sans-serif",
        "font.sans-serif": [name, "DejaVu Sans"],
        "font.size": chosen.text,
        **dict.fromkeys(("axes.labelsize", "axes.titlesize", "figure.titlesize"), chosen.text),
        **dict.fromkeys(
            ("legend.fontsize", "legend.title_fontsize", "xtick.labelsize", "ytick.labelsize"), chosen.small
        ),
        "axes.linewidth": 0.6,
        **dict.fromkeys(("xtick.major.width", "ytick.major.width"), 0.6),
        **dict.fromkeys(("xtick.minor.width", "ytick.minor.width", "hatch.linewidth", "patch.linewidth"), THINNEST),
        **dict.fromkeys(("xtick.major.size", "ytick.major.size"), 2.5),
        **dict.fromkeys(("xtick.minor.size", "ytick.minor.size"), 1.5),
        "lines.linewidth": 1.0,
        "lines.markersize": 3,
        "axes.prop_cycle": cycler(color=COLOURS),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",  # beside the letter
        "axes.titlepad": TITLE_PAD,
        "legend.frameon": False,
        "legend.handlelength": 1.6,
        "pdf.fonttype": 42,
        "ps.fonttype": 42,
        "svg.fonttype": "none",
        "savefig.dpi": 600,
        "figure.constrained_layout.use": True,
        **maths,
    }
