"""The resonate-and-fire neuron, whose membrane rings."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..._checks import numbers, plain
from ._firing import Firing, Membrane
from ._leak import ROUNDING, Leak, check_times
from ._neuron import check_neuron
from ._parameters import Parameter, PositiveParameter, parameter, positive, value
from ._spiking import AbstractOneLeak, OneLeak


class ResonateAndFire(AbstractOneLeak):
    r"""Resonate-and-fire neurons: a complex membrane $u = e^{(-1/\tau + 2\pi i f)\,dt} z + g\,x$, and a spike
    $s = H(\mathrm{Re}\,u - \theta)$.

    $z$ is the membrane after its reset, which by subtraction moves the real part only, and otherwise sets the real part
    to `v_reset` and the imaginary part to zero. Recorded membranes are the real part.

    A float is a constant and an array, one or one a neuron, is trained.

    **Arguments:** as for `LIF`, without what concerns the rest, and

    - `frequency`: Frequency of the ringing, in hertz, below half of 1/dt.
    - `gain`: Input gain: "one", or "dt" for an input per second, each times `resistance`.

    The same spikes as Spyx `RFSSM` without a reset: `Firing(reset="none")`, `tau_mem=1/decay`,
    `frequency=omega/(2 pi)`, or 1/dt less that where it is above half of 1/dt. The original swaps the roles of the two
    parts and takes its input where it does not fire: it is this with a phase shift.

    Reference: Izhikevich2001.

    >>> import jax.numpy as jnp, numpy as np, memsim as ms
    >>> time = np.arange(500)[:, None] / 1000
    >>> def spikes(frequency):
    ...     x = jnp.asarray(0.05 * np.sin(2 * np.pi * frequency * time), jnp.float32)
    ...     return int(ms.nn.SpikingNetwork([ms.nn.ResonateAndFire(1, tau_mem=0.1, frequency=10.0)])(x).sum())
    >>> spikes(10.0) > 0, spikes(40.0)
    (True, 0)
    """

    size: int | tuple[int, ...] = eqx.field(static=True, converter=plain)
    tau_mem: PositiveParameter = eqx.field(default=20e-3, converter=positive("tau_mem"))
    frequency: PositiveParameter = eqx.field(default=10.0, converter=positive("frequency"))
    threshold: PositiveParameter = eqx.field(default=1.0, converter=positive("threshold"))
    resistance: Parameter = eqx.field(default=1.0, converter=parameter("resistance"))
    v_reset: Parameter = eqx.field(default=0.0, converter=parameter("v_reset"))
    dt: float = eqx.field(static=True, default=1e-3, converter=plain)
    gain: Literal["one", "dt"] = eqx.field(static=True, default="one")
    firing: Firing = Firing()

    def __check_init__(self):
        check_neuron(self)
        check_times(self.dt, "exponential", tau_mem=self.tau_mem)
        for found in numbers(value(self.frequency)):
            if found.max() > 0.5 / self.dt * (1 + ROUNDING):
                raise ValueError(
                    f"`frequency` must be at most half of 1/dt, in hertz. Got {found.max():g} with dt={self.dt}. "
                    "Shorten dt."
                )
        self.firing.check_step(self.dt)

    def initial_state(self) -> Membrane:
        real = jnp.zeros(self.shape)
        return self.firing.initial(jax.lax.complex(real, real))

    def coefficients(self) -> OneLeak:
        size, angle = jnp.exp(-self.dt / value(self.tau_mem)), 2 * jnp.pi * self.dt * value(self.frequency)
        gain = value(self.resistance) * (self.dt if self.gain == "dt" else 1.0)
        decay = jax.lax.complex(size * jnp.cos(angle), size * jnp.sin(angle))
        ring = Leak(decay, jax.lax.complex(gain, jnp.zeros_like(gain)), None)
        return OneLeak(ring, value(self.threshold), value(self.v_reset))

    def membrane(self, state: Membrane) -> Float[Array, "*shape"]:
        return jnp.real(state.membrane)
