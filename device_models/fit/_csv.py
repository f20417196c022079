"""Measurements from text files whose columns carry their units."""

import codecs
import csv
import io
import re
from pathlib import Path

import numpy as np
from jaxtyping import Float

from .._checks import checked
from .._checks._names import nearest
from .._files import as_path

PREFIXES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6}
BASES = ("S", "s", "V", "A", "Hz", "Ohm")
UNITS = {f"{prefix}{base}": (scale, base) for base in BASES for prefix, scale in PREFIXES.items()}
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}  # that other programs write for commas
# Bytes that no text has; an old program may have ended it with 1A.
NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x19\x1b-\x1f]")
DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+([eE][-+]?\d+)?")
WRITE_POINTS = "Decimal commas? Write points: 1.5."
UNITS |= {"1": (1.0, "1"), "%": (1e-2, "1"), "min": (60.0, "s"), "h": (3600.0, "s"), "d": (86400.0, "s")}


@checked()
def read_csv(path: str | Path, columns: dict[str, str]) -> dict[str, Float[np.ndarray, " rows"]]:
    """Columns of a comma-separated file, converted to SI units.

    The first line names the columns, each with its unit in square brackets: `target [uS], time [h]`. A column without
    brackets is a pure number, "1". Lines that begin with `#` and empty lines are skipped. Text may be in UTF-8, in
    UTF-16 as spreadsheets mark it, or in Windows' western code page.

    **Arguments:**

    - `path`: The file.
    - `columns`: For each column to read the unit it is wanted in: `{"target": "S", "time": "s"}`. One of S, s, V, A,
      Hz, Ohm or 1.

    **Returns:** One array a column, rows in the order of the file.

    **Raises:** `ValueError` for a column that is missing, a unit that is unknown or of another kind, an entry that is
    not a finite number, a line with more or fewer entries than there are columns, and a file without numbers.

    >>> import numpy as np, device_models as dm
    >>> np.savetxt("cells.csv", ["target [uS],measured [uS]", "10,10.5", "20,19"], fmt="%s")
    >>> columns = dm.fit.read_csv("cells.csv", {"target": "S", "measured": "S"})
    >>> print(1e6 * columns["measured"])
    [10.5 19. ]
    """
    _check_wanted(columns)
    lines = [(i, line) for i, line in _lines(as_path(path)) if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise ValueError(f"A file of measurements must have a line that names its columns. {path} is empty.")
    rows = [next(csv.reader([line], skipinitialspace=True)) for _, line in lines]
    header = _header(rows[0], path)
    for name in columns:
        if name not in header:
            raise ValueError(f"{path} must have a column {name!r}. Got {list(header)}. {_remedy(name, header, lines)}")
    if len(rows) == 1:
        raise ValueError(f"A file of measurements must have a line of numbers. {path} only names its columns.")
    numbers = [number for number, _ in lines[1:]]
    _check_longest(rows, numbers, path)
    found = {name: _column(rows[1:], numbers, *header[name], name, unit, path) for name, unit in columns.items()}
    _check_shortest(rows, numbers, path)
    return found


@checked()
def read_cells(
    path: str | Path, columns: dict[str, str], *, cell: str = "cell"
) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, "cells points"]]:
    """The first of two `columns` as an axis, and the second at its points for every cell.

    The file has one line for each cell and point, in any order; the column that `cell` names numbers the cells.
    Further columns, such as the target of each cell, are read by `read_csv`.
    `times, conductances = read_cells(path, {"time": "s", "conductance": "S"})` is what `fit_drift` takes.

    Raises `ValueError` where a cell lacks a point or has it twice, and as `read_csv` does.

    >>> import numpy as np, device_models as dm
    >>> lines = ["cell,time [s],conductance [uS]", "0,1,10", "0,2,9", "1,1,20", "1,2,19"]
    >>> np.savetxt("drift.csv", lines, fmt="%s")
    >>> times, g = dm.fit.read_cells("drift.csv", {"time": "s", "conductance": "S"})
    >>> print(times, 1e6 * g)
    [1. 2.] [[10.  9.]
     [20. 19.]]
    """
    if len(columns) != 2:
        raise ValueError(f"`columns` must name two: the axis and what is measured along it. Got {list(columns)}.")
    data = read_csv(path, {cell: "1", **columns})
    axis, values = (data[name] for name in columns)
    cells, row = np.unique(data[cell], return_inverse=True)
    points, column = np.unique(axis, return_inverse=True)
    count = np.zeros((len(cells), len(points)), int)
    np.add.at(count, (row, column), 1)
    if np.any(count != 1):
        i, j = np.argwhere(count != 1)[0]
        raise ValueError(
            f"{path} must have one line for each cell and {next(iter(columns))}. Got {count[i, j]} for cell "
            f"{cells[i]:g} at {points[j]:g} (SI). Leave incomplete cells out, average repeated ones."
        )
    table = np.empty(count.shape)
    table[row, column] = values
    return points, table


def to_si(unit: str, wanted: str, what: str) -> float:
    """What a number in `unit` is multiplied by to be in `wanted`, an SI unit; `what` has it, for the error."""
    if unit not in UNITS:
        near = nearest(unit, UNITS, otherwise=BASES)
        raise ValueError(f"The unit of {what} must be a known one. Got {unit!r}. Did you mean {near}?")
    scale, base = UNITS[unit]
    if base != wanted:
        remedy = "Is it another column?" if unit != "1" else "Write it in square brackets: `time [h]`."
        raise ValueError(f"The unit of {what} must be {wanted} or a multiple of it. Got {unit!r}. {remedy}")
    return scale


def _lines(path: Path) -> list[tuple[int, str]]:
    """The lines of a text file, numbered from 1."""
    if not path.is_file():
        raise FileNotFoundError(f"A file of measurements must be there. Got {path}, which is none.")
    data = path.read_bytes()
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not data.startswith(codecs.BOM_UTF32_LE)
    if NO_TEXT.search(data) and not wide:
        raise ValueError(
            f"A file of measurements must be text. Got {path}, which has zero bytes or others of no text. A workbook, "
            "a packed file, UTF-32, or UTF-16 without a mark? Save it as CSV in UTF-8."
        )
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        try:
            return list(enumerate(io.StringIO(data.decode(encoding), newline=None), start=1))
        except UnicodeDecodeError:
            continue
    raise ValueError(f"A file of measurements must be text in a known encoding. Got {path}; save it as UTF-8.")


def _check_wanted(columns: dict[str, str]) -> None:
    for name, unit in columns.items():
        if unit not in (*BASES, "1"):
            raise ValueError(
                f"`columns` must want each in one of {', '.join(BASES)} or 1. Got {unit!r} for {name!r}. The file says "
                "which multiple it has."
            )


def _remedy(name: str, header: dict[str, tuple[int, str]], lines: list[tuple[int, str]]) -> str:
    for separator, word in SEPARATORS.items():
        if separator in lines[0][1]:
            return f"Its columns are separated by {word}: save it with commas for columns and points in numbers."
    return f"Did you mean {nearest(name, header)}?"


def _check_longest(rows: list[list[str]], numbers: list[int], path: str | Path) -> None:
    """More entries than columns shift those behind a decimal comma; empty ones at the end say nothing."""
    for number, row in zip(numbers, rows[1:], strict=True):
        if any(entry.strip() for entry in row[len(rows[0]) :]):
            raise ValueError(
                f"Line {number} of {path} must have {len(rows[0])} entries, one a column. Got {len(row)}: "
                f"{','.join(row)!r}. {WRITE_POINTS}"
            )


def _check_shortest(rows: list[list[str]], numbers: list[int], path: str | Path) -> None:
    for number, row in zip(numbers, rows[1:], strict=True):
        if len(row) < len(rows[0]):
            raise ValueError(
                f"Line {number} of {path} must have {len(rows[0])} entries, one a column. Got {len(row)}. Was the file "
                "cut? Leave that line out."
            )


def _header(row: list[str], path: str | Path) -> dict[str, tuple[int, str]]:
    """Position and unit of each column by its name; empty ones at the end are dropped from `row`."""
    while row and not row[-1].strip():
        row.pop()
    header = {}
    for i, cell in enumerate(row):
        name, bracket, rest = cell.partition("[")
        name, unit = name.strip(), rest.strip().removesuffix("]").strip() if bracket else "1"
        if name in header:
            raise ValueError(f"The columns of {path} must have different names. Got {name!r} twice.")
        header[name] = (i, unit)
    return header


def _column(
    rows: list[list[str]], numbers: list[int], index: int, unit: str, name: str, wanted: str, path: str | Path
) -> Float[np.ndarray, " rows"]:
    scale = to_si(unit, wanted, f"column {name!r} of {path}")
    values = np.empty(len(rows))
    for i, (number, row) in enumerate(zip(numbers, rows, strict=True)):
        text = row[index].strip() if index < len(row) else ""
        try:
            values[i] = float(text.replace("_", "?"))  # Python reads 1_5 as 15
        except ValueError:
            values[i] = np.nan
        if not np.isfinite(values[i]):
            remedy = WRITE_POINTS if DECIMAL_COMMA.fullmatch(text) else "Leave that line out."
            raise ValueError(
                f"Column {name!r} of {path} must hold finite numbers. Got {text!r} in line {number}. {remedy}"
            )
    return values * scale
