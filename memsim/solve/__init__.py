"""Equations and searches solved with arrays."""

from ._anneal import Annealed as Annealed
from ._anneal import Cooling as Cooling
from ._anneal import anneal as anneal
from ._anneal import cut as cut
from ._anneal import energy as energy
from ._inverse import AbstractInverse as AbstractInverse
from ._inverse import AbstractSolved as AbstractSolved
from ._inverse import ClosedLoop as ClosedLoop
from ._inverse import Iterative as Iterative
from ._operator import LinearOperator as LinearOperator
from ._refine import Refined as Refined
from ._refine import refine as refine
from ._sliced import bit_sliced as bit_sliced
from ._transposed import transposed as transposed
from ._walk import Walked as Walked
from ._walk import walk_sat as walk_sat

__all__ = [
    "AbstractInverse",
    "AbstractSolved",
    "Annealed",
    "ClosedLoop",
    "Cooling",
    "Iterative",
    "LinearOperator",
    "Refined",
    "Walked",
    "anneal",
    "bit_sliced",
    "cut",
    "energy",
    "refine",
    "transposed",
    "walk_sat",
]
