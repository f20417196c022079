"""What reads see of an array of ohmic cells: y = x @ matrix, and how the matrix follows cells and wires."""

from abc import abstractmethod
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._network import Network, Ohms, Sides, by_ohm, network

BLOCK = 32  # rows whose voltages are gone through at once: they stay in a processor's cache, those of all do not


class Seen(NamedTuple):
    """The arrays of cells as they are seen with some conductances and resistances.

    `matrix` is what inputs are multiplied with, `own` what the output of a bit line gains by one siemens more of each
    of its cells, for one unit across the terminals. `circuit` is kept for the slopes of an `AbstractArray`.
    """

    matrix: Float[Array, "inputs outputs"]
    own: Float[Array, "planes rows lines"]
    circuit: Network | None


class AbstractArray(eqx.Module):
    """A linear network of cells. The outputs of its bit lines are the last ones, there may be others before them."""

    @abstractmethod
    def seen(self, g: Float[Array, "planes rows lines"], ohms: Ohms) -> Seen:
        """The array with cells of `g` siemens."""

    @abstractmethod
    def by_ohm(self, seen: Seen, name: str, ohms: Ohms) -> Float[Array, "inputs outputs"]:
        """Slope of the matrix by the resistance `name`."""

    @abstractmethod
    def along(self, seen: Seen, d: Float[Array, "planes rows lines"]) -> Float[Array, "inputs outputs"]:
        """Change of the matrix for small changes `d` of the cells."""

    @abstractmethod
    def back(self, seen: Seen, m: Float[Array, "inputs outputs"]) -> Float[Array, "planes rows lines"]:
        """The transpose of `along`."""

    @abstractmethod
    def information(
        self, seen: Seen, x: Float[Array, "reads inputs"], weight: Float[Array, " outputs"]
    ) -> Float[Array, "cells cells"]:
        """What inputs `x` tell of all cells together, outputs of one variance each, one over `weight`."""

    @property
    @abstractmethod
    def whole(self) -> bool:
        """Whether outputs are of other lines than bit lines, too, so that cells are best told all together."""

    @abstractmethod
    def across(self, x: Float[Array, "reads inputs"]) -> Float[Array, "#lines reads rows"]:
        """What inputs put across the terminals of each cell, from its driver to its sink."""


class Circuits(AbstractArray):
    """Planes of cells, each an array behind wires of its own; what their bit lines say is added up.

    **Arguments:**

    - `worth`: Of one siemens in each plane and on each bit line, in units of the output.
    - `sides`: Of drivers and sinks; `None` for wires without resistance.
    - `interleaved`: Whether two planes each are neighbouring bit lines of one array.
    - `all_terminals`: Whether sinks are driven, too, and the currents of drivers measured: drivers come first.
    """

    worth: Float[Array, "planes lines"]
    sides: Sides | None = eqx.field(static=True)
    interleaved: bool = eqx.field(static=True, default=False)
    all_terminals: bool = eqx.field(static=True, default=False)

    def seen(self, g: Float[Array, "planes rows lines"], ohms: Ohms) -> Seen:
        if self.sides is None:
            matrix = jnp.sum(g * self.worth[:, None], axis=0)
            own = jnp.broadcast_to(self.worth[:, None], g.shape)
            return Seen(matrix, own, None)
        sides = self.sides
        circuit = jax.vmap(lambda cells: network(cells, ohms, sides))(self._side_by_side(g))
        rows = circuit.volts.shape[2]
        drivers = jnp.diagonal(circuit.volts[:, :rows], axis1=1, axis2=2)  # (arrays, lines, rows)
        sinks = jnp.diagonal(circuit.volts[:, rows:], axis1=1, axis2=3)  # (arrays, rows, lines)
        own = self._apart(-jnp.swapaxes(drivers, 1, 2) * sinks) * self.worth[:, None]
        y = circuit.y if self.all_terminals else circuit.y[:, :rows, rows:]
        return Seen(self._signed(y), own, circuit)

    def by_ohm(self, seen: Seen, name: str, ohms: Ohms) -> Float[Array, "inputs outputs"]:
        assert seen.circuit is not None and self.sides is not None
        sides, inputs = self.sides, None if self.all_terminals else seen.circuit.volts.shape[2]
        slopes = jax.vmap(lambda amperes: by_ohm(amperes, name, ohms, sides, inputs=inputs))
        return self._signed(slopes(seen.circuit.amperes))

    def along(self, seen: Seen, d: Float[Array, "planes rows lines"]) -> Float[Array, "inputs outputs"]:
        if seen.circuit is None:
            return jnp.sum(d * self.worth[:, None], axis=0)
        inputs, outputs = self._ends(seen.circuit)
        moved = self._side_by_side(d)
        flat = (inputs * moved[:, None]).reshape(*inputs.shape[:2], -1)
        y = jnp.matmul(flat, jnp.swapaxes(outputs.reshape(*outputs.shape[:2], -1), 1, 2), precision="highest")
        return self._signed(y)

    def back(self, seen: Seen, m: Float[Array, "inputs outputs"]) -> Float[Array, "planes rows lines"]:
        if seen.circuit is None:
            return m[None] * self.worth[:, None]
        inputs, outputs = self._ends(seen.circuit)
        y = self._unsigned(m)
        parts = []
        for start in range(0, inputs.shape[2], BLOCK):
            first, second = (ends[:, :, start : start + BLOCK] for ends in (inputs, outputs))
            mixed = jnp.matmul(y, second.reshape(*second.shape[:2], -1), precision="highest").reshape(first.shape)
            parts.append(jnp.sum(first * mixed, axis=1))
        return self._apart(jnp.concatenate(parts, axis=1))

    def information(
        self, seen: Seen, x: Float[Array, "reads inputs"], weight: Float[Array, " outputs"]
    ) -> Float[Array, "cells cells"]:
        assert seen.circuit is not None and self.all_terminals
        inputs, outputs = (ends[0].reshape(ends.shape[1], -1) for ends in self._ends(seen.circuit))
        driven = jnp.matmul(x, inputs, precision="highest")
        read = jnp.sqrt(weight)[:, None] * outputs
        return jnp.matmul(driven.T, driven, precision="highest") * jnp.matmul(read.T, read, precision="highest")

    @property
    def whole(self) -> bool:
        return self.all_terminals

    def across(self, x: Float[Array, "reads inputs"]) -> Float[Array, "#lines reads rows"]:
        if not self.all_terminals:
            return x[None]
        lines = self.worth.shape[1]
        return x[None, :, :-lines] - x[:, -lines:].T[:, :, None]

    def _ends(self, circuit: Network) -> tuple[Array, Array]:
        """Voltages of the cells for one volt at what is an input, and at what is an output."""
        if self.all_terminals:
            return circuit.volts, circuit.volts
        rows = circuit.volts.shape[2]
        return circuit.volts[:, :rows], circuit.volts[:, rows:]

    def _signed(self, y: Float[Array, "arrays ends outputs"]) -> Float[Array, "ends outputs"]:
        """Currents into the array as outputs: those at sinks leave it, and those of several bit lines are added."""
        worth = self._line_worth
        if self.all_terminals:
            more = y.shape[-1] - worth.shape[1]
            worth = jnp.concatenate([-jnp.ones((worth.shape[0], more), worth.dtype), worth], axis=1)
        total = -jnp.sum(y * worth[:, None], axis=0)
        return jnp.sum(total.reshape(*total.shape[:-1], -1, 2), axis=-1) if self.interleaved else total

    def _unsigned(self, m: Float[Array, "ends outputs"]) -> Float[Array, "arrays ends lines"]:
        """The transpose of `_signed`."""
        worth = self._line_worth
        if self.interleaved:
            m = jnp.repeat(m, 2, axis=-1)
        if self.all_terminals:
            more = m.shape[-1] - worth.shape[1]
            worth = jnp.concatenate([-jnp.ones((worth.shape[0], more), worth.dtype), worth], axis=1)
        return -m[None] * worth[:, None]

    @property
    def _line_worth(self) -> Float[Array, "arrays bit_lines"]:
        return self._side_by_side(self.worth[:, None])[:, 0]

    def _side_by_side(self, g: Float[Array, "planes rows lines"]) -> Float[Array, "arrays rows bit_lines"]:
        """The cells as they stand in arrays."""
        if not self.interleaved:
            return g
        planes, rows, lines = g.shape
        return g.reshape(-1, 2, rows, lines).transpose(0, 2, 3, 1).reshape(planes // 2, rows, 2 * lines)

    def _apart(self, values: Float[Array, "arrays rows bit_lines"]) -> Float[Array, "planes rows lines"]:
        """The inverse of `_side_by_side`."""
        if not self.interleaved:
            return values
        arrays, rows, lines = values.shape
        return values.reshape(arrays, rows, lines // 2, 2).transpose(0, 3, 1, 2).reshape(2 * arrays, rows, lines // 2)
