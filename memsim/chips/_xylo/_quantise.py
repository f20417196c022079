"""Weights, time constants, thresholds and biases as what neurons of Xylo are set to."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from .._network._stages import Stage, Synapses, as_matrix
from .._sums._quantised import Quantised, quantised
from ._rule import Population
from ._saturating import RAIL

WEIGHT = 127
SHIFT, DASH = 7, 15  # the largest
# The largest threshold: inhibition may sink a membrane 16 of them below zero. At 4, training through the chip diverged.
ROOM = 1 << 11


class Settings(NamedTuple):
    """A layer in the numbers of the chip; `unit` is what one step of a membrane is in the network's."""

    weight: Int[Array, "1 units inputs"]
    feedback: Int[Array, "1 units units"] | None
    shift: Int[Array, ""]
    to: Population
    unit: Float[Array, " units"]
    report: Quantised


def settings(layer: Stage) -> Settings:
    r"""The largest weight of a neuron becomes 127, and all are shifted as far as half of the thresholds leave room.

    Decays become the nearest powers of two, $\mathrm{dash} = -\log_2(1 - \alpha)$. The chip lets a current decay before
    it reaches the membrane, which the weights make up for: a spike brings the same charge. The current of a neuron that
    had none is as short as it gets, one half in each step.
    """
    synapses, back, neurons = matrix(layer), layer.feedback(), layer.dynamics()
    lost = jnp.ones(layer.size) if neurons.current_decay is None else 1 - neurons.current_decay
    dash_syn = as_dash(1 - lost, least=1)
    charge = neurons.gain / lost  # that one spike brings through a weight of one
    bias = charge * (synapses.bias + (0.0 if back is None else back.bias))
    weights = synapses.weight if back is None else jnp.concatenate([synapses.weight, back.weight], axis=1)
    wanted = weights * jnp.expand_dims(charge / (power(dash_syn, charge) - 1), 1)
    unit, shift = units(wanted, bias, neurons.threshold)
    step = jnp.expand_dims(unit * power(shift, unit), 1)
    codes = as_codes(wanted / step)
    to = Population(
        threshold=jnp.full(layer.size, RAIL, jnp.int32)
        if neurons.threshold is None
        else jnp.clip(whole(neurons.threshold / unit), 1, RAIL),
        dash_mem=as_dash(neurons.decay, least=0),
        dash_syn=dash_syn[None],
        bias=jnp.clip(whole(bias / unit), -RAIL, RAIL),
    )
    report = quantised(layer.path, wanted / step, codes, largest=WEIGHT)
    inputs = synapses.weight.shape[1]
    return Settings(codes[None, :, :inputs], None if back is None else codes[None, :, inputs:], shift, to, unit, report)


def matrix(layer: Stage) -> Synapses:
    """All synapses, those of a convolution written out."""
    return layer.synapses() if layer.convolution is None else as_matrix(layer.row, layer.input_shape, layer.path)


def units(
    weight: Float[Array, "units inputs"], bias: Float[Array, " units"], threshold: Float[Array, " units"] | None
) -> tuple[Float[Array, " units"], Int[Array, ""]]:
    """What one step of each membrane stands for, and by how much the weights of all neurons are shifted."""
    unshifted = jnp.max(jnp.abs(weight), axis=1) / WEIGHT
    least = jnp.maximum(jnp.abs(bias) / RAIL, jnp.finfo(weight.dtype).tiny)
    if threshold is None:
        return jnp.maximum(unshifted, least), jnp.zeros((), jnp.int32)
    least = jnp.maximum(least, threshold / ROOM)
    room = jnp.median(jnp.maximum(unshifted, least) * ROOM / threshold)
    shift = jnp.clip(jnp.floor(jnp.log2(room)), 0, SHIFT).astype(jnp.int32)
    return jnp.maximum(unshifted / power(shift, least), least), shift


def as_dash(decay: Float[Array, " units"], *, least: int) -> Int[Array, " units"]:
    """Of what is kept in a step: one part in `2**dash` is lost."""
    lost = jnp.maximum(1 - decay, 2.0**-DASH)
    return jnp.clip(whole(-jnp.log2(lost)), least, DASH)


def power(exponent: Int[Array, "*shape"], like: Float[Array, "..."]) -> Float[Array, "*shape"]:
    """Of two."""
    return (1 << exponent).astype(like.dtype)


def as_codes(wanted: Float[Array, "units inputs"]) -> Int[Array, "units inputs"]:
    return jnp.clip(whole(wanted), -WEIGHT - 1, WEIGHT)


def whole(x: Float[Array, "..."]) -> Int[Array, "..."]:
    return jnp.round(x).astype(jnp.int32)
