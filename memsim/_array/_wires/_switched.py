"""Wires that are switched to ideal ones by a number, so that they compile once."""

import jax
from jaxtyping import Array, Bool, Float

from ._abstract import AbstractWires
from ._checks import Conductances, as_conductances


class SwitchedWires(AbstractWires):
    """`wires` where they are `real`, ideal ones where not."""

    wires: AbstractWires
    real: Bool[Array, ""]

    def effective(self, g: Conductances) -> Float[Array, "rows columns"]:
        return jax.lax.cond(self.real, self.wires.effective, lambda g: g, as_conductances(g))
