"""Random numbers of JAX's own generator, the same bit for bit, drawn in one pass where JAX takes many.

On a CPU JAX runs threefry as a loop of passes over memory. The cipher written out is element-wise, so that XLA fuses it
with what makes a number of the bits: a fifth of the time for four million normals, no memory but the result, less to
compile. All that is drawn for cells, chips and reads comes from here.
"""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key, UInt32

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))  # of Threefry-2x32 with 20 rounds; as in JAX
PARITY = 0x1BD11BDA


@partial(jax.jit, static_argnames=("shape", "dtype", "kept"))
def normal(
    key: Key[Array, ""], shape: tuple[int, ...] = (), dtype: Any = float, *, kept: bool = False
) -> Float[Array, "..."]:
    """`jax.random.normal`, number for number.

    `kept` says that several results, or a gradient, follow from these numbers: they are then made once and kept, where
    XLA would make them anew for each. Without it they need no memory where one sum takes them up.
    """
    if not _fuses(key, shape) or jax.dtypes.canonicalize_dtype(dtype) != np.float32:
        drawn = jr.normal(key, shape, dtype)
        return jax.lax.optimization_barrier(drawn) if kept else drawn

    if kept:
        return _once(key, shape)
    return _normal(_words(key, shape, jnp.zeros((), jnp.uint32)))


@jax.custom_jvp
def scattered(size: Float[Array, "*cells"], key: Key[Array, ""]) -> Float[Array, "*cells"]:
    """Independent normals of standard deviations `size`, whose draws are kept where a gradient follows only."""
    return size * normal(key, size.shape, size.dtype)


@scattered.defjvp
def _scattered_jvp(primals: tuple[Array, Array], tangents: tuple[Array, Any]) -> tuple[Array, Array]:
    size, key = primals
    draws = normal(key, size.shape, size.dtype, kept=True)
    return size * draws, tangents[0] * draws


@partial(jax.jit, static_argnames=("shape", "dtype"))
def uniform(key: Key[Array, ""], shape: tuple[int, ...] = (), dtype: Any = float) -> Float[Array, "..."]:
    """`jax.random.uniform` between 0 and 1, number for number."""
    if not _fuses(key, shape) or jax.dtypes.canonicalize_dtype(dtype) != np.float32:
        return jr.uniform(key, shape, dtype)
    return _unit(_words(key, shape, jnp.zeros((), jnp.uint32)))


@partial(jax.jit, static_argnames="shape")
def bits(key: Key[Array, ""], shape: tuple[int, ...] = ()) -> UInt32[Array, "..."]:
    """`jax.random.bits`, word for word."""
    if not _fuses(key, shape):
        return jr.bits(key, shape)
    return _words(key, shape, jnp.zeros((), jnp.uint32))


def _fuses(key: Key[Array, ""], shape: tuple[int, ...]) -> bool:
    """Whether `bits` knows how JAX draws these; on other backends JAX's own is as fast."""
    return (
        jax.default_backend() == "cpu"
        and str(jr.key_impl(key)) == "threefry2x32"
        and bool(jax.config.jax_threefry_partitionable)  # pyright: ignore[reportAttributeAccessIssue]
        and math.prod(shape) < 2**32
    )


def _once(key: Key[Array, ""], shape: tuple[int, ...]) -> Float[Array, "..."]:
    """Normals of a loop of one turn: on a CPU a barrier is gone before XLA fuses, and all is drawn again.

    That there is one turn follows from the key, or XLA would see it. Each word follows from the turn, 0, or XLA would
    take it out of the loop; and what the result starts from is of this key, or it would be copied from that of others.
    """
    word = jr.key_data(key)[0]
    turns = jnp.minimum(word | jnp.uint32(1), jnp.uint32(1))

    def turn(state: tuple[Array, Array]) -> tuple[Array, Array]:
        return state[0] + jnp.uint32(1), _normal(_words(key, shape, state[0]))

    start = jnp.zeros((), jnp.uint32), jnp.broadcast_to(word.astype(jnp.float32), shape)
    return jax.lax.while_loop(lambda state: state[0] < turns, turn, start)[1]


def _normal(words: UInt32[Array, "..."]) -> Float[Array, "..."]:
    least = np.nextafter(np.float32(-1), np.float32(0))
    return np.float32(2**0.5) * jax.lax.erf_inv(jnp.maximum(_unit(words) * np.float32(2) + least, least))


def _unit(words: UInt32[Array, "..."]) -> Float[Array, "..."]:
    """A mantissa of random bits, less 1."""
    word = (words >> jnp.uint32(9)) | jnp.uint32(0x3F800000)
    return jax.lax.bitcast_convert_type(word, jnp.float32) - np.float32(1)


def _words(key: Key[Array, ""], shape: tuple[int, ...], start: UInt32[Array, ""]) -> UInt32[Array, "..."]:
    """The words of the places from `start` on."""
    first, second = jr.key_data(key)
    index, stride = jnp.broadcast_to(start, shape), 1
    for axis in reversed(range(len(shape))):
        index = index + jax.lax.broadcasted_iota(jnp.uint32, shape, axis) * jnp.uint32(stride)
        stride *= shape[axis]
    high, low = _threefry(first, second, jnp.zeros(shape, jnp.uint32), index)
    return high ^ low


def _threefry(
    first: UInt32[Array, ""], second: UInt32[Array, ""], x: UInt32[Array, "..."], y: UInt32[Array, "..."]
) -> tuple[UInt32[Array, "..."], UInt32[Array, "..."]]:
    """The cipher of two words under the two words of a key."""
    schedule = (first, second, first ^ second ^ jnp.uint32(PARITY))
    x, y = x + schedule[0], y + schedule[1]
    for group in range(5):
        for rotation in ROTATIONS[group % 2]:
            x = x + y
            y = ((y << jnp.uint32(rotation)) | (y >> jnp.uint32(32 - rotation))) ^ x
        x = x + schedule[(group + 1) % 3]
        y = y + schedule[(group + 2) % 3] + jnp.uint32(group + 1)
    return x, y
