"""What a part of one's own inherits: a converter, a mapping, wires, a way to write cells, a choice of ranges."""

from ._array import AbstractADC as AbstractADC
from ._array import AbstractDAC as AbstractDAC
from ._array import AbstractMapping as AbstractMapping
from ._array import AbstractProgramming as AbstractProgramming
from ._array import AbstractRanges as AbstractRanges
from ._array import AbstractWires as AbstractWires

__all__ = [
    "AbstractADC",
    "AbstractDAC",
    "AbstractMapping",
    "AbstractProgramming",
    "AbstractRanges",
    "AbstractWires",
]
