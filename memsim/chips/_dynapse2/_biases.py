"""The bias generator of DYNAP-SE2: a coarse and a fine number for each current that a core has."""

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np

TYPES = ("N", "P")  # of the transistor that mirrors the current
COARSE, FINE = 6, 256


class Bias(NamedTuple):
    """A setting of the generator, and the current it gives, in amperes."""

    coarse: int
    fine: int
    current: float


@functools.cache
def table() -> np.ndarray:
    """All currents by type, coarse and fine number, in amperes, as the vendor documents them."""
    with np.load(Path(__file__).with_name("currents.npz"), allow_pickle=False) as file:
        return file["current"]


def current(kind: str, coarse: int, fine: int) -> float:
    """What the generator gives for a coarse and a fine number, in amperes."""
    return float(table()[TYPES.index(kind), coarse, fine])


def nearest(wanted: float, kind: str = "N") -> Bias:
    """The setting whose current is nearest to `wanted` amperes, by its ratio."""
    currents = table()[TYPES.index(kind)]
    place = int(np.argmin(np.abs(np.log(currents / wanted))))
    coarse, fine = np.unravel_index(place, currents.shape)
    return Bias(int(coarse), int(fine), float(currents[coarse, fine]))
