"""Raw relaxation of oxide cells, as published, sorted into one row a cell."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from .._checks import at_least, check, checked, that
from ._get import fetched, find_source

LARGEST = 0.1  # siemens; more is micro-siemens by mistake
SECONDS = at_least(0.0, "in seconds", most=1e12)
SIEMENS = at_least(0.0, "in siemens", most=LARGEST, hint="Micro-siemens? Multiply by 1e-6.")
READS = that("in siemens, or NaN", lambda g: ~(np.abs(g) > LARGEST), hint="Micro-siemens? Multiply by 1e-6.")
LEVELS = 32
G_MAX = {"A": 240e-6, "B": 128e-6, "C": 40e-6}  # siemens, of the publisher's settings
FILES = {"A": "techA_bake.tsv", "B": "techB_relaxdata_10k.min.tsv", "C": "techC_relaxdata.min.tsv"}
COLUMNS = {"A": 5, "B": 7, "C": 7}
BAKES = (373.15, 413.15, 453.15, 493.15, 533.15)  # kelvins
ZERO_CELSIUS = 273.15


@dataclass(frozen=True, eq=False)
class Relaxation:
    """Reads of many cells at a few ages: what `device_models.fit.fit_relaxation` and `device_models.Empirical` take.

    **Arguments:**

    - `name`: What the set is called.
    - `times`: Nominal ages, in seconds; the first is 0.
    - `targets`: The middle of the level each cell was written to, in siemens; of bakes, the first read.
    - `conductances`: (cells, times), in siemens; NaN where a cell was not read.
    - `g_max`: The highest conductance written, in siemens.
    - `licence`, `citation`: Terms under which the data may be passed on, and what to cite.

    >>> import numpy as np, memsim as ms
    >>> times, targets, g = np.array([0.0, 1.0]), np.array([9e-6]), np.array([[9e-6, 8e-6]])
    >>> ms.data.Relaxation("mine", times, targets, g, g_max=4e-5, licence="MIT", citation="").conductances.shape
    (1, 2)
    """

    name: str
    times: Float[np.ndarray, " times"]
    targets: Float[np.ndarray, " cells"]
    conductances: Float[np.ndarray, "cells times"]
    g_max: float
    licence: str
    citation: str

    def __post_init__(self):
        check(self, times=SECONDS, targets=SIEMENS, conductances=READS, g_max=SIEMENS)
        cells, times = self.conductances.shape
        if (cells, times) != (len(self.targets), len(self.times)):
            raise ValueError(
                "`conductances` must be (cells, times), a row for each of `targets` and a column for each of `times`. "
                f"Got {self.conductances.shape} for {len(self.targets)} targets and {len(self.times)} times."
            )

    def complete(self) -> "Relaxation":
        """The cells that were read at all ages."""
        return self._of(np.all(~np.isnan(self.conductances), axis=1))

    def _of(self, cells: Bool[np.ndarray, " cells"]) -> "Relaxation":
        return replace(self, targets=self.targets[cells], conductances=self.conductances[cells])


@checked()
def rram_relaxation(
    technology: Literal["A", "B", "C"] = "C", *, temperature: float | None = None, folder: Path | str | None = None
) -> Relaxation:
    """Relaxation of about 16 thousand oxide cells written to one of 32 levels, at five or six ages up to a day.

    `memsim data get rram_relaxation` fetches it. C: 0 to 40 uS, read at 0, 0.01, 0.1, 1, 4 (half of the cells) and
    1e5 s. B: 0 to 128 uS, at 0, 0.01, 0.1, 1, 100, 1e3 and 1e4 s. Of A, 0 to 240 uS, the bakes: read at 0 and after
    one to two hours at a temperature; its relaxation is published, too, in a file that is not fetched. The publisher
    does not say which chips these are. Cells beyond the highest level, under 3 %, are left out.

    **Arguments:**

    - `technology`: "A", "B" or "C".
    - `temperature`: Of a bake in kelvins, for technology A: 373.15, 413.15, 453.15, 493.15 or 533.15.
    - `folder`: As for `memsim.data.get`.

    Raises `FileNotFoundError` where the data set has not been fetched, and `ValueError` for damaged files and for a
    temperature that was not measured. Licence: MIT. Reference: Levy2024.

    >>> import memsim as ms
    >>> ms.data.sources()["rram_relaxation"].licence
    'MIT'
    """
    _check(technology, temperature)
    source = find_source("rram_relaxation")
    table = _read(fetched("rram_relaxation", folder) / FILES[technology], COLUMNS[technology])
    if temperature is not None:
        table = table[np.isclose(table[:, 4] + ZERO_CELSIUS, temperature)]
        bake = np.median(table[table[:, 1] > 0, 1])
        ages, level = np.where(table[:, 1] > 0, np.round(bake), 0.0), np.zeros(len(table))
    else:
        ages, level = table[:, 6], table[:, 5]
    times, column = np.unique(ages, return_inverse=True)
    cells, first, row = np.unique(table[:, 0], return_index=True, return_inverse=True)
    conductances = np.full((len(cells), len(times)), np.nan)
    conductances[row, column] = table[:, 3]
    targets = conductances[:, 0] if temperature is not None else (level[first] + 0.5) * G_MAX[technology] / LEVELS
    found = Relaxation(
        f"rram_relaxation {technology}",
        times,
        targets,
        conductances,
        G_MAX[technology],
        source.licence,
        source.citation,
    )
    return found._of((level[first] < LEVELS) & ~np.isnan(conductances[:, 0]))


def _check(technology: str, temperature: float | None) -> None:
    known = temperature is None or bool(np.isclose(temperature, BAKES).any())
    if (technology == "A") != (temperature is not None) or not known:
        raise ValueError(
            f"`temperature` must be one of {BAKES} for technology A, in kelvins, and None for the others. "
            f"Got {temperature} for technology {technology}. Degrees Celsius? Add 273.15."
        )


def _read(path: Path, columns: int) -> Float[np.ndarray, "reads columns"]:
    try:
        table = np.loadtxt(path, ndmin=2)
    except ValueError as error:
        raise ValueError(_damaged(path, str(error))) from error
    if table.shape[1] != columns or len(table) == 0 or not np.isfinite(table).all():
        raise ValueError(_damaged(path, f"{table.shape[0]} rows of {table.shape[1]} numbers"))
    return table


def _damaged(path: Path, what: str) -> str:
    return (
        f"{path} must be the published table of numbers. Reading it gave: {what}. Delete its folder and run "
        "`memsim data get rram_relaxation` again."
    )
