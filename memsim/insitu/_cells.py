"""A gradient, or a number of steps, written to an array of cells by pulses."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, Key

from device_models import AbstractPulsed, OneSidedPair, PulsedArray

from .._checks import is_known
from ._outer import OuterProduct
from ._transform import Gradient

Cells = PulsedArray | OneSidedPair
REFRESH = 2**31 - 1  # folded into the key of a step, so that a refresh draws other numbers than its pulses


def fabricated(device: AbstractPulsed, weight: Float[Array, "outputs inputs"], *, key: Key[Array, ""]) -> Cells:
    """An array of `device` that shows `weight`, with two devices for each weight where pulses only raise one."""
    one_sided = is_known(device.w_min) and bool(np.all(np.asarray(device.w_min) >= 0))
    return (OneSidedPair if one_sided else PulsedArray).fabricate(device, weight, key=key)


def balanced(cells: Cells) -> tuple[Cells, Float[Array, "outputs inputs"]]:
    """The cells at their symmetry point, and what they show there; a pair of one-sided devices has it at zero."""
    if isinstance(cells, OneSidedPair):
        return cells, jnp.zeros_like(cells.shown)
    point = cells.device.symmetry_point(cells.cells)
    shown = point - cells.cells.reference
    return eqx.tree_at(lambda cells: (cells.hidden, cells.shown), cells, (point, shown)), shown


def bare(cells: Cells) -> Cells:
    """`cells` without their device, whose numbers are constants: arrays only, as optax and `jax.lax.scan` want it."""
    return _with(cells, None)


def with_device(cells: Cells, device: AbstractPulsed) -> Cells:
    """The cells that `bare` was given."""
    return _with(cells, device)


def _with(cells: Cells, device: AbstractPulsed | None) -> Cells:
    def swapped(array: PulsedArray) -> PulsedArray:
        return eqx.tree_at(lambda array: array.device, array, device, is_leaf=lambda leaf: leaf is None)

    if isinstance(cells, OneSidedPair):
        return OneSidedPair(swapped(cells.plus), swapped(cells.minus))
    return swapped(cells)


def resumed(cells: Cells, device: AbstractPulsed, *, key: Key[Array, ""]) -> Cells:
    """The cells that `bare` was given, at the start of a step: leaked since the last one, and refreshed where full."""
    cells = with_device(cells, device).decay()
    return cells.refresh(key=jr.fold_in(key, REFRESH)) if isinstance(cells, OneSidedPair) else cells


def descended(array: Cells, gradient: Gradient, rate: Float[Array, ""], length: int, *, key: Key[Array, ""]) -> Cells:
    """`array` moved by - `rate` * `gradient` on average, by at most `length` pulses a read.

    Of an `OuterProduct` each read in turn is one update by coincidence of pulse trains; of an ordinary array each cell
    gets its own number of pulses, rounded at random to a whole one.
    """
    if isinstance(gradient, OuterProduct):
        return array.update(gradient.inputs, -gradient.errors, rate, length=length, key=key)
    rounding_key, pulse_key = jr.split(key)
    pulses = rounded(-rate * gradient / array.device.dw_min, length, key=rounding_key)
    return array.burst(pulses, most=length, key=pulse_key)


def rounded(pulses: Float[Array, "*cells"], length: int, *, key: Key[Array, ""]) -> Int[Array, "*cells"]:
    """Whole numbers next to `pulses` that are equal to them on average, up to `length` either way."""
    return _limited(jnp.floor(pulses + jr.uniform(key, pulses.shape, pulses.dtype)), length)


def whole(pulses: Float[Array, "*cells"], length: int) -> Int[Array, "*cells"]:
    """`pulses` rounded towards zero, up to `length` either way."""
    return _limited(jnp.trunc(pulses), length)


def dense(gradient: Gradient) -> Float[Array, "outputs inputs"]:
    """The gradient as one matrix."""
    return gradient.dense if isinstance(gradient, OuterProduct) else gradient


def _limited(pulses: Float[Array, "*cells"], length: int) -> Int[Array, "*cells"]:
    return jnp.clip(pulses, -length, length).astype(jnp.int32)
