"""What every neuron promises: one update rule, an explicit state, no batch axis."""

from abc import abstractmethod
from collections.abc import Set
from dataclasses import fields
from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Float, Key, Shaped

from ..._checks import Must, as_floats, check, checked, positive
from .._layer import AbstractLayer, Record, Shape, chosen
from ._leak import Leak
from ._parameters import Converter, check_shape

STEP = positive("in seconds", most=1.0, hint="Milliseconds? Multiply by 1e-3.")


class AbstractNeuron(AbstractLayer):
    """A layer of neurons: `neuron(current, state) -> (output, state)` is one time step."""

    size: eqx.AbstractVar[int | tuple[int, ...]]

    @abstractmethod
    def coefficients(self) -> Any:
        """What the update needs of the parameters; worked out once, before a time loop."""

    @abstractmethod
    def update(
        self, coefficients: Any, current: Float[Array, "*shape"], state: Any, *, key: Key[Array, ""] | None = None
    ) -> Any:
        """The update rule: the state one `dt` later."""

    @abstractmethod
    def output(self, coefficients: Any, before: Any, after: Any) -> Float[Array, "*shape"]:
        """What a step gives out, from the states before and after it."""

    @abstractmethod
    def membrane(self, state: Any) -> Float[Array, "*shape"]:
        """The membrane within a state, before any reset."""

    @abstractmethod
    def filters(self, coefficients: Any) -> tuple[Leak, ...] | None:
        """The first-order filters, in the order of the state's arrays, that a neuron without reset is.

        `None` for a neuron that cannot be solved over time at once.
        """

    @property
    @abstractmethod
    def spiking(self) -> bool:
        """Whether the output is spikes: a readout's is not."""

    @property
    def shape(self) -> Shape:
        return (self.size,) if isinstance(self.size, int) else tuple(self.size)

    @checked()
    def __call__(
        self, current: Shaped[Array, "*shape"], state: Any, *, key: Key[Array, ""] | None = None
    ) -> tuple[Float[Array, "*shape"], Any]:
        """One time step: the output and the new state. Whole numbers are taken as floats."""
        current = as_floats(current, "current")
        coefficients = self.coefficients()
        after = self.update(coefficients, current, state, key=key)
        return self.output(coefficients, state, after), after

    def output_shape(self, shape: Shape | None) -> Shape | None:
        if shape is not None and shape != self.shape:
            raise ValueError(f"must take an input of shape {self.shape}. Got {shape}.")
        return self.shape

    def run(
        self,
        xs: Float[Array, "steps *shape"],
        state: Any,
        *,
        keys: Key[Array, " steps"] | None = None,
        record: Set[str] = frozenset(),
    ) -> tuple[Float[Array, "steps *shape"], Any, Record]:
        coefficients = self.coefficients()
        traced = "membranes" in record

        def one(before, inputs):
            current, key = inputs
            after = self.update(coefficients, current, before, key=key)
            return after, (self.output(coefficients, before, after), self.membrane(after) if traced else None)

        state, (ys, membranes) = jax.lax.scan(one, state, (xs, keys))
        return ys, state, self.recorded(record, currents=xs, spikes=ys, membranes=membranes)

    def recorded(self, record: Set[str], *, spikes: Array, **quantities: Array | None) -> Record:
        """The record of a run, with spikes where the outputs are spikes."""
        return chosen(record, **quantities, **({"spikes": spikes} if self.spiking else {}))


class Prepared(AbstractNeuron):
    """A neuron with its coefficients worked out, for a time loop that steps it together with other layers."""

    neuron: AbstractNeuron
    worked_out: Any

    def __init__(self, neuron: AbstractNeuron):
        self.neuron = neuron
        self.worked_out = neuron.coefficients()

    @property
    def size(self) -> int | tuple[int, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.neuron.size

    @property
    def spiking(self) -> bool:
        return self.neuron.spiking

    def initial_state(self) -> Any:
        return self.neuron.initial_state()

    def coefficients(self) -> Any:
        return self.worked_out

    def update(
        self, coefficients: Any, current: Float[Array, "*shape"], state: Any, *, key: Key[Array, ""] | None = None
    ) -> Any:
        return self.neuron.update(coefficients, current, state, key=key)

    def output(self, coefficients: Any, before: Any, after: Any) -> Float[Array, "*shape"]:
        return self.neuron.output(coefficients, before, after)

    def membrane(self, state: Any) -> Float[Array, "*shape"]:
        return self.neuron.membrane(state)

    def filters(self, coefficients: Any) -> tuple[Leak, ...] | None:
        return self.neuron.filters(coefficients)


def check_neuron(neuron: AbstractNeuron, **rules: Must) -> None:
    """Raises `ValueError` for a wrong field, an empty layer, or parameters that do not fit its shape."""
    check(neuron, dt=STEP, **rules)
    shape = neuron.shape
    if not shape or min(shape) < 1:
        raise ValueError(f"`size` must be at least 1 neuron. Got size={neuron.size}.")
    for field in fields(neuron):
        if isinstance(field.metadata.get("converter"), Converter):
            check_shape(field.name, getattr(neuron, field.name), shape)
