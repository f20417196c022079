"""A layer of leaky neurons on Loihi."""

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from .._placing._part import AbstractPart, State, Stepped
from .._sums._connection import AbstractConnection, Dense, tally
from .._sums._counts import Counts, by_core
from .._sums._whole import shifted
from ._rule import CURRENT, Compartments, Neurons, Variant, step


class Compartment(NamedTuple):
    """The neurons, and those of their spikes that have still to come back."""

    neurons: Neurons
    last: Int[Array, " units"]
    past: Int[Array, "past units"] | None


class Layer(AbstractPart):
    """Leaky neurons with the synapses before them, and those that feed their spikes back.

    **Arguments:**

    - `synapses`, `feedback`: Their weights; those of the feedback act on the spikes of the step before.
    - `exponent`, `feedback_exponent`: By which sums are shifted, on top of the chip's own 6 bits; `None` where the
      weights hold all shifts already.
    - `to`: What the compartments are set to.
    - `core`: Of each neuron, from 0 to `cores` - 1.
    - `most`: The largest number of spikes of an input in one step.
    """

    synapses: AbstractConnection
    feedback: Dense | None
    to: Compartments
    core: Int[Array, " units"]
    unit: Float[Array, "..."]
    rest: Float[Array, "..."]
    variant: Variant = eqx.field(static=True)
    exponent: int | None = eqx.field(static=True)
    feedback_exponent: int | None = eqx.field(static=True)
    most: int = eqx.field(static=True)
    cores: int = eqx.field(static=True)
    spiking: bool = eqx.field(static=True)
    path: str = eqx.field(static=True)

    @property
    def size(self) -> int:
        return self.core.shape[0]

    def initial_state(self) -> State:
        zero = jnp.zeros(self.size, jnp.int32)
        past = None if self.feedback is None else self.feedback.initial_state()
        return State(self.synapses.initial_state(), Compartment(Neurons(zero, zero, zero), zero, past))

    def heard(self, xs: Int[Array, "steps inputs"], past: Any) -> tuple[Any, Any]:
        sums, past = self.synapses.sums(xs, past, most=self.most)
        return _as_current(sums, self.exponent), past

    def advance(self, heard: Any, neurons: Compartment, *, key: Key[Array, ""] | None = None) -> Stepped:
        a, past = heard, neurons.past
        if self.feedback is not None and past is not None:
            back, past = self.feedback.sums(neurons.last[None], past, most=1)
            a = a + _as_current(back[0], self.feedback_exponent)
        after, fires, membrane = step(self.to, neurons.neurons, a, variant=self.variant)
        spikes = fires.astype(jnp.int32)
        before = neurons.neurons
        updated = (before.current != 0) | (before.membrane != 0) | (a != 0) | (self.to.bias != 0)
        return Stepped(
            Compartment(after, spikes, past),
            spikes if self.spiking else membrane,
            membrane,
            after.current,
            by_core(updated[None], self.core, self.cores)[0],
        )

    def counted(self, xs: Int[Array, "steps inputs"], stepped: Stepped) -> Counts:
        spikes = stepped.outputs if self.spiking else jnp.zeros_like(stepped.outputs)
        updates = stepped.updated
        return tally(self.synapses, self.feedback, xs, spikes, updates, self.core, self.cores)


def _as_current(sums: Int[Array, "*steps units"], exponent: int | None) -> Int[Array, "*steps units"]:
    return sums if exponent is None else shifted(sums, exponent) << CURRENT
