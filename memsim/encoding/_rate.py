"""Values as firing rates: one independent draw a step."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key, Shaped

from device_models._draws import uniform

from .._checks import as_floats, check, checked, is_known, plain
from ._checks import SECONDS, SIGNAL, SPIKES, STEPS, check_values


class Rate(eqx.Module):
    """A spike with probability `values`, in [0, 1], independently in each step.

    `rate(values, key=key)` are 0/1 spikes (steps, ...). The gradient is straight-through: a spike has derivative one in
    its value, which is that of its mean (Bengio2013). Traced values are not checked; outside [0, 1] they saturate.

    **Arguments:**

    - `steps`: How often each value is drawn, or `None` for values whose first axis is time already.

    >>> import jax.numpy as jnp, jax.random as jr, numpy as np, memsim as ms
    >>> spikes = ms.encoding.Rate(1000)(jnp.array([0.2, 0.8]), key=jr.key(0))
    >>> print(np.asarray(spikes.mean(0)).round(1))
    [0.2 0.8]
    """

    steps: int | None = eqx.field(static=True, converter=plain)

    def __check_init__(self):
        check(self, steps=STEPS)

    @checked(values=SIGNAL)
    def __call__(self, values: Shaped[Array, "*values"], *, key: Key[Array, ""]) -> Float[Array, "steps *_"]:
        values = as_floats(values, "values")
        check_values("values", values, 0.0, 1.0, "Scale them first; for rates in Hz use `Poisson`.")
        return bernoulli(over_time(values, self.steps), key=key)

    @checked(spikes=SPIKES)
    def decode(self, spikes: Shaped[Array, "steps *values"]) -> Float[Array, "*values"]:
        """The spikes' mean over time, with standard error sqrt(p (1 - p) / steps)."""
        return jnp.mean(as_floats(spikes, "spikes"), axis=0)


class Poisson(eqx.Module):
    r"""A Poisson process of rate $r$ in Hz, in steps of `dt` seconds.

    A step has a spike with probability $1 - e^{-r\,dt}$, that of at least one event; with `counts` it has the number of
    events, of mean $r\,dt$. The gradient is straight-through, that of the mean: $dt\,e^{-r\,dt}$, with `counts` $dt$.
    Traced rates are not checked.

    **Arguments:**

    - `steps`: How often each rate is drawn, or `None` for rates whose first axis is time already.
    - `dt`: Length of a step, in seconds.
    - `counts`: Whether a step may have several spikes. Without, $r\,dt$ must be at most 1.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> spikes = ms.encoding.Poisson(1000, dt=1e-3)(jnp.array([100.0]), key=jr.key(0))
    >>> print(f"{spikes.mean():.1f} a step")
    0.1 a step
    """

    steps: int | None = eqx.field(static=True, converter=plain)
    dt: float
    counts: bool = eqx.field(static=True, default=False)

    def __check_init__(self):
        check(self, steps=STEPS, dt=SECONDS)

    @checked(rates=SIGNAL)
    def __call__(self, rates: Shaped[Array, "*values"], *, key: Key[Array, ""]) -> Float[Array, "steps *_"]:
        rates = as_floats(rates, "rates")
        largest = 1 / self.dt if not self.counts and is_known(self.dt) else float("inf")
        check_values("rates", rates, 0.0, largest, "They are in Hz, with `dt` in seconds: is it given in milliseconds?")
        means = over_time(rates, self.steps) * self.dt
        if not self.counts:
            return bernoulli(-jnp.expm1(-means), key=key)
        drawn = jr.poisson(key, jax.lax.stop_gradient(means), means.shape)
        return straight_through(drawn.astype(means.dtype), means)

    @checked(spikes=SPIKES)
    def decode(self, spikes: Shaped[Array, "steps *values"]) -> Float[Array, "*values"]:
        """The most likely rate, in Hz. Without `counts` it is infinite where every step has a spike."""
        mean = jnp.mean(as_floats(spikes, "spikes"), axis=0)
        return (mean if self.counts else -jnp.log1p(-mean)) / self.dt


def bernoulli(p: Float[Array, "*shape"], *, key: Key[Array, ""]) -> Float[Array, "*shape"]:
    """0/1 with mean `p`, straight through in the gradient; NaN where `p` is."""
    drawn = (uniform(key, p.shape, p.dtype) < p).astype(p.dtype)
    return straight_through(jnp.where(jnp.isnan(p), p, drawn), p)


@jax.custom_jvp
def straight_through(drawn: Float[Array, "*shape"], mean: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """`drawn`, to the last bit, with the derivative of `mean`."""
    return drawn


@straight_through.defjvp
def _straight_through_jvp(primals, tangents):
    return primals[0], tangents[1]


def over_time(values: Float[Array, "*values"], steps: int | None) -> Float[Array, "steps *_"]:
    """`values` in each step; with `None` they have a time axis already."""
    if steps is not None:
        return jnp.broadcast_to(values, (steps, *values.shape))
    if values.ndim == 0:
        raise ValueError("With steps=None the first axis of the values must be time. Got a scalar; give `steps`.")
    return values
