"""The integrator, a membrane without leak that does not spike."""

from typing import Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ..._checks import plain
from ._leak import Leak
from ._neuron import AbstractNeuron, check_neuron
from ._parameters import Parameter, parameter, value


class Integrator(AbstractNeuron):
    r"""Integrators without a leak: $v = v + g\,x$, and the output is $v$.

    **Arguments:** as for `IF`, without what concerns spikes.

    >>> import jax.numpy as jnp, memsim as ms
    >>> print(ms.nn.SpikingNetwork([ms.nn.Integrator(1)])(jnp.full((4, 1), 0.5)).ravel())
    [0.5 1.  1.5 2. ]
    """

    size: int | tuple[int, ...] = eqx.field(static=True, converter=plain)
    resistance: Parameter = eqx.field(default=1.0, converter=parameter("resistance"))
    dt: float = eqx.field(static=True, default=1e-3, converter=plain)
    gain: Literal["one", "dt"] = eqx.field(static=True, default="one")

    def __check_init__(self):
        check_neuron(self)

    def initial_state(self) -> Float[Array, "*shape"]:
        return jnp.zeros(self.shape)

    def coefficients(self) -> Leak:
        return Leak(None, value(self.resistance) * (self.dt if self.gain == "dt" else 1.0), None)

    def update(
        self,
        coefficients: Leak,
        current: Float[Array, "*shape"],
        state: Float[Array, "*shape"],
        *,
        key: Key[Array, ""] | None = None,
    ) -> Float[Array, "*shape"]:
        return coefficients(state, current)

    def filters(self, coefficients: Leak) -> tuple[Leak, ...] | None:
        return (coefficients,)
