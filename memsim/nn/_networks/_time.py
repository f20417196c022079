"""A long sequence in chunks, so that the backward pass keeps states at chunk boundaries only."""

from collections.abc import Set
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ..._array import NOISY_READ
from ..._checks import whole
from .._layer import AbstractLayer, Record
from .._synapses._kernel import CONVOLVED

Chunk = int | Literal["auto"] | None
CHUNK = whole(1)._replace(what='at least 1 step, "auto"')
# Bytes of all states of a sequence (assumed): up to SMALL all is kept, up to MEDIUM what is dear to make again.
SMALL, MEDIUM = 2**19, 2**23


def in_chunks(
    layer: AbstractLayer,
    xs: Float[Array, "steps *shape"],
    keys: Key[Array, " steps"] | None,
    record: Set[str],
    chunk: Chunk,
) -> tuple[Float[Array, "steps *_"], Record]:
    """`layer.run` over all of `xs`, `chunk` steps at a time; each chunk is run again in the backward pass."""
    state, steps = layer.initial_state(), xs.shape[0]
    bytes_of_one = sum(leaf.nbytes for leaf in jax.tree.leaves(state))
    size = chunk_size(steps, chunk, bytes_of_one)
    if size >= steps:
        ys, _, found = layer.run(xs, state, keys=keys, record=record)
        return ys, found

    dear = (NOISY_READ, CONVOLVED) if steps * bytes_of_one <= MEDIUM else (NOISY_READ,)

    @partial(jax.checkpoint, policy=jax.checkpoint_policies.save_only_these_names(*dear))
    def one(state: Any, start: Any) -> tuple[Any, Any]:
        # Slices of the sequence, not a reshaped copy of it: under vmap that would be transposed as a whole.
        part = jax.tree.map(lambda a: jax.lax.dynamic_slice_in_dim(a, start, size), (xs, keys))
        ys, state, found = layer.run(part[0], state, keys=part[1], record=record)
        return state, (ys, found)

    whole = steps - steps % size
    state, outputs = jax.lax.scan(one, state, jnp.arange(0, whole, size))
    outputs = jax.tree.map(lambda a: a.reshape(whole, *a.shape[2:]), outputs)
    if whole == steps:
        return outputs
    rest, _, found = layer.run(xs[whole:], state, keys=None if keys is None else keys[whole:], record=record)
    return jax.tree.map(lambda a, b: jnp.concatenate([a, b]), outputs, (rest, found))


def chunk_size(steps: int, chunk: Chunk, state: int) -> int:
    """Steps of one chunk, for a `state` of so many bytes.

    For "auto" about the root of all steps, preferably a divisor; all of them where their states are small.
    """
    if chunk is None or (chunk == "auto" and steps * state <= SMALL):
        return steps
    if chunk != "auto":
        return int(chunk)
    root = int(steps**0.5)
    divisors = [size for size in range((root + 1) // 2, 2 * root) if steps % size == 0]
    return min(divisors, key=lambda size: (abs(size - root), size), default=root)
