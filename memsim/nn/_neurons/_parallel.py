"""Neurons without reset, solved for all time steps at once."""

from collections.abc import Set
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ..._checks import check
from .._layer import AbstractLayer, Record, Shape, below
from ._neuron import AbstractNeuron


class ParallelInTime(AbstractLayer):
    """A `neuron` without reset whose steps are solved together, by an associative scan over time.

    The depth falls from the number of steps to its logarithm, at the cost of memory: for a GPU and long sequences. On a
    CPU the step-by-step scan is faster. The result is that of the neuron itself up to rounding.

    **Arguments:**

    - `neuron`: `LI`, `CuBaLI`, or `IF`, `LIF`, `CuBaLIF`, `ResonateAndFire` with `Firing(reset="none")`.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> x, neuron = jr.normal(jr.key(0), (16, 2)), ms.nn.LI(2)
    >>> serial, parallel = (ms.nn.SpikingNetwork([each])(x) for each in (neuron, ms.nn.ParallelInTime(neuron)))
    >>> bool(jnp.allclose(serial, parallel, atol=1e-4))
    True
    """

    neuron: AbstractNeuron

    def __check_init__(self):
        check(self)
        if self.neuron.filters(self.neuron.coefficients()) is None:
            raise ValueError(
                "A neuron must have neither a reset nor a synaptic delay to be solved over time at once. "
                f'Got {type(self.neuron).__name__}; give it `Firing(reset="none")`, or use it without ParallelInTime.'
            )

    def initial_state(self) -> Any:
        return self.neuron.initial_state()

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
        coefficients = self.neuron.coefficients()
        before, structure = jax.tree.flatten(state)
        filters = self.neuron.filters(coefficients)
        assert filters is not None
        driven, over_time = xs, []
        for start, leak in zip(before, filters, strict=True):
            driven = leak.over_time(start, driven)
            over_time.append(driven)
        states = jax.tree.unflatten(structure, over_time)
        earlier = jax.tree.map(lambda start, values: jnp.concatenate([start[None], values[:-1]]), state, states)
        ys = jax.vmap(self.neuron.output, (None, 0, 0))(coefficients, earlier, states)
        membranes = jax.vmap(self.neuron.membrane)(states) if "membranes" in record else None
        last = jax.tree.map(lambda values: values[-1], states)
        return ys, last, below(".neuron", self.neuron.recorded(record, spikes=ys, currents=xs, membranes=membranes))
