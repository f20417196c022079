"""Any Equinox model onto crossbars: its matrices become layers of memsim, and its reads get keys."""

from collections.abc import Collection
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
from ._synapses._conv import AbstractConv, Conv1d, Conv2d, Conv3d
from ._synapses._conv_transpose import AbstractConvTranspose, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ._synapses._embedding import Embedding
from ._synapses._gated import GRUCell, LSTMCell
from ._synapses._keyed import KeyedMatrix, Tally, Within
from ._synapses._linear import Linear

Model = TypeVar("Model")
CONVS = {1: Conv1d, 2: Conv2d, 3: Conv3d}
TRANSPOSED = {1: ConvTranspose1d, 2: ConvTranspose2d, 3: ConvTranspose3d}


@checked(paths=write(lambda paths: f"Write [{paths!r}]." if isinstance(paths, str) else ""))
def convert(model: Model, *, paths: Collection[str] | None = None, embeddings: bool = False) -> Model:
    """`model` with its layers of `equinox.nn` replaced by those that can sit on a crossbar; the outputs stay the same.

    Replaced are `Linear`, `Conv1d` to `Conv3d`, `ConvTranspose1d` to `ConvTranspose3d`, `GRUCell` and `LSTMCell`, with
    weights, biases and call signatures kept, wherever they are in the model: so the projections of a
    `MultiheadAttention` are, while its products of activations with each other stay digital, as do norms, pools and
    `RotaryPositionalEmbedding`. Left as they are: convolutions in more than three dimensions or with less than no
    padding, and layers whose weight `equinox.nn.Shared` has taken out. A whole layer that is shared is converted once,
    and is one chip. Then `memsim.deploy(convert(model), crossbar, t, key=key)`, and `with_read_keys` where reads are
    noisy; `analog_layers` tells what has been replaced.

    **Arguments:**

    - `model`: Any pytree with layers in it.
    - `paths`: The layers to replace, such as [".layers[0]"]; all that can be by default.
    - `embeddings`: Whether `Embedding` is replaced, too: a table is read by one word line at a time, and usually lies
      in a memory. One that `paths` names is replaced anyway.

    >>> import equinox as eqx, jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> mlp = eqx.nn.MLP(4, 2, 8, 1, key=jr.key(0))
    >>> model = ms.nn.convert(mlp)
    >>> isinstance(model.layers[0], ms.nn.Linear), bool(jnp.allclose(model(jnp.ones(4)), mlp(jnp.ones(4))))
    (True, True)
    """
    check_holds_layers(model)
    found = convertible(model, embeddings=embeddings or paths is not None)
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
    mapped axis is read once for all of it. A read in `jax.lax.scan` and other loops with a key from outside raises
    `ValueError`: `memsim.nn.call(model, x, key=key)` runs such a model, with a key for every step. A compiled function
    repeats its noise when it is called again with the same key: give it a new one.

    A key passed to a layer's call takes precedence. Digital layers stay as they are. A network of `memsim.nn` takes its
    key in the call instead.

    >>> import equinox as eqx, jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> model = ms.nn.convert(eqx.nn.Linear(2, 1, key=jr.key(0)))
    >>> aged = ms.deploy(model, ms.Crossbar(dm.pcm_joshi2020()), 3600.0, key=jr.key(1))
    >>> ms.nn.with_read_keys(aged, key=jr.key(2))(jnp.ones(2)).shape  # without a key in the call
    (1,)
    """
    if isinstance(model, AbstractNetwork):
        raise ValueError(
            f"The model must be one that gives its layers no key. Got a {type(model).__name__}; call it with `key=`."
        )
    return keyed_reads(model, key)


def keyed_reads(model: Model, key: Key[Array, ""], within: Within = "refused") -> Model:
    """`with_read_keys`, with what becomes of reads `within` loops."""
    keyed = {}
    for place, (path, layer) in enumerate(analog_layers(model).items()):
        matrix = layer.weight.matrix if isinstance(layer.weight, KeyedMatrix) else layer.weight
        if isinstance(matrix, AnalogMatrix) and matrix.fluctuation is not None:
            raise ValueError(
                "Read noise that moves must have time steps: those of a network of memsim.nn. Got a `Correlated` in "
                f'layer {path}. Choose other reads, such as `Reads("by_spectrum")`.'
            )
        if isinstance(matrix, AnalogMatrix):
            own_key, stack = jr.fold_in(key, place), matrix.weight.shape[:-2]  # of chips in a stack, one each
            keyed[path] = KeyedMatrix(matrix, jr.split(own_key, stack) if stack else own_key, Tally(within))
    return replace_weights(model, keyed)


def _converted(path: str, layer: Any) -> Any:
    _check_single(path, layer)
    if isinstance(layer, eqx.nn.Linear):
        return _linear(layer)
    if isinstance(layer, eqx.nn.Embedding):
        empty = eqx.filter_eval_shape(lambda: Embedding(*layer.weight.shape, key=jr.key(0)))
        return _with(empty, layer.weight.T, None)
    return _conv(layer) if isinstance(layer, eqx.nn.Conv | eqx.nn.ConvTranspose) else _cell(layer)


def _check_single(path: str, layer: Any) -> None:
    """Raises `ValueError` for a layer whose weights have a batch axis."""
    weight = layer.weight_ih if isinstance(layer, eqx.nn.GRUCell | eqx.nn.LSTMCell) else layer.weight
    axes = layer.num_spatial_dims + 2 if isinstance(layer, eqx.nn.Conv | eqx.nn.ConvTranspose) else 2
    if weight.ndim != axes:
        raise ValueError(
            f"`model` must be one model. Got weights of shape {weight.shape} in {type(layer).__name__} {path}, a batch "
            "of models; map over them outside, `equinox.filter_vmap(memsim.nn.convert)(models)`."
        )


def _linear(layer: eqx.nn.Linear) -> Linear:
    return _filled(layer.weight, layer.bias, (layer.in_features, layer.out_features))


def _conv(layer: eqx.nn.Conv | eqx.nn.ConvTranspose) -> AbstractConv | AbstractConvTranspose:
    kinds, more = (CONVS, {}) if isinstance(layer, eqx.nn.Conv) else (TRANSPOSED, {"output_padding": True})
    settings = {name: getattr(layer, name) for name in ("stride", "padding", "dilation", "groups", "use_bias", *more)}
    kind, mode = kinds[layer.num_spatial_dims], layer.padding_mode.lower()
    channels = layer.in_channels, layer.out_channels
    empty = eqx.filter_eval_shape(
        lambda: kind(*channels, layer.kernel_size, padding_mode=mode, key=jr.key(0), **settings)
    )
    bias = None if layer.bias is None else layer.bias.ravel()
    return _with(empty, layer.weight.reshape(layer.out_channels, -1), bias)


def _cell(cell: eqx.nn.GRUCell | eqx.nn.LSTMCell) -> GRUCell | LSTMCell:
    kind = GRUCell if isinstance(cell, eqx.nn.GRUCell) else LSTMCell
    empty = eqx.filter_eval_shape(
        lambda: kind(cell.input_size, cell.hidden_size, use_bias=cell.use_bias, key=jr.key(0))
    )
    of_input = _filled(cell.weight_ih, cell.bias, cell.weight_ih.shape[::-1])
    of_hidden = _filled(cell.weight_hh, None, cell.weight_hh.shape[::-1])
    made = eqx.tree_at(lambda c: (c.weight_ih, c.weight_hh), empty, (of_input, of_hidden))
    if isinstance(cell, eqx.nn.GRUCell) and cell.bias_n is not None:
        made = eqx.tree_at(lambda c: c.bias_n, made, cell.bias_n)
    return made


def _filled(weight: Array, bias: Array | None, features: tuple[Any, ...]) -> Linear:
    empty = eqx.filter_eval_shape(lambda: Linear(*features, use_bias=bias is not None, key=jr.key(0)))
    return _with(empty, weight, bias)


def _with(layer: Any, weight: Array, bias: Array | None) -> Any:
    layer = eqx.tree_at(lambda made: made.weight, layer, weight)
    return layer if bias is None else eqx.tree_at(lambda made: made.bias, layer, bias)
