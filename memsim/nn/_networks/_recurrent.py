"""Neurons that hear their own last spikes through a synapse."""

from collections.abc import Set
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from .._layer import AbstractLayer, Record, Shape, below, chosen, merge
from .._neurons._neuron import AbstractNeuron
from .._synapses._synapse import AbstractSynapse


class Recurrent(AbstractLayer):
    """`neuron` with its output of the step before fed back through `synapse`, which sits on a crossbar like any other.

    **Arguments:**

    - `neuron`: The neurons.
    - `synapse`: From all of them to all of them.
    """

    neuron: AbstractNeuron
    synapse: AbstractSynapse

    def __check_init__(self):
        try:
            shape = self.synapse.output_shape(self.neuron.shape)
        except ValueError as error:
            raise ValueError(f"A recurrent synapse {error}") from error
        if shape != self.neuron.shape:
            raise ValueError(f"A recurrent synapse must give out the shape {self.neuron.shape}. Got {shape}.")

    def initial_state(self) -> Any:
        return self.neuron.initial_state(), jnp.zeros(self.neuron.shape)

    def output_shape(self, shape: Shape | None) -> Shape | None:
        return self.neuron.output_shape(shape)

    def run(
        self,
        xs: Float[Array, "steps *shape"],
        state: Any,
        *,
        keys: Key[Array, " steps"] | None = None,
        record: Set[str] = frozenset(),
    ) -> tuple[Float[Array, "steps *shape"], Any, Record]:
        neuron, coefficients = self.neuron, self.neuron.coefficients()

        def one(state, inputs):
            (before, last), (x, key) = state, inputs
            neuron_key, read_key = (None, None) if key is None else jr.split(key)
            current = x + self.synapse(last, key=read_key)
            after = neuron.update(coefficients, current, before, key=neuron_key)
            spikes = neuron.output(coefficients, before, after)
            found = neuron.recorded(record, spikes=spikes, currents=current, membranes=neuron.membrane(after))
            return (after, spikes), (spikes, below(".neuron", found), below(".synapse", chosen(record, inputs=last)))

        state, (ys, of_neuron, of_synapse) = jax.lax.scan(one, state, (xs, keys))
        return ys, state, merge([of_neuron, of_synapse])
