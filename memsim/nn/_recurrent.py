"""Neurons that hear their own last spikes through a synapse."""

from typing import Any

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from ._linear import Linear
from ._neuron import AbstractNeuron


class Recurrent(AbstractNeuron):
    """`neuron` with its output of the step before fed back through `synapse`, which sits on a crossbar like any other.

    **Arguments:**

    - `neuron`: The neurons.
    - `synapse`: From all of them to all of them.
    """

    neuron: AbstractNeuron
    synapse: Linear

    def __check_init__(self):
        if isinstance(self.neuron, Recurrent):
            raise ValueError("`neuron` must not be recurrent itself. Got a Recurrent; give it one synapse.")
        shape = (self.synapse.out_features, self.synapse.in_features)
        if shape != (self.neuron.size, self.neuron.size):
            raise ValueError(f"A recurrent synapse must have shape ({self.size}, {self.size}). Got {shape}.")

    @property
    def size(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.neuron.size

    def initial_state(self) -> Any:
        return self.neuron.initial_state(), jnp.zeros(self.size)

    def __call__(
        self, current: Float[Array, " size"], state: Any, *, key: Key[Array, ""] | None = None
    ) -> tuple[Float[Array, " size"], Any]:
        neuron_key, read_key = (None, None) if key is None else jr.split(key)
        inner, last = state
        feedback = self.synapse(last, key=read_key)
        spikes, inner = self.neuron(current + feedback, inner, key=neuron_key)
        return spikes, (inner, spikes)
