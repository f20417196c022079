"""How a model is called on one sample, where its reads get their keys, and what it gives out."""

import inspect
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Key

from .._array import AnalogMatrix
from .._checks import checked
from ._convert import keyed_reads, with_read_keys
from ._deploy import analog_layers
from ._layer import Shape
from ._loops import each_read_keyed
from ._networks._network import AbstractNetwork


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


def check_network(model: Any, purpose: str) -> None:
    """Raises `ValueError` unless `model` is a network over time, for what can work on nothing else.

    `purpose` names the caller as its user wrote it, such as "memsim.study.robustness".
    """
    check_model(model)
    if not is_network(model):
        raise ValueError(
            f"`model` of `{purpose.strip('`')}` must be a network over time, such as a `memsim.nn.SpikingNetwork`. Got "
            f"a {type(model).__name__}. Call other models on samples yourself: `jax.vmap(model)(xs)`."
        )


@checked()
def call(model: Any, x: Any, *, key: Key[Array, ""] | None = None) -> Any:
    """The output of `model` for one sample `x`, with noise of its own in every read; `jax.vmap` makes the batch.

    A network of `memsim.nn` is called with `key`. Of any other model the layers on chips need no key: they may be
    called several times, under `jax.vmap`, in `jax.lax.scan`, `map`, `fori_loop` and `while_loop`, in nested loops,
    branches, `jax.jit` and `jax.checkpoint`; each call and each step draws anew. The same `key` gives the same output,
    compiled or not. A model whose call has an argument `key` that is given by name only, for dropout perhaps, gets one.

    Raises `ValueError` for a read where it can get no key: in a function with derivatives of its own
    (`jax.custom_vjp`), and in a loop that the model itself differentiates. Such a model hands its layers keys.

    **Arguments:**

    - `model`: Any that is called on one sample.
    - `x`: The sample.
    - `key`: Of all reads of the call; needed where chips are noisy.

    >>> import equinox as eqx, jax, jax.numpy as jnp, memsim as ms
    >>> model = ms.nn.convert(eqx.nn.MLP(3, 2, 8, 1, key=jax.random.key(0)))
    >>> ms.nn.call(model, jnp.ones(3), key=jax.random.key(1)).shape
    (2,)
    """
    check_model(model)
    return called(model, x, key)


def called(model: Any, x: Any, key: Key[Array, ""] | None, change: Callable[[Any], Any] = lambda ready: ready) -> Any:
    """`call`, with a `change` of the model once its layers have their keys."""
    if is_network(model) or key is None or not _draws(model):
        ready, kwargs = keyed(model, key)
        return change(ready)(x, **kwargs)
    read_key, own_key = jr.split(key)
    kwargs = {"key": own_key} if takes_key(model) else {}
    return each_read_keyed(lambda within: change(keyed_reads(model, read_key, within))(x, **kwargs))


def _draws(model: Any) -> bool:
    """Whether a read of one of the layers needs a key."""
    matrices = [layer.weight for layer in analog_layers(model).values() if isinstance(layer.weight, AnalogMatrix)]
    return any(matrix.draws or (matrix.adc is not None and matrix.adc.needs_key) for matrix in matrices)


def keyed(model: Any, key: Key[Array, ""] | None) -> tuple[Any, dict[str, Any]]:
    """`model` ready for one sample, and what to call it with besides: `ready(x, **kwargs)`.

    A network takes `key` itself. In another model the layers on chips carry keys made from it, since such a model
    usually hands none to its layers; if its call has an argument `key`, for dropout perhaps, it gets one, too.
    """
    if is_network(model):
        return model, {"key": key}
    if key is None:
        return model, {}
    read_key, own_key = jr.split(key)
    ready = with_read_keys(model, key=read_key)
    return ready, {"key": own_key} if takes_key(model) else {}


def takes_key(model: Any) -> bool:
    """Whether the call of `model` has an argument `key` that means randomness: one that is passed by name only."""
    try:
        parameters = inspect.signature(model).parameters.values()
    except (TypeError, ValueError):  # callables of other languages tell no signature
        return False
    return any(
        one.kind is inspect.Parameter.VAR_KEYWORD or (one.name == "key" and one.kind is inspect.Parameter.KEYWORD_ONLY)
        for one in parameters
    )


def output_shape(model: Any, x: Any) -> Shape:
    """Shape of what `model` gives out for one sample of the shape of `x`, without computing it.

    `x` is an array, or a `jax.ShapeDtypeStruct`; whole numbers count as floats, as everywhere in memsim. Of a network
    over time the first axis is the steps, so that a network with one output for each class gives (steps, classes).
    Raises `ValueError` where the input does not fit the model, and where the output is not one array.
    """
    check_model(model)
    sample = jax.ShapeDtypeStruct(np.shape(x), _dtype(x))
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


def _dtype(x: Any) -> Any:
    """The type that `x` is computed with: without 64-bit types, float64 is float32."""
    dtype = getattr(x, "dtype", None)
    known = dtype is not None and jnp.issubdtype(dtype, jnp.inexact)
    return jax.dtypes.canonicalize_dtype(dtype) if known else jnp.result_type(float)
