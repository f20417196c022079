"""What every layer without memory promises."""

from abc import abstractmethod
from collections.abc import Set
from typing import Any

import equinox as eqx
import jax
import jax.random as jr
from jaxtyping import Array, Float, Key

from ..._crossbar import Chip
from ..._matrix import AnalogMatrix
from .._layer import AbstractLayer, Record, Shape, chosen


class AbstractSynapse(AbstractLayer):
    """A layer without memory: `layer(x) -> y` is one time step, and a sequence is all its steps in one product."""

    @abstractmethod
    def __call__(self, x: Float[Array, "*shape"], *, key: Key[Array, ""] | None = None) -> Float[Array, "*_"]:
        """One time step."""

    def initial_state(self) -> None:
        return None

    def run(
        self,
        xs: Float[Array, "steps *shape"],
        state: Any,
        *,
        keys: Key[Array, " steps"] | None = None,
        record: Set[str] = frozenset(),
    ) -> tuple[Float[Array, "steps *_"], Any, Record]:
        ys = jax.vmap(lambda x, key: self(x, key=key))(xs, keys)
        return ys, None, chosen(record, inputs=xs)


class AbstractAnalog(AbstractSynapse):
    """A layer whose `weight` can sit on a crossbar: a matrix of (outputs, inputs), a `Chip`, or an `AnalogMatrix`."""

    weight: eqx.AbstractVar[Float[Array, "outputs inputs"] | Chip | AnalogMatrix]

    @abstractmethod
    def word_lines(self, x: Float[Array, "*shape"]) -> Float[Array, "reads inputs"]:
        """What the word lines are driven with for the input `x`, a row for each read."""


class Stateless(AbstractSynapse):
    """Any module of `equinox.nn`, or of your own, that is called as `layer(x, key=key)` and keeps no state.

    Such as `eqx.nn.Dropout`, `eqx.nn.LayerNorm`, `eqx.nn.AvgPool2d` or `eqx.nn.Lambda(jax.numpy.ravel)`; a network
    wraps them by itself. A dropout draws a new mask in each time step.

    **Arguments:**

    - `layer`: The module.
    """

    layer: eqx.Module

    def __call__(self, x: Float[Array, "*shape"], *, key: Key[Array, ""] | None = None) -> Float[Array, "*_"]:
        return self.layer(x, key=key)  # pyright: ignore[reportCallIssue]

    def output_shape(self, shape: Shape | None) -> Shape | None:
        if shape is None:
            return None
        x = jax.ShapeDtypeStruct(shape, jax.numpy.result_type(float))
        return eqx.filter_eval_shape(lambda layer, x: layer(x, key=jr.key(0)), self, x).shape


def read(weight: Any, x: Float[Array, "*reads inputs"], key: Key[Array, ""] | None) -> Float[Array, "*reads outputs"]:
    """The product of each row of `x` with `weight`, as its hardware gives it."""
    if isinstance(weight, Chip):
        raise ValueError("A programmed layer must be read at a time. Got a Chip; use `memsim.at(model, t, key=...)`.")
    return weight(x, key=key) if isinstance(weight, AnalogMatrix) else x @ weight.T
