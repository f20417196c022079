"""Numbers that depend on a word and a label only: what a cell draws at a place of its life is found there again."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, UInt32

FIRST, SECOND = 0x7FEB352D, 0x846CA68B  # multipliers of a 32-bit finaliser with low bias; Wellons2018, recalled
GOLDEN = 0x9E3779B9  # 2^32 over the golden ratio: labels in a row become words far apart


def mixed(word: UInt32[Array, "..."]) -> UInt32[Array, "..."]:
    """A word each bit of which depends on all bits of `word`."""
    word = (word ^ (word >> jnp.uint32(16))) * jnp.uint32(FIRST)
    word = (word ^ (word >> jnp.uint32(15))) * jnp.uint32(SECOND)
    return word ^ (word >> jnp.uint32(16))


def labelled(seed: UInt32[Array, "*cells"], label: UInt32[Array, "..."]) -> UInt32[Array, "*cells"]:
    """The word that belongs to a `label` in the life of each cell."""
    return mixed(seed ^ mixed(label * jnp.uint32(GOLDEN) + jnp.uint32(1)))


def normal_of(word: UInt32[Array, "*cells"], dtype: jnp.dtype) -> Float[Array, "*cells"]:
    """A standard normal number for each random word, of 23 of its bits: at most 5.2 either way."""
    fraction = ((word >> jnp.uint32(9)).astype(jnp.int32).astype(dtype) + 0.5) * 2.0**-22 - 1.0
    return jnp.asarray(2.0**0.5, dtype) * lax.erf_inv(fraction)


def bits_of(t: Float[Array, ""]) -> UInt32[Array, ""]:
    """A word for the number `t` itself, so that what is asked twice is answered alike."""
    return lax.bitcast_convert_type(jnp.asarray(t, jnp.float32) + 0.0, jnp.uint32)
