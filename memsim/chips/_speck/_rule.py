"""One step of Speck's neurons: that of the twin in time steps, and the chip's own, event by event."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from ._quantise import Levels


def step(
    to: Levels, v: Int[Array, " units"], drive: Int[Array, " units"], *, most: int | None
) -> tuple[Int[Array, " units"], Int[Array, " units"], Int[Array, " units"]]:
    """Membranes after a step with the weighted sum `drive`, spikes, and membranes before their reset.

    A neuron fires as often as its membrane holds the threshold, but not more than `most`, where that is given.
    """
    before = v + drive + to.bias
    spikes = jnp.maximum(before, 0) // to.threshold
    if most is not None:
        spikes = jnp.minimum(spikes, most)
    return jnp.maximum(before - spikes * to.threshold, to.floor), spikes, before


def event_by_event(
    to: Levels, v: Int[Array, " units"], events: Int[Array, " inputs"], weight: Int[Array, "units inputs"]
) -> tuple[Int[Array, " units"], Int[Array, " units"]]:
    """Membranes after a step, and spikes, of a chip that knows no steps: each event is an addition and a comparison.

    An event makes a neuron fire once at the most, however far above its threshold. Our statement of what the vendor
    leaves open: biases come from one tick of the slow clock before the events, which come in the order of inputs.
    """
    ends = jnp.cumsum(events)

    def once(v: Array, spikes: Array, change: Array) -> tuple[Array, Array]:
        v = v + change
        fires = (v >= to.threshold).astype(jnp.int32)
        return jnp.maximum(v - fires * to.threshold, to.floor), spikes + fires

    def one(place: Array, state: tuple[Any, Any]) -> tuple[Array, Array]:
        source = jnp.searchsorted(ends, place, side="right")
        return once(*state, weight[:, source])

    start = once(v, jnp.zeros_like(v), jnp.broadcast_to(to.bias, v.shape))
    return jax.lax.fori_loop(0, ends[-1], one, start)
