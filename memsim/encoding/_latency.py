"""Values as the time of one spike: the larger, the earlier."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

from .._checks import as_floats, check, checked, plain, positive, that, whole
from ._checks import SECONDS, SIGNAL, SPIKES, STEPS, check_length, check_tau, check_values


class LinearLatency(eqx.Module):
    r"""One spike at step $(T - 1)(1 - x) / (1 - \theta)$, rounded, of $T$ steps.

    A value of 1 spikes first, one just above `threshold` last, and one not above it never. The spikes have no gradient:
    they are piecewise constant. `times` has, and says when they come.

    **Arguments:**

    - `steps`: Length of the train, at least 2.
    - `threshold`: $\theta$, in [0, 1).

    >>> import jax.numpy as jnp, memsim as ms
    >>> latency = ms.encoding.LinearLatency(11)
    >>> print(latency(jnp.array([1.0, 0.5, 0.0])).argmax(0), latency.times(jnp.array([1.0, 0.5])))
    [0 5 0] [0. 5.]
    """

    steps: int = eqx.field(static=True, converter=plain)
    threshold: float = 0.0

    def __check_init__(self):
        below_one = that("in [0, 1), as the values are", lambda x: (x >= 0) & (x < 1))
        check(self, steps=whole(2), threshold=below_one)

    @checked(values=SIGNAL)
    def times(self, values: Shaped[Array, "*values"]) -> Float[Array, "*values"]:
        """When each value spikes, in steps, before rounding; infinite for those that do not."""
        values = as_floats(values, "values")
        check_values("values", values, 0.0, 1.0, "Scale them first.")
        return jnp.where(values <= self.threshold, jnp.inf, (1 - values) / self._per_step)

    @checked(values=SIGNAL)
    def __call__(self, values: Shaped[Array, "*values"]) -> Float[Array, "steps *values"]:
        return _spikes_at(jnp.round(self.times(values)), self.steps)

    @checked(spikes=SPIKES)
    def decode(self, spikes: Shaped[Array, "steps *values"]) -> Float[Array, "*values"]:
        """The value whose spike is the first, off by at most half a step; 0 for a train without spikes."""
        check_length(spikes, self.steps)
        time = first_spike_time(spikes)
        return jnp.where(time >= self.steps, 0.0, 1 - time * self._per_step)

    @property
    def _per_step(self) -> float:
        return (1 - self.threshold) / (self.steps - 1)


class ChargingLatency(eqx.Module):
    r"""One spike when a capacitor charged through a resistor crosses a threshold: $t = \tau \ln(x / (x - \theta))$.

    The spike is in step $\lfloor t / dt \rfloor$: the first spike of a leaky neuron driven by $x$, as `memsim.nn.LIF`
    with gain "leak" has it. Values not above $\theta$ do not spike, nor do those that would after the last step. The
    spikes have no gradient; `times` has.

    **Arguments:**

    - `steps`: Length of the train.
    - `tau`: Time constant, in seconds.
    - `dt`: Length of a step, in seconds.
    - `threshold`: $\theta$, positive, in the unit of the values.

    >>> import jax.numpy as jnp, memsim as ms
    >>> latency = ms.encoding.ChargingLatency(100, tau=0.02, dt=1e-3, threshold=0.5)
    >>> print(f"{latency.times(jnp.array([1.0]))[0]:.1f}")  # 20 ms ln 2
    13.9
    """

    steps: int = eqx.field(static=True, converter=plain)
    tau: float
    dt: float
    threshold: float

    def __check_init__(self):
        check(self, steps=STEPS, tau=SECONDS, dt=SECONDS, threshold=positive("in the unit of the values"))
        check_tau(self.tau, self.dt)

    @checked(values=SIGNAL)
    def times(self, values: Shaped[Array, "*values"]) -> Float[Array, "*values"]:
        """When each value spikes, in steps, as a real number; infinite for those that do not."""
        values = as_floats(values, "values")
        check_values("values", values, 0.0, float("inf"), "A capacitor cannot be charged to a positive threshold.")
        silent = values <= self.threshold
        ratio = self.threshold / jnp.where(silent, 2 * self.threshold, values)
        return jnp.where(silent, jnp.inf, -jnp.log1p(-ratio) * (self.tau / self.dt))

    @checked(values=SIGNAL)
    def __call__(self, values: Shaped[Array, "*values"]) -> Float[Array, "steps *values"]:
        return _spikes_at(jnp.floor(self.times(values)), self.steps)

    @checked(spikes=SPIKES)
    def decode(self, spikes: Shaped[Array, "steps *values"]) -> Float[Array, "*values"]:
        """The value that crosses in the middle of the first spike's step; 0 for a train without spikes."""
        check_length(spikes, self.steps)
        time = first_spike_time(spikes)
        value = self.threshold / -jnp.expm1(-(time + 0.5) * (self.dt / self.tau))
        return jnp.where(time >= self.steps, 0.0, value)


@checked(spikes=SPIKES)
def first_spike_time(spikes: Shaped[Array, "steps *units"]) -> Float[Array, "*units"]:
    r"""The step of each unit's first spike, from 0, and the number of steps $T$ for a unit without spikes.

    It is $\sum_n \prod_{m \le n} (1 - s_m)$, which is linear in each $s_m$. So its derivative in a spike is the exact
    change of the time when that spike is put in or taken out: $-(T - m)$ for a silent unit, and nothing after the first
    two spikes. Several spikes in a step count as one.

    >>> import jax.numpy as jnp, memsim as ms
    >>> print(ms.encoding.first_spike_time(jnp.array([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0]])))
    [1. 3.]
    """
    spikes = as_floats(spikes, "spikes")
    present = jnp.where(spikes > 1, jnp.ones_like(spikes), spikes)
    return jnp.sum(jnp.cumprod(1 - present, axis=0), axis=0)


def _spikes_at(times: Float[Array, "*values"], steps: int) -> Float[Array, "steps *values"]:
    """One spike at each whole step of `times`, none at or after `steps`; NaN in every step for a time that is NaN."""
    place = jnp.where(times < steps, times, steps).astype(int)
    spikes = jax.nn.one_hot(place, steps, axis=0, dtype=times.dtype)
    return jnp.where(jnp.broadcast_to(jnp.isnan(times), spikes.shape), jnp.nan, spikes)
