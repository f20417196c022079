"""Operators of ONNX on one sample: arrays have no batch axis, which is axis 0 in the file.

Every function takes the settings of its node by name, and its inputs as a `Given`, of which some are constants that
keep the axes they have in the file.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from ._windows import average_pool, max_pool

Function = Callable[..., Any]


class Given(NamedTuple):
    """An input of a node: an array of one sample, or a constant."""

    value: Array
    constant: bool


def axis_of(axis: int, rank: int) -> int:
    """An axis of the file, of arrays of `rank` axes with that of the batch, as one of a sample."""
    whole = axis + rank if axis < 0 else axis
    if not 1 <= whole < rank:
        what = "the batch axis, over which samples are not mixed" if whole == 0 else f"none of {rank} axes"
        raise ValueError(f"must act on axes of a sample. Got axis {axis}, {what}.")
    return whole - 1


def _axes_of(axes: tuple[int, ...] | None, rank: int) -> tuple[int, ...]:
    if axes is None:
        raise ValueError("must act on axes of a sample. Got all axes, that of the batch too.")
    return tuple(axis_of(axis, rank) for axis in axes)


def aligned(given: tuple[Given, ...]) -> list[Array]:
    """Inputs of one shape, as the file's rule makes them: axes are aligned from the last on."""
    samples = [one.value for one in given if not one.constant]
    rank = samples[0].ndim
    if any(sample.ndim != rank for sample in samples):
        raise ValueError(f"must have inputs with equally many axes. Got {[sample.ndim + 1 for sample in samples]}.")
    values = []
    for value, constant in given:
        if constant:
            value = value.astype(samples[0].dtype)
            if value.ndim > rank + 1 or (value.ndim == rank + 1 and value.shape[0] != 1):
                raise ValueError(f"must have constants for one sample. Got one of shape {value.shape}.")
            value = value[0] if value.ndim == rank + 1 else value.reshape(*[1] * (rank - value.ndim), *value.shape)
        values.append(value)
    shape = jnp.broadcast_shapes(*(value.shape for value in values))
    return [jnp.broadcast_to(value, shape) for value in values]


def _folded(function: Function) -> Function:
    def run(*given: Given) -> Array:
        first, *others = aligned(given)
        for other in others:
            first = function(first, other)
        return first

    return run


def _of_one(function: Function) -> Function:
    return lambda given, *rest, **settings: function(given.value, **settings)


def _clip(x: Array, low: float, high: float) -> Array:
    return jnp.clip(x, jnp.asarray(low, x.dtype), jnp.asarray(high, x.dtype))


def _softmax(x: Array, axis: int, joint: bool, log: bool) -> Array:
    """Over one axis; before opset 13 over `axis` and all behind it together."""
    first = axis_of(axis, x.ndim + 1)
    axes = tuple(range(first, x.ndim)) if joint else first
    return jax.nn.log_softmax(x, axes) if log else jax.nn.softmax(x, axes)


def _prelu(x: Given, slope: Given) -> Array:
    value, slope_value = aligned((x, slope))
    return jnp.where(value < 0, slope_value * value, value)


def _flatten(x: Array, axis: int) -> Array:
    if (axis if axis >= 0 else axis + x.ndim + 1) != 1:
        raise ValueError(f"must keep the batch apart: axis=1. Got axis={axis}.")
    return x.reshape(-1)


def _reshape(x: Array, shape: tuple[int, ...], batch: int | None, zero: bool) -> Array:
    """`shape` has the batch first: -1, 0 for what it is, or the size that the file declares."""
    if not shape or (shape[0] not in (-1, 1, batch) and not (shape[0] == 0 and not zero)):
        raise ValueError(f"must keep the batch axis first. Got shape {shape}.")
    inner = tuple(x.shape[place] if size == 0 and not zero else size for place, size in enumerate(shape[1:]))
    known = math.prod(size for size in inner if size >= 0)
    if shape[0] == -1 and (-1 in inner or known != x.size):
        raise ValueError(f"must keep the batch axis first. Got shape {shape} for samples of {x.shape}.")
    return x.reshape(inner)


def _transpose(x: Array, perm: tuple[int, ...] | None) -> Array:
    if perm is None or perm[0] != 0 or len(perm) != x.ndim + 1:
        raise ValueError(f"must leave the batch axis first. Got perm={perm} for {x.ndim + 1} axes.")
    return x.transpose([axis - 1 for axis in perm[1:]])


def _squeeze(x: Array, axes: tuple[int, ...] | None) -> Array:
    ones = tuple(axis for axis, size in enumerate(x.shape) if size == 1)
    return jnp.squeeze(x, ones if axes is None else _axes_of(axes, x.ndim + 1))


def _unsqueeze(x: Array, axes: tuple[int, ...]) -> Array:
    return jnp.expand_dims(x, _axes_of(axes, x.ndim + 1 + len(axes)))


def _concat(*given: Given, axis: int) -> Array:
    rank = next(one.value.ndim for one in given if not one.constant)
    values = [one.value[0] if one.constant and one.value.shape[:1] == (1,) else one.value for one in given]
    if any(value.ndim != rank for value in values):
        raise ValueError(f"must have inputs with equally many axes. Got {[value.ndim + 1 for value in values]}.")
    return jnp.concatenate(values, axis_of(axis, rank + 1))


def _pad(x: Array, pads: tuple[int, ...], axes: tuple[int, ...] | None, mode: str, value: float) -> Array:
    rank = x.ndim + 1
    places = range(rank) if axes is None else [axis % rank for axis in axes]
    pairs = [(0, 0)] * rank
    for count, place in enumerate(places):
        pairs[place] = pads[count], pads[count + len(pads) // 2]
    if pairs[0] != (0, 0):
        raise ValueError(f"must not pad the batch. Got {pairs[0]} of axis 0.")
    if mode == "constant":
        return lax.pad(x, jnp.asarray(value, x.dtype), [(*pair, 0) for pair in pairs[1:]])
    return jnp.pad(x, pairs[1:], mode=mode)


def _reduced(function: Function) -> Function:
    def run(x: Array, axes: tuple[int, ...] | None, keepdims: bool, nothing: bool) -> Array:
        if nothing and not axes:
            return x
        return function(x, axis=_axes_of(axes or None, x.ndim + 1), keepdims=keepdims)

    return _of_one(run)


def _global(function: Function) -> Function:
    return _of_one(lambda x: function(x, axis=tuple(range(1, x.ndim)), keepdims=True))


def _layer_norm(x: Given, scale: Given, *bias: Given, axis: int, epsilon: float) -> Array:
    value = x.value
    axes = tuple(range(axis_of(axis, value.ndim + 1), value.ndim))
    mean = jnp.mean(value, axes, keepdims=True)
    spread = jnp.mean((value - mean) ** 2, axes, keepdims=True)
    y = Given((value - mean) * lax.rsqrt(spread + epsilon), False)
    scaled = Given(jnp.multiply(*aligned((y, scale))), False)
    return jnp.add(*aligned((scaled, bias[0]))) if bias else scaled.value


def _scaled(x: Given, scale: Given, shift: Given) -> Array:
    """A batch normalisation: one factor and one summand for each channel, the first axis of a sample."""
    shape = (-1, *[1] * (x.value.ndim - 1))
    factors = [jnp.broadcast_to(one.value.reshape(shape), x.value.shape) for one in (scale, shift)]
    return x.value * factors[0] + factors[1]


def _matmul(a: Given, b: Given) -> Array:
    if a.constant or b.constant or min(a.value.ndim, b.value.ndim) < 2 or a.value.ndim != b.value.ndim:
        raise ValueError("must multiply a sample by a constant matrix, or by another of its matrices.")
    return a.value @ b.value


OPERATORS: dict[str, Function] = {
    "Relu": _of_one(jax.nn.relu),
    "Sigmoid": _of_one(jax.nn.sigmoid),
    "Tanh": _of_one(jnp.tanh),
    "Erf": _of_one(lax.erf),
    "Sqrt": _of_one(jnp.sqrt),
    "Exp": _of_one(jnp.exp),
    "Log": _of_one(jnp.log),
    "Neg": _of_one(jnp.negative),
    "Abs": _of_one(jnp.abs),
    "Reciprocal": _of_one(lambda x: 1 / x),
    "Softplus": _of_one(jax.nn.softplus),
    "Softsign": _of_one(jax.nn.soft_sign),
    "HardSwish": _of_one(lambda x: x * jnp.clip(x / 6 + 0.5, 0.0, 1.0)),
    "Identity": _of_one(lambda x: x),
    "LeakyRelu": _of_one(lambda x, alpha: jnp.where(x < 0, alpha * x, x)),
    "Elu": _of_one(lambda x, alpha: jnp.where(x < 0, alpha * jnp.expm1(x), x)),
    "Selu": _of_one(lambda x, alpha, gamma: gamma * jnp.where(x < 0, alpha * jnp.expm1(x), x)),
    "HardSigmoid": _of_one(lambda x, alpha, beta: jnp.clip(alpha * x + beta, 0.0, 1.0)),
    "Gelu": _of_one(lambda x, approximate: jax.nn.gelu(x, approximate)),
    "Clip": _of_one(_clip),
    "PRelu": _prelu,
    "Softmax": _of_one(_softmax),
    "Add": _folded(jnp.add),
    "Sum": _folded(jnp.add),
    "Sub": _folded(jnp.subtract),
    "Mul": _folded(jnp.multiply),
    "Div": _folded(jnp.divide),
    "Pow": _folded(jnp.power),
    "Max": _folded(jnp.maximum),
    "Min": _folded(jnp.minimum),
    "MatMul": _matmul,
    "Flatten": _of_one(_flatten),
    "Reshape": _of_one(_reshape),
    "Transpose": _of_one(_transpose),
    "Squeeze": _of_one(_squeeze),
    "Unsqueeze": _of_one(_unsqueeze),
    "Concat": _concat,
    "Pad": _of_one(_pad),
    "ReduceMean": _reduced(jnp.mean),
    "ReduceSum": _reduced(jnp.sum),
    "ReduceMax": _reduced(jnp.max),
    "ReduceMin": _reduced(jnp.min),
    "MaxPool": _of_one(max_pool),
    "AveragePool": _of_one(average_pool),
    "GlobalAveragePool": _global(jnp.mean),
    "GlobalMaxPool": _global(jnp.max),
    "LayerNormalization": _layer_norm,
    "Scale": _scaled,
}
