"""Tables for a paper: means with their uncertainty, as LaTeX, Markdown, CSV or plain text."""

import csv
import io
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from .._checks import checked, described, did_you_mean, whole
from ._digits import Form, Markup, with_uncertainty
from ._interval import Interval, Method
from ._statistics import summary

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Best = Literal["highest", "lowest"]
NUMBERS = ("mean", "low", "high")
NOT_LABELS = (*NUMBERS, "p5", "p95", "p", "p_adjusted", "interval_over", "measured")
LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}"}
LATEX |= {">": r"\textgreater{}"} | {sign: f"\\{sign}" for sign in "&%$#_{}"}
MARKDOWN = {sign: f"\\{sign}" for sign in "\\|*_`<>[]"}


class TableOfMeans(NamedTuple):
    """Means and intervals in rows and columns, made by `memsim.study.table`, and how they are written.

    - `names`: Of the labels that rows have; of rows, the labels; of columns, their heads.
    - `cells`: An interval for each row and column.
    - `form`, `percent`, `digits`: As of `memsim.study.with_uncertainty`.
    - `best`: Whether the "highest" or the "lowest" of each column is in bold.

    >>> import numpy as np, xarray as xr, memsim as ms
    >>> values = np.linspace(0.8, 0.9, 6).reshape(3, 2)
    >>> accuracy = xr.DataArray(values, {"chip": range(3), "time": [0.0, 3600.0]}, name="accuracy")
    >>> print(ms.study.table(accuracy, percent=True).to_markdown(), end="")
    | time | mean (%) |
    | --- | ---: |
    | 0 | 84.0 ± 9.9 |
    | 3600 | 86.0 ± 9.9 |
    """

    names: list[str]
    rows: list[tuple[str, ...]]
    columns: list[str]
    cells: list[list[Interval]]
    form: Form
    percent: bool
    digits: int | None
    best: Best | None

    def to_latex(self) -> str:
        """A tabular for the packages booktabs and siunitx. The best are bold, and escaped is what LaTeX would read."""
        lines = [rf"\begin{{tabular}}{{{'l' * len(self.names)}{'c' * len(self.columns)}}}", r"\toprule"]
        heads = [_escaped(head, LATEX) for head in self._heads()]
        lines += [" & ".join(heads) + r" \\", r"\midrule"]
        for labels, cells in zip(self.rows, self._written("latex"), strict=True):
            lines.append(" & ".join([*(_escaped(label, LATEX) for label in labels), *cells]) + r" \\")
        return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])

    def to_markdown(self) -> str:
        """A table of GitHub's Markdown."""
        heads = [_escaped(head, MARKDOWN) for head in self._heads()]
        lines = [heads, ["---"] * len(self.names) + ["---:"] * len(self.columns)]
        for labels, cells in zip(self.rows, self._written("markdown"), strict=True):
            lines.append([*(_escaped(label, MARKDOWN) for label in labels), *cells])
        return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"

    def to_csv(self) -> str:
        """Comma-separated values: for each column the mean and the bounds, rounded; what is missing is empty."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        sign = " (%)" if self.percent else ""
        bounds = [f"{column}{bound}{sign}" for column in self.columns for bound in ("", " low", " high")]
        writer.writerow([*self.names, *bounds])
        for labels, cells in zip(self.rows, self.cells, strict=True):
            writer.writerow([*labels, *(number for cell in cells for number in self._numbers(cell))])
        return out.getvalue()

    def to_text(self) -> str:
        """Plain text in columns."""
        lines = [self._heads(), *([*row, *cells] for row, cells in zip(self.rows, self._written("text"), strict=True))]
        widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
        return "".join("  ".join(map(str.ljust, line, widths)).rstrip() + "\n" for line in lines)

    def _heads(self) -> list[str]:
        return [*self.names, *(f"{column} (%)" if self.percent else column for column in self.columns)]

    def _numbers(self, cell: Interval) -> list[str]:
        """The mean and the bounds, each by itself."""
        if math.isnan(cell.mean):
            return ["", "", ""]
        text = with_uncertainty(cell, form="brackets", percent=self.percent, digits=self.digits or 2)
        found = text.replace("[", "").replace("]", "").replace(",", "").split()
        return found if len(found) == 3 else [*found, "", ""]

    def _written(self, markup: Markup) -> list[list[str]]:
        style: dict[str, Any] = {"form": self.form, "percent": self.percent, "digits": self.digits, "markup": markup}
        return [
            [
                _bold(with_uncertainty(cell, **style), markup) if best else with_uncertainty(cell, **style)
                for cell, best in row
            ]
            for row in self._marked()
        ]

    def _marked(self) -> list[list[tuple[Interval, bool]]]:
        """Each cell, and whether it is the best of its column."""
        means = np.array([[cell.mean for cell in row] for row in self.cells], float)
        if self.best is None:
            best = np.zeros(means.shape, bool)
        else:
            worst = -np.inf if self.best == "highest" else np.inf
            filled = np.where(np.isnan(means), worst, means)
            best = (filled == (filled.max(0) if self.best == "highest" else filled.min(0))) & ~np.isnan(means)
        return [list(zip(row, map(bool, marks), strict=True)) for row, marks in zip(self.cells, best, strict=True)]


@checked(digits=whole(1, most=15))
def table(
    result: "xr.DataArray | xr.Dataset | pd.DataFrame",
    columns: str | None = None,
    over: Sequence[str] | None = None,
    *,
    method: Method = "mixed model",
    form: Form = "plus-minus",
    percent: bool = False,
    digits: int | None = None,
    best: Best | None = None,
) -> TableOfMeans:
    """Means with their uncertainty in the right digits, as a table for a paper: `table(...).to_latex()`.

    **Arguments:**

    - `result`: A result or an array of any measure, of which this is the `memsim.study.summary`; or a `DataFrame` with
      `mean`, `low` and `high`, such as that of `memsim.study.compare`. All its other columns but p-values and what the
      summary adds are labels of the rows.
    - `columns`: The dimension, or label, that runs from left to right, such as "time".
    - `over`, `method`: As of `memsim.study.summary`.
    - `form`, `percent`, `digits`: As of `memsim.study.with_uncertainty`; `percent` adds "(%)" to the heads.
    - `best`: "highest" or "lowest", which is in bold in each column.

    >>> import numpy as np, xarray as xr, memsim as ms
    >>> values = np.linspace(0.8, 0.9, 6).reshape(3, 2)
    >>> accuracy = xr.DataArray(values, {"chip": range(3), "time": [0.0, 3600.0]}, name="accuracy")
    >>> print(ms.study.table(accuracy, columns="time", percent=True).to_markdown(), end="")
    | time 0 (%) | time 3600 (%) |
    | ---: | ---: |
    | 84.0 ± 9.9 | 86.0 ± 9.9 |
    """
    import pandas as pd

    frame = result if isinstance(result, pd.DataFrame) else summary(result, over, method=method)
    missing = [name for name in NUMBERS if name not in frame.columns]
    if missing or not len(frame):
        raise ValueError(
            f"`result` must have rows with `mean`, `low` and `high`. Got {described(list(frame.columns))}."
        )
    labels = [str(name) for name in frame.columns if name not in NOT_LABELS]
    if columns is not None and columns not in labels:
        raise ValueError(did_you_mean("`columns`", columns, labels))
    names = [name for name in labels if name != columns]
    found: dict[tuple[str, ...], dict[str, Interval]] = {}
    for row in frame.to_dict("records"):
        place = tuple(_label(row[name]) for name in names)
        head = "mean" if columns is None else _head(columns, row[columns])
        if head in found.setdefault(place, {}):
            raise ValueError(f"`result` must have one row for each of its labels. Got two of {place}, {head}.")
        found[place][head] = Interval(*(float(row[name]) for name in NUMBERS))
    heads = list(dict.fromkeys(head for row in found.values() for head in row))
    nothing = Interval(math.nan, math.nan, math.nan)
    cells = [[row.get(head, nothing) for head in heads] for row in found.values()]
    return TableOfMeans(names, list(found), heads, cells, form, percent, digits, best)


def _label(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"


def _head(name: str, value: Any) -> str:
    """A word by itself, and a number with the name of what it is."""
    return value if isinstance(value, str) else f"{name} {_label(value)}"


def _escaped(text: str, signs: dict[str, str]) -> str:
    return "".join(signs.get(sign, sign) for sign in text)


def _bold(text: str, markup: Markup) -> str:
    if markup != "latex":
        return f"**{text}**" if markup == "markdown" else f"{text} *"
    # \num is not bold within \textbf unless siunitx is told so, in a way of each version.
    plain = re.sub(r"\\num\{([^}]*)\}", r"\1", text)
    plain = re.sub(r"(.*) \+- (.*) e", r"(\1 +- \2)e", plain)
    plain = re.sub(r"e(-?\d+)", r" \\times 10^{\1}", plain)
    return rf"$\mathbf{{{plain.replace('+-', chr(92) + 'pm')}}}$"
