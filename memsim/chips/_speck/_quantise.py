"""Weights, biases, thresholds and the floor of the membrane as the whole numbers of Speck."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

WEIGHT_BITS, STATE_BITS = 8, 16


class Levels(NamedTuple):
    """What the neurons of a layer are set to.

    **Arguments:**

    - `threshold`: At least 1.
    - `floor`: Below which no membrane ends a step.
    - `bias`: Added once a step.
    """

    threshold: Int[Array, ""]
    floor: Int[Array, ""]
    bias: Int[Array, " units"]


class Discrete(NamedTuple):
    """A layer in whole numbers: all that it holds times one `scale`."""

    weight: Int[Array, "..."]
    bias: Int[Array, " units"]
    threshold: Int[Array, ""]
    floor: Int[Array, ""]
    scale: Float[Array, ""]


def discretise(
    weight: Float[Array, "..."],
    bias: Float[Array, " units"],
    threshold: Float[Array, ""],
    floor: Float[Array, ""] | None,
) -> Discrete:
    """The largest scale with which weights and biases fit into 8 bits, threshold and floor into 16, half to even.

    A `floor` of `None` is as low as 16 bits go, and costs nothing. sinabs has -32768 in its place before it scales,
    which leaves a scale of 1 at the most: weights below one half are lost.
    """
    states = threshold[None] if floor is None else jnp.stack([floor, threshold])
    scale = jnp.minimum(
        jnp.minimum(largest_scale(weight, WEIGHT_BITS), largest_scale(bias, WEIGHT_BITS)),
        largest_scale(states, STATE_BITS),
    )
    weight, bias, threshold = (jnp.round(each * scale).astype(jnp.int32) for each in (weight, bias, threshold))
    lowest = jnp.full((), -(1 << (STATE_BITS - 1)), jnp.int32)
    return Discrete(
        weight, bias, threshold, lowest if floor is None else jnp.round(floor * scale).astype(jnp.int32), scale
    )


def largest_scale(values: Float[Array, "..."], bits: int) -> Float[Array, ""]:
    """With which all `values` fit into `bits`: the side of the larger one decides, and -128 is one more than 127."""
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    least, most = jnp.min(values), jnp.max(values)
    by_most = jnp.abs(least) <= jnp.abs(most) * (-low / high)
    return jnp.abs(jnp.where(by_most, high / most, low / least))
