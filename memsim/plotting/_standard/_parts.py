"""What standard figures share: their data sets judged, panels in rows, units with prefixes."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from device_models._style import TITLE_PAD

from ..._checks import described
from ...study._factors import FACTORS
from .._style import JOURNALS, width

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"), (1e-12, "p"))
BAND = 0.2  # how opaque a band is


def check_has(result: "xr.Dataset", names: Iterable[str], maker: str, over: Sequence[str] = ()) -> None:
    """Raises `ValueError` for a result without one of the variables `names`, which that of a `maker` has.

    It must also have the dimensions `over`, and be empty along none: of one chosen by `sel` a dimension is gone.
    """
    names = tuple(names)
    variables = getattr(result, "variables", ())
    missing = [name for name in names if name not in variables]
    if missing:
        got = (
            f"one with {', '.join(map(str, variables)) or 'nothing'}" if hasattr(result, "dims") else described(result)
        )
        raise ValueError(f"`result` must be a data set of {maker}. Got {got}, without {', '.join(missing)}.")
    if missing := [name for name in over if name not in result.sizes]:
        one = missing[0]
        raise ValueError(
            f"`result` must be over {', '.join(missing)}, too. Got one over {', '.join(map(str, result.sizes))}. "
            f"Chosen by `sel` or `isel`? A list keeps the dimension: `isel({one}=[0])`."
        )
    dims = (*over, *(str(dim) for name in names for dim in result[name].dims))
    if empty := [dim for dim in dict.fromkeys(dims) if not result.sizes[dim]]:
        raise ValueError(f"`result` must hold something along {', '.join(empty)}. Got nothing.")


def check_known(result: "xr.Dataset", *names: str) -> None:
    """Raises `ValueError` for a result in which all of a variable is NaN."""
    for name in names:
        if not result[name].notnull().any():
            raise ValueError(f"`result` must have numbers as {name}. Got NaN only.")


def check_over(result: "xr.Dataset", variable: str, dims: Iterable[str], free: Sequence[str] = FACTORS) -> None:
    """Raises `ValueError` unless `variable` is over `dims` and beside them over nothing but those `free`."""
    there = set(map(str, result[variable].dims))
    if missing := sorted(set(dims) - there):
        raise ValueError(
            f"`result` must have {variable} over {', '.join(missing)}, too. Got {', '.join(sorted(there))}."
        )
    if others := sorted(there - set(dims) - set(free)):
        raise ValueError(
            f"`result` must have {variable} over nothing but {', '.join((*dims, *free))}. Got "
            f"{', '.join(others)}, too. Choose one with `sel`."
        )


def in_rows(
    journal: str, count: int, columns: int, *, height: float, every: int = 1, **shared: Any
) -> "tuple[Figure, list[Axes]]":
    """A figure of `count` panels in rows of at most so many `columns`; no taller than the journal allows.

    A row is `height` of the width high. `every` panels that belong together stay in one row.
    """
    from matplotlib.figure import Figure

    columns = min(columns, -(-count // every) * every)
    rows, wide = -(-count // columns), width(journal, 2)
    figure = Figure(figsize=(wide, min(height * wide * rows + 0.03 * wide, JOURNALS[journal].tallest)))
    grid = figure.subplots(rows, columns, squeeze=False, **shared)
    panels = list(grid.flat)
    for axes in panels[count:]:
        axes.set_axis_off()
    return figure, panels[:count]


def prefixed(value: float) -> tuple[float, str]:
    """The prefix of the unit in which `value` is at least one."""
    return next((pair for pair in PREFIXES if abs(value) >= 0.9995 * pair[0]), PREFIXES[-1])


def engineering(value: float, unit: str) -> str:
    """A number in `unit` with a prefix: "1.5 kHz"."""
    scale, prefix = prefixed(value)
    return f"{value / scale:.3g} {prefix}{unit}"


def percentiles(values: Any, axis: int = 0) -> np.ndarray:
    """The 5th, 50th and 95th percentile along an axis; NaN is left out, and stays where all is."""
    known = np.asarray(values, float)
    empty = np.isnan(known).all(axis=axis, keepdims=True)
    found = np.nanpercentile(np.where(empty, 0.0, known), [5, 50, 95], axis=axis)
    return np.where(np.squeeze(empty, axis), np.nan, found)


def below(figure: "Figure", axes: "Axes", *, ncols: int = 4, title: str | None = None) -> None:
    """The legend of `axes` below all panels."""
    handles, labels = axes.get_legend_handles_labels()
    if labels:
        figure.legend(handles, labels, loc="outside lower center", ncols=min(ncols, len(labels)), title=title)


def title_two(axes: "Axes", text: str) -> None:
    """A title over a panel and its right neighbour, in the line of the letter.

    No title of matplotlib: constrained layout makes room at the right of a panel for the middle of a long one.
    """
    where: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
    axes.annotate(text, (0, 1), (0, TITLE_PAD), **where).set_in_layout(False)
