"""Cells that pass their gradient to their targets as one number each, found forward, instead of through every step."""

import dataclasses
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from device_models import AbstractDevice
from device_models._elementwise import is_elementwise
from device_models._held import held
from device_models._wrappers._wrapper import AbstractWrapper

from .._array import Crossbar
from ..nn._mixed_signal import Designs, MixedSignal, crossbar_of
from ..nn._synapses._synapse import AbstractAnalog


def with_sloped_cells(designs: Designs) -> Designs:
    """`designs` with the same numbers and gradients, the gradient of the weights at less cost."""
    if isinstance(designs, Crossbar):
        return _with_sloped_cells(designs)
    if isinstance(designs, MixedSignal):
        synapses = None if designs.synapses is None else with_sloped_cells(designs.synapses)
        return MixedSignal(synapses, designs.neurons)  # pyright: ignore[reportArgumentType]

    def chosen(path: str, layer: AbstractAnalog) -> Crossbar | None:
        design = crossbar_of(designs, path, layer)
        return None if design is None else _with_sloped_cells(design)

    return chosen


def _with_sloped_cells(design: Crossbar) -> Crossbar:
    """Itself where cells are written again one by one, or have numbers of their own that may have a gradient, too."""
    if design.programming.rewrites or any(map(eqx.is_array, jax.tree.leaves(design.device))):
        return design
    return dataclasses.replace(design, device=Sloped(design.device))  # pyright: ignore[reportCallIssue]


class SlopedCells(eqx.Module):
    """Cells as constants, how their state follows their targets, and these."""

    cells: Any
    slopes: Any
    target: Float[Array, "*cells"]
    key: Key[Array, ""]


class Sloped(AbstractWrapper):
    r"""`device` whose reads depend on their targets as $G(t) + \partial_T G(t)\,(T - T_0)$ at $T_0 = T$.

    A cell is written to its target and aged for itself, so that the matrix of these derivatives is diagonal: one
    derivative along a vector of ones. Reverse mode would keep an array for each of the many steps between. Where the
    cells do not follow element by element (`is_elementwise`), they are those of `device`. Higher derivatives are right,
    and dear.
    """

    device: AbstractDevice

    def program(self, target: Float[Array, "*cells"], *, key: Key[Array, ""]) -> Any:
        def read(target: Array) -> Any:
            cells, t = self.device.program(target, key=key), jnp.zeros((), target.dtype)
            return cells, self.device.conductance(cells, t), self.device.read_noise(cells, t)

        if not is_elementwise(read, target):
            return self.device.program(target, key=key)
        fixed = jax.lax.stop_gradient(target)
        cells, slopes = eqx.filter_jvp(
            lambda target: self.device.program(target, key=key), (fixed,), (jnp.ones_like(fixed),)
        )
        return SlopedCells(cells, slopes, target, key)

    def conductance(self, cells: Any, t: Float[Array, ""]) -> Float[Array, "*cells"]:
        return self._read("conductance", cells, t)

    def read_noise(self, cells: Any, t: Float[Array, ""]) -> Float[Array, "*cells"] | None:
        return self._read("read_noise", cells, t)

    def _read(self, name: str, cells: Any, t: Float[Array, ""]) -> Any:
        read, now = getattr(self.device, name), jax.lax.stop_gradient(t)
        if not isinstance(cells, SlopedCells):
            return read(cells, t)
        value = read(cells.cells, now)
        if value is None:
            return None

        def slope(of: SlopedCells, now: Array) -> Array | None:
            return eqx.filter_jvp(lambda cells: read(cells, now), (of.cells,), (of.slopes,))[1]

        by_target = held(slope, cells, now)
        if by_target is None:  # the same for each target
            return read(cells.cells, t)
        return _followed(value, by_target, cells.target, OneCell(self.device, name, cells.key, t))


class OneCell(eqx.Module):
    """What a read is as a function of its target and its time, for derivatives by time and for higher ones."""

    device: AbstractDevice
    name: str = eqx.field(static=True)
    key: Key[Array, ""]
    t: Float[Array, ""]

    def __call__(self, target: Float[Array, "*cells"], t: Float[Array, ""]) -> Float[Array, "*cells"]:
        return getattr(self.device, self.name)(self.device.program(target, key=self.key), t)

    def slope(self, target: Float[Array, "*cells"], t: Float[Array, ""]) -> Float[Array, "*cells"]:
        return jax.jvp(lambda target: self(target, t), (target,), (jnp.ones_like(target),))[1]


@eqx.filter_custom_jvp
def _followed(value: Array, slope: Array, target: Array, cell: OneCell) -> Array:
    """The `value` of a `cell`, which follows its `target` by `slope`."""
    return value


@_followed.def_jvp
def _followed_jvp(primals: Any, tangents: Any) -> Any:
    value, slope, target, cell = primals
    _, _, step, of_cell = tangents
    moved = None if step is None else _slope(slope, target, cell) * step
    if of_cell.t is not None:
        by_time = jax.jvp(partial(cell, target), (cell.t,), (of_cell.t,))[1]
        moved = by_time if moved is None else moved + by_time
    return _followed(value, slope, target, cell), moved


@eqx.filter_custom_jvp
def _slope(slope: Array, target: Array, cell: OneCell) -> Array:
    """The `slope` of a `cell` at its `target`."""
    return slope


@_slope.def_jvp
def _slope_jvp(primals: Any, tangents: Any) -> Any:
    slope, target, cell = primals
    _, step, of_cell = tangents
    steps = (jnp.zeros_like(a) if moved is None else moved for a, moved in ((target, step), (cell.t, of_cell.t)))
    return _slope(slope, target, cell), jax.jvp(cell.slope, (target, cell.t), tuple(steps))[1]
