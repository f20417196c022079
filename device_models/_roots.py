"""Standard deviations of sums and differences of independent parts, in siemens, whose squares float32 would lose."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def root_of_squares(std: Float[Array, "n *cells"]) -> Float[Array, "*cells"]:
    """Standard deviation of the sum of independent parts; differentiable where all are zero."""
    largest = jax.lax.stop_gradient(jnp.max(std, axis=0))  # it only scales: the result does not depend on it
    scale = jnp.where(largest > 0, largest, 1.0)  # squares of siemens are below the smallest float32
    total = jnp.sum((std / scale[None]) ** 2, axis=0)
    return scale * jnp.where(largest > 0, jnp.sqrt(jnp.where(largest > 0, total, 1.0)), 0.0)


def root_of_difference(now: Float[Array, "*cells"], start: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
    """The standard deviation of what was added since `start`; zero, with a gradient of zero, where nothing was."""
    share = jnp.where(now > start, start / jnp.where(now > start, now, 1.0), 0.0)
    return jnp.where(now > start, now * jnp.sqrt(1.0 - share**2), 0.0)


def root(value: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
    """The square root, with a gradient of zero at zero."""
    return jnp.where(value > 0, jnp.sqrt(jnp.where(value > 0, value, 1.0)), 0.0)
