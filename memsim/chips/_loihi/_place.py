"""Layers on the cores of Loihi, and what keeps them from fitting there."""

from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np

from ..._checks import is_known
from .._network._fit import Problem
from .._network._stages import Stage
from .._placing._target import Layers
from .._sums._connection import AbstractConnection, Dense, longest_delay
from .._sums._convolution import Convolution, reached
from ._limits import Limits
from ._part import Layer
from ._quantise import THRESHOLD, Settings, bits_a_synapse, settings
from ._rule import LAVA, Variant
from ._weights import LARGEST


def placed(layers: tuple[Stage, ...], limits: Limits, variant: Variant, *, wait: int, most: int) -> Layers:
    """The layers of a network, whose spikes `wait` so many steps, and whose inputs are at `most` so large."""
    parts, reports = [], []
    for layer in layers:
        found, neurons = settings(layer, variant), layer.dynamics()
        core = cores_of(layer, limits)
        parts.append(
            Layer(
                synapses=_connection(layer, found, core, limits, wait),
                feedback=None if found.feedback is None else Dense(weight=found.feedback, largest=LARGEST),
                to=found.to._replace(held=jnp.asarray(neurons.refractory, jnp.int32)),
                core=jnp.asarray(core),
                unit=found.unit,
                rest=neurons.rest,
                variant=variant,
                exponent=0,
                feedback_exponent=0,
                most=1 if parts else most,
                cores=int(core[-1]) + 1,
                spiking=neurons.threshold is not None,
                path=layer.path,
            )
        )
        reports.append(found.report)
    return Layers(tuple(parts), tuple(reports))


def cores_of(layer: Stage, limits: Limits) -> np.ndarray:
    """The core of each neuron: as many a core as it has compartments, and memory for their synapses."""
    synapses, feedback = layer.synapses(), layer.feedback()
    own = 0 if layer.convolution is not None else synapses.weight.shape[1]  # a kernel is kept once
    fan_in = own + (0 if feedback is None else feedback.weight.shape[1])
    by_memory = limits.synapse_bits // max(fan_in * bits_a_synapse(synapses), 1)
    return np.arange(layer.size, dtype=np.int32) // max(1, min(limits.compartments, by_memory))


def problems(layers: tuple[Stage, ...], limits: Limits) -> Iterator[Problem]:
    """The limits that a network breaks."""
    for layer in layers:
        yield from _of_layer(layer, limits)
    cores = sum(int(cores_of(layer, limits)[-1]) + 1 for layer in layers)
    if cores > limits.cores:
        yield Problem("", f"at most {limits.cores} cores", f"{cores}", "Make layers smaller, or take several `chips`.")


def _of_layer(layer: Stage, limits: Limits) -> Iterator[Problem]:
    synapses, neurons, path = layer.synapses(), layer.dynamics(), layer.path
    axons = _in_axons(layer, limits)
    if axons > limits.in_axons:
        came, remedy = f"{axons}", "Pool, or split the layer's input."
        yield Problem(path, f"at most {limits.in_axons} inputs a core", came, remedy)
    longest = 0 if synapses.delays is None else int(np.max(np.asarray(synapses.delays)))
    if longest > limits.delay:
        yield Problem(path, f"delays of at most {limits.delay} steps", f"{longest}", "Shorten them, or the time step.")
    to_value = neurons.firing is not None and neurons.firing.reset == "zero" and is_known(neurons.v_reset)
    if to_value and np.any(np.asarray(neurons.v_reset) != 0):
        yield Problem(path, "a reset to its resting value", "another `v_reset`", "Set `v_reset` to `v_rest`.")
    if is_known(synapses.weight):
        yield from _of_numbers(layer)


def _of_numbers(layer: Stage) -> Iterator[Problem]:
    found = settings(layer, LAVA)
    if float(found.report.to_zero) == 1.0:
        came = f"thresholds or biases so large that all weights round to zero ({THRESHOLD} mantissas are the most)"
        remedy = "Train with larger weights, or a lower threshold."
        yield Problem(layer.path, "weights that are not all zero", came, remedy)
    if layer.dynamics().threshold is not None and bool(jnp.any(found.to.threshold <= 0)):
        remedy = "Raise the threshold, or shrink weights."
        yield Problem(layer.path, "thresholds above zero", "one that rounds to zero", remedy)


def _in_axons(layer: Stage, limits: Limits) -> int:
    """The largest number of inputs that a core hears."""
    feedback = layer.feedback()
    own = 0 if feedback is None else feedback.weight.shape[1]
    if layer.convolution is None:
        return own + layer.inputs
    _, core = reached(layer.convolution, layer.input_shape, cores_of(layer, limits))
    return own + int(np.bincount(core).max(initial=0))


def _connection(layer: Stage, found: Settings, core: np.ndarray, limits: Limits, wait: int) -> AbstractConnection:
    if layer.convolution is not None:
        inputs, cores = reached(layer.convolution, layer.input_shape, core)
        return Convolution(
            weight=found.weight,
            layer=layer.convolution,
            reached_input=jnp.asarray(inputs),
            reached_core=jnp.asarray(cores),
            largest=LARGEST,
            input_shape=layer.input_shape,
            wait=wait,
        )
    longest = longest_delay(found.delays, most=limits.delay)
    return Dense(weight=found.weight, largest=LARGEST, delays=found.delays, longest=longest, wait=wait)
