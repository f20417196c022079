"""A readout that a chip without one leaves to its host: the network's own, in floats."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from ...nn import AbstractNeuron
from ...nn._neurons._neuron import Prepared
from .._network._stages import Stage
from .._sums._counts import Counts
from ._part import AbstractPart, State, Stepped


class Host(AbstractPart):
    """A layer of neurons that do not fire, off the chip; it takes no core."""

    weight: Float[Array, "outputs inputs"]
    bias: Float[Array, " outputs"]
    neuron: AbstractNeuron
    unit: Float[Array, "..."]
    rest: Float[Array, "..."]
    path: str = eqx.field(static=True)
    spiking: bool = eqx.field(static=True, default=False)
    cores: int = eqx.field(static=True, default=0)

    def initial_state(self) -> State:
        return State(None, self.neuron.initial_state())

    def heard(self, xs: Int[Array, "steps inputs"], past: Any) -> tuple[Any, Any]:
        exact = jax.lax.Precision.HIGHEST
        return jnp.matmul(xs.astype(self.weight.dtype), self.weight.T, precision=exact) + self.bias[None], past

    def advance(self, heard: Any, neurons: Any, *, key: Key[Array, ""] | None = None) -> Stepped:
        coefficients = self.neuron.coefficients()
        after = self.neuron.update(coefficients, heard.reshape(self.neuron.shape), neurons, key=key)
        given = self.neuron.output(coefficients, neurons, after).reshape(-1)
        return Stepped(after, given, given, heard)

    def counted(self, xs: Int[Array, "steps inputs"], stepped: Stepped) -> Counts:
        none = jnp.zeros((xs.shape[0], 0), jnp.int32)
        return Counts(none, none, none, none)


def on_host(layer: Stage) -> Host:
    """The readout `layer` as it is."""
    synapses, one = layer.synapses(), jnp.ones(())
    neuron = Prepared(layer.neuron)
    return Host(weight=synapses.weight, bias=synapses.bias, neuron=neuron, unit=one, rest=0 * one, path=layer.path)
