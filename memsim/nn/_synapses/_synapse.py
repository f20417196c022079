"""What synapse layers promise: those without memory, and those whose weight can sit on a crossbar."""

import dataclasses
from abc import abstractmethod
from collections.abc import Set
from typing import Any

import equinox as eqx
import jax
import jax.random as jr
from jaxtyping import Array, Float, Key, Shaped

from ..._array import AnalogMatrix, Chip
from ..._checks import as_floats
from .._layer import AbstractLayer, Record, Shape, chosen
from ._keyed import KeyedMatrix
from ._watched import AbstractWatched

MOVE = 2**31 - 2  # folded into the key of a step, so that moving noise leaves its other draws as they are


class AbstractSynapse(AbstractLayer):
    """A layer without memory: `layer(x) -> y` is one time step, and a sequence is all its steps in one product.

    Its state is that of read noise that moves from step to step, if its weight has such noise.

    >>> import jax.numpy as jnp, memsim as ms
    >>> class Rectify(ms.nn.AbstractSynapse):
    ...     def output_shape(self, shape):
    ...         return shape
    ...     def __call__(self, x, *, key=None):
    ...         return jnp.maximum(x, 0.0)
    >>> print(ms.nn.SpikingNetwork([Rectify(), ms.nn.Integrator(1)])(jnp.array([[1.0], [-1.0], [2.0]])).ravel())
    [1. 1. 3.]
    """

    @abstractmethod
    def __call__(self, x: Shaped[Array, "*shape"], *, key: Key[Array, ""] | None = None) -> Float[Array, "*_"]:
        """One time step. Whole numbers are taken as floats."""

    def initial_state(self) -> Any:
        return noise_state(self)

    def run(
        self,
        xs: Float[Array, "steps *shape"],
        state: Any,
        *,
        keys: Key[Array, " steps"] | None = None,
        record: Set[str] = frozenset(),
    ) -> tuple[Float[Array, "steps *_"], Any, Record]:
        if state is None:
            ys = jax.vmap(lambda x, key: self(x, key=key))(xs, keys)
            return ys, None, chosen(record, inputs=xs)

        def one(state: Any, inputs: Any) -> tuple[Any, Array]:
            y, state = read(self, inputs[0], state, key=inputs[1])
            return state, y

        state, ys = jax.lax.scan(one, state, (xs, keys))
        return ys, state, chosen(record, inputs=xs)


Weight = Float[Array, "outputs inputs"] | Chip | AnalogMatrix | KeyedMatrix | AbstractWatched


class AbstractAnalog(AbstractLayer):
    """A layer whose `weight` can sit on a crossbar: a matrix of (outputs, inputs), a `Chip`, or an `AnalogMatrix`.

    One cell pair of the crossbar may meet several inputs in turn: `word_lines` says what drives the lines, `as_wired`
    how the cells meet them, and `as_wired(matrix)(word_lines(x))` is what the converters see.

    >>> import jax.random as jr, memsim as ms
    >>> layer = ms.nn.Linear(3, 2, key=jr.key(0))
    >>> isinstance(layer, ms.nn.AbstractAnalog), isinstance(ms.nn.LIF(2), ms.nn.AbstractAnalog)
    (True, False)
    """

    weight: eqx.AbstractVar[Weight]

    @abstractmethod
    def word_lines(self, x: Float[Array, "*shape"]) -> Float[Array, "reads lines"]:
        """What the word lines are driven with for the recorded input `x` of one step, a row for each read."""

    @abstractmethod
    def as_wired(self, matrix: AnalogMatrix) -> AnalogMatrix:
        """`matrix` with a row for each of the `word_lines`; itself where each cell meets one input."""


class Stateless(AbstractSynapse):
    """Any module of `equinox.nn`, or of your own, that is called as `layer(x, key=key)` and keeps no state.

    Such as `eqx.nn.Dropout`, `eqx.nn.LayerNorm`, `eqx.nn.GroupNorm`, `eqx.nn.MaxPool2d` or
    `eqx.nn.Lambda(jax.numpy.ravel)`; a network wraps them by itself. A dropout draws a new mask in each time step.
    `eqx.nn.BatchNorm` keeps a state and does not fit.

    **Arguments:**

    - `layer`: The module.

    >>> import equinox as eqx, jax.numpy as jnp, memsim as ms
    >>> network = ms.nn.SpikingNetwork([ms.nn.Stateless(eqx.nn.LayerNorm(4)), ms.nn.LIF(4)])
    >>> network(jnp.ones((10, 4))).shape
    (10, 4)
    """

    layer: eqx.Module

    def __call__(self, x: Shaped[Array, "*shape"], *, key: Key[Array, ""] | None = None) -> Float[Array, "*_"]:
        x = as_floats(x)
        return self.layer(x.astype(int) if self._counts else x, key=key)  # pyright: ignore[reportCallIssue]

    def output_shape(self, shape: Shape | None) -> Shape | None:
        if shape is None:
            return None
        x = jax.ShapeDtypeStruct(shape, jax.numpy.result_type(float))
        try:
            return eqx.filter_eval_shape(lambda layer, x: layer(x, key=jr.key(0)), self, x).shape
        except TypeError as error:
            raise ValueError(f"must take an input of shape {shape}. It does not: {error}") from error

    @property
    def _counts(self) -> bool:
        """Whether the inputs are whole numbers, by which something is looked up."""
        return isinstance(self.layer, eqx.nn.Embedding)


def noise_state(layer: Any) -> Any:
    """The state of read noise that moves, before the first step; `None` for a layer without such noise.

    Of a module that holds analog layers, the states of those with such noise by their paths.
    """
    if isinstance(layer, AbstractAnalog):
        return _state(layer.weight)
    leaves = jax.tree_util.tree_leaves_with_path(layer, is_leaf=_is_analog)
    states = {jax.tree_util.keystr(path): _state(node.weight) for path, node in leaves if _is_analog(node)}
    return {path: state for path, state in states.items() if state is not None} or None


def _is_analog(node: Any) -> bool:
    return isinstance(node, AbstractAnalog)


def _state(weight: Any) -> Any:
    weight = weight.weight if isinstance(weight, AbstractWatched) else weight
    return None if not isinstance(weight, AnalogMatrix) or weight.fluctuation is None else weight.fluctuation.state


def read(layer: Any, x: Array, state: Any, *, key: Key[Array, ""] | None) -> tuple[Array, Any]:
    """One step of a layer that is called with one, and the state of its moving noise after it."""
    if state is None:
        return layer(x, key=key), None
    if isinstance(layer, AbstractAnalog):
        layer, state = _moved_layer(layer, state, key)
        return layer(x, key=key), state
    after = {}

    def move(path: Any, node: Any) -> Any:
        name = jax.tree_util.keystr(path)
        if name not in state:
            return node
        own_key = None if key is None else jr.fold_in(key, len(after))
        node, after[name] = _moved_layer(node, state[name], own_key)
        return node

    return jax.tree_util.tree_map_with_path(move, layer, is_leaf=_is_analog)(x, key=key), after


def _moved_layer(layer: Any, state: Any, key: Key[Array, ""] | None) -> tuple[Any, Any]:
    matrix, state = moved(layer.weight, state, key)
    return eqx.tree_at(lambda layer: layer.weight, layer, matrix), state


def moved(weight: Any, state: Any, key: Key[Array, ""] | None) -> tuple[Any, Any]:
    """`weight` with its noise in `state`, and the state one step later."""
    if isinstance(weight, AbstractWatched):
        matrix, state = moved(weight.weight, state, key)
        return dataclasses.replace(weight, weight=matrix), state
    if key is None:
        raise ValueError("Read noise that moves from step to step needs `key=`. Got none. Pass one for each sequence.")
    return weight.fluctuated(state), weight.fluctuation.advance(state, key=jr.fold_in(key, MOVE))


def opened(
    weight: Any, x: Array, key: Key[Array, ""] | None
) -> tuple[Array | AnalogMatrix, Array, Key[Array, ""] | None]:
    """A weight that can be read, and `x` and the key for its read."""
    if isinstance(weight, AbstractWatched):
        x, weight = weight.told(x), weight.weight
    matrix = _at_a_time(weight)
    if isinstance(weight, KeyedMatrix) and key is None:
        key = weight.read_key(x)
    return matrix.now if isinstance(matrix, AnalogMatrix) else matrix, x, key


def presented(weight: Any) -> Float[Array, "outputs inputs"]:
    """The weights of a layer, or those its chip presents on average, without the moving noise of the moment."""
    matrix = _at_a_time(weight)
    return matrix.effective_weight if isinstance(matrix, AnalogMatrix) else matrix


def _at_a_time(weight: Any) -> Array | AnalogMatrix:
    weight = weight.weight if isinstance(weight, AbstractWatched) else weight
    if isinstance(weight, Chip):
        raise ValueError("A programmed layer must be read at a time. Got a Chip; use `memsim.at(model, t, key=...)`.")
    return weight.matrix if isinstance(weight, KeyedMatrix) else weight
