"""The leaky integrate-and-fire neuron."""

import equinox as eqx
import jax.numpy as jnp

from ..._checks import plain
from ._firing import Firing, Membrane
from ._leak import Decay, Gain, check_times, leak
from ._neuron import check_neuron
from ._parameters import Parameter, PositiveParameter, parameter, positive, value
from ._spiking import AbstractOneLeak, OneLeak


class LIF(AbstractOneLeak):
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
    - `firing`: Reset, its delay, several spikes a step, refractory period, surrogate, and whether a membrane at exactly
      its threshold fires.

    The same spikes as other libraries, given the same weights; `tau_mem` is -dt / ln(beta) of a decay beta:

    - snnTorch `Leaky`: `Firing(delay=1)`; `Firing(reset="zero")` for its reset to zero; `Firing()` for
      reset_delay=False, as long as no membrane reaches two thresholds.
    - snnTorch `Lapicque`: `decay="euler"`, `gain="euler"`, `resistance=R`, `tau_mem=R*C`, `Firing(delay=1)`; its reset
      to zero also loses the next input, `Firing(reset="zero", refractory=dt)`.
    - Spyx `LIF`: `Firing(delay=1, emit="old")`.
    - jaxpike `LIF`: `gain="leak"`, and `Firing(reset="zero")` for its reset to zero.
    - norse `LIFBox`: `decay="euler"`, `gain="euler"`, `Firing(reset="zero")`.
    - sinabs `LIF`: `gain="leak"`, `Firing(max_spikes=1000, at_threshold="fires")`; `max_spikes=1` with its SingleSpike;
      `gain="one"` without norm_input.
    - SpikingJelly `LIFNode`: as norse, with `at_threshold="fires"`; v_reset=None is reset="subtract"; `gain="one"` with
      decay_input=False.
    - snnax `SimpleLIF`: `gain="leak"`, `Firing(reset="zero", at_threshold="fires")`.

    >>> import jax.numpy as jnp, numpy as np, memsim as ms
    >>> network = ms.nn.SpikingNetwork([ms.nn.LIF(1, tau_mem=0.02, threshold=1.0)])
    >>> print(np.flatnonzero(network(jnp.full((20, 1), 0.2))))  # steps with a spike
    [ 5 11 17]
    """

    size: int | tuple[int, ...] = eqx.field(static=True, converter=plain)
    tau_mem: PositiveParameter = eqx.field(default=20e-3, converter=positive("tau_mem"))
    threshold: PositiveParameter = eqx.field(default=1.0, converter=positive("threshold"))
    resistance: Parameter = eqx.field(default=1.0, converter=parameter("resistance"))
    v_rest: Parameter = eqx.field(default=0.0, converter=parameter("v_rest"))
    v_reset: Parameter = eqx.field(default=0.0, converter=parameter("v_reset"))
    dt: float = eqx.field(static=True, default=1e-3, converter=plain)
    decay: Decay = eqx.field(static=True, default="exponential")
    gain: Gain = eqx.field(static=True, default="one")
    firing: Firing = Firing()

    def __check_init__(self):
        check_neuron(self)
        check_times(self.dt, self.decay, tau_mem=self.tau_mem)
        self.firing.check_step(self.dt)

    def initial_state(self) -> Membrane:
        return self.firing.initial(jnp.broadcast_to(value(self.v_rest), self.shape))

    def coefficients(self) -> OneLeak:
        membrane = leak(self.tau_mem, self.dt, self.decay, self.gain, self.resistance, self.v_rest)
        return OneLeak(membrane, value(self.threshold), value(self.v_reset))
