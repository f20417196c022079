"""From the floats of a layer to what the neurons of TrueNorth cores are set to, and where their copies are."""

import math
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from .._network._stages import Stage
from .._sums._quantised import Quantised, quantised
from ._levels import effective, fitted, taps_of, types_of
from ._rule import ABSOLUTE, AXONS, CLIP, LINEAR, NEURONS, Chance, Neurons

WEIGHT, LEAK, THRESHOLD = 255, 255, (1 << 18) - 1  # the largest of what has 9 bits, 9 bits and a sign, and 18 bits


class Settings(NamedTuple):
    """A layer in the chip's numbers; `unit` is what one step of each membrane is in the network's."""

    taps: Int[Array, "neurons inputs types"]
    feedback: Int[Array, "neurons neurons types"] | None
    neurons: Neurons
    unit: Float[Array, " neurons"]
    report: Quantised


@eqx.filter_jit
def settings(layer: Stage, *, axons: int, leak_at: float | None, mask: int) -> Settings:
    """A layer's integers. Each neuron has a scale of its own, with which the largest of its values is 255."""
    synapses, feedback, dynamics = layer.synapses(), layer.feedback(), layer.dynamics()
    gain = jnp.expand_dims(dynamics.gain, 1)
    bias = dynamics.offset + dynamics.gain * (synapses.bias + (0.0 if feedback is None else feedback.bias))
    wanted = synapses.weight if feedback is None else jnp.concatenate([synapses.weight, feedback.weight], axis=1)
    wanted = wanted * gain
    threshold = jnp.full_like(bias, 1.0) if dynamics.threshold is None else dynamics.threshold
    decayed = jnp.zeros_like(bias) if leak_at is None else (1.0 - dynamics.decay) * leak_at * threshold
    values = fitted(wanted, axons).values
    scale = _scale(values, threshold, jnp.maximum(jnp.abs(bias), decayed))
    values = _whole(values * jnp.expand_dims(scale, 1))
    wanted = wanted * jnp.expand_dims(scale, 1)
    taps = taps_of(wanted, values.astype(wanted.dtype), axons)
    inputs = synapses.weight.shape[1]
    return Settings(
        taps[:, :inputs],
        None if feedback is None else taps[:, inputs:],
        _neurons(layer, values, scale, (threshold, bias, decayed), mask),
        1.0 / scale,
        quantised(layer.path, wanted, effective(values, taps), largest=axons * WEIGHT),
    )


def _scale(values: Float[Array, "neurons types"], threshold: Float[Array, " neurons"], leak: Float[Array, " neurons"]):
    """The largest with which all that has few bits fits."""
    tiny = jnp.finfo(values.dtype).tiny
    sizes = jnp.stack([jnp.max(jnp.abs(values), axis=1) / WEIGHT, threshold / THRESHOLD, leak / LEAK])
    return 1.0 / jnp.maximum(jnp.max(sizes, axis=0), tiny)


def _neurons(layer: Stage, values: Int[Array, "neurons types"], scale: Float[Array, " neurons"], given, mask: int):
    threshold, bias, decayed = (_whole(each * scale) for each in given)
    dynamics = layer.dynamics()
    subtracts = dynamics.firing is not None and dynamics.firing.reset == "subtract"
    zero = jnp.zeros_like(threshold)
    chance = None
    if mask:
        chance = Chance(jnp.zeros(values.shape, bool), jnp.zeros(zero.shape, bool), jnp.full_like(zero, mask))
    return Neurons(
        weights=values,
        leak=jnp.where(decayed > 0, -decayed, bias),  # one number: a leak towards zero, or a bias
        threshold=threshold,
        floor=jnp.full_like(zero, -THRESHOLD),
        reset=_whole(dynamics.v_reset * scale),
        mode=jnp.full_like(zero, LINEAR if subtracts else ABSOLUTE),
        clamps=jnp.ones(zero.shape, bool),
        reverses=decayed > 0,
        chance=chance,
        clip=CLIP,
    )


def _whole(x: Float[Array, "..."]) -> Int[Array, "..."]:
    return jnp.round(x).astype(jnp.int32)


class Wiring(NamedTuple):
    """One core's worth of synapses: types of its axons, the input that drives each, and its crossbar."""

    types: Int[Array, " axons"]
    inputs: Int[Array, " axons"]
    crossbar: Bool[Array, "neurons axons"]


def wiring(taps: Int[Array, "neurons inputs types"], axons: int) -> Wiring:
    """The axons that make the weights of `effective`: of each input as many as its group has, type by type."""
    groups = types_of(axons)
    types, inputs, heard = [], [], []
    for place in range(taps.shape[1]):
        for kind, number in enumerate(groups[place % len(groups)]):
            for nth in range(number):
                types.append(kind)
                inputs.append(place)
                heard.append(taps[:, place, kind] > nth)
    return Wiring(jnp.array(types, jnp.int32), jnp.array(inputs, jnp.int32), jnp.stack(heard, axis=1))


class Copies(NamedTuple):
    """How many neurons fire what one neuron of the network fires, each to one axon, and the cores that hold them."""

    number: int
    cores: int


def copies(layers: tuple[Stage, ...], axons: int) -> tuple[Copies, ...]:
    """Of each layer. A neuron needs a copy for each axon that hears it, in each core of its listeners.

    The inputs of each neuron must fit, so that a layer that feeds itself has fewer than 256 axons of its own.
    """
    found, listening = [], 0
    for layer in reversed(layers):
        wanted = layer.size * axons  # neurons for each core that listens
        if layer.feedback() is None:
            number = max(1, axons * listening)
            cores = math.ceil(layer.size * number / NEURONS)
        else:
            cores = max(1, math.ceil(wanted * listening / (NEURONS - wanted)))
            number = axons * (listening + cores)
        found.append(Copies(number, cores))
        listening = cores
    return tuple(reversed(found))


def most_inputs(axons: int) -> int:
    """How many inputs a neuron can have."""
    return AXONS // axons
