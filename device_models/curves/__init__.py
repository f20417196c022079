"""How one number of a cell depends on its conductance."""

from ._curves import AbstractCurve as AbstractCurve
from ._curves import Branches as Branches
from ._curves import Chebyshev as Chebyshev
from ._curves import ClippedLog as ClippedLog
from ._curves import Constant as Constant
from ._curves import InversePower as InversePower
from ._curves import InverseProportional as InverseProportional
from ._curves import Polynomial as Polynomial
from ._curves import Proportional as Proportional
from ._curves import Saturating as Saturating
from ._curves import Table as Table

__all__ = [
    "AbstractCurve",
    "Branches",
    "Chebyshev",
    "ClippedLog",
    "Constant",
    "InversePower",
    "InverseProportional",
    "Polynomial",
    "Proportional",
    "Saturating",
    "Table",
]
