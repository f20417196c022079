"""The leaky readout behind a synaptic current."""

from typing import Literal, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ..._checks import plain
from ._leak import Decay, Gain, Leak, check_times, leak
from ._neuron import AbstractNeuron, check_neuron
from ._parameters import Parameter, PositiveParameter, parameter, positive, value


class CuBaLIState(NamedTuple):
    """The synaptic current and the membrane."""

    current: Float[Array, "*shape"]
    membrane: Float[Array, "*shape"]


class CuBaLI(AbstractNeuron):
    r"""Current-based leaky integrators: $I = \alpha_s I + g_s w_\mathrm{in}\,x$,
    $v = v_\mathrm{rest} + \alpha (v - v_\mathrm{rest}) + g\,I$, and the output is $v$.

    **Arguments:** as for `CuBaLIF`, without what concerns spikes.

    The same output as norse `LI` with `decay="euler"`, `gain="euler"`, as NIR `CubaLI` with `gain="leak"`,
    `gain_syn="leak"`.

    >>> import jax.numpy as jnp, memsim as ms
    >>> v = ms.nn.SpikingNetwork([ms.nn.CuBaLI(1)])(jnp.eye(60, 1))
    >>> int(v.argmax())  # the peak of a response to one spike, in steps
    8
    """

    size: int | tuple[int, ...] = eqx.field(static=True, converter=plain)
    tau_mem: PositiveParameter = eqx.field(default=20e-3, converter=positive("tau_mem"))
    tau_syn: PositiveParameter = eqx.field(default=5e-3, converter=positive("tau_syn"))
    w_in: Parameter = eqx.field(default=1.0, converter=parameter("w_in"))
    resistance: Parameter = eqx.field(default=1.0, converter=parameter("resistance"))
    v_rest: Parameter = eqx.field(default=0.0, converter=parameter("v_rest"))
    dt: float = eqx.field(static=True, default=1e-3, converter=plain)
    decay: Decay = eqx.field(static=True, default="exponential")
    gain: Gain = eqx.field(static=True, default="one")
    gain_syn: Gain = eqx.field(static=True, default="one")
    synaptic_delay: Literal[0, 1] = eqx.field(static=True, default=0)

    def __check_init__(self):
        check_neuron(self)
        check_times(self.dt, self.decay, tau_mem=self.tau_mem, tau_syn=self.tau_syn)

    @property
    def spiking(self) -> bool:
        return False

    def initial_state(self) -> CuBaLIState:
        return CuBaLIState(jnp.zeros(self.shape), jnp.broadcast_to(value(self.v_rest), self.shape))

    def coefficients(self) -> tuple[Leak, Leak]:
        synapse = leak(self.tau_syn, self.dt, self.decay, self.gain_syn, self.w_in)
        return synapse, leak(self.tau_mem, self.dt, self.decay, self.gain, self.resistance, self.v_rest)

    def update(
        self,
        coefficients: tuple[Leak, Leak],
        current: Float[Array, "*shape"],
        state: CuBaLIState,
        *,
        key: Key[Array, ""] | None = None,
    ) -> CuBaLIState:
        synapse, membrane = coefficients
        after = synapse(state.current, current)
        return CuBaLIState(after, membrane(state.membrane, state.current if self.synaptic_delay == 1 else after))

    def output(
        self, coefficients: tuple[Leak, Leak], before: CuBaLIState, after: CuBaLIState
    ) -> Float[Array, "*shape"]:
        return after.membrane

    def filters(self, coefficients: tuple[Leak, Leak]) -> tuple[Leak, ...] | None:
        return coefficients if self.synaptic_delay == 0 else None
