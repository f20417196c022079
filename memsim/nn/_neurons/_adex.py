"""The adaptive exponential integrate-and-fire neuron."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ..._checks import plain
from ._firing import Firing, Membrane
from ._leak import LONGEST_ADAPTATION, check_times
from ._neuron import check_neuron
from ._parameters import Parameter, PositiveParameter, parameter, positive, value
from ._spiking import AbstractSpiking

STEEPEST = 30.0  # largest exponent: e^30 and its gradient stay finite in float32


class AdExState(NamedTuple):
    """The membrane as its step left it, and the adaptation current, both before any reset."""

    membrane: Membrane
    adaptation: Float[Array, "*shape"]


class AdEx(AbstractSpiking):
    r"""Adaptive exponential integrate-and-fire neurons, by Euler steps.

    $\tau_m \dot v = -(v - v_\mathrm{rest}) + \Delta\,e^{(v - v_T) / \Delta} + R\,(x - w)$ and
    $\tau_w \dot w = a\,(v - v_\mathrm{rest}) - w$. Where $v > \theta$ there is a spike, after which
    $v = v_\mathrm{reset}$ and $w$ rises by $b$. The exponent is at most 30, which a membrane below a threshold that is
    $30\,\Delta$ above $v_T$ never meets.

    The defaults are without units; with volts, amperes and ohms, $a$ is in siemens and $b$ in amperes.

    **Arguments:** as for `LIF`, and

    - `tau_adapt`: Time constant of the adaptation current, in seconds.
    - `threshold`: Membrane at which the spike is cut off, of any sign.
    - `v_onset`: $v_T$, where the exponential rise sets in.
    - `slope_factor`: $\Delta$, the width of that onset, in units of the membrane.
    - `coupling`: $a$, by which the adaptation follows the membrane.
    - `jump`: $b$, which a spike adds to the adaptation.
    - `firing`: Its reset must be "zero".

    The same spikes as norse `LIFAdEx` behind an `LI(tau_mem=tau_syn, decay="euler")` as its synapse:
    `v_onset=threshold`, `slope_factor=delta_T`, `coupling=adaptation_current`, `jump=adaptation_spike`.

    Reference: Brette2005.

    >>> import jax.numpy as jnp, numpy as np, memsim as ms
    >>> spikes = ms.nn.SpikingNetwork([ms.nn.AdEx(1)])(jnp.full((400, 1), 2.0))
    >>> print(np.diff(np.flatnonzero(spikes)))  # steps between spikes: it adapts
    [14 15 16 17 18 18 19 19 19 20 20 20 20 20 20 20 20 20 21 20]
    """

    size: int | tuple[int, ...] = eqx.field(static=True, converter=plain)
    tau_mem: PositiveParameter = eqx.field(default=20e-3, converter=positive("tau_mem"))
    tau_adapt: PositiveParameter = eqx.field(default=100e-3, converter=positive("tau_adapt"))
    threshold: Parameter = eqx.field(default=1.0, converter=parameter("threshold"))
    v_onset: Parameter = eqx.field(default=0.8, converter=parameter("v_onset"))
    slope_factor: PositiveParameter = eqx.field(default=0.1, converter=positive("slope_factor"))
    coupling: Parameter = eqx.field(default=0.1, converter=parameter("coupling"))
    jump: Parameter = eqx.field(default=0.1, converter=parameter("jump"))
    resistance: Parameter = eqx.field(default=1.0, converter=parameter("resistance"))
    v_rest: Parameter = eqx.field(default=0.0, converter=parameter("v_rest"))
    v_reset: Parameter = eqx.field(default=0.0, converter=parameter("v_reset"))
    dt: float = eqx.field(static=True, default=1e-3, converter=plain)
    firing: Firing = Firing(reset="zero")

    def __check_init__(self):
        check_neuron(self)
        check_times(self.dt, "euler", tau_mem=self.tau_mem)
        check_times(self.dt, "euler", longest=LONGEST_ADAPTATION, tau_adapt=self.tau_adapt)
        self.firing.check_value_reset("AdEx")
        self.firing.check_step(self.dt)

    def initial_state(self) -> AdExState:
        membrane = self.firing.initial(jnp.broadcast_to(value(self.v_rest), self.shape))
        return AdExState(membrane, jnp.zeros(self.shape))

    def coefficients(self) -> "_Coefficients":
        return _Coefficients(
            self.dt / value(self.tau_mem),
            self.dt / value(self.tau_adapt),
            value(self.threshold),
            value(self.v_onset),
            value(self.slope_factor),
            value(self.coupling),
            value(self.jump),
            value(self.resistance),
            value(self.v_rest),
            value(self.v_reset),
        )

    def update(
        self,
        coefficients: "_Coefficients",
        current: Float[Array, "*shape"],
        state: AdExState,
        *,
        key: Key[Array, ""] | None = None,
    ) -> AdExState:
        c = coefficients
        fired = self.firing.spikes(state.membrane, c.threshold)
        w = state.adaptation + c.jump * fired

        def integrate(v):
            upswing = c.slope_factor * jnp.exp(jnp.minimum((v - c.v_onset) / c.slope_factor, STEEPEST))
            return v + c.mem_step * (c.v_rest - v + upswing + c.resistance * (current - w))

        v = self.firing.rested(state.membrane, fired, c.threshold, c.v_reset)
        membrane = self.firing.advance(state.membrane, fired, c.threshold, c.v_reset, self.dt, integrate)
        return AdExState(membrane, w + c.adapt_step * (c.coupling * (v - c.v_rest) - w))

    def spikes(self, coefficients: "_Coefficients", state: AdExState) -> Float[Array, "*shape"]:
        return self.firing.spikes(state.membrane, coefficients.threshold)


class _Coefficients(NamedTuple):
    mem_step: Float[Array, "*units"]
    adapt_step: Float[Array, "*units"]
    threshold: Float[Array, "*units"]
    v_onset: Float[Array, "*units"]
    slope_factor: Float[Array, "*units"]
    coupling: Float[Array, "*units"]
    jump: Float[Array, "*units"]
    resistance: Float[Array, "*units"]
    v_rest: Float[Array, "*units"]
    v_reset: Float[Array, "*units"]
