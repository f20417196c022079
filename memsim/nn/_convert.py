"""Any Equinox model onto crossbars: its matrices become layers of memsim, and its reads get keys."""

from collections.abc import Callable, Collection
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.random as jr
from jaxtyping import Array, Key

from .._array import AnalogMatrix
from .._checks import checked, did_you_mean, write
from ._convertible import convertible, inner, is_layer
from ._deploy import analog_layers, check_holds_layers, replace_weights
from ._networks._network import AbstractNetwork
from ._synapses._conv import Conv1d, Conv2d
from ._synapses._gated import GRUCell, LSTMCell
from ._synapses._keyed import KeyedMatrix
from ._synapses._linear import Linear

Model = TypeVar("Model")


@checked(paths=write(lambda paths: f"Write [{paths!r}]." if isinstance(paths, str) else ""))
def convert(model: Model, *, paths: Collection[str] | None = None) -> Model:
    """`model` with its layers of `equinox.nn` replaced by those that can sit on a crossbar; the outputs stay the same.

    Replaced are `Linear`, `Conv1d`, `Conv2d`, `GRUCell` and `LSTMCell`, with weights, biases and call signatures kept,
    wherever they are in the model. The others stay as they are: a `Linear` to or from "scalar", convolutions that are
    transposed, 3-D, or padded other than by zeros, and layers whose weight `equinox.nn.Shared` has taken out. A whole
    layer that is shared is converted once, and is one chip. Then `memsim.deploy(convert(model), crossbar, t, key=key)`,
    and `with_read_keys` where reads are noisy; `analog_layers` tells what has been replaced.

    **Arguments:**

    - `model`: Any pytree with layers in it.
    - `paths`: The layers to replace, such as [".layers[0]"]; all that can be by default.
    """
    check_holds_layers(model)
    found = convertible(model)
    for path in paths or ():
        if path not in found:
            raise ValueError(did_you_mean("A layer that can be converted", path, found))
    chosen = found if paths is None else {path: found[path] for path in paths}
    changed = {path: _converted(path, inner(node)) for path, node in chosen.items()}

    def swap(path, node):
        return changed.get(jax.tree_util.keystr(path), node)

    return jax.tree_util.tree_map_with_path(swap, model, is_leaf=is_layer)


@checked()
def with_read_keys(model: Model, *, key: Key[Array, ""]) -> Model:
    """A deployed `model` whose layers carry the key of their reads, for models that call layers without one.

    Each layer's key is `key` folded with its place, and every read has a key of its own made from it: when a layer is
    called several times, and when it is mapped over tokens or a batch with `jax.vmap`. What does not differ over a
    mapped axis is read once for all of it. In `jax.lax.scan` and other loops each step needs a key of its own,
    `with_read_keys(cell, key=jax.random.fold_in(key, step))` within the step; a read with a key from outside raises
    `ValueError`. A compiled function repeats its noise when it is called again with the same key: give it a new one.

    A key passed to a layer's call takes precedence. Digital layers stay as they are. A network of `memsim.nn` takes its
    key in the call instead.
    """
    if isinstance(model, AbstractNetwork):
        raise ValueError(
            f"The model must be one that gives its layers no key. Got a {type(model).__name__}; call it with `key=`."
        )
    keyed = {}
    for place, (path, layer) in enumerate(analog_layers(model).items()):
        matrix = layer.weight.matrix if isinstance(layer.weight, KeyedMatrix) else layer.weight
        if isinstance(matrix, AnalogMatrix) and matrix.fluctuation is not None:
            raise ValueError(
                "Read noise that moves must have time steps: those of a network of memsim.nn. Got a `Correlated` in "
                f'layer {path}. Choose other reads, such as `Reads("by_spectrum")`.'
            )
        if isinstance(matrix, AnalogMatrix):
            keyed[path] = KeyedMatrix(matrix, jr.fold_in(key, place))
    return replace_weights(model, keyed)


def _converted(path: str, layer: Any) -> Linear | Conv1d | Conv2d | GRUCell | LSTMCell:
    _check_single(path, layer)
    if isinstance(layer, eqx.nn.Linear):
        return _linear(layer)
    return _conv(layer) if isinstance(layer, eqx.nn.Conv) else _cell(layer)


def _check_single(path: str, layer: Any) -> None:
    """Raises `ValueError` for a layer whose weights have a batch axis."""
    weight = layer.weight if isinstance(layer, eqx.nn.Linear | eqx.nn.Conv) else layer.weight_ih
    axes = layer.num_spatial_dims + 2 if isinstance(layer, eqx.nn.Conv) else 2
    if weight.ndim != axes:
        raise ValueError(
            f"`model` must be one model. Got weights of shape {weight.shape} in {type(layer).__name__} {path}, a batch "
            "of models; map over them outside, `equinox.filter_vmap(memsim.nn.convert)(models)`."
        )


def _linear(layer: eqx.nn.Linear) -> Linear:
    return _filled(Linear, layer.weight, layer.bias)


def _conv(layer: eqx.nn.Conv) -> Conv1d | Conv2d:
    kind = Conv1d if layer.num_spatial_dims == 1 else Conv2d
    empty = eqx.filter_eval_shape(
        lambda: kind(
            layer.in_channels,
            layer.out_channels,
            layer.kernel_size,
            stride=layer.stride,
            padding=layer.padding,
            dilation=layer.dilation,
            groups=layer.groups,
            use_bias=layer.use_bias,
            key=jr.key(0),
        )
    )
    bias = None if layer.bias is None else layer.bias.ravel()
    return _with(empty, layer.weight.reshape(layer.out_channels, -1), bias)


def _cell(cell: eqx.nn.GRUCell | eqx.nn.LSTMCell) -> GRUCell | LSTMCell:
    kind = GRUCell if isinstance(cell, eqx.nn.GRUCell) else LSTMCell
    empty = eqx.filter_eval_shape(
        lambda: kind(cell.input_size, cell.hidden_size, use_bias=cell.use_bias, key=jr.key(0))
    )
    of_input = _filled(Linear, cell.weight_ih, cell.bias)
    of_hidden = _filled(Linear, cell.weight_hh, None)
    made = eqx.tree_at(lambda c: (c.weight_ih, c.weight_hh), empty, (of_input, of_hidden))
    if isinstance(cell, eqx.nn.GRUCell) and cell.bias_n is not None:
        made = eqx.tree_at(lambda c: c.bias_n, made, cell.bias_n)
    return made


def _filled(kind: Callable[..., Any], weight: Array, bias: Array | None) -> Any:
    outputs, inputs = weight.shape
    empty = eqx.filter_eval_shape(lambda: kind(inputs, outputs, use_bias=bias is not None, key=jr.key(0)))
    return _with(empty, weight, bias)


def _with(layer: Any, weight: Array, bias: Array | None) -> Any:
    layer = eqx.tree_at(lambda made: made.weight, layer, weight)
    return layer if bias is None else eqx.tree_at(lambda made: made.bias, layer, bias)
