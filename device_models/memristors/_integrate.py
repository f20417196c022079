"""Integration of a memristor in time by Diffrax."""

import diffrax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._memristor import AbstractMemristor
from ._steps import AbstractSteps


def integrate(
    memristor: AbstractMemristor,
    steps_of_time: Float[Array, " n_minus_1"],
    voltage: Float[Array, " n"],
    start: Float[Array, ""],
    steps: AbstractSteps,
) -> Float[Array, " n"]:
    """The state at every sample.

    The solver counts samples, not seconds: sample number and elapsed time are both linear between samples, and a
    count is exact where a time of 1 s + 1 ns is not.
    """
    interval = memristor.interval
    per_sample = steps.per_sample

    def within(t):
        """The sample before `t`, and how far `t` is on the way to the next."""
        sample = jnp.clip(jnp.floor(t).astype(int) // per_sample, 0, voltage.size - 2)
        return sample, (t - per_sample * sample.astype(t.dtype)) / per_sample

    def rate(t, coordinate, args):
        sample, share = within(t)
        v = voltage[sample] + share * (voltage[sample + 1] - voltage[sample])
        return interval.rate(lambda state: memristor.flow(state, v), coordinate)

    def elapsed(t0, t1, **kwargs):
        """Seconds between two counts, of which no sample lies between."""
        middle, _ = within(0.5 * (t0 + t1))
        return (t1 - t0) / per_sample * steps_of_time[middle]

    term = diffrax.ControlTerm(rate, elapsed)
    count = per_sample * (voltage.size - 1)
    coordinates = steps.solve(term, interval, interval.coordinate(start), count)
    # The first state as it was given, not as it comes back from its coordinate.
    return jnp.concatenate([start[None], interval.state(coordinates[per_sample::per_sample])])
