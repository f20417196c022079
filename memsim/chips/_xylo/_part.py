"""A layer of neurons on Xylo: hidden neurons, or its outputs."""

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from .._placing._part import AbstractPart, State, Stepped
from .._sums._counts import Counts
from ._rule import Core, Population, decay, fire, fire_with_aliases, membrane
from ._saturating import Steps, add_one_by_one, steps


class Synapses(eqx.Module):
    """Weights of 8 bits, each of which is shifted before it is added; a neuron has one or two synaptic currents."""

    weight: Int[Array, "synapses units inputs"]
    shift: Int[Array, ""]
    steps: Steps

    def __init__(self, weight: Int[Array, "synapses units inputs"], shift: Int[Array, ""]):
        self.weight, self.shift = weight, shift
        self.steps = steps(weight.reshape(-1, weight.shape[-1]), shift)  # once, not in every step

    def add(self, current: Int[Array, "synapses units"], events: Int[Array, " inputs"]) -> Int[Array, "synapses units"]:
        """The currents after all events."""
        return add_one_by_one(current.reshape(-1), events, self.steps).reshape(current.shape)

    def counted(self, events: Int[Array, "steps inputs"]) -> tuple[Int[Array, "steps 1"], Int[Array, "steps 1"]]:
        """Synapses that are reached, and sources that reach any: more than one event in a step costs no more."""
        fan_out = jnp.sum((self.weight != 0).astype(jnp.int32), axis=(0, 1))[None]
        fired = events > 0
        reached = jnp.sum(jnp.where(fired, fan_out, 0), axis=1, keepdims=True)
        return reached, jnp.sum((fired & (fan_out > 0)).astype(jnp.int32), axis=1, keepdims=True)


class Neurons(NamedTuple):
    """Synaptic currents, membranes after their reset, and the spikes of the step."""

    current: Int[Array, "synapses units"]
    membrane: Int[Array, " units"]
    spikes: Int[Array, " units"]


class Layer(AbstractPart):
    """Hidden neurons or outputs, with the synapses before them, and those that feed their spikes back.

    **Arguments:**

    - `synapses`: From the inputs of `wait` steps before; the chip itself waits one step for spikes of other neurons.
    - `feedback`: From the spikes of the step before.
    - `to`: What the neurons are set to.
    - `alias`: Of each neuron, another that its spikes are those of, too, or -1.
    - `most`: Spikes of a neuron in one step.
    - `most_input`: Events of an input in one step; what is more is lost.
    """

    synapses: Synapses
    feedback: Synapses | None
    to: Population
    alias: Int[Array, " units"] | None
    unit: Float[Array, "..."]
    rest: Float[Array, "..."]
    core: Core = eqx.field(static=True)
    most: int = eqx.field(static=True)
    most_input: int = eqx.field(static=True)
    wait: int = eqx.field(static=True)
    spiking: bool = eqx.field(static=True)
    path: str = eqx.field(static=True)
    cores: int = eqx.field(static=True, default=1)

    def initial_state(self) -> State:
        synapses, units, inputs = self.synapses.weight.shape
        zero = jnp.zeros(units, jnp.int32)
        neurons = Neurons(jnp.zeros((synapses, units), jnp.int32), zero, zero)
        return State(jnp.zeros((self.wait, inputs), jnp.int32), neurons)

    def heard(self, xs: Int[Array, "steps inputs"], past: Any) -> tuple[Any, Any]:
        events = jnp.concatenate([past, jnp.minimum(xs.astype(jnp.int32), self.most_input)])
        return events[: xs.shape[0]], events[xs.shape[0] :]

    def advance(self, heard: Any, neurons: Neurons, *, key: Key[Array, ""] | None = None) -> Stepped:
        current = self.synapses.add(neurons.current, heard)
        if self.feedback is not None:
            current = self.feedback.add(current, neurons.spikes)
        current = current - decay(current, self.to.dash_syn)
        v = membrane(self.to, neurons.membrane, current, core=self.core)
        if self.alias is None:
            own = spikes = fire(v, self.to.threshold, jnp.full_like(v, self.most))
        else:
            own, spikes = fire_with_aliases(v, self.to.threshold, self.alias, most=self.most)
        after = Neurons(current, v - own * self.to.threshold, spikes)
        return Stepped(after, spikes if self.spiking else v, v, jnp.sum(current, axis=0))

    def counted(self, xs: Int[Array, "steps inputs"], stepped: Stepped) -> Counts:
        events, messages = self.synapses.counted(xs)
        spikes = stepped.outputs if self.spiking else jnp.zeros_like(stepped.outputs)
        if self.feedback is not None:
            more, again = self.feedback.counted(spikes)
            events, messages = events + more, messages + again
        updates = jnp.full((xs.shape[0], 1), spikes.shape[1], jnp.int32)
        return Counts(events, updates, jnp.sum(spikes, axis=1, keepdims=True), messages)
