"""One layer of a network as it sits on a chip, in the chip's own numbers: whole ones, or floats where it is analog."""

from abc import abstractmethod
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key, Num

from .._sums._counts import Counts


class Stepped(NamedTuple):
    """What one step of a layer of neurons leaves.

    **Arguments:**

    - `state`: Of the neurons, for the next step.
    - `outputs`: Spikes, or the membranes of a readout.
    - `membrane`: As the step left it, before any reset.
    - `current`: Of the synapse, if there is one.
    - `updated`: Which neurons had input or a state to update, or how many of each core, where `counted` takes it.
    """

    state: Any
    outputs: Num[Array, " units"]
    membrane: Num[Array, " units"]
    current: Num[Array, " units"] | None
    updated: Any = None


class State(NamedTuple):
    """Spikes that are still on their way, and the neurons."""

    past: Any
    neurons: Any


class Ran(NamedTuple):
    """What a layer does in many steps: a `Stepped` of all of them, and the state after the last."""

    stepped: Stepped
    state: State
    counts: Counts


class AbstractPart(eqx.Module):
    """A layer on a chip: what spikes add up to, for all steps at once, and what neurons make of it, step by step.

    Implementations write `initial_state`, `heard`, `advance` and `counted`.
    """

    path: eqx.AbstractVar[str]  # of its neurons in the network
    unit: eqx.AbstractVar[Float[Array, "..."]]  # what one unit of the membrane is in the network's
    rest: eqx.AbstractVar[Float[Array, "..."]]  # the network's membrane at zero
    spiking: eqx.AbstractVar[bool]
    cores: eqx.AbstractVar[int]

    @abstractmethod
    def initial_state(self) -> State:
        """Before the first step."""

    @abstractmethod
    def heard(self, xs: Int[Array, "steps inputs"], past: Any) -> tuple[Any, Any]:
        """What `advance` needs of each step's input, leaves with the steps first; and the spikes still on their way."""

    @abstractmethod
    def advance(self, heard: Any, neurons: Any, *, key: Key[Array, ""] | None = None) -> Stepped:
        """One step of the neurons."""

    @abstractmethod
    def counted(self, xs: Int[Array, "steps inputs"], stepped: Stepped) -> Counts:
        """What the steps cost."""

    def run(self, xs: Int[Array, "steps inputs"], state: State, *, keys: Key[Array, " steps"] | None = None) -> Ran:
        """All steps of `xs` from `state`."""
        heard, past = self.heard(xs, state.past)

        def one(neurons: Any, inputs: Any) -> tuple[Any, Stepped]:
            stepped = self.advance(inputs[0], neurons, key=inputs[1])
            return stepped.state, stepped._replace(state=None)

        neurons, stepped = jax.lax.scan(one, state.neurons, (heard, keys))
        return Ran(stepped, State(past, neurons), self.counted(xs, stepped))

    def in_network_units(self, membrane: Num[Array, "*steps units"]) -> Float[Array, "*steps units"]:
        """A membrane, in the units of the network that was deployed."""
        unit = jnp.broadcast_to(self.unit, membrane.shape)
        return membrane.astype(unit.dtype) * unit + jnp.broadcast_to(self.rest, membrane.shape)
