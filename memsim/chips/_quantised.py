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
    number = jnp.maximum(jnp.sum(given), 1)
    zeroed = jnp.sum(given & (codes == 0)) / number
    saturated = jnp.sum((wanted > largest + 0.5) | (wanted < smallest - 0.5)) / number
    missed = codes.astype(wanted.dtype) - wanted
    error = jnp.sqrt(jnp.sum(missed**2) / jnp.maximum(jnp.sum(wanted**2), jnp.finfo(wanted.dtype).tiny))
    return Quantised(path, jnp.sum(given), zeroed, saturated, error)
