"""Tables of accuracies to read, and gains in pairs, as experiments print them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import memsim as ms
from _frame import print_table

YEAR, DAY, HOUR = 365.25 * 86400.0, 86400.0, 3600.0  # seconds
Column = Callable[[dict[str, Any]], str]  # what a further column says of the labels of a row


def print_summary(
    table: pd.DataFrame,
    rows: Sequence[str],
    along: str,
    *,
    title: str = "Test accuracy in %",
    head: Callable[[Any], str] = lambda value: f"{value:g}",
    beside: Mapping[str, Column] | None = None,
    width: int = 200,
) -> None:
    """Prints a `memsim.study.summary`: mean [its 95 % interval] (5th to 95th percentile), in percent.

    **Arguments:**

    - `rows`: Names of the labels that tell the rows apart.
    - `along`: The name that runs from left to right; each of its values has a `head`.
    - `beside`: Further columns, before those of `along`.
    """
    beside = beside or {}
    lines = []
    for labels, found in table.groupby(list(rows), sort=False):
        place = dict(zip(rows, labels, strict=True))
        words = [_words(cell) for cell in found.to_dict("records")]
        lines.append([*map(_label, labels), *(column(place) for column in beside.values()), *words])
    columns = [*rows, *beside, *map(head, table[along].unique())]
    over = " and ".join(table.interval_over.unique())
    title = f"{title}: mean [95 % interval over {over}] (5th–95th percentile)"
    if "measured" in table.columns:
        title += "; *: age not measured"
    print_table(columns, lines, title=title, width=width)


def print_intervals(
    columns: Mapping[str, xr.DataArray],
    rows: Sequence[dict[str, Any]],
    *,
    title: str,
    form: str = ".1f",
    width: int = 200,
) -> None:
    """Prints the mean of each of the `columns` with its 95 % interval, in percent, at the places `rows`; NaN is "-"."""

    def words(values: xr.DataArray, place: dict[str, Any]) -> str:
        chosen = values.sel({name: value for name, value in place.items() if name in values.dims})
        return "-" if np.isnan(chosen).all() else ms.study.interval(chosen).in_percent(form)

    lines = [[*map(_label, place.values()), *(words(each, place) for each in columns.values())] for place in rows]
    print_table([*rows[0], *columns], lines, title=title, width=width)


def mean_of(values: xr.DataArray, form: str = ".1f") -> Column:
    """A column with the mean of `values` at the labels of each row, in percent."""

    def words(place: dict[str, Any]) -> str:
        chosen = values.sel({name: value for name, value in place.items() if name in values.dims})
        return f"{100 * float(chosen.mean()):{form}}"

    return words


def gain(first: xr.DataArray, second: xr.DataArray, form: str = "+.2f") -> str:
    """The mean of `first` less `second` in points with its interval, in pairs."""
    change = ms.study.difference(first, second)
    return f"{ms.study.interval(change).in_percent(form, ' points')}, paired, over {ms.study.interval_over(change)}"


def duration(seconds: float) -> str:
    """A time as people say it."""
    for size, unit in ((YEAR, "y"), (30 * DAY, "mo"), (DAY, "d"), (HOUR, "h")):
        if seconds >= 0.999 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:g} s"


def _label(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _words(cell: Mapping[str, Any]) -> str:
    mean, low, high, p5, p95 = (100 * cell[name] for name in ("mean", "low", "high", "p5", "p95"))
    mark = "" if cell.get("measured", True) else "*"
    return f"{mean:.1f}{mark} [{low:.1f}, {high:.1f}] ({p5:.1f}–{p95:.1f})"
