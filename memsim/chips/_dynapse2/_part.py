"""A layer of neurons on DYNAP-SE2."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from .._placing._part import AbstractPart, State, Stepped
from .._sums._connection import Dense, tally
from .._sums._counts import Counts
from ._quantise import LARGEST
from ._rule import Circuit, Soma, at_rest, soma, synapse


class Currents(NamedTuple):
    """Two synaptic currents of each neuron, and its soma. Where there is one synapse, the second rests."""

    excitation: Float[Array, " units"]
    inhibition: Float[Array, " units"]
    soma: Soma


class Layer(AbstractPart):
    """Neurons with the synapses before them.

    **Arguments:**

    - `weight`, `feedback`: Currents of synapses, in amperes, below zero where they inhibit.
    - `constant`: Of one that fires in every step.
    - `codes`: Of `weight`, to count synapses.
    - `circuit`: Of each neuron.
    - `subtractive`: Whether what inhibits is a synapse of its own, as on the chip, or one with what excites, where it
      cancels only what arrives in the same step, as in DynapSim.
    """

    weight: Float[Array, "outputs inputs"]
    constant: Float[Array, " outputs"]
    feedback: Float[Array, "outputs outputs"] | None
    codes: Int[Array, "outputs inputs"]
    circuit: Circuit
    unit: Float[Array, "..."]
    rest: Float[Array, "..."]
    core: Int[Array, " units"]
    dt: float = eqx.field(static=True)
    subtractive: bool = eqx.field(static=True)
    spiking: bool = eqx.field(static=True)
    cores: int = eqx.field(static=True)
    path: str = eqx.field(static=True)

    def initial_state(self) -> State:
        rest = at_rest(self.circuit, self.weight.shape[0])
        return State(None, Currents(rest.current, rest.current, rest))

    def heard(self, xs: Int[Array, "steps inputs"], past: Any) -> tuple[Any, Any]:
        excited, inhibited = self._weighted(xs.astype(jnp.float32), self.weight)
        constant = self.constant[None]
        return (excited + jnp.maximum(constant, 0.0), inhibited + jnp.maximum(-constant, 0.0)), past

    def advance(self, heard: Any, neurons: Currents, *, key: Key[Array, ""] | None = None) -> Stepped:
        excited, inhibited = heard
        last = neurons.soma.spikes
        if self.feedback is not None:
            more, less = self._weighted(last, self.feedback)
            excited, inhibited = excited + more, inhibited + less
        if self.subtractive:
            excitation = synapse(self.circuit, neurons.excitation, excited, self.dt)
            inhibition = synapse(self.circuit, neurons.inhibition, inhibited, self.dt)
            received = excitation - inhibition
        else:
            received = excitation = synapse(self.circuit, neurons.excitation, excited - inhibited, self.dt)
            inhibition = neurons.inhibition
        after, _ = soma(self.circuit, neurons.soma, received, self.dt)
        if self.subtractive:  # the chip's neurons fire once, and are then refractory
            after = after._replace(spikes=jnp.minimum(after.spikes, 1.0))
        spikes = after.spikes.astype(jnp.int32)
        state = Currents(excitation, inhibition, after)
        return Stepped(state, spikes, after.voltage, received)

    def counted(self, xs: Int[Array, "steps inputs"], stepped: Stepped) -> Counts:
        used = None if self.feedback is None else Dense(weight=(self.feedback != 0).astype(jnp.int32), largest=1)
        synapses, none = Dense(weight=self.codes, largest=LARGEST), jnp.zeros((xs.shape[0], self.cores), jnp.int32)
        return tally(synapses, used, xs, stepped.outputs, none, self.core, self.cores)

    def _weighted(
        self, xs: Float[Array, "*steps inputs"], weight: Float[Array, "outputs inputs"]
    ) -> tuple[Array, Array]:
        exact = jax.lax.Precision.HIGHEST
        both = (jnp.maximum(weight, 0.0), jnp.maximum(-weight, 0.0))
        excited, inhibited = (jnp.matmul(xs, each.T, precision=exact) for each in both)
        return excited, inhibited
