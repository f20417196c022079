"""Pulses on an array of devices: one after another, or a whole train at once."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, Float, Int, Key, UInt32

from .._checks import is_zero
from .._draws import normal
from ._hash import fast_normal
from ._pulsed import AbstractPulsed, PulsedCells

STEEPEST = 2.0  # beyond this change of the step during a burst, pulses are applied one by one
Draw = Callable[..., Float[Array, "..."]]  # (shape, key=) -> normal numbers


def exact_normal(shape: tuple[int, ...], *, key: Key[Array, ""]) -> Float[Array, "..."]:
    """Normal numbers of JAX's own generator."""
    return normal(key, shape)


def one_pulse(
    device: AbstractPulsed,
    cells: PulsedCells,
    w: Float[Array, "*cells"],
    up: Bool[Array, "*cells"],
    *,
    key: Key[Array, ""],
    draw: Draw = exact_normal,
) -> Float[Array, "*cells"]:
    """The weights after one pulse on every cell."""
    change = jnp.where(up, 1.0, -1.0) * device.step(cells, w, up)
    if not is_zero(device.steps.noise.std):
        deviation = device.steps.noise.deviation(change, cells.size(up), w)
        change = change + deviation * draw(w.shape, key=key).astype(w.dtype)
    return jnp.clip(w + change, cells.w_min, cells.w_max)


def one_by_one(
    device: AbstractPulsed,
    cells: PulsedCells,
    w: Float[Array, "*cells"],
    counts: Int[Array, "*cells"],
    *,
    key: Key[Array, ""],
    draw: Draw = exact_normal,
) -> Float[Array, "*cells"]:
    """The weights after `counts` pulses, each with its own noise and clipped by itself."""
    up, number = counts > 0, jnp.abs(counts)
    most = jnp.max(number, initial=0)

    def body(carry):
        done, w = carry
        after = one_pulse(device, cells, w, up, key=jr.fold_in(key, done), draw=draw)
        return done + 1, jnp.where(number > done, after, w)

    return jax.lax.while_loop(lambda carry: carry[0] < most, body, (jnp.zeros_like(most), w))[1]


def at_once(
    device: AbstractPulsed,
    cells: PulsedCells,
    w: Float[Array, "*cells"],
    counts: Int[Array, "*cells"],
    most: int,
    *,
    key: Key[Array, ""],
    index: UInt32[Array, "*cells"],
) -> Float[Array, "*cells"]:
    """The weights after `counts` pulses of at most `most`: in one leap, or one by one where steps change much.

    `index` is the number of each cell in the array it belongs to.
    """

    def draw(_, *, key: Key[Array, ""]) -> Float[Array, "*cells"]:
        return fast_normal(index, key=key)

    steepness = device.steepness()
    if is_zero(steepness):
        return leap(device, cells, w, counts, most, key=key, draw=draw)
    return jax.lax.cond(
        most * jnp.asarray(steepness) > STEEPEST,
        lambda w: one_by_one(device, cells, w, counts, key=key, draw=draw),
        lambda w: leap(device, cells, w, counts, most, key=key, draw=draw),
        w,
    )


def leap(
    device: AbstractPulsed,
    cells: PulsedCells,
    w: Float[Array, "*cells"],
    counts: Int[Array, "*cells"],
    most: int,
    *,
    key: Key[Array, ""],
    draw: Draw,
) -> Float[Array, "*cells"]:
    r"""The weights after `number` pulses, from one look at the step and its slope.

    With the step $f$ and its slope $f'$ at $w$, $n$ pulses contract differences by $q = 1 + f'$ each, and add
    $f\,(1 + q + \dots + q^{n-1})$: exact without noise for steps that are constant or linear in the weight, of second
    order in $n f'$ for others. Their noise has the variance of one step of average size times
    $1 + q^2 + \dots + q^{2(n-1)}$.
    """
    up, number = counts > 0, jnp.abs(counts)
    sign = jnp.where(up, 1.0, -1.0)
    first, slope = jax.jvp(lambda w: sign * device.step(cells, w, up), (w,), (jnp.ones_like(w),))
    ratio = jnp.maximum(1.0 + slope, 0.0)
    total = geometric_sum(ratio, number, most)
    travel = first * total
    noise = device.steps.noise
    if not is_zero(noise.std):
        average = travel / jnp.maximum(number, 1).astype(w.dtype)
        deviation = noise.deviation(average, cells.size(up), w + 0.5 * travel)
        squares = total * (2.0 - (1.0 - ratio) * total) / (1.0 + ratio)  # the same sum of the squared ratio
        travel = travel + deviation * jnp.sqrt(squares) * draw(w.shape, key=key).astype(w.dtype)
    return jnp.where(number > 0, jnp.clip(w + travel, cells.w_min, cells.w_max), w)


def geometric_sum(ratio: Float[Array, "*cells"], number: Int[Array, "*cells"], most: int) -> Float[Array, "*cells"]:
    """1 + ratio + ... + ratio^(number - 1), by the binary digits of `number`, which is at most `most`."""
    total = jnp.zeros_like(ratio)
    block, power = jnp.ones_like(ratio), ratio  # the sum of 2^place terms, and the ratio to that power
    for place in range(most.bit_length()):
        total = jnp.where((number >> place) & 1 == 1, total * power + block, total)
        block, power = block * (1.0 + power), power * power
    return total
