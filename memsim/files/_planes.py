"""What the planes and bit lines of a chip are called."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Int

from .._array import AbstractMapping, BitSliced, Chip, Crossbar, DifferentialPair, OffsetColumn
from .._checks import described


class Plane(NamedTuple):
    """An array of cells: which digit of the weights it holds, and of which sign; a sign of 0 is both in one cell."""

    slice: int
    sign: int
    name: str


SIGNS = {"positive": 1, "negative": -1, "single": 0}


def planes_of(mapping: AbstractMapping, count: int) -> list[Plane]:
    """The planes of a chip, in its order: "positive", "negative"; with several digits "positive_0" and so on."""
    inner, slices = (mapping.mapping, mapping.slices) if isinstance(mapping, BitSliced) else (mapping, 1)
    signs = ("positive", "negative") if isinstance(inner, DifferentialPair) else ("single",)
    if len(signs) * slices != count:  # a mapping of the user's own
        return [Plane(place, 0, f"plane_{place}") for place in range(count)]
    many = isinstance(mapping, BitSliced)
    return [Plane(digit, SIGNS[sign], f"{sign}_{digit}" if many else sign) for digit in range(slices) for sign in signs]


def columns_of(crossbar: Crossbar, lines: int) -> Int[np.ndarray, " lines"]:
    """The column of weights that each bit line belongs to; -1 for a reference."""
    mapping = crossbar.mapping.mapping if isinstance(crossbar.mapping, BitSliced) else crossbar.mapping
    if not (isinstance(mapping, OffsetColumn) and mapping.offset == "column"):
        return np.arange(lines)
    found, column = np.full(lines, -1), 0
    for start in range(0, lines, crossbar.tile[1] + 1):
        stop = min(start + crossbar.tile[1] + 1, lines) - 1
        found[start:stop] = np.arange(column, column + stop - start)
        column += stop - start
    return found


def conductances_of(chip: Chip, t: Array) -> Float[np.ndarray, "planes rows lines"]:
    """All cells of one chip at `t`, in siemens."""
    if not isinstance(chip, Chip) or chip.scales.ndim != 2:
        several = "; take one of several, `jax.tree.map(lambda a: a[0], chips)`" if isinstance(chip, Chip) else ""
        raise ValueError(f"`chip` must be one memsim.Chip. Got {described(chip)}{several}.")
    return np.asarray(chip.crossbar.device.conductance(chip.cells, t))
