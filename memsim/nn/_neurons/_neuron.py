"""What every neuron promises: one update rule, an explicit state, no batch axis."""

from abc import abstractmethod
from collections.abc import Set
from dataclasses import fields
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, Shaped

from ..._checks import Must, as_floats, check, checked, positive
from .._layer import AbstractLayer, Record, Shape, chosen
from ._leak import Leak
from ._parameters import Converter, check_shape

STEP = positive("in seconds", most=1.0, hint="Milliseconds? Multiply by 1e-3.")


class AbstractNeuron(AbstractLayer):
    """A layer of neurons: `neuron(current, state) -> (output, state)` is one time step.

    A neuron of your own has the field `size` and writes `initial_state` and `update`. Of a state with names, such as a
    `NamedTuple`, `membrane` is what is recorded and `spikes` are given out; a state that is one array is a membrane
    that does not spike, and is given out itself. A neuron that differs writes `membrane`, or `output` and `spiking`.
    What does not change from step to step is worked out once, in `coefficients`.

    >>> import equinox as eqx, jax.numpy as jnp, memsim as ms
    >>> class Decaying(ms.nn.AbstractNeuron):
    ...     size: int = eqx.field(static=True)
    ...     def initial_state(self):
    ...         return jnp.zeros(self.size)
    ...     def update(self, coefficients, current, state, *, key=None):
    ...         return 0.5 * state + current
    >>> print(ms.nn.SpikingNetwork([Decaying(1)])(jnp.ones((4, 1))).ravel())
    [1.    1.5   1.75  1.875]
    """

    size: eqx.AbstractVar[int | tuple[int, ...]]

    @abstractmethod
    def update(
        self, coefficients: Any, current: Float[Array, "*shape"], state: Any, *, key: Key[Array, ""] | None = None
    ) -> Any:
        """The update rule: the state one `dt` later."""

    def coefficients(self) -> Any:
        """What the update needs of the parameters; worked out once, before a time loop."""
        return None

    def output(self, coefficients: Any, before: Any, after: Any) -> Float[Array, "*shape"]:
        """What a step gives out, from the states before and after it."""
        return self._part(after, "spikes", "output")

    def membrane(self, state: Any) -> Float[Array, "*shape"]:
        """The membrane within a state, before any reset."""
        return self._part(state, "membrane", "membrane")

    def filters(self, coefficients: Any) -> tuple[Leak, ...] | None:
        """The first-order filters, in the order of the state's arrays, that a neuron without reset is.

        `None` for a neuron that cannot be solved over time at once.
        """
        return None

    @property
    def spiking(self) -> bool:
        """Whether the output is spikes: a readout's is not."""
        if type(self).output is not AbstractNeuron.output:
            raise ValueError(
                "A neuron with an output of its own must say whether that is spikes. "
                f"Got {type(self).__name__}; write its property `spiking`."
            )
        return not isinstance(jax.eval_shape(self.initial_state), jax.ShapeDtypeStruct)

    def _part(self, state: Any, name: str, method: str) -> Float[Array, "*shape"]:
        """The array called `name` within a state, or the state where it is an array."""
        found = state
        while found is not None and not isinstance(found, jax.Array | np.ndarray):
            found = getattr(found, name, None)
        if found is None or found.shape != self.shape or not jnp.issubdtype(found.dtype, jnp.floating):
            came = "" if found is None else f", and with {found.dtype}{list(found.shape)} for it"
            raise ValueError(
                f"The state of a neuron must be an array of floats of shape {self.shape}, or have one named `{name}`. "
                f"Got {type(self).__name__} with a {type(state).__name__}{came}; write its method `{method}`."
            )
        return jnp.asarray(found)

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


class AbstractWrapped(AbstractNeuron):
    """A neuron around another one, whose size, states and membrane it has."""

    neuron: eqx.AbstractVar[AbstractNeuron]

    @property
    def size(self) -> int | tuple[int, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.neuron.size

    @property
    def spiking(self) -> bool:
        return self.neuron.spiking

    def initial_state(self) -> Any:
        return self.neuron.initial_state()

    def membrane(self, state: Any) -> Float[Array, "*shape"]:
        return self.neuron.membrane(state)


class Prepared(AbstractWrapped):
    """A neuron with its coefficients worked out, for a time loop that steps it together with other layers."""

    neuron: AbstractNeuron
    worked_out: Any

    def __init__(self, neuron: AbstractNeuron):
        self.neuron = neuron
        self.worked_out = neuron.coefficients()

    def coefficients(self) -> Any:
        return self.worked_out

    def update(
        self, coefficients: Any, current: Float[Array, "*shape"], state: Any, *, key: Key[Array, ""] | None = None
    ) -> Any:
        return self.neuron.update(coefficients, current, state, key=key)

    def output(self, coefficients: Any, before: Any, after: Any) -> Float[Array, "*shape"]:
        return self.neuron.output(coefficients, before, after)

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
