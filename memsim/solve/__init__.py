"""Equations and searches solved with arrays."""

from ._inverse import AbstractInverse as AbstractInverse
from ._inverse import AbstractSolved as AbstractSolved
from ._inverse import ClosedLoop as ClosedLoop
from ._inverse import Iterative as Iterative
from ._operator import LinearOperator as LinearOperator
from ._refine import Refined as Refined
from ._refine import refine as refine
from ._sliced import bit_sliced as bit_sliced
from ._transposed import transposed as transposed
