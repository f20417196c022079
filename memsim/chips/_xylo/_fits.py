"""What of a network does not fit on a Xylo."""

from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np

from ..._checks import is_known
from .._network._fit import Problem
from .._network._stages import Stage
from .._placing._target import own_delay
from ._limits import Limits
from ._quantise import ROOM, matrix, settings


def problems(layers: tuple[Stage, ...], limits: Limits) -> Iterator[Problem]:
    """The limits that a network breaks."""
    yield from _of_sizes(layers, limits)
    if all(is_known(layer.synapses().weight) for layer in layers):
        yield from _of_fan_outs(layers[:-1], limits)
    for layer in layers:
        yield from _of_layer(layer, limits, hidden=layer is not layers[-1], first=layer is layers[0])


def _of_sizes(layers: tuple[Stage, ...], limits: Limits) -> Iterator[Problem]:
    hidden, first, last = layers[:-1], layers[0], layers[-1]
    if not hidden:
        yield Problem("", "hidden neurons before its outputs", "one layer", "Put a spiking layer before the last.")
    if first.inputs > limits.inputs:
        remedy = "Choose features, or pool them before the network."
        yield Problem(first.path, f"at most {limits.inputs} inputs", f"{first.inputs}", remedy)
    size = sum(layer.size for layer in hidden)
    if size > limits.hidden:
        yield Problem("", f"at most {limits.hidden} hidden neurons", f"{size}", "Make hidden layers smaller.")
    if last.size > limits.outputs:
        remedy = "Code classes by fewer outputs, or take `xylo_audio3`, which has 32."
        yield Problem(last.path, f"at most {limits.outputs} outputs", f"{last.size}", remedy)
    if last.recurrent is not None:
        yield Problem(
            last.path, "outputs without recurrent synapses", "some", "Leave `Recurrent` out of the last layer."
        )


def _of_fan_outs(hidden: tuple[Stage, ...], limits: Limits) -> Iterator[Problem]:
    """Of the synapses between hidden neurons; those from inputs and to outputs are all there."""
    total = 0
    for layer, after in zip(hidden, (*hidden[1:], None), strict=False):
        fan_out = np.zeros(layer.size, int)
        for synapses in (layer.feedback(), None if after is None else matrix(after)):
            if synapses is not None:
                fan_out += np.count_nonzero(np.asarray(synapses.weight), axis=0)
        total += int(fan_out.sum())
        most = int(fan_out.max(initial=0))
        if most > limits.fan_out:
            must = f"at most {limits.fan_out} synapses from a neuron to hidden ones"
            yield Problem(layer.path, must, f"{most}", "Prune them, or take a chip with more.")
    if limits.recurrent is not None and total > limits.recurrent:
        yield Problem("", f"at most {limits.recurrent} synapses between hidden neurons", f"{total}", "Prune them.")


def _of_layer(layer: Stage, limits: Limits, *, hidden: bool, first: bool) -> Iterator[Problem]:
    synapses, neurons, path = layer.synapses(), layer.dynamics(), layer.path
    if synapses.delays is not None and bool(np.any(np.asarray(synapses.delays))):
        yield Problem(path, "synapses without delays", "some", "Train without them.")
    if hidden and neurons.threshold is None:
        yield Problem(path, "hidden neurons that spike", "a readout", "Put readouts last only.")
    if not first and own_delay(layer.habits()) > 1:
        yield Problem(
            path, "inputs that act one step later", "two steps", "Leave out `synaptic_delay`, or `emit='old'`."
        )
    if not is_known(synapses.weight):
        return
    found = settings(layer)
    if float(found.report.to_zero) == 1.0:
        came = f"thresholds or biases so large that all weights round to zero (a threshold is {ROOM} steps at most)"
        yield Problem(path, "weights that are not all zero", came, "Train with larger weights, or a lower threshold.")
    if limits.core == "v1" and bool(jnp.any(found.to.bias != 0)):
        yield Problem(path, "neurons without biases", "some", "Train without them, or take a chip of core v2.")
