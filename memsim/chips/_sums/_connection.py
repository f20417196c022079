"""Synapses with whole-number weights, and their sums to the last bit."""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from ..._checks import is_known
from ._counts import Counts, by_core
from ._whole import exact_product


class AbstractConnection(eqx.Module):
    """From the spikes of one layer to the sums of the next, over all steps at once."""

    wait: eqx.AbstractVar[int]  # steps before a spike acts, its own delay apart

    @abstractmethod
    def initial_state(self) -> Int[Array, "past inputs"]:
        """The spikes of the steps before the first, which may still be on their way."""

    @abstractmethod
    def sums(
        self, xs: Int[Array, "steps inputs"], past: Int[Array, "past inputs"], *, most: int
    ) -> tuple[Int[Array, "steps outputs"], Int[Array, "past inputs"]]:
        """The sums of every step, of spikes of up to `most`, and the spikes that are still on their way."""

    @abstractmethod
    def events(
        self, xs: Int[Array, "steps inputs"], core: Int[Array, " outputs"], cores: int
    ) -> tuple[Int[Array, "steps cores"], Int[Array, "steps cores"]]:
        """How many synapses in each core spikes reach, and how many spikes reach the core."""


class Dense(AbstractConnection):
    """A matrix of weights, each with its own delay if there are `delays`.

    **Arguments:**

    - `weight`: Whole numbers of up to `largest`.
    - `delays`: In steps, up to `longest`, beside those that every spike has to `wait`.
    """

    weight: Int[Array, "outputs inputs"]
    largest: int = eqx.field(static=True)
    delays: Int[Array, "outputs inputs"] | None = None
    longest: int = eqx.field(static=True, default=0)
    wait: int = eqx.field(static=True, default=0)

    def initial_state(self) -> Int[Array, "past inputs"]:
        return jnp.zeros((self.wait + self.longest, self.weight.shape[1]), jnp.int32)

    def sums(
        self, xs: Int[Array, "steps inputs"], past: Int[Array, "past inputs"], *, most: int
    ) -> tuple[Int[Array, "steps outputs"], Int[Array, "past inputs"]]:
        heard = jnp.concatenate([past, xs.astype(jnp.int32)])
        steps = xs.shape[0]
        if self.delays is None:
            found = exact_product(
                heard[self.longest : self.longest + steps], self.weight, most=most, largest=self.largest
            )
            return found, heard[steps:]
        found = jnp.zeros((steps, self.weight.shape[0]), jnp.int32)
        for delay in range(self.longest + 1):
            weight = jnp.where(self.delays == delay, self.weight, 0)
            start = self.longest - delay
            found = found + exact_product(heard[start : start + steps], weight, most=most, largest=self.largest)
        return found, heard[steps:]

    def events(
        self, xs: Int[Array, "steps inputs"], core: Int[Array, " outputs"], cores: int
    ) -> tuple[Int[Array, "steps cores"], Int[Array, "steps cores"]]:
        held = by_core((self.weight != 0).T, core, cores)  # (inputs, cores): of each input, how many synapses where
        both = jnp.concatenate([held, (held > 0).astype(jnp.int32)], axis=1)
        found = exact_product((xs != 0).astype(jnp.int32), both.T, most=1, largest=self.weight.shape[0])
        return found[:, :cores], found[:, cores:]


def tally(
    synapses: Any,  # whatever has `events`
    feedback: Any,
    xs: Int[Array, "steps inputs"],
    spikes: Int[Array, "steps outputs"],
    updates: Int[Array, "steps cores"],
    core: Int[Array, " outputs"],
    cores: int,
) -> Counts:
    """What a layer with these `spikes` and `updates` costs on its cores, fed-back ones among its inputs."""
    events, messages = synapses.events(xs, core, cores)
    if feedback is not None:
        more, again = feedback.events(spikes, core, cores)
        events, messages = events + more, messages + again
    return Counts(events, updates, by_core(spikes, core, cores), messages)


def longest_delay(delays: Int[Array, "outputs inputs"] | None, *, most: int) -> int:
    """The longest delay of synapses, in steps; `most` where delays are traced, and nobody knows them yet."""
    if delays is None:
        return 0
    return int(np.max(np.asarray(delays))) if is_known(delays) else most
