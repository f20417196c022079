"""A chip designed by its gradient."""

from ._descend import Descent as Descent
from ._descend import descend as descend
from ._free import Free as Free
from ._front import Descended as Descended
from ._front import Front as Front
from ._priced import PricedChip as PricedChip

__all__ = [
    "Descended",
    "Descent",
    "Free",
    "Front",
    "PricedChip",
    "descend",
]
