"""What spikes cost beyond the task: too many of them, or none."""

from collections.abc import Mapping
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._checks import Must, at_least, check, is_known


class SpikeRate(eqx.Module):
    r"""Pushes mean rates into [`lower`, `upper`]: `penalty(records)` is what to add to the loss.

    A rate $r$ is the mean over the time of one sequence, in spikes a step; multiply a rate in Hz by dt. It costs
    $(r - \mathrm{upper})_+^p + (\mathrm{lower} - r)_+^p$, averaged over a layer's neurons and added over layers. With
    `upper` 0 that is an L1 or L2 penalty of the rates. A `lower` bound wakes silent neurons: its gradient in each spike
    is not zero, and passes the surrogate. Two bounds of different weight are two penalties.

    **Arguments:**

    - `weight`: Factor of the whole.
    - `lower`, `upper`: Bounds of the rate, in spikes a step; `None` for no bound.
    - `order`: $p$, 1 or 2.
    - `per`: Whether each "neuron" must keep the bounds, or the mean over the "population" of a layer.

    >>> import jax.numpy as jnp, memsim as ms
    >>> penalty = ms.train.SpikeRate(upper=0.1, order=1)
    >>> print(f"{penalty({'.layers[1]': jnp.array([[1.0], [0.0]])}):.1f}")  # a rate of 0.5 is 0.4 above
    0.4
    """

    weight: float | Float[Array, ""] = 1.0
    lower: float | None = None
    upper: float | None = None
    order: Literal[1, 2] = eqx.field(static=True, default=2)
    per: Literal["neuron", "population"] = eqx.field(static=True, default="neuron")

    def __check_init__(self):
        if self.order not in (1, 2):
            raise ValueError(f"`order` must be 1 or 2. Got {self.order!r}.")
        if self.per not in ("neuron", "population"):
            raise ValueError(f'`per` must be "neuron" or "population". Got {self.per!r}.')
        any_number = Must("a rate in spikes a step", lambda rate: True)
        check(self, weight=at_least(0.0), lower=any_number, upper=any_number)
        if self.lower is None and self.upper is None:
            raise ValueError("A `SpikeRate` must have a bound. Got neither `lower` nor `upper`; give one of them.")
        low, high = 0.0 if self.lower is None else self.lower, float("inf") if self.upper is None else self.upper
        if is_known(low, high) and not (0 <= low <= high and low <= 1):
            raise ValueError(
                "Bounds must satisfy 0 <= lower <= upper, and lower <= 1, in spikes a step. "
                f"Got lower={self.lower}, upper={self.upper}. From Hz? Multiply by dt."
            )

    def __call__(self, records: Mapping[str, Float[Array, "steps *_"]]) -> Float[Array, ""]:
        """The penalty of one sequence's spikes: path of a layer -> (steps, ...).

        They are `found["spikes"]` of `outputs, found = network(xs, record="spikes")`. For rates over a batch join its
        time axes first.
        """
        if not records or any(isinstance(spikes, Mapping) for spikes in records.values()):
            raise ValueError(
                f"`records` must be the spikes of at least one layer by its path. Got {sorted(records)}. Of what a "
                'network records, pass the part under "spikes".'
            )
        costs = [self._cost(spikes) for spikes in records.values()]
        return self.weight * jnp.sum(jnp.stack(costs))

    def _cost(self, spikes: Float[Array, "steps *units"]) -> Float[Array, ""]:
        rates = jnp.mean(spikes, axis=0 if self.per == "neuron" else None)
        above = 0.0 if self.upper is None else jax.nn.relu(rates - self.upper) ** self.order
        below = 0.0 if self.lower is None else jax.nn.relu(self.lower - rates) ** self.order
        return jnp.mean(above + below)
