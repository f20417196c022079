"""What rounding to a chip's whole numbers does to weights."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int


class Quantised(NamedTuple):
    """What became of the weights of one layer.

    **Arguments:**

    - `path`: Of the layer's neurons in the network.
    - `weights`: How many there are that are not zero.
    - `to_zero`: The fraction of them that was rounded to zero.
    - `saturated`: The fraction of them that was clipped to the largest.
    - `error`: Root mean square of what rounding changed, relative to that of the weights.

    >>> import jax.random as jr, memsim as ms
    >>> neuron = ms.nn.CuBaLIF(3, firing=ms.nn.Firing(reset="zero"))
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(4, 3, key=jr.key(0)), neuron])
    >>> quantised = ms.chips.loihi1().deploy(network, input_shape=4).quantised[0]
    >>> int(quantised.weights), float(quantised.error) < 0.02
    (12, True)
    """

    path: str
    weights: Int[Array, ""]
    to_zero: Float[Array, ""]
    saturated: Float[Array, ""]
    error: Float[Array, ""]


def quantised(
    path: str, wanted: Float[Array, "..."], codes: Int[Array, "..."], *, largest: int, smallest: int | None = None
) -> Quantised:
    """What became of the weights `wanted`, in units of the `codes` that they got."""
    smallest = -largest if smallest is None else smallest
    given = wanted != 0
    count = jnp.maximum(jnp.sum(given, dtype=wanted.dtype), 1.0)
    zeroed = jnp.sum(given & (codes == 0), dtype=wanted.dtype) / count
    outside = (wanted > largest + 0.5) | (wanted < smallest - 0.5)
    change = jnp.sum((codes.astype(wanted.dtype) - wanted) ** 2)
    error = jnp.sqrt(change / jnp.maximum(jnp.sum(wanted**2), jnp.finfo(wanted.dtype).tiny))
    weights = jnp.sum(given, dtype=jnp.int32)
    return Quantised(path, weights, zeroed, jnp.sum(outside, dtype=wanted.dtype) / count, error)
