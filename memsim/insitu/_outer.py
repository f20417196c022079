"""The gradient of a matrix in the factors that an array of cells is updated with."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr
from jaxtyping import Array, Float, Key

from .._checks import checked
from ._matrices import matrices, replaced
from ._periphery import Periphery
from ._reads import Reader


class OuterProduct(eqx.Module):
    r"""A gradient as a sum of rank-one terms, $\sum_b \delta_b x_b^T$, one for each read of the matrix.

    An array of cells takes each term in one step: inputs drive its word lines, errors its bit lines, and no weight
    moves.

    **Arguments:**

    - `inputs`: What drove the matrix, $x$, a row for each read.
    - `errors`: Derivative of the loss by what the matrix gave out, $\delta$, a row for each read.

    >>> import jax.numpy as jnp, memsim as ms
    >>> gradient = ms.insitu.OuterProduct(inputs=jnp.array([[1.0, 2.0]]), errors=jnp.array([[0.1, 0.0, -0.1]]))
    >>> gradient.errors.T.shape, gradient.inputs.shape
    ((3, 1), (1, 2))
    """

    inputs: Float[Array, "reads inputs"]
    errors: Float[Array, "reads outputs"]

    @property
    def dense(self) -> Float[Array, "outputs inputs"]:
        """The sum, as a matrix."""
        return self.errors.T @ self.inputs

    @property
    def reads(self) -> int:
        return self.inputs.shape[0]


@checked()
def value_and_outer(
    loss: Callable[..., Any], *, has_aux: bool = False, periphery: Periphery | None = None
) -> Callable[..., tuple[Any, Any]]:
    """As `equinox.filter_value_and_grad`, with the gradients of matrices on arrays as `OuterProduct`s.

    `value_and_outer(loss)(model, *args)` returns the loss and its gradient by the floating-point arrays of `model`. The
    gradient of each matrix is an `OuterProduct` with every read in it, over batch and time steps. Matrices
    are those that `memsim.insitu` puts on arrays: the weights of analog layers of `memsim.nn`, or, in a model without
    such layers, all two-dimensional arrays.

    The gradient of a matrix is an ordinary array where the reads cannot be listed: within a `jax.lax.scan` (a recurrent
    layer, or a network that runs its sequence in chunks), in a convolution, with `product="bfloat16"`, or where the
    matrix is used otherwise than by `x @ W.T`. The transformations of `memsim.insitu` take both.

    **Arguments:**

    - `loss`: Of the model and whatever else it is called with; a scalar, or with `has_aux` a pair of it and a pytree of
        arrays.
    - `has_aux`: Whether `loss` returns a pair.
    - `periphery`: Converters and noise through which inputs and errors go at each read that can be listed; its key is
        that of the call, `value_and_outer(loss, periphery=...)(model, *args, read_key=key)`. What an update is made of,
        the inputs and the errors themselves, goes to the pulse trains as it is. `None` reads exactly.

    >>> import jax, jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> layer = ms.nn.Linear(3, 2, use_bias=False, key=jr.key(0))
    >>> loss, gradient = ms.insitu.value_and_outer(lambda layer, xs: jax.vmap(layer)(xs).sum())(layer, jnp.ones((5, 3)))
    >>> gradient.weight.inputs.shape, gradient.weight.errors.shape
    ((5, 3), (5, 2))
    """

    def differentiated(
        model: Any, *args: Any, read_key: Key[Array, ""] | None = None, **kwargs: Any
    ) -> tuple[Any, Any]:
        parameters, static = eqx.partition(model, eqx.is_inexact_array)
        weights = matrices(parameters)
        leaves, structure = jax.tree.flatten(replaced(parameters, dict.fromkeys(weights)))

        def whole(weights: list[Any], leaves: list[Any]) -> Any:
            return replaced(jax.tree.unflatten(structure, leaves), dict(zip(names, weights, strict=True)))

        def flat(weights: list[Array], leaves: list[Array]) -> Any:
            return loss(eqx.combine(whole(weights, leaves), static), *args, **kwargs)

        names = list(weights)
        traced, shape = jax.make_jaxpr(flat, return_shape=True)(list(weights.values()), leaves)
        _check_scalar(shape, has_aux)
        reading = Reading(periphery, read_key)
        outs, of_weights, of_leaves = _gradients(traced, list(weights.values()), leaves, reading)
        return jax.tree.unflatten(jax.tree.structure(shape), outs), whole(of_weights, of_leaves)

    return differentiated


class Reading(NamedTuple):
    """How matrices are read, and the key of these reads."""

    periphery: Periphery | None
    key: Key[Array, ""] | None


def _gradients(
    traced: ClosedJaxpr, matrices: list[Array], leaves: list[Array], reading: Reading
) -> tuple[list[Array], list[OuterProduct | Array], list[Array]]:
    """The outputs of `traced`, and the gradients of the first of them by the matrices and by the other arrays."""
    survey = Reader()
    jax.eval_shape(lambda *inputs: survey.run(traced, *inputs), matrices, leaves)
    opened = {read.matrix for read in survey.reads} - survey.closed
    slots = [jnp.zeros(read.shape, read.dtype) if read.matrix in opened else None for read in survey.reads]
    closed = [None if number in opened else matrix for number, matrix in enumerate(matrices)]

    def run(slots: list[Array | None], closed: list[Array | None], leaves: list[Array]) -> tuple[Array, Any]:
        reader = Reader(slots, *reading)
        reader.closed.update(survey.closed)
        pairs = zip(closed, matrices, strict=True)
        outs = reader.run(traced, [matrix if own is None else own for own, matrix in pairs], leaves)
        return outs[0], (outs, reader.inputs)

    differentiated = jax.value_and_grad(run, argnums=(0, 1, 2), has_aux=True)
    (_, (outs, inputs)), (errors, dense, of_leaves) = differentiated(slots, closed, leaves)

    def gradient(number: int) -> OuterProduct | Array:
        if number not in opened:
            return dense[number]
        own = [place for place, read in enumerate(survey.reads) if read.matrix == number]
        rows = [_rows(errors[place], survey.reads[place].output_axis) for place in own]
        return OuterProduct(jnp.concatenate([inputs[place] for place in own]), jnp.concatenate(rows))

    return outs, [gradient(number) for number in range(len(matrices))], of_leaves


def _rows(errors: Array, output_axis: int) -> Float[Array, "reads outputs"]:
    errors = jnp.moveaxis(errors, output_axis, -1)
    return errors.reshape(-1, errors.shape[-1])


def _check_scalar(shape: Any, has_aux: bool) -> None:
    """Raises `ValueError` for a loss that has no gradient."""
    if has_aux and not (isinstance(shape, tuple) and len(shape) == 2):
        raise ValueError("With `has_aux`, the loss must return a pair of a scalar and a pytree. Got something else.")
    value = shape[0] if has_aux else shape
    if not (isinstance(value, jax.ShapeDtypeStruct) and value.shape == () and jnp.issubdtype(value.dtype, jnp.inexact)):
        raise ValueError(f"The loss must be a scalar of floating point. Got {value}; take its mean or sum.")
