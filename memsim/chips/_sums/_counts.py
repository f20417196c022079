"""What happens on the cores of a chip in every step: what energy is reckoned from."""

from collections.abc import Iterator

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, Shaped


class Counts(eqx.Module):
    """Numbers of what each core does in each step, which can be gone through in this order.

    **Arguments:**

    - `events`: Synapses that a spike has reached.
    - `updates`: Neurons that had input, or a state to update.
    - `spikes`: Spikes that its neurons fire.
    - `messages`: Spikes that arrive, one for each that has a synapse in the core.
    - `target`: Name of the chip; "" where none is said.

    >>> import jax.numpy as jnp, memsim as ms
    >>> ones = jnp.ones((10, 2), int)
    >>> counts = ms.chips.Counts(events=8 * ones, updates=4 * ones, spikes=ones, messages=ones, target="loihi1")
    >>> int(counts.events.sum())
    160
    """

    events: Int[Array, "steps cores"]
    updates: Int[Array, "steps cores"]
    spikes: Int[Array, "steps cores"]
    messages: Int[Array, "steps cores"]
    target: str = eqx.field(static=True, default="")

    def __iter__(self) -> Iterator[Int[Array, "steps cores"]]:
        return (getattr(self, name) for name in COUNTED)


COUNTED = ("events", "updates", "spikes", "messages")


def beside(counts: list[Counts], target: str) -> Counts:
    """The counts of several layers of a network on `target`, one after the other in the order of cores."""
    return Counts(*(jnp.concatenate(each, axis=1) for each in zip(*counts, strict=True)), target=target)


def every_neuron(steps: int, core: Int[Array, " units"], cores: int) -> Int[Array, "steps cores"]:
    """Updates of chips that take all neurons in turn, in each step."""
    return jnp.broadcast_to(by_core(jnp.ones((1, core.shape[0]), jnp.int32), core, cores), (steps, cores))


SMALL = 1 << 22  # entries of a matrix of units by cores, with which a product is faster than sums by index


def by_core(values: Shaped[Array, "steps units"], core: Int[Array, " units"], cores: int) -> Int[Array, "steps cores"]:
    """Sums over the units of each core, of small numbers of which float32 holds the sums."""
    if cores == 1:
        return jnp.sum(values, axis=1, keepdims=True, dtype=jnp.int32)
    if core.shape[0] * cores > SMALL:
        return jax.ops.segment_sum(values.astype(jnp.int32).T, core, cores).T
    own = jnp.expand_dims(core, 1) == jnp.expand_dims(jnp.arange(cores, dtype=core.dtype), 0)
    return (values.astype(jnp.float32) @ own.astype(jnp.float32)).astype(jnp.int32)
