"""A layer of neurons on one core of Speck."""

from typing import Any, Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from .._placing._part import AbstractPart, State, Stepped
from .._sums._connection import AbstractConnection
from .._sums._counts import Counts
from ._quantise import Levels
from ._rule import event_by_event, step

Rule = Literal["multi", "single", "asynchronous"]


class Layer(AbstractPart):
    """Neurons without a leak, and the synapses before them.

    **Arguments:**

    - `synapses`: Of weights of 8 bits.
    - `matrix`: The same written out, where events come one by one.
    - `to`: What the neurons are set to.
    - `most`: Spikes of an input in one step, and of a neuron by the rule "multi".
    """

    synapses: AbstractConnection
    matrix: Int[Array, "units inputs"] | None
    to: Levels
    unit: Float[Array, "..."]
    rest: Float[Array, "..."]
    rule: Rule = eqx.field(static=True)
    most: int = eqx.field(static=True)
    path: str = eqx.field(static=True)
    spiking: bool = eqx.field(static=True, default=True)
    cores: int = eqx.field(static=True, default=1)

    def initial_state(self) -> State:
        return State(self.synapses.initial_state(), jnp.zeros(self.to.bias.shape, jnp.int32))

    def heard(self, xs: Int[Array, "steps inputs"], past: Any) -> tuple[Any, Any]:
        if self.rule == "asynchronous":
            return xs.astype(jnp.int32), past
        return self.synapses.sums(xs, past, most=self.most)

    def advance(self, heard: Any, neurons: Int[Array, " units"], *, key: Key[Array, ""] | None = None) -> Stepped:
        if self.rule == "asynchronous":
            assert self.matrix is not None
            after, spikes = event_by_event(self.to, neurons, heard, self.matrix)
            before = after + spikes * self.to.threshold
        else:
            after, spikes, before = step(self.to, neurons, heard, most=self.most if self.rule == "multi" else 1)
        return Stepped(after, spikes, before, None, (before != neurons).astype(jnp.int32))

    def counted(self, xs: Int[Array, "steps inputs"], stepped: Stepped) -> Counts:
        events, messages = self.synapses.events(xs, jnp.zeros(self.to.bias.shape, jnp.int32), 1)
        updates, spikes = (jnp.sum(each, axis=1, keepdims=True) for each in (stepped.updated, stepped.outputs))
        return Counts(events, updates, spikes, messages)
