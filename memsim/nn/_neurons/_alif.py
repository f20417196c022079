"""The leaky integrate-and-fire neuron whose threshold rises with every spike."""

from typing import Literal, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ..._checks import plain
from ._firing import Firing, Membrane
from ._leak import LONGEST_ADAPTATION, Decay, Gain, Leak, check_times, leak
from ._neuron import check_neuron
from ._parameters import Parameter, PositiveParameter, parameter, positive, value
from ._spiking import AbstractSpiking


class ALIFState(NamedTuple):
    """The membrane as its step left it, before any reset, and the adaptation that its threshold had then."""

    membrane: Membrane
    adaptation: Float[Array, "*shape"]


class ALIF(AbstractSpiking):
    r"""Adaptive leaky integrate-and-fire neurons: a `LIF` with the threshold $\theta + \kappa A$.

    $A = \gamma A + g_a s$ follows each spike $s$, and is what the next step's membrane is compared with. A reset by
    subtraction takes off the threshold that was crossed. The gradient flows through $A$, so that a spike is credited
    for what it does to later ones.

    **Arguments:** as for `LIF`, and

    - `tau_adapt`: Time constant of the adaptation, in seconds; `decay` holds for both time constants.
    - `kappa`: Rise of the threshold with the adaptation.
    - `gain_adapt`: What a spike adds to the adaptation: "one" (1) or "leak" ($1 - \gamma$).

    The same spikes as other libraries, given the same weights:

    - Spyx `ALIF`: `kappa=1.0`, `gain_adapt="leak"`, `Firing(delay=1, emit="old")`.
    - jaxpike `ALIF`: `gain="leak"`, `kappa=beta`.
    - sinabs `ALIF`: `gain="leak"`, `gain_adapt="leak"`, `kappa=adapt_scale`, `Firing(at_threshold="fires")`.
    - norse `LSNN` without its synapse: `decay="euler"`, `gain="euler"`, `kappa=beta*(1 - dt/tau_adapt)`,
      `Firing(reset="zero")`.

    Reference: Bellec2018.

    >>> import jax.numpy as jnp, numpy as np, memsim as ms
    >>> spikes = ms.nn.SpikingNetwork([ms.nn.ALIF(1)])(jnp.full((60, 1), 0.3))
    >>> print(np.diff(np.flatnonzero(spikes)))  # steps between spikes: it adapts
    [12 22]
    """

    size: int | tuple[int, ...] = eqx.field(static=True, converter=plain)
    tau_mem: PositiveParameter = eqx.field(default=20e-3, converter=positive("tau_mem"))
    tau_adapt: PositiveParameter = eqx.field(default=200e-3, converter=positive("tau_adapt"))
    threshold: PositiveParameter = eqx.field(default=1.0, converter=positive("threshold"))
    kappa: Parameter = eqx.field(default=1.8, converter=parameter("kappa"))
    resistance: Parameter = eqx.field(default=1.0, converter=parameter("resistance"))
    v_rest: Parameter = eqx.field(default=0.0, converter=parameter("v_rest"))
    v_reset: Parameter = eqx.field(default=0.0, converter=parameter("v_reset"))
    dt: float = eqx.field(static=True, default=1e-3, converter=plain)
    decay: Decay = eqx.field(static=True, default="exponential")
    gain: Gain = eqx.field(static=True, default="one")
    gain_adapt: Literal["one", "leak"] = eqx.field(static=True, default="one")
    firing: Firing = Firing()

    def __check_init__(self):
        check_neuron(self)
        check_times(self.dt, self.decay, tau_mem=self.tau_mem)
        check_times(self.dt, self.decay, longest=LONGEST_ADAPTATION, tau_adapt=self.tau_adapt)
        self.firing.check_step(self.dt)

    def initial_state(self) -> ALIFState:
        membrane = self.firing.initial(jnp.broadcast_to(value(self.v_rest), self.shape))
        return ALIFState(membrane, jnp.zeros(self.shape))

    def coefficients(self) -> "_Coefficients":
        membrane = leak(self.tau_mem, self.dt, self.decay, self.gain, self.resistance, self.v_rest)
        adaptation = leak(self.tau_adapt, self.dt, self.decay, self.gain_adapt)
        return _Coefficients(membrane, adaptation, value(self.threshold), value(self.kappa), value(self.v_reset))

    def update(
        self,
        coefficients: "_Coefficients",
        current: Float[Array, "*shape"],
        state: ALIFState,
        *,
        key: Key[Array, ""] | None = None,
    ) -> ALIFState:
        fired, threshold = self.spikes(coefficients, state), _threshold(coefficients, state)
        membrane = self.firing.advance(
            state.membrane, fired, threshold, coefficients.v_reset, self.dt, lambda v: coefficients.membrane(v, current)
        )
        return ALIFState(membrane, coefficients.adaptation(state.adaptation, fired))

    def spikes(self, coefficients: "_Coefficients", state: ALIFState) -> Float[Array, "*shape"]:
        return self.firing.spikes(state.membrane, _threshold(coefficients, state))


class _Coefficients(NamedTuple):
    membrane: Leak
    adaptation: Leak
    threshold: Float[Array, "*units"]
    kappa: Float[Array, "*units"]
    v_reset: Float[Array, "*units"]


def _threshold(coefficients: _Coefficients, state: ALIFState) -> Float[Array, "*shape"]:
    return coefficients.threshold + coefficients.kappa * state.adaptation
