"""Weights, time constants and thresholds as what a compartment of Loihi is set to."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from .._network._stages import Dynamics, Stage, Synapses
from .._sums._quantised import Quantised, quantised
from ._rule import CURRENT, ONE, RAIL, Compartments, Variant
from ._weights import LARGEST

WEIGHT = 254  # the largest even mantissa of 8 bits
THRESHOLD = (1 << 17) - 1
BIAS, BIAS_EXPONENT = (1 << 12) - 1, 7


class Settings(NamedTuple):
    """A layer in the numbers of the chip; `unit` is what one step of its membrane is in the network's."""

    weight: Int[Array, "outputs inputs"]
    delays: Int[Array, "outputs inputs"] | None
    feedback: Int[Array, "outputs outputs"] | None
    to: Compartments
    unit: Float[Array, ""]
    report: Quantised


def settings(layer: Stage, variant: Variant) -> Settings:
    """One unit of a weight is the smallest with which weights, thresholds and biases all fit."""
    synapses, feedback, neurons = layer.synapses(), layer.feedback(), layer.dynamics()
    wanted = synapses.weight * synapses.per_row(neurons.gain)
    back = None if feedback is None else feedback.weight * feedback.per_row(neurons.gain)
    bias = neurons.gain * (synapses.bias + (0.0 if feedback is None else feedback.bias))
    if neurons.current_decay is not None:  # a constant input leaves this much current
        bias = bias / (1 - neurons.current_decay)
    unit = weight_unit(wanted, back, bias, neurons)
    codes = as_codes(wanted / unit)
    back_codes = None if back is None else as_codes(back / unit)
    to = Compartments(
        current_decay=_current_decay(neurons, variant),
        decay=whole(jnp.clip(jnp.round(ONE * (1 - neurons.decay)), 0, ONE - 1)),
        threshold=jnp.asarray(RAIL, jnp.int32) if neurons.threshold is None else _threshold(neurons.threshold / unit),
        bias=as_bias(bias / unit),
        held=jnp.zeros((), jnp.int32),
        floor=jnp.asarray(-RAIL, jnp.int32),
        ceiling=jnp.asarray(RAIL, jnp.int32),
    )
    report = quantised(layer.path, wanted / unit, codes, largest=LARGEST - 1)
    return Settings(codes, synapses.delays, back_codes, to, unit / (1 << CURRENT), report)


def weight_unit(
    wanted: Float[Array, "outputs inputs"],
    back: Float[Array, "outputs outputs"] | None,
    bias: Float[Array, " outputs"],
    neurons: Dynamics,
) -> Float[Array, ""]:
    """What a mantissa of one stands for."""
    needed = [jnp.max(jnp.abs(wanted)) / WEIGHT, jnp.max(jnp.abs(bias)) * (1 << CURRENT) / (BIAS << BIAS_EXPONENT)]
    if back is not None:
        needed.append(jnp.max(jnp.abs(back)) / WEIGHT)
    if neurons.threshold is not None:
        needed.append(jnp.max(neurons.threshold) / THRESHOLD)
    return jnp.maximum(jnp.max(jnp.stack(needed)), jnp.finfo(wanted.dtype).tiny)


def as_codes(wanted: Float[Array, "outputs inputs"]) -> Int[Array, "outputs inputs"]:
    """The nearest mantissas: even ones in a matrix of both signs, whose lowest bit the chip has not."""
    mixed = jnp.any(wanted > 0) & jnp.any(wanted < 0)
    return jnp.where(mixed, 2 * whole(wanted / 2), whole(wanted))


def as_bias(wanted: Float[Array, " units"]) -> Int[Array, " units"]:
    """In units of the membrane: a mantissa of 13 bits, with the smallest exponent of the layer that holds all."""
    wanted = wanted * (1 << CURRENT)
    largest = jnp.max(jnp.abs(wanted))
    exponents = jnp.arange(BIAS_EXPONENT + 1, dtype=jnp.int32)
    steps = (1 << exponents).astype(wanted.dtype)
    smallest = jnp.argmax(jnp.round(largest / steps) <= BIAS)
    return whole(wanted / steps[smallest]) << exponents[smallest]


def _current_decay(neurons: Dynamics, variant: Variant) -> Int[Array, "..."]:
    if neurons.current_decay is None:
        return jnp.asarray(ONE - variant.one_more, jnp.int32)
    lost = jnp.round(ONE * (1 - neurons.current_decay)) - variant.one_more
    return whole(jnp.clip(lost, 0, ONE - variant.one_more))


def _threshold(wanted: Float[Array, " units"]) -> Int[Array, " units"]:
    return jnp.clip(whole(wanted), 0, THRESHOLD) << CURRENT


def whole(x: Float[Array, "..."]) -> Int[Array, "..."]:
    return jnp.round(x).astype(jnp.int32)


def bits_a_synapse(synapses: Synapses) -> int:
    """Of memory: mantissa, sign and index of a target [recalled], and its delay."""
    return 8 + 1 + 10 + (0 if synapses.delays is None else 6)
