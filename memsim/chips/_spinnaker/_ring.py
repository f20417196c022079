"""The ring buffers of a SpiNNaker core: words that add up, for excitation and inhibition apart, until they act."""

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Int

from .._connection import AbstractConnection, Dense

RING = 2**16 - 1  # what a word of a ring buffer saturates at


class Ring(AbstractConnection):
    """Synapses that add words of 16 bits to buffers, each addition saturating.

    **Arguments:**

    - `words`: Up to 65535 in size; the sign says to which of the two buffers a word is added.
    - `delays`: In steps, up to `longest`, beside those that every spike has to `wait`.
    """

    words: Int[Array, "outputs inputs"]
    delays: Int[Array, "outputs inputs"] | None = None
    longest: int = eqx.field(static=True, default=0)
    wait: int = eqx.field(static=True, default=0)

    def initial_state(self) -> Int[Array, "past inputs"]:
        return jnp.zeros((self.wait + self.longest, self.words.shape[1]), jnp.int32)

    def sums(
        self, xs: Int[Array, "steps inputs"], past: Int[Array, "past inputs"], *, most: int = 1
    ) -> tuple[Int[Array, "steps outputs"], Int[Array, "past inputs"]]:
        """The two buffers of every step, excitation in the first half of the columns, inhibition in the second."""
        del most
        heard, steps = jnp.concatenate([past, xs]), xs.shape[0]
        if self.delays is None:
            return ring_words(self.words, heard[self.longest : self.longest + steps]), heard[steps:]
        found = jnp.zeros((steps, 2 * self.words.shape[0]), jnp.int32)
        for delay in range(self.longest + 1):
            words = jnp.where(self.delays == delay, self.words, 0)
            start = self.longest - delay
            found = jnp.minimum(found + ring_words(words, heard[start : start + steps]), RING)
        return found, heard[steps:]

    def events(
        self, xs: Int[Array, "steps inputs"], core: Int[Array, " outputs"], cores: int
    ) -> tuple[Int[Array, "steps cores"], Int[Array, "steps cores"]]:
        return Dense(weight=self.words, largest=RING).events(xs, core, cores)


def ring_words(words: Int[Array, "outputs inputs"], xs: Int[Array, "*steps inputs"]) -> Int[Array, "*steps buffers"]:
    """What the buffers hold after spikes have added their words: excitation, then inhibition.

    One float32 product is exact: its terms are not negative, so a partial sum is exact below 2^24, and from there on it
    stays above what the buffers saturate at.
    """
    parts = jnp.concatenate([jnp.maximum(words, 0), jnp.maximum(-words, 0)]).astype(jnp.float32)
    sums = jnp.matmul(xs.astype(jnp.float32), parts.T, precision=lax.Precision.HIGHEST)
    return jnp.minimum(sums, jnp.float32(RING)).astype(jnp.int32)
