"""Spikes as the smooth signal that a synapse or a rate meter makes of them."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

from .._checks import as_floats, checked
from ._checks import SECONDS, SPIKES, check_tau


@checked(spikes=SPIKES, tau=SECONDS, dt=SECONDS)
def exponential_trace(
    spikes: Shaped[Array, "steps *units"], tau: float | Float[Array, ""], dt: float | Float[Array, ""]
) -> Float[Array, "steps *units"]:
    r"""$y_n = e^{-dt/\tau} y_{n-1} + s_n$: a spike adds one, and is forgotten with time constant `tau`.

    Times $1 - e^{-dt/\tau}$ it is a running mean of the spikes a step. Linear in the
    spikes, and so is its gradient. `tau` and `dt` are in seconds, dt no longer than tau.

    >>> import jax.numpy as jnp, numpy as np, memsim as ms
    >>> trace = ms.encoding.exponential_trace(jnp.array([[1.0], [0.0], [0.0]]), tau=0.02, dt=0.02)
    >>> print(np.asarray(trace).ravel().round(3))
    [1.    0.368 0.135]
    """
    check_tau(tau, dt)
    spikes = as_floats(spikes, "spikes")
    decay = jnp.exp(-jnp.asarray(dt / tau, spikes.dtype))

    def step(y: Array, s: Array) -> tuple[Array, Array]:
        y = decay * y + s
        return y, y

    return jax.lax.scan(step, jnp.zeros_like(spikes[0]), spikes)[1]
