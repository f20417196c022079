"""The ring buffers of a SpiNNaker core: words that add up, for excitation and inhibition apart, until they act."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from .._sums._connection import Dense

RING = 2**16 - 1  # what a word of a ring buffer saturates at


class Pair(NamedTuple):
    """Of excitation and of inhibition."""

    excitation: Array
    inhibition: Array


class Ring(eqx.Module):
    """Synapses that add words of 16 bits to buffers, each addition saturating.

    **Arguments:**

    - `words`: Up to 65535 in size; the sign says to which of the two buffers a word is added.
    - `delays`: In steps, up to `longest`, beside those that every spike has to `wait`.
    - `apart`: Whether the buffers are told apart. Where they are not, no neuron may have words of one sign that add up
      to more than 65535, and the difference of the buffers is one product.
    """

    words: Int[Array, "outputs inputs"]
    delays: Int[Array, "outputs inputs"] | None = None
    longest: int = eqx.field(static=True, default=0)
    wait: int = eqx.field(static=True, default=0)
    apart: bool = eqx.field(static=True, default=True)

    def initial_state(self) -> Int[Array, "past inputs"]:
        """The spikes of the steps before the first, which may still be on their way."""
        return jnp.zeros((self.wait + self.longest, self.words.shape[1]), jnp.int32)

    def sums(
        self, xs: Int[Array, "steps inputs"], past: Int[Array, "past inputs"]
    ) -> tuple[Pair | Int[Array, "steps outputs"], Int[Array, "past inputs"]]:
        """The buffers of every step, or their difference, and the spikes that are still on their way."""
        heard, steps = jnp.concatenate([past, xs]), xs.shape[0]
        held = buffered if self.apart else differences
        if self.delays is None:
            return held(self.words, heard[self.longest : self.longest + steps]), heard[steps:]
        found = held(jnp.zeros_like(self.words), jnp.zeros_like(xs))
        for delay in range(self.longest + 1):
            words = jnp.where(self.delays == delay, self.words, 0)
            start = self.longest - delay
            found = together(found, held(words, heard[start : start + steps]))
        return found, heard[steps:]

    def events(
        self, xs: Int[Array, "steps inputs"], core: Int[Array, " outputs"], cores: int
    ) -> tuple[Int[Array, "steps cores"], Int[Array, "steps cores"]]:
        """How many synapses in each core spikes reach, and how many spikes reach the core."""
        return Dense(weight=self.words, largest=RING).events(xs, core, cores)


def together(some: Pair | Array, more: Pair | Array) -> Pair | Array:
    """What two kinds of synapses have added to the same buffers."""
    return jax.tree.map(lambda a, b: jnp.clip(a + b, -RING, RING), some, more)


def buffered(words: Int[Array, "outputs inputs"], xs: Int[Array, "*steps inputs"]) -> Pair:
    """What the buffers hold after spikes have added their words.

    Float32 products are exact: their terms are not negative, so a partial sum is exact below 2^24, and from there on it
    stays above what the buffers saturate at.
    """
    parts = jnp.maximum(words, 0), jnp.maximum(-words, 0)
    return Pair(*(jnp.minimum(_product(part, xs), jnp.float32(RING)).astype(jnp.int32) for part in parts))


def differences(words: Int[Array, "outputs inputs"], xs: Int[Array, "*steps inputs"]) -> Int[Array, "*steps outputs"]:
    """Excitation less inhibition, exact as long as the words of a neuron that spikes reach add up to less than 2^24."""
    return _product(words, xs).astype(jnp.int32)


def _product(words: Int[Array, "outputs inputs"], xs: Int[Array, "*steps inputs"]) -> Float[Array, "*steps outputs"]:
    floats = words.astype(jnp.float32).T
    return jnp.matmul(xs.astype(jnp.float32), floats, precision=jax.lax.Precision.HIGHEST)
