"""How a model is called on one sample, where its reads get their keys, and what it gives out."""

import inspect
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Key

from .._checks import as_floats
from ._convert import with_read_keys
from ._layer import Shape
from ._networks._network import AbstractNetwork

Model = TypeVar("Model")
BYTES = (np.dtype(np.uint8), np.dtype(bool))


def is_network(model: Any) -> bool:
    """Whether `model` is a network over time: a sequence (steps, ...) in, a sequence (steps, ...) out."""
    return isinstance(model, AbstractNetwork)


def check_model(model: Any) -> None:
    """Raises `ValueError` for what cannot be called on a sample: a class, a dictionary, a bare array."""
    if isinstance(model, type):
        raise ValueError(
            f"`model` must be a model. Got the class {model.__name__}; make one of it, `{model.__name__}(...)`."
        )
    if not callable(model):
        raise ValueError(
            "`model` must be a model that is called on one sample, such as a `memsim.nn.SpikingNetwork` or an "
            f"`equinox.Module`. Got a {type(model).__name__}."
        )


def call(model: Any, x: Any, *, key: Key[Array, ""] | None = None, mask: Bool[Array, " steps"] | None = None) -> Any:
    """What `model` gives out for one sample `x`, as memsim itself calls it; `jax.vmap` makes a batch.

    A network over time takes `key`. In any other model the layers on chips get keys made from it, a new one for every
    read, since such a model usually hands none to its layers; if its call has an argument `key`, for dropout perhaps,
    it gets one, too. So does `mask`, the steps of `x` that count, where the call has an argument of that name.

    Whole numbers are floats for a network over time; for other models bytes and truth values are, and other whole
    numbers stay what they are, such as tokens.

    >>> import equinox as eqx, jax, memsim as ms
    >>> mlp = ms.nn.convert(eqx.nn.MLP(4, 3, 8, 1, key=jax.random.key(0)))
    >>> ms.nn.call(mlp, jax.numpy.ones(4), key=jax.random.key(1)).shape
    (3,)
    """
    ready, kwargs = keyed(model, key)
    if mask is not None and takes(model, "mask"):
        kwargs["mask"] = mask
    return ready(as_sample(model, x), **kwargs)


def as_sample(model: Any, x: Any, name: str = "x") -> Array:
    """A sample, or a batch, with the numbers that `model` computes with."""
    dtype = getattr(x, "dtype", None)
    tokens = dtype is not None and jnp.issubdtype(dtype, jnp.integer) and dtype not in BYTES
    return jnp.asarray(x) if tokens and not is_network(model) else as_floats(x, name)


def keyed(model: Any, key: Key[Array, ""] | None) -> tuple[Any, dict[str, Any]]:
    """`model` ready for one sample, and what to call it with besides: `ready(x, **kwargs)`."""
    if is_network(model):
        return model, {"key": key}
    if key is None:
        return model, {}
    read_key, own_key = jr.split(key)
    ready = with_read_keys(model, key=read_key)
    return ready, {"key": own_key} if takes(model, "key") else {}


def takes(model: Any, name: str) -> bool:
    """Whether the call of `model` has an argument `name` beside the sample, which is its first."""
    try:
        parameters = list(inspect.signature(model).parameters.values())
    except (TypeError, ValueError):  # callables of other languages tell no signature
        return False
    if name == "key" and any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters):
        return True
    by_name = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    first = parameters[:1] if parameters and parameters[0].kind is not inspect.Parameter.KEYWORD_ONLY else []
    return any(one.name == name and one.kind in by_name for one in parameters if one not in first)


def evaluating(model: Model) -> Model:
    """`model` as it is evaluated: dropout and norms in inference mode."""
    return model if is_network(model) else eqx.nn.inference_mode(model)


def output_shape(model: Any, x: Any) -> Shape:
    """Shape of what `model` gives out for one sample of the shape of `x`, without computing it.

    `x` is an array, or a `jax.ShapeDtypeStruct`, with numbers as in `call`. Of a network over time the first axis is
    the steps, so that a network with one output for each class gives (steps, classes).
    Raises `ValueError` where the input does not fit the model, and where the output is not one array.
    """
    check_model(model)
    sample = jax.ShapeDtypeStruct(np.shape(x), _dtype(model, x))
    try:
        y = eqx.filter_eval_shape(lambda model, x: call(model, x, key=jr.key(0)), model, sample)
    except TypeError as error:
        raise ValueError(
            f"`model` must take a sample of shape {sample.shape}. Got a {type(model).__name__} that does not: {error}"
        ) from error
    if not isinstance(y, jax.ShapeDtypeStruct):
        raise ValueError(
            f"`model` must give out one array for a sample. Got {type(y).__name__}; wrap it in a module that picks one."
        )
    return y.shape


def _dtype(model: Any, x: Any) -> Any:
    """The type that `x` is computed with: without 64-bit types, float64 is float32."""
    dtype = getattr(x, "dtype", None)
    kept = dtype is not None and (jnp.issubdtype(dtype, jnp.inexact) or not (is_network(model) or dtype in BYTES))
    return jax.dtypes.canonicalize_dtype(dtype) if kept else jnp.result_type(float)
