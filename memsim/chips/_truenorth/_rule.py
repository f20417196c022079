"""One tick of the neurons of a TrueNorth core, as RANC builds them: deterministic, with a leak that is a constant."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Int

from .._whole import wrap

TYPES = 4  # types of axon, and weights a neuron


class Neurons(eqx.Module):
    """The integers of a core's neurons, one or one a neuron.

    **Arguments:**

    - `weights`: The weight that each neuron gives to each of the four types of axon.
    - `leak`: What is added each tick.
    - `threshold`, `floor`: A spike at or above the first; a reset without a spike below the second, which is negative.
    - `reset`: Potential after an absolute reset; its negative below the floor.
    - `linear`: Whether a reset takes the threshold, or the floor, off instead.
    - `floor_resets`: Whether a potential "below" the floor is reset, or one that is "at" it, too.
    - `width`: Bits of the potential, which wraps; `None` for the 32 of the C++ simulator.
    """

    weights: Int[Array, "neurons types"]
    leak: Int[Array, " #neurons"]
    threshold: Int[Array, " #neurons"]
    floor: Int[Array, " #neurons"]
    reset: Int[Array, " #neurons"]
    linear: Bool[Array, " #neurons"]
    floor_resets: str = eqx.field(static=True, default="below")
    width: int | None = eqx.field(static=True, default=None)


class Tick(NamedTuple):
    """What a tick leaves: spikes, and the potential after its reset."""

    spikes: Bool[Array, "*neurons"]
    potential: Int[Array, "*neurons"]


def events(crossbar: Bool[Array, "neurons axons"], types: Int[Array, " axons"], xs: Bool[Array, "*ticks axons"]):
    """How many active axons of each type reach each neuron: `[*ticks, neurons, types]`.

    A core has 256 axons, so float32 sums are exact.
    """
    of_type = types[:, None] == jnp.arange(TYPES)
    wired = (crossbar[:, None, :] & of_type.T).astype(jnp.float32)
    counts = lax.dot_general(
        xs.astype(jnp.float32), wired, (((xs.ndim - 1,), (2,)), ((), ())), precision=lax.Precision.HIGHEST
    )
    return counts.astype(jnp.int32)


def drive(neurons: Neurons, crossbar: Bool[Array, "neurons axons"], types: Int[Array, " axons"], xs):
    """The sum of weights that each tick's active axons add to each neuron: `[*ticks, neurons]`, exact in float32."""
    matrix = jnp.where(crossbar, jnp.take(neurons.weights, types, axis=1), 0).astype(jnp.float32)
    return jnp.matmul(xs.astype(jnp.float32), matrix.T, precision=lax.Precision.HIGHEST).astype(jnp.int32)


def tick(neurons: Neurons, potential: Int[Array, "*neurons"], arriving: Int[Array, "*neurons"]) -> Tick:
    """Adds what arrives, then the leak; fires at the threshold, or resets below the floor."""
    moved = _held(neurons, potential + arriving + neurons.leak)
    spikes = moved >= neurons.threshold
    low = moved < neurons.floor if neurons.floor_resets == "below" else moved <= neurons.floor
    after_spike = jnp.where(neurons.linear, moved - neurons.threshold, neurons.reset)
    after_floor = jnp.where(neurons.linear, moved - neurons.floor, -neurons.reset)
    after = jnp.where(spikes, after_spike, jnp.where(low, after_floor, moved))
    return Tick(spikes, _held(neurons, after))


def _held(neurons: Neurons, potential: Int[Array, "*neurons"]) -> Int[Array, "*neurons"]:
    return potential if neurons.width is None else wrap(potential, neurons.width)


def run(neurons: Neurons, arriving: Int[Array, "ticks *neurons"], potential: Int[Array, "*neurons"]):
    """All ticks, one after the other: the last potential, and a `Tick` with a row a tick."""

    def one(potential, now):
        result = tick(neurons, potential, now)
        return result.potential, result

    return jax.lax.scan(one, potential, arriving)
