"""How a model is called on one sample, where its reads get their keys, and what it gives out."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Key

from .._array import AnalogMatrix
from .._checks import as_floats, checked
from ._convert import keyed_reads, with_read_keys
from ._deploy import analog_layers, replace_weights
from ._designing import bare
from ._layer import Shape
from ._loops import each_read_keyed, metered
from ._networks._network import AbstractNetwork
from ._synapses._watched import Metered

Model = TypeVar("Model")
BYTES = (np.dtype(np.uint8), np.dtype(bool))


def is_network(model: Any) -> bool:
    """Whether `model` is a network over time: a sequence (steps, ...) in, a sequence (steps, ...) out."""
    return isinstance(bare(model), AbstractNetwork)


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


@checked()
def call(model: Any, x: Any, *, key: Key[Array, ""] | None = None, mask: Bool[Array, " steps"] | None = None) -> Any:
    """The output of `model` for one sample `x`, as memsim itself calls it; `jax.vmap` makes the batch.

    A network of `memsim.nn` is called with `key`. Of any other model the layers on chips need no key: they may be
    called several times, under `jax.vmap`, in `jax.lax.scan`, `map`, `fori_loop` and `while_loop`, in nested loops,
    branches, `jax.jit` and `jax.checkpoint`; each call and each step draws anew. The same `key` gives the same output,
    compiled or not. A model whose call has an argument `key` beside the sample, for dropout perhaps, gets one, and one
    with an argument `mask` the steps that count.

    Raises `ValueError` for a read where it can get no key: in a function with derivatives of its own
    (`jax.custom_vjp`), and in a loop that the model itself differentiates. Such a model hands its layers keys.

    **Arguments:**

    - `model`: Any that is called on one sample.
    - `x`: The sample. Whole numbers are floats for a network over time; for other models bytes and truth values are,
      and other whole numbers stay what they are, such as tokens.
    - `key`: Of all reads of the call; needed where chips are noisy.
    - `mask`: Of a padded recording, the steps that count; by default all.

    >>> import equinox as eqx, jax, jax.numpy as jnp, memsim as ms
    >>> model = ms.nn.convert(eqx.nn.MLP(3, 2, 8, 1, key=jax.random.key(0)))
    >>> ms.nn.call(model, jnp.ones(3), key=jax.random.key(1)).shape
    (2,)
    """
    check_model(model)
    return called(model, x, key, mask=mask)


def called(
    model: Any,
    x: Any,
    key: Key[Array, ""] | None,
    change: Callable[[Any], Any] = lambda ready: ready,
    mask: Bool[Array, " steps"] | None = None,
) -> Any:
    """`call`, with a `change` of the model once its layers have their keys."""
    x, more = as_sample(model, x), {}
    if x.ndim and takes(model, "mask"):
        more = {"mask": jnp.ones(x.shape[:1], bool) if mask is None else mask}
    if is_network(model) or key is None or not _draws(model):
        ready, kwargs = keyed(model, key)
        return change(ready)(x, **kwargs, **more)
    read_key, own_key = jr.split(key)
    kwargs = {"key": own_key} if takes(model, "key") else {}
    return each_read_keyed(lambda within: change(keyed_reads(model, read_key, within))(x, **kwargs, **more))


def measured(
    model: Any, x: Any, key: Key[Array, ""] | None, measures: Mapping[str, Callable[[Array], tuple[Array, ...]]]
) -> tuple[Any, dict[str, tuple[Array, ...]]]:
    """The output of `call`, and what the reads of each layer were measured to do, by path.

    `measures` takes the input of one call of a layer to numbers. What comes back is the sum of each over all calls of
    the layer, also of those in loops, branches and under `jax.vmap`. All of it can be differentiated. A layer that is
    never called is left out.
    """
    names = list(measures)

    def within(ready: Any) -> Any:
        layers = analog_layers(ready)
        told = {name: Metered(layers[name].weight, measures[name], place) for place, name in enumerate(names)}
        return replace_weights(ready, told)

    y, sums = metered(lambda: called(model, x, key, within))
    return y, {names[place]: found for place, found in sorted(sums.items())}


def as_sample(model: Any, x: Any, name: str = "x") -> Array:
    """A sample, or a batch, with the numbers that `model` computes with."""
    dtype = getattr(x, "dtype", None)
    tokens = dtype is not None and jnp.issubdtype(dtype, jnp.integer) and dtype not in BYTES
    return jnp.asarray(x) if tokens and not is_network(model) else as_floats(x, name)


def _draws(model: Any) -> bool:
    """Whether a read of one of the layers needs a key."""
    matrices = [layer.weight for layer in analog_layers(model).values() if isinstance(layer.weight, AnalogMatrix)]
    return any(matrix.draws or (matrix.adc is not None and matrix.adc.needs_key) for matrix in matrices)


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
    return eqx.nn.inference_mode(model)


def output_shape(model: Any, x: Any) -> Shape:
    """Shape of what `model` gives out for one sample of the shape of `x`, without computing it.

    `x` is an array, or a `jax.ShapeDtypeStruct`, with numbers as in `call`. Of a network over time the first axis is
    the steps, so that a network with one output for each class gives (steps, classes).
    Raises `ValueError` where the input does not fit the model, and where the output is not one array.
    """
    check_model(model)
    sample = jax.ShapeDtypeStruct(np.shape(x), _dtype(model, x))
    try:
        # A batch norm that trains takes the mean over an axis, which one sample has not.
        y = eqx.filter_eval_shape(lambda model, x: call(evaluating(model), x, key=jr.key(0)), model, sample)
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
