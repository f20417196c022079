"""Arithmetic of chips: whole numbers of 32 bits that saturate, wrap and shift, and products that are exact."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, UInt

EXACT = 24  # bits of a whole number that float32 holds


def saturate(x: Int[Array, "*shape"], bits: int) -> Int[Array, "*shape"]:
    """Clipped to what `bits` hold, sign included."""
    return jnp.clip(x, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def wrap(x: Int[Array, "*shape"], bits: int) -> Int[Array, "*shape"]:
    """The lowest `bits`, as a number with a sign."""
    rest = 32 - bits
    return (x << rest) >> rest


def shift_towards_zero(x: Int[Array, "*shape"], by: int) -> Int[Array, "*shape"]:
    """`x / 2**by` without its fraction."""
    return (x + jnp.where(x < 0, (1 << by) - 1, 0)) >> by  # -2^31, too, whose size 32 bits do not hold


def shifted(x: Int[Array, "*shape"], by: int) -> Int[Array, "*shape"]:
    """`x * 2**by`, floored where `by` is negative."""
    return x << by if by >= 0 else x >> -by


def times_fraction(x: Int[Array, "*shape"], part: Int[Array, "..."], bits: int) -> Int[Array, "*shape"]:
    """`x * part / 2**bits` without its fraction, for `part` from 0 to `2**bits` and `bits` up to 15.

    The product, which would need more than 32 bits, is never formed.
    """
    size = jnp.abs(x)
    high, low = size >> bits, size & ((1 << bits) - 1)
    return jnp.sign(x) * (high * part + ((low * part) >> bits))


def product_shifted(
    x: Int[Array, "..."], y: Int[Array, "..."], shift: int, *, nearest: bool = False
) -> Int[Array, "..."]:
    """(x y) >> shift as if the product had 64 bits; the low 32 bits of what is left. `shift` is 1 to 15.

    Rounds down, or with `nearest` to the nearest number and halves up. Only the product of both low parts has bits that
    the shift drops, and it fits 32.
    """
    mask = (1 << shift) - 1
    low_x, low_y = x & mask, y & mask
    rounding = 1 << (shift - 1) if nearest else 0
    return (x >> shift) * y + low_x * (y >> shift) + ((low_x * low_y + rounding) >> shift)


def times_unsigned_fraction(x: Int[Array, "..."], fraction: UInt[Array, "..."]) -> Int[Array, "..."]:
    """x times a fraction of 32 bits, below one, rounded down."""
    high, low = (fraction >> 16).astype(jnp.int32), (fraction & 0xFFFF).astype(jnp.int32)
    high_x, low_x = x >> 16, x & 0xFFFF
    signed = high_x * low
    positive = low_x.astype(jnp.uint32) * (fraction >> 16)  # may take 32 bits without a sign
    lowest = (low_x.astype(jnp.uint32) * (fraction & 0xFFFF)) >> 16
    carried = ((signed & 0xFFFF) + (positive & 0xFFFF).astype(jnp.int32) + lowest.astype(jnp.int32)) >> 16
    return high_x * high + (signed >> 16) + (positive >> 16).astype(jnp.int32) + carried


def exact_product(
    xs: Int[Array, "*batch inputs"], weight: Int[Array, "outputs inputs"], *, most: int, largest: int
) -> Int[Array, "*batch outputs"]:
    """`xs @ weight.T` to the last bit, modulo 2**32, for |xs| up to `most` and |weight| up to `largest`.

    Products of whole numbers are slow loops in XLA, those of float32 are not, and are exact as long as sums stay below
    2**24: numbers that are too large are cut in two, and each pair of parts is multiplied by itself.
    """
    room = EXACT - math.ceil(math.log2(max(weight.shape[1], 1)))  # bits for one input times one weight
    if room < 2:
        return jnp.einsum("...i,oi->...o", xs, weight)
    x_bits, w_bits = int(most).bit_length(), int(largest).bit_length()
    x_room = x_bits if x_bits + w_bits <= room else min(x_bits, max(room - w_bits, room // 2))
    total = None
    for x_part, x_shift in _cut(xs, x_bits, x_room):
        for w_part, w_shift in _cut(weight, w_bits, room - x_room):
            if x_shift + w_shift < 32:
                product = _float_product(x_part, w_part).astype(jnp.int32) << (x_shift + w_shift)
                total = product if total is None else total + product
    assert total is not None
    return total


def _float_product(xs: Array, weight: Array) -> Array:
    return jnp.matmul(xs.astype(jnp.float32), weight.astype(jnp.float32).T, precision=jax.lax.Precision.HIGHEST)


def _cut(x: Array, bits: int, room: int) -> list[tuple[Array, int]]:
    """`x` as a sum of parts of at most `room` bits, each with the shift that it is to be given back."""
    if bits <= room:
        return [(x, 0)]
    sign, size = jnp.sign(x), jnp.abs(x)
    mask = (1 << room) - 1
    return [(sign * ((size >> shift) & mask), shift) for shift in range(0, bits, room)]


def bound(x: np.ndarray | Array) -> int:
    """The largest size of whole numbers that are known."""
    return int(np.abs(np.asarray(x, np.int64)).max(initial=0))


def saturating_shift(x: Int[Array, "*shape"], by: Int[Array, ""] | int, bits: int) -> Int[Array, "*shape"]:
    """`x * 2**by` in `bits` bits, clipped; `by` from 0 to 31."""
    top = (1 << (bits - 1)) - 1
    moved = jnp.left_shift(x, by)
    moved = jnp.where(x > jnp.right_shift(top, by), top, moved)
    least = jnp.where(jnp.asarray(by) < bits, -(jnp.right_shift(top, by) + 1), 0)
    return jnp.where(x < least, -top - 1, moved)


def saturating_product(a: Int[Array, "*shape"], b: Int[Array, "*shape"]) -> Int[Array, "*shape"]:
    """`a * b` in 32 bits, clipped; `b` is above 0."""
    top = jnp.iinfo(jnp.int32).max
    room = top // b
    below = -(room + (top % b == b - 1).astype(jnp.int32))  # -2**31 / b, without its fraction
    return jnp.where(a > room, top, jnp.where(a < below, -top - 1, a * b))
