"""Current-voltage relations of a cell."""

from ._iv import AbstractIV as AbstractIV
from ._iv import Cubic as Cubic
from ._iv import MiloPolynomial as MiloPolynomial
from ._iv import Ohmic as Ohmic
from ._iv import Sinh as Sinh

__all__ = [
    "AbstractIV",
    "Cubic",
    "MiloPolynomial",
    "Ohmic",
    "Sinh",
]
