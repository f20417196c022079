"""Outputs of one function with the gradient of another."""

import jax
from jaxtyping import Array, Float


def straight_through(outputs: Float[Array, "..."], behind: Float[Array, "..."]) -> Float[Array, "..."]:
    """`outputs`, whose gradient is that of `behind`."""
    return behind + jax.lax.stop_gradient(outputs - behind)
