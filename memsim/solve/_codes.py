"""Numbers as converters that are scaled to the largest of them see them."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._checks import at_least, whole

BITS = whole(2, most=24, hint="None is no rounding.")
AGE = at_least(0.0, "in seconds after the end of programming", most=1e12)


def rounded(x: Float[Array, " n"], bits: int | None) -> Float[Array, " n"]:
    """`x` as signed codes of so many bits, the largest magnitude being the largest code."""
    if bits is None:
        return x
    size = jnp.max(jnp.abs(x))
    step = jnp.where(size > 0, size, jnp.ones_like(size)) / (2 ** (bits - 1) - 1)
    return step * jnp.round(x / step)
