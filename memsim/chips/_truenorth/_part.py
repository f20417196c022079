"""A layer of neurons on TrueNorth cores."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from .._placing._part import AbstractPart, State, Stepped
from .._sums._connection import Dense
from .._sums._counts import Counts
from .._sums._whole import exact_product
from ._rule import AXONS, NEURONS, Neurons, tick


class Core(NamedTuple):
    """Potentials after their reset, and those of the spikes that have still to come back."""

    potential: Int[Array, " units"]
    last: Int[Array, " units"]
    past: Int[Array, "past units"] | None


class Layer(AbstractPart):
    """Neurons with the weights that crossbars and types of axons make, and those that feed their spikes back.

    Copies of a neuron fire the same spikes, so one is reckoned with and all are counted. They differ where neurons are
    random: those of one neuron are then taken to draw the same numbers.

    **Arguments:**

    - `synapses`, `feedback`: Weights; those of the feedback act on the spikes of the tick before.
    - `taps`: How many axons of each type a neuron hears of each input, its own layer's after the others.
    - `to`: What the neurons are set to.
    - `axons`: Of an input.
    - `copies`: Of a neuron.
    """

    synapses: Dense
    feedback: Dense | None
    taps: Int[Array, "units inputs types"]
    to: Neurons
    unit: Float[Array, "..."]
    rest: Float[Array, "..."]
    axons: int = eqx.field(static=True)
    copies: int = eqx.field(static=True)
    cores: int = eqx.field(static=True)
    spiking: bool = eqx.field(static=True)
    path: str = eqx.field(static=True)

    @property
    def size(self) -> int:
        return self.synapses.weight.shape[0]

    def initial_state(self) -> State:
        zero = jnp.zeros((self.size,), jnp.int32)
        past = None if self.feedback is None else self.feedback.initial_state()
        return State(self.synapses.initial_state(), Core(zero, zero, past))

    def heard(self, xs: Int[Array, "steps inputs"], past: Any) -> tuple[Any, Any]:
        return self.synapses.sums(xs, past, most=1)

    def advance(self, heard: Any, neurons: Core, *, key: Key[Array, ""] | None = None) -> Stepped:
        arriving, past = heard, neurons.past
        if self.feedback is not None and past is not None:
            back, past = self.feedback.sums(neurons.last[None], past, most=1)
            arriving = arriving + back[0]
        now = tick(self.to, neurons.potential, arriving, key=key)
        spikes = now.spikes.astype(jnp.int32)
        return Stepped(Core(now.potential, spikes, past), spikes, now.before, None)

    def counted(self, xs: Int[Array, "steps inputs"], stepped: Stepped) -> Counts:
        spikes = stepped.outputs
        sources = xs if self.feedback is None else jnp.concatenate([xs, spikes], axis=1)
        core = jnp.arange(self.size * self.copies, dtype=jnp.int32) // NEURONS

        def held(units: Array) -> Array:  # of all copies, by core
            return jax.ops.segment_sum(jnp.tile(units, (self.copies,) + (1,) * (units.ndim - 1)), core, self.cores)

        bits = held(jnp.sum(self.taps, axis=-1, dtype=jnp.int32))
        neurons = held(jnp.eye(self.size, dtype=jnp.int32))
        updates = jnp.broadcast_to(jnp.sum(neurons, axis=1, dtype=jnp.int32), (xs.shape[0], self.cores))
        return Counts(
            exact_product(sources, bits, most=1, largest=AXONS * NEURONS),
            updates,
            exact_product(spikes, neurons, most=1, largest=NEURONS),
            exact_product(sources, self.axons * (bits > 0).astype(jnp.int32), most=1, largest=self.axons),
        )
