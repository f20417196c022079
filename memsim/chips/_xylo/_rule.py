"""One step of Xylo's neurons, in its whole numbers of 16 bits."""

from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from .._sums._whole import saturate, wrap
from ._saturating import BITS

Core = Literal["v1", "v2"]
MOST_INPUT, MOST_HIDDEN, MOST_OUT = 15, 31, 1  # events of an input, and spikes of a neuron, in one step


class Population(NamedTuple):
    """What neurons are set to.

    **Arguments:**

    - `threshold`: At least 1.
    - `dash_mem`, `dash_syn`: Membranes and currents lose one part in `2**dash` a step.
    - `bias`: Added to the membrane in every step; `None` where a core has none.
    """

    threshold: Int[Array, " units"]
    dash_mem: Int[Array, " units"]
    dash_syn: Int[Array, "synapses units"]
    bias: Int[Array, " units"] | None


def decay(x: Int[Array, "*shape"], dash: Int[Array, "*shape"]) -> Int[Array, "*shape"]:
    """What `x` loses in a step: floored, but at least 1 of what is positive, so that all come to rest at 0."""
    lost = x >> dash
    return jnp.where((lost == 0) & (x > 0), 1, lost)


def membrane(
    to: Population, v: Int[Array, " units"], current: Int[Array, "synapses units"], *, core: Core
) -> Int[Array, " units"]:
    """Membranes before they fire."""
    lost, drive = decay(v, to.dash_mem), jnp.sum(current, axis=0)
    if core == "v1":
        return saturate(v - lost + drive, BITS)
    change = saturate(wrap(-lost, BITS) + drive, BITS)  # the negative of -32768 is itself
    if to.bias is not None:
        change = saturate(change + to.bias, BITS)
    return saturate(v + change, BITS)


def fire(v: Int[Array, " units"], threshold: Int[Array, " units"], room: Int[Array, " units"]) -> Int[Array, " units"]:
    """How often a membrane holds its threshold, but at most `room`."""
    # Half a unit keeps a quotient of 16 bits away from the whole numbers that float32 might round it to.
    held = jnp.floor((v.astype(jnp.float32) + 0.5) / threshold.astype(jnp.float32)).astype(jnp.int32)
    return jnp.clip(held, 0, room)


def fire_with_aliases(
    v: Int[Array, " units"], threshold: Int[Array, " units"], alias: Int[Array, " units"], *, most: int
) -> tuple[Int[Array, " units"], Int[Array, " units"]]:
    """How often each neuron fires itself, and its spikes with those of the neurons whose `alias` it is; -1 is none.

    Neurons are taken in their order. Spikes that a neuron has got from others before its turn leave less room for its
    own and are handed on with them; those that it gets later only add up, to `most` at the most.
    """
    units = v.shape[0]
    place = jnp.arange(units, dtype=jnp.int32)
    target = jnp.where(alias < 0, units, alias)

    def handed(spikes: Array, here: Array) -> Array:
        return jnp.zeros(units, jnp.int32).at[target].add(jnp.where(here, spikes, 0), mode="drop")

    def once(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        spikes, _, _ = state
        got = jnp.minimum(handed(spikes, target > place), most)
        own = fire(v, threshold, most - got)
        return got + own, own, jnp.any(got + own != spikes)

    # Each turn settles those whose sources are settled: as many turns as the longest chain of aliases.
    first = fire(v, threshold, jnp.full(units, most, jnp.int32))
    spikes, own, _ = jax.lax.while_loop(lambda state: state[2], once, (first, first, jnp.asarray(True)))
    return own, jnp.minimum(spikes + handed(spikes, target <= place), most)
