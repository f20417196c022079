"""A gradient, or a number of steps, written to an array of cells by pulses."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, Key

from device_models import AbstractPulsed, PulsedArray

from ._outer import OuterProduct
from ._transform import Gradient


def bare(array: PulsedArray) -> PulsedArray:
    """`array` without its device, whose numbers are constants: arrays only, as optax and `jax.lax.scan` want it."""
    return eqx.tree_at(lambda array: array.device, array, None)


def with_device(array: PulsedArray, device: AbstractPulsed) -> PulsedArray:
    """The array that `bare` was given."""
    return eqx.tree_at(lambda array: array.device, array, device, is_leaf=lambda leaf: leaf is None)


def descended(
    array: PulsedArray, gradient: Gradient, rate: Float[Array, ""], length: int, *, key: Key[Array, ""]
) -> PulsedArray:
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
