"""The leaky integrate-and-fire neuron."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ._firing import Firing, Membrane
from ._leak import Decay, Gain, Leak, check_leak, leak
from ._neuron import AbstractNeuron, check_neuron
from ._parameters import Parameter, PositiveParameter, parameter, positive, value


class LIF(AbstractNeuron):
    r"""Leaky integrate-and-fire neurons.

    $u = v_\mathrm{rest} + \alpha (v - v_\mathrm{rest}) + g\,x$, where $v$ is the membrane after its reset, and a spike
    $s = H(u - \theta)$. `firing` says how the membrane is reset. $\alpha = e^{-dt/\tau}$ and $g = 1$ by default.

    A float is a constant and an array, one or one a neuron, is trained.

    **Arguments:**

    - `size`: Number of neurons, or the shape of the layer.
    - `tau_mem`: Membrane time constant, in seconds.
    - `threshold`: Firing threshold, in units of the membrane.
    - `resistance`: Factor on the input.
    - `v_rest`, `v_reset`: What the membrane decays to, and what a reset to "zero" sets it to.
    - `dt`: Time step, in seconds.
    - `decay`: "exponential" or "euler", $\alpha = 1 - dt/\tau$.
    - `gain`: Input gain: "one", "leak" ($1 - \alpha$) or "euler" ($dt/\tau$), each times `resistance`.
    - `firing`: Reset, its delay, several spikes a step, refractory period, surrogate.

    The same spikes as other libraries, given the same weights:

    - snnTorch `Leaky`, `Lapicque`: `Firing(delay=1)` by default, `Firing()` with reset_delay=False,
      `Firing(reset="zero")`; for Lapicque `decay="euler"`, `gain="euler"`, `resistance=R`.
    - Spyx `LIF`: `Firing(delay=1, emit="old")`.
    - jaxpike `LIF`: `gain="leak"`.
    - norse `LIFBox`: `decay="euler"`, `gain="leak"`, `Firing(reset="zero")`.
    - sinabs `LIF`: `gain="leak"`, `Firing(max_spikes=...)`.
    - SpikingJelly `LIFNode`: as norse; with decay_input=False `gain="one"`.
    - snnax `SimpleLIF`: `gain="leak"`, `Firing(reset="zero")`.
    - lava-dl: `Firing(reset="zero")`.
    """

    size: int | tuple[int, ...] = eqx.field(static=True)
    tau_mem: PositiveParameter = eqx.field(default=20e-3, converter=positive)
    threshold: PositiveParameter = eqx.field(default=1.0, converter=positive)
    resistance: Parameter = eqx.field(default=1.0, converter=parameter)
    v_rest: Parameter = eqx.field(default=0.0, converter=parameter)
    v_reset: Parameter = eqx.field(default=0.0, converter=parameter)
    dt: float = eqx.field(static=True, default=1e-3)
    decay: Decay = eqx.field(static=True, default="exponential")
    gain: Gain = eqx.field(static=True, default="one")
    firing: Firing = Firing()

    def __check_init__(self):
        check_leak(self.dt, self.decay, self.gain, tau_mem=self.tau_mem)
        check_neuron(
            self,
            tau_mem=self.tau_mem,
            threshold=self.threshold,
            resistance=self.resistance,
            v_rest=self.v_rest,
            v_reset=self.v_reset,
        )
        self.firing.check_step(self.dt)

    @property
    def spiking(self) -> bool:
        return True

    def initial_state(self) -> Membrane:
        return self.firing.initial(jnp.broadcast_to(value(self.v_rest), self.shape))

    def coefficients(self) -> "_Coefficients":
        membrane = leak(self.tau_mem, self.dt, self.decay, self.gain, self.resistance, self.v_rest)
        return _Coefficients(membrane, value(self.threshold), value(self.v_reset))

    def update(
        self,
        coefficients: "_Coefficients",
        current: Float[Array, "*shape"],
        state: Membrane,
        *,
        key: Key[Array, ""] | None = None,
    ) -> Membrane:
        membrane, threshold, v_reset = coefficients
        fired = self.firing.spikes(state, threshold, self.dt)
        return self.firing.advance(state, fired, threshold, v_reset, self.dt, lambda v: membrane(v, current))

    def output(self, coefficients: "_Coefficients", before: Membrane, after: Membrane) -> Float[Array, "*shape"]:
        emitted = before if self.firing.emit == "old" else after
        return self.firing.spikes(emitted, coefficients.threshold, self.dt)

    def membrane(self, state: Membrane) -> Float[Array, "*shape"]:
        return state.membrane

    def filters(self, coefficients: "_Coefficients") -> tuple[Leak, ...] | None:
        return (coefficients.membrane,) if self.firing.reset == "none" else None


class _Coefficients(NamedTuple):
    membrane: Leak
    threshold: Float[Array, "*units"]
    v_reset: Float[Array, "*units"]
