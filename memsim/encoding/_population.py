"""One value as the activity of many neurons, each tuned to its own part of a range."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

from .._checks import as_floats, check, checked, is_known, plain, positive, whole
from ._checks import SIGNAL, check_values


class Population(eqx.Module):
    r"""Gaussian receptive fields $a_i = e^{-(x - c_i)^2 / 2\sigma^2}$ with centres evenly over [low, high].

    The activities are in [0, 1] and on the last axis. Use them as currents, as probabilities,
    `Rate(steps)(population(x), key=key)`, or as latencies, `LinearLatency(steps)(population(x))`, as Bohte2002 does.
    Encoding and `decode` are smooth, and differentiated as they stand. Traced values are not checked.

    **Arguments:**

    - `neurons`: At least 2 for a value.
    - `low`, `high`: The range of the values, in their unit.
    - `width`: $\sigma$ in the unit of the values; `None` is the distance of two centres.

    >>> import jax.numpy as jnp, numpy as np, memsim as ms
    >>> population = ms.encoding.Population(5, low=0.0, high=1.0)
    >>> activity = population(jnp.array([0.5]))
    >>> print(np.asarray(activity).round(2), f"{population.decode(activity)[0]:.2f}")
    [[0.14 0.61 1.   0.61 0.14]] 0.50
    """

    neurons: int = eqx.field(static=True, converter=plain)
    low: float
    high: float
    width: float | None = None

    def __check_init__(self):
        check(self, neurons=whole(2), width=positive("in the unit of the values"))
        if is_known(self.low, self.high) and not self.low < self.high:
            raise ValueError(f"`low` and `high` must be finite, with low < high. Got {self.low} and {self.high}.")

    @checked(values=SIGNAL)
    def __call__(self, values: Shaped[Array, "*values"]) -> Float[Array, "*values neurons"]:
        values = as_floats(values, "values")
        check_values("values", values, self.low, self.high, "Scale them, or widen the range.")
        return jnp.exp(self._log_activity(values))

    @checked()
    def decode(self, activity: Shaped[Array, "*values neurons"]) -> Float[Array, "*values"]:
        """Centre of mass of the activity, or of spike counts; the middle of the range if there is none.

        Near an end of the range, where neurons are missing on one side, it is drawn inwards; `most_likely` is not.
        """
        activity = as_floats(activity, "activity")
        total = jnp.sum(activity, axis=-1)
        mass = activity @ self._centres(activity.dtype)
        return jnp.where(total <= 0, (self.low + self.high) / 2, mass / jnp.where(total <= 0, 1.0, total))

    @checked(points=whole(2))
    def most_likely(self, activity: Shaped[Array, "*values neurons"], points: int = 1001) -> Float[Array, "*values"]:
        r"""The value on a grid of `points` over the range that maximises $\sum_i a_i \ln a_i(x) - a_i(x)$.

        That is the likelihood of Poisson counts, here divided by the number of steps: give the mean over time of the
        spikes. Without noise it is the value itself, off by at most half a grid step. It has no gradient.
        """
        activity = as_floats(activity, "activity")
        grid = jnp.linspace(self.low, self.high, points, dtype=activity.dtype)
        log_activity = self._log_activity(grid)
        expected = jnp.sum(jnp.exp(log_activity), axis=-1)
        score = activity @ log_activity.T
        best = grid[jnp.argmax(score - jnp.broadcast_to(expected, score.shape), axis=-1)]
        return jnp.where(jnp.isnan(jnp.sum(activity, axis=-1)), jnp.nan, best)

    def _centres(self, dtype: jnp.dtype) -> Float[Array, " neurons"]:
        return jnp.linspace(self.low, self.high, self.neurons, dtype=dtype)

    def _log_activity(self, values: Float[Array, "*values"]) -> Float[Array, "*values neurons"]:
        width = (self.high - self.low) / (self.neurons - 1) if self.width is None else self.width
        centres = jnp.broadcast_to(self._centres(values.dtype), (*values.shape, self.neurons))
        return -0.5 * ((jnp.expand_dims(values, -1) - centres) / width) ** 2
