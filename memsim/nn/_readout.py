"""The leaky readout, a membrane that does not spike."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ._neuron import AbstractNeuron, check_neuron, decay


class LI(AbstractNeuron):
    r"""Leaky integrators: $v = e^{-dt/\tau} v + x$, and the output is $v$.

    **Arguments:**

    - `size`: Number of units.
    - `tau_mem`: Time constant, in seconds. A float is a constant, an array is trained.
    - `dt`: Time step, in seconds.
    """

    size: int = eqx.field(static=True)
    tau_mem: float | Float[Array, ""] | Float[Array, " size"] = 20e-3
    dt: float = eqx.field(static=True, default=1e-3)

    def __check_init__(self):
        check_neuron(self.size, self.tau_mem, self.dt)

    def initial_state(self) -> Float[Array, " size"]:
        return jnp.zeros(self.size)

    def __call__(
        self, current: Float[Array, " size"], state: Float[Array, " size"], *, key: Key[Array, ""] | None = None
    ) -> tuple[Float[Array, " size"], Float[Array, " size"]]:
        membrane = decay(self.tau_mem, self.dt) * state + current
        return membrane, membrane
