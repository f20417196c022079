"""How many synapses reach a neuron, against what a chip can wire."""

from collections.abc import Iterator

import numpy as np

from ..._checks import is_known
from .._network._fit import Problem
from .._network._stages import Stage


def fan_in(layer: Stage) -> int:
    """The most synapses that a neuron of the layer has, feedback included; weights of zero take none."""
    synapses, feedback = layer.synapses(), layer.feedback()
    matrices = [synapses.weight] if feedback is None else [synapses.weight, feedback.weight]
    used = [
        np.count_nonzero(np.asarray(each), axis=1) if is_known(each) else np.full(each.shape[0], each.shape[1])
        for each in matrices
    ]
    return int(np.sum(used, axis=0).max())


def wiring_problems(layer: Stage, most: int) -> Iterator[Problem]:
    """What a chip without delays, and with `most` synapses a neuron, cannot wire."""
    came = fan_in(layer)
    if came > most:
        remedy = f"Prune: set all but {most} weights of each neuron to zero; or make the layer before it smaller."
        yield Problem(layer.path, f"at most {most} synapses a neuron", f"{came}", remedy)
    if layer.synapses().delays is not None:
        yield Problem(layer.path, "synapses without delays", "a `DelayedLinear`", "Train a `Linear` in its place.")
