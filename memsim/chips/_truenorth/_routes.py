"""How spikes travel between cores: each neuron drives one axon of one core, some ticks later."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int


def delayed(spikes: Bool[Array, "ticks neurons"], ticks: Int[Array, " neurons"]) -> Bool[Array, "ticks neurons"]:
    """Each column `ticks` later; what would come after the end is lost."""
    steps = spikes.shape[0]
    source = jnp.arange(steps)[:, None] - ticks[None]
    moved = jnp.take_along_axis(spikes, jnp.maximum(source, 0), axis=0)
    return moved & (source >= 0)


def delivered(
    spikes: Bool[Array, "ticks neurons"], axon: Int[Array, " neurons"], ticks: Int[Array, " neurons"], axons: int
) -> Bool[Array, "ticks axons"]:
    """Which axons are active in which tick. Several spikes on an axon in a tick are one; an `axon` below 0 is none."""
    found = jnp.zeros((spikes.shape[0], axons), bool)
    return found.at[:, jnp.where(axon < 0, axons, axon)].max(delayed(spikes, ticks), mode="drop")
