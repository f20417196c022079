"""The leaky readout, a membrane that does not spike."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ..._checks import plain
from ._leak import Decay, Gain, Leak, check_times, leak
from ._neuron import AbstractNeuron, check_neuron
from ._parameters import Parameter, PositiveParameter, parameter, positive, value


class LI(AbstractNeuron):
    r"""Leaky integrators: $v = v_\mathrm{rest} + \alpha (v - v_\mathrm{rest}) + g\,x$, and the output is $v$.

    **Arguments:** as for `LIF`, without what concerns spikes.

    >>> import jax.numpy as jnp, memsim as ms
    >>> v = ms.nn.SpikingNetwork([ms.nn.LI(1, tau_mem=0.02)])(jnp.eye(40, 1)).ravel()
    >>> print(f"{v[20]:.3f}")  # one time constant of 20 steps after the spike
    0.368
    """

    size: int | tuple[int, ...] = eqx.field(static=True, converter=plain)
    tau_mem: PositiveParameter = eqx.field(default=20e-3, converter=positive("tau_mem"))
    resistance: Parameter = eqx.field(default=1.0, converter=parameter("resistance"))
    v_rest: Parameter = eqx.field(default=0.0, converter=parameter("v_rest"))
    dt: float = eqx.field(static=True, default=1e-3, converter=plain)
    decay: Decay = eqx.field(static=True, default="exponential")
    gain: Gain = eqx.field(static=True, default="one")

    def __check_init__(self):
        check_neuron(self)
        check_times(self.dt, self.decay, tau_mem=self.tau_mem)

    def initial_state(self) -> Float[Array, "*shape"]:
        return jnp.broadcast_to(value(self.v_rest), self.shape)

    def coefficients(self) -> Leak:
        return leak(self.tau_mem, self.dt, self.decay, self.gain, self.resistance, self.v_rest)

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
