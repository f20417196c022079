"""The integrate-and-fire neuron, without a leak."""

from typing import Literal

import equinox as eqx
import jax.numpy as jnp

from ..._checks import plain
from ._firing import Firing, Membrane
from ._leak import Leak
from ._neuron import check_neuron
from ._parameters import Parameter, PositiveParameter, parameter, positive, value
from ._spiking import AbstractOneLeak, OneLeak


class IF(AbstractOneLeak):
    r"""Integrate-and-fire neurons without a leak: $u = v + g\,x$, and a spike $s = H(u - \theta)$.

    The membrane starts at zero.

    **Arguments:** as for `LIF`, without what concerns the leak, and

    - `gain`: Input gain: "one", or "dt" for an input per second, each times `resistance`.

    The same spikes as other libraries, given the same weights:

    - Spyx `IF`: `Firing(delay=1, emit="old")`.
    - norse `IAF`: `Firing(reset="zero")`.
    - sinabs `IAF`: `Firing(max_spikes=1000, at_threshold="fires")`.
    - SpikingJelly `IFNode`: `Firing(reset="zero", at_threshold="fires")`; v_reset=None is reset="subtract".
    - NIR `IF`: `gain="dt"`, `Firing(reset="zero")`.

    >>> import jax.numpy as jnp, memsim as ms
    >>> spikes = ms.nn.SpikingNetwork([ms.nn.IF(1, threshold=1.0)])(jnp.full((8, 1), 0.4))
    >>> print(spikes.ravel())
    [0. 0. 1. 0. 0. 1. 0. 1.]
    """

    size: int | tuple[int, ...] = eqx.field(static=True, converter=plain)
    threshold: PositiveParameter = eqx.field(default=1.0, converter=positive("threshold"))
    resistance: Parameter = eqx.field(default=1.0, converter=parameter("resistance"))
    v_reset: Parameter = eqx.field(default=0.0, converter=parameter("v_reset"))
    dt: float = eqx.field(static=True, default=1e-3, converter=plain)
    gain: Literal["one", "dt"] = eqx.field(static=True, default="one")
    firing: Firing = Firing()

    def __check_init__(self):
        check_neuron(self)
        self.firing.check_step(self.dt)

    def initial_state(self) -> Membrane:
        return self.firing.initial(jnp.zeros(self.shape))

    def coefficients(self) -> OneLeak:
        gain = value(self.resistance) * (self.dt if self.gain == "dt" else 1.0)
        return OneLeak(Leak(None, gain, None), value(self.threshold), value(self.v_reset))
