"""Wires between the cells of one tile."""

from ._abstract import AbstractWires as AbstractWires
from ._abstract import IdealWires as IdealWires
from ._alpha_beta import AlphaBetaWires as AlphaBetaWires
from ._resistive import ResistiveWires as ResistiveWires
from ._resistive import WireSolution as WireSolution
from ._sensitivity import Sensitivity as Sensitivity
from ._sensitivity import sensitivity as sensitivity
from ._switched import SwitchedWires as SwitchedWires

__all__ = [
    "AbstractWires",
    "AlphaBetaWires",
    "IdealWires",
    "ResistiveWires",
    "Sensitivity",
    "SwitchedWires",
    "WireSolution",
    "sensitivity",
]
