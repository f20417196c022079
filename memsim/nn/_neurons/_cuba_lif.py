"""The leaky integrate-and-fire neuron behind a synaptic current."""

from typing import Literal, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ..._checks import plain
from ._firing import Firing, Membrane
from ._leak import Decay, Gain, Leak, check_times, leak
from ._neuron import check_neuron
from ._parameters import Parameter, PositiveParameter, parameter, positive, value
from ._spiking import AbstractSpiking


class CuBaState(NamedTuple):
    """The synaptic current, and the membrane as its step left it, before any reset."""

    current: Float[Array, "*shape"]
    membrane: Membrane


class CuBaLIF(AbstractSpiking):
    r"""Current-based leaky integrate-and-fire neurons: the input is filtered before it reaches the membrane.

    $I = \alpha_s I + g_s w_\mathrm{in}\,x$ and $u = v_\mathrm{rest} + \alpha (v - v_\mathrm{rest}) + g\,I$, where $v$
    is the membrane after its reset, and a spike $s = H(u - \theta)$. A reset leaves the current alone.

    **Arguments:** as for `LIF`, and

    - `tau_syn`: Time constant of the synaptic current, in seconds; `decay` holds for both time constants.
    - `w_in`: Factor on the input of the synaptic current.
    - `gain_syn`: Input gain of the synaptic current, as `gain` is that of the membrane.
    - `synaptic_delay`: 0 where the membrane takes the current of the same step, 1 where it takes that of the step
      before.

    The same spikes as other libraries, given the same weights:

    - snnTorch `Synaptic`: `Firing(delay=1)`, `Firing()` for reset_delay=False, as long as no membrane reaches two
      thresholds; its reset to zero also loses one step of current, `Firing(reset="zero", refractory=dt)`.
    - Spyx `CuBaLIF`: `Firing(emit="old")`.
    - norse `LIF`: `decay="euler"`, `gain="euler"`, `Firing(reset="zero")`.
    - sinabs `LIF` with tau_syn: `gain="leak"`, `w_in=exp(-1/tau_syn)`, `Firing(max_spikes=1000, at_threshold="fires")`.
    - snnax `LIF`: `gain="leak"`, `gain_syn="leak"`, `synaptic_delay=1`, `Firing(reset="zero", at_threshold="fires")`.
    - rockpool `LIF`: `w_in=exp(-dt/tau_syn)`, `Firing(max_spikes=..., at_threshold="fires")`.
    - lava-dl CUBA: `Firing(reset="zero")`.
    - jaxsnn: `decay="euler"`, `gain="euler"`, `synaptic_delay=1`, `Firing(reset="zero")`.
    - NIR `CubaLIF`: `gain="leak"`, `gain_syn="leak"`, `Firing(reset="zero")`.

    >>> import jax.numpy as jnp, numpy as np, memsim as ms
    >>> spikes = ms.nn.SpikingNetwork([ms.nn.CuBaLIF(1, tau_mem=0.02, tau_syn=0.005)])(jnp.full((20, 1), 0.1))
    >>> print(np.flatnonzero(spikes))
    [ 4  7  9 11 13 15 17 19]
    """

    size: int | tuple[int, ...] = eqx.field(static=True, converter=plain)
    tau_mem: PositiveParameter = eqx.field(default=20e-3, converter=positive("tau_mem"))
    tau_syn: PositiveParameter = eqx.field(default=5e-3, converter=positive("tau_syn"))
    threshold: PositiveParameter = eqx.field(default=1.0, converter=positive("threshold"))
    w_in: Parameter = eqx.field(default=1.0, converter=parameter("w_in"))
    resistance: Parameter = eqx.field(default=1.0, converter=parameter("resistance"))
    v_rest: Parameter = eqx.field(default=0.0, converter=parameter("v_rest"))
    v_reset: Parameter = eqx.field(default=0.0, converter=parameter("v_reset"))
    dt: float = eqx.field(static=True, default=1e-3, converter=plain)
    decay: Decay = eqx.field(static=True, default="exponential")
    gain: Gain = eqx.field(static=True, default="one")
    gain_syn: Gain = eqx.field(static=True, default="one")
    synaptic_delay: Literal[0, 1] = eqx.field(static=True, default=0)
    firing: Firing = Firing()

    def __check_init__(self):
        check_neuron(self)
        check_times(self.dt, self.decay, tau_mem=self.tau_mem, tau_syn=self.tau_syn)
        self.firing.check_step(self.dt)

    def initial_state(self) -> CuBaState:
        membrane = self.firing.initial(jnp.broadcast_to(value(self.v_rest), self.shape))
        return CuBaState(jnp.zeros(self.shape), membrane)

    def coefficients(self) -> "_Coefficients":
        synapse = leak(self.tau_syn, self.dt, self.decay, self.gain_syn, self.w_in)
        membrane = leak(self.tau_mem, self.dt, self.decay, self.gain, self.resistance, self.v_rest)
        return _Coefficients(synapse, membrane, value(self.threshold), value(self.v_reset))

    def update(
        self,
        coefficients: "_Coefficients",
        current: Float[Array, "*shape"],
        state: CuBaState,
        *,
        key: Key[Array, ""] | None = None,
    ) -> CuBaState:
        synapse, membrane, threshold, v_reset = coefficients
        after = synapse(state.current, current)
        drive = state.current if self.synaptic_delay == 1 else after
        fired = self.firing.spikes(state.membrane, threshold)
        return CuBaState(
            after,
            self.firing.advance(state.membrane, fired, threshold, v_reset, self.dt, lambda v: membrane(v, drive)),
        )

    def spikes(self, coefficients: "_Coefficients", state: CuBaState) -> Float[Array, "*shape"]:
        return self.firing.spikes(state.membrane, coefficients.threshold)

    def filters(self, coefficients: "_Coefficients") -> tuple[Leak, ...] | None:
        if self.firing.reset == "none" and self.synaptic_delay == 0:
            return coefficients.synapse, coefficients.membrane
        return None


class _Coefficients(NamedTuple):
    synapse: Leak
    membrane: Leak
    threshold: Float[Array, "*units"]
    v_reset: Float[Array, "*units"]
