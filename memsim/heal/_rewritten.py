"""Cells some of which were written again later than the others."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from device_models import AbstractDevice
from device_models._device import ages, writes
from device_models._wrappers._wrapper import AbstractWrapper


class RewrittenCells(eqx.Module):
    """Cells as they were written `first`, and `again` at the age `when`; `which` of them were."""

    first: Any
    again: Any
    which: Bool[Array, "*cells"]
    when: Float[Array, ""]


class Rewritten(AbstractWrapper):
    """`device`, cells of which may be written again: their age counts from then on."""

    device: AbstractDevice

    @writes
    def program(self, target: Float[Array, "*cells"], *, key: Key[Array, ""]) -> RewrittenCells:
        return self._once(self.device.program(target, key=key), target.shape)

    def holding(self, g: Float[Array, "*cells"], *, key: Key[Array, ""]) -> RewrittenCells:
        return self._once(self.device.holding(g, key=key), g.shape)

    @ages
    def conductance(self, cells: RewrittenCells, t: Float[Array, ""]) -> Float[Array, "*cells"]:
        first = self.device.conductance(cells.first, t)
        again = self.device.conductance(cells.again, jnp.maximum(t - cells.when, 0.0))
        return jnp.where(self._are_new(cells, t), again, first)

    @ages
    def read_noise(self, cells: RewrittenCells, t: Float[Array, ""]) -> Float[Array, "*cells"] | None:
        first = self.device.read_noise(cells.first, t)
        again = self.device.read_noise(cells.again, jnp.maximum(t - cells.when, 0.0))
        if first is None or again is None:
            return None
        return jnp.where(self._are_new(cells, t), again, first)

    def _are_new(self, cells: RewrittenCells, t: Float[Array, ""]) -> Bool[Array, "*cells"]:
        return cells.which & (t >= cells.when)

    def _once(self, cells: Any, shape: tuple[int, ...]) -> RewrittenCells:
        """Cells that were written once only."""
        return RewrittenCells(cells, cells, jnp.zeros(shape, bool), jnp.zeros(()))
