"""Weights of Loihi: mantissas of up to 8 bits and a sign, as the chip's formats hold them."""

import jax.numpy as jnp
from jaxtyping import Array, Int

LARGEST = 256


def effective(w: Int[Array, "outputs inputs"], *, bits: int = 8) -> Int[Array, "outputs inputs"]:
    """What a matrix becomes by lava's rule: mixed signs, found in the matrix, cost a bit; low bits are cut off."""
    mixed = jnp.any(w > 0) & jnp.any(w < 0)
    size = jnp.where(mixed, jnp.clip(w, -256, 255), jnp.clip(w, -255, 255))
    dropped = 8 - bits + mixed.astype(jnp.int32)
    floored = (size >> dropped) << dropped
    towards_zero = jnp.sign(size) * ((jnp.abs(size) >> dropped) << dropped)
    return jnp.where(mixed, floored, towards_zero)
