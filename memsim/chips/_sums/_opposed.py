"""Synapses of two signs that a chip adds up apart, and how many of them reach a neuron."""

from collections.abc import Iterator

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..._checks import is_known
from .._network._fit import Problem
from .._network._stages import Stage
from ._connection import Dense


class Sums(eqx.Module):
    """What excites and what inhibits each neuron, in units of the weights."""

    excitation: Float[Array, "*steps outputs"]
    inhibition: Float[Array, "*steps outputs"]


class Opposed(eqx.Module):
    """Whole-number weights with a sign, the positive apart from the negative."""

    excitatory: Dense
    inhibitory: Dense

    def __init__(self, weight: Int[Array, "outputs inputs"], *, largest: int):
        self.excitatory = Dense(weight=jnp.maximum(weight, 0), largest=largest)
        self.inhibitory = Dense(weight=jnp.maximum(-weight, 0), largest=largest)

    @property
    def outputs(self) -> int:
        return self.excitatory.weight.shape[0]

    def sums(self, xs: Int[Array, "steps inputs"], *, most: int) -> Sums:
        """Of each step."""
        none = self.excitatory.initial_state()
        found = [each.sums(xs, none, most=most)[0] for each in (self.excitatory, self.inhibitory)]
        return Sums(*(each.astype(jnp.float32) for each in found))

    def events(
        self, xs: Int[Array, "steps inputs"], core: Int[Array, " outputs"], cores: int
    ) -> tuple[Int[Array, "steps cores"], Int[Array, "steps cores"]]:
        """How many synapses in each core spikes reach, and how many spikes reach the core."""
        both = Dense(weight=self.excitatory.weight + self.inhibitory.weight, largest=self.excitatory.largest)
        return both.events(xs, core, cores)


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
