"""The leaky integrate-and-fire neuron."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ._neuron import AbstractNeuron, check_neuron, decay
from ._surrogate import AbstractSurrogate, SuperSpike


class LIF(AbstractNeuron):
    r"""Leaky integrate-and-fire neurons.

    $u = e^{-dt/\tau} v + x$, a spike $s = H(u - \theta)$, and in the same step $v = u - s\,\theta$ ("subtract") or
    $v = (1 - s)\,u$ ("zero"). The input gain is one. The gradient does not flow through the reset (Zenke2021).

    **Arguments:**

    - `size`: Number of neurons.
    - `tau_mem`: Membrane time constant, in seconds. A float is a constant, an array (one or one a neuron) is trained.
    - `threshold`: Firing threshold, in units of the input; likewise.
    - `dt`: Time step, in seconds.
    - `reset`: "subtract" or "zero".
    - `surrogate`: Slope of the spike in the backward pass.
    """

    size: int = eqx.field(static=True)
    tau_mem: float | Float[Array, ""] | Float[Array, " size"] = 20e-3
    threshold: float | Float[Array, ""] | Float[Array, " size"] = 1.0
    dt: float = eqx.field(static=True, default=1e-3)
    reset: Literal["subtract", "zero"] = eqx.field(static=True, default="subtract")
    surrogate: AbstractSurrogate = SuperSpike()

    def __check_init__(self):
        check_neuron(self.size, self.tau_mem, self.dt)
        if self.reset not in ("subtract", "zero"):
            raise ValueError(f'`reset` must be "subtract" or "zero". Got {self.reset!r}.')

    def initial_state(self) -> Float[Array, " size"]:
        return jnp.zeros(self.size)

    def __call__(
        self, current: Float[Array, " size"], state: Float[Array, " size"], *, key: Key[Array, ""] | None = None
    ) -> tuple[Float[Array, " size"], Float[Array, " size"]]:
        membrane = decay(self.tau_mem, self.dt) * state + current
        spikes = self.surrogate(membrane - self.threshold)
        fired = jax.lax.stop_gradient(spikes)
        if self.reset == "subtract":
            return spikes, membrane - fired * self.threshold
        return spikes, membrane * (1 - fired)
