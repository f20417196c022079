"""Fast noise for millions of cells: a hash of the cell's index, seeded by two words of a JAX key.

JAX's own generator, threefry, costs about forty times what the update of a cell does. The noise of a pulse needs less
than what threefry guarantees: a stream that is uncorrelated over cells and keys and has the right moments, which the
tests measure. What is drawn once, when devices are fabricated, and the pulse trains come from threefry.
"""

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key, UInt32

FIRST, SECOND = 0x7FEB352D, 0x846CA68B  # multipliers of a 32-bit finaliser with low bias; Wellons2018, recalled
VARIANCE = 32 / 4 + 1 / 12  # of the bits set in a word, plus a uniform number that fills the gaps between counts


def index_of(shape: tuple[int, ...]) -> UInt32[Array, "..."]:
    """The number of each cell of `shape`, which is all that its noise depends on beside the key."""
    index = jnp.zeros(shape, jnp.uint32)
    stride = 1
    for axis in reversed(range(len(shape))):
        index = index + jax.lax.broadcasted_iota(jnp.uint32, shape, axis) * jnp.uint32(stride % 2**32)
        stride *= shape[axis]
    return index


def fast_words(index: UInt32[Array, "*cells"], *, key: Key[Array, ""]) -> UInt32[Array, "*cells"]:
    """One 32-bit word for each cell."""
    seed = jr.bits(key, (2,))
    return _mix(_mix(index + seed[0]) ^ seed[1])


def fast_normal(index: UInt32[Array, "*cells"], *, key: Key[Array, ""]) -> Float[Array, "*cells"]:
    """Nearly normal numbers of mean 0 and variance 1, one for each cell.

    The number of bits set in a word is binomial; a uniform number, of other bits, makes it continuous. The excess
    kurtosis is -0.06, the largest value 5.8.
    """
    words = fast_words(index, key=key)
    count = jax.lax.population_count(words).astype(jnp.int32).astype(float)
    fill = (_mix(words) >> jnp.uint32(8)).astype(jnp.int32).astype(float) * 2**-24
    return (count + fill - 16.5) * VARIANCE**-0.5


def _mix(word: UInt32[Array, "..."]) -> UInt32[Array, "..."]:
    word = (word ^ (word >> jnp.uint32(16))) * jnp.uint32(FIRST)
    word = (word ^ (word >> jnp.uint32(15))) * jnp.uint32(SECOND)
    return word ^ (word >> jnp.uint32(16))
