"""Neurons that hear their own last spikes through a synapse."""

from collections.abc import Set
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from ..._checks import check
from .._layer import AbstractLayer, Record, Shape, below, chosen, merge
from .._neurons._neuron import AbstractNeuron
from .._synapses._synapse import AbstractSynapse, read


class Recurrent(AbstractLayer):
    """`neuron` with its output of the step before fed back through `synapse`, which sits on a crossbar like any other.

    **Arguments:**

    - `neuron`: The neurons.
    - `synapse`: From all of them to all of them.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> layer = ms.nn.Recurrent(ms.nn.LIF(4), ms.nn.Linear(4, 4, key=jr.key(0)))
    >>> ms.nn.SpikingNetwork([ms.nn.Linear(3, 4, key=jr.key(1)), layer])(jnp.ones((10, 3))).shape
    (10, 4)
    """

    neuron: AbstractNeuron
    synapse: AbstractSynapse

    def __check_init__(self):
        check(self)
        try:
            shape = self.synapse.output_shape(self.neuron.shape)
        except ValueError as error:
            raise ValueError(f"A recurrent synapse {error}") from error
        if shape != self.neuron.shape:
            raise ValueError(f"A recurrent synapse must give out the shape {self.neuron.shape}. Got {shape}.")

    def initial_state(self) -> Any:
        return self.neuron.initial_state(), jnp.zeros(self.neuron.shape), self.synapse.initial_state()

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
            (before, last, noise), (x, key) = state, inputs
            neuron_key, read_key = (None, None) if key is None else jr.split(key)
            fed_back, noise = read(self.synapse, last, noise, key=read_key)
            current = x + fed_back
            after = neuron.update(coefficients, current, before, key=neuron_key)
            spikes = neuron.output(coefficients, before, after)
            membranes = neuron.membrane(after) if "membranes" in record else None
            found = neuron.recorded(record, spikes=spikes, currents=current, membranes=membranes)
            heard = below(".synapse", chosen(record, inputs=last))
            return (after, spikes, noise), (spikes, below(".neuron", found), heard)

        state, (ys, of_neuron, of_synapse) = jax.lax.scan(one, state, (xs, keys))
        return ys, state, merge([of_neuron, of_synapse])
