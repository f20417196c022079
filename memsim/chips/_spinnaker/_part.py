"""A layer of leaky neurons on SpiNNaker cores."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from .._placing._part import AbstractPart, Stepped
from .._placing._part import State as LayerState
from .._sums._connection import tally
from .._sums._counts import Counts, every_neuron
from ._ring import Pair, Ring, together
from ._rule import Neurons, State, given, initial, step


class Core(NamedTuple):
    """The neurons, and those of their spikes that have still to come back."""

    neurons: State
    last: Int[Array, " units"]
    past: Int[Array, "past units"] | None


class Layer(AbstractPart):
    """Leaky neurons with the synapses before them, and those that feed their spikes back.

    **Arguments:**

    - `synapses`, `feedback`: Their words; those of the feedback act on the spikes of the step before.
    - `shift`: By which words are shifted to be currents.
    - `to`: What the neurons are set to.
    - `start`: Currents before the first step.
    - `core`: Of each neuron, from 0 to `cores` - 1.
    """

    synapses: Ring
    feedback: Ring | None
    shift: Int[Array, ""]
    to: Neurons
    start: Pair | None
    core: Int[Array, " units"]
    unit: Float[Array, "..."]
    rest: Float[Array, "..."]
    cores: int = eqx.field(static=True)
    spiking: bool = eqx.field(static=True)
    path: str = eqx.field(static=True)

    def initial_state(self) -> LayerState:
        size = self.synapses.words.shape[0]
        neurons = initial(self.to, size)._replace(currents=self.start)
        past = None if self.feedback is None else self.feedback.initial_state()
        return LayerState(self.synapses.initial_state(), Core(neurons, jnp.zeros((size,), jnp.int32), past))

    def heard(self, xs: Int[Array, "steps inputs"], past: Any) -> tuple[Any, Any]:
        words, past = self.synapses.sums(xs, past)
        return (jax.vmap(self._given)(words) if self.feedback is None else words), past

    def advance(self, heard: Any, neurons: Core, *, key: Key[Array, ""] | None = None) -> Stepped:
        currents, past = heard, neurons.past
        if self.feedback is not None and past is not None:  # which may bring a buffer to its end
            back, past = self.feedback.sums(neurons.last[None], past)
            currents = self._given(together(heard, jax.tree.map(lambda held: held[0], back)))
        state, seen = step(self.to, neurons.neurons, currents)
        spikes, current = seen.spikes.astype(jnp.int32), seen.currents
        return Stepped(
            Core(state, spikes, past),
            spikes if self.spiking else seen.membrane,
            seen.membrane,
            current.excitation - current.inhibition if isinstance(current, Pair) else current,
        )

    def _given(self, words: Any) -> Any:
        """Currents from words of the buffers."""
        return given(self.to, jax.tree.map(lambda held: held << self.shift, words))

    def counted(self, xs: Int[Array, "steps inputs"], stepped: Stepped) -> Counts:
        spikes = stepped.outputs if self.spiking else jnp.zeros_like(stepped.outputs)
        updates = every_neuron(xs.shape[0], self.core, self.cores)
        return tally(self.synapses, self.feedback, xs, spikes, updates, self.core, self.cores)
