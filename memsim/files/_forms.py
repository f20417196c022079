"""How other libraries lay out the weights of a layer: under which names, in which shapes, in which order."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ..nn import AbstractConv, Embedding, GRUCell, LSTMCell
from ..nn._synapses._conv_transpose import AbstractConvTranspose

Shape = tuple[int, ...]
KINDS = (
    eqx.nn.Conv,
    eqx.nn.ConvTranspose,
    eqx.nn.BatchNorm,
    eqx.nn.MultiheadAttention,
    eqx.nn.GRUCell,
    eqx.nn.LSTMCell,
    AbstractConv,
    AbstractConvTranspose,
    Embedding,
    GRUCell,
    LSTMCell,
)
IGNORED = ("num_batches_tracked",)  # of torch's batch norms: how often they were trained


class Part(NamedTuple):
    """One array of a layer.

    - `leaf`: Where it goes, as the path below the layer; of running statistics, their name.
    - `names`, `shapes`: Of the arrays it is made of.
    - `make`: How it is made of them.
    """

    leaf: str
    names: tuple[str, ...]
    shapes: tuple[Shape, ...]
    make: Callable[..., np.ndarray] = lambda array: array


def forms(layer: Any) -> list[tuple[Part, ...]]:
    """The layouts in which weights of `layer` may come: torch's, where it is another, and its own."""
    found = [_native(layer)]
    if isinstance(layer, eqx.nn.BatchNorm):
        return [_batch_norm(layer)]
    if isinstance(layer, Embedding):
        return [(Part(".weight", ("weight",), (layer.weight.shape[::-1],), np.transpose),)]  # pyright: ignore
    if isinstance(layer, eqx.nn.ConvTranspose | AbstractConvTranspose):
        found = [_transposed(layer)]
    elif isinstance(layer, eqx.nn.Conv | AbstractConv):
        found = [_conv(layer), *found]
    elif isinstance(layer, eqx.nn.GRUCell | GRUCell | eqx.nn.LSTMCell | LSTMCell):
        found = [_gates(layer), *found]
    elif isinstance(layer, eqx.nn.MultiheadAttention):
        found = [_attention(layer, packed=True), _attention(layer, packed=False), *found]
    return found


def _native(layer: Any) -> tuple[Part, ...]:
    parts = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(layer):
        if eqx.is_inexact_array(leaf):
            name = ".".join(segments(path))
            parts.append(Part(jax.tree_util.keystr(path), (name,) if name else (), (leaf.shape,)))
    return tuple(parts)


def _plain(leaf: str, name: str, array: Any) -> list[Part]:
    return [] if array is None else [Part(leaf, (name,), (array.shape,))]


def _conv(layer: Any) -> tuple[Part, ...]:
    """Kernels as (outputs, inputs / groups, *kernel), and biases without the spatial axes that Equinox gives them."""
    groups, shape = layer.groups, layer.weight.shape
    kernel = (layer.out_channels, layer.in_channels // groups, *layer.kernel_size)
    return (Part(".weight", ("weight",), (kernel,), lambda w: w.reshape(shape)), *_channel_bias(layer))


def _transposed(layer: Any) -> tuple[Part, ...]:
    """Kernels as (inputs, outputs / groups, *kernel), mirrored: torch's layer is the gradient of a convolution."""
    groups, spatial = layer.groups, tuple(range(-len(layer.kernel_size), 0))
    wide, narrow = layer.in_channels // groups, layer.out_channels // groups

    def turned(w: np.ndarray) -> np.ndarray:
        w = w.reshape(groups, wide, narrow, *layer.kernel_size).swapaxes(1, 2)
        return np.flip(w, spatial).reshape(layer.weight.shape)

    shape = (layer.in_channels, narrow, *layer.kernel_size)
    return (Part(".weight", ("weight",), (shape,), turned), *_channel_bias(layer))


def _channel_bias(layer: Any) -> list[Part]:
    if layer.bias is None:
        return []
    shape = layer.bias.shape
    return [Part(".bias", ("bias",), ((layer.out_channels,),), lambda b: b.reshape(shape))]


def _gates(layer: Any) -> tuple[Part, ...]:
    """Both biases of torch: Equinox has one, and of a GRU's new state the second, which its reset gate multiplies."""
    ours = isinstance(layer, GRUCell | LSTMCell)
    weights = (layer.weight_ih.weight, layer.weight_hh.weight) if ours else (layer.weight_ih, layer.weight_hh)
    below = ".weight" if ours else ""
    parts = [
        Part(f".weight_{kind}{below}", (f"weight_{kind}",), (np.shape(weight),))  # pyright: ignore
        for kind, weight in zip(("ih", "hh"), weights, strict=True)
    ]
    bias = layer.weight_ih.bias if ours else layer.bias
    if bias is None:
        return tuple(parts)
    both, leaf = (("bias_ih", "bias_hh"), (bias.shape,) * 2), ".weight_ih.bias" if ours else ".bias"
    if isinstance(layer, eqx.nn.LSTMCell | LSTMCell):
        return (*parts, Part(leaf, *both, lambda ih, hh: ih + hh))
    size = layer.hidden_size

    def together(ih: np.ndarray, hh: np.ndarray) -> np.ndarray:
        return np.concatenate([ih[: 2 * size] + hh[: 2 * size], ih[2 * size :]])

    return (*parts, Part(leaf, *both, together), Part(".bias_n", *both, lambda ih, hh: hh[2 * size :]))


def _attention(layer: eqx.nn.MultiheadAttention, *, packed: bool) -> tuple[Part, ...]:
    """Projections of query, key and value in one array, or apart where their inputs are of different sizes."""
    names = ("query", "key", "value")
    projections = [getattr(layer, f"{name}_proj") for name in names]
    sizes = [projection.weight.shape[0] for projection in projections]
    ends = np.cumsum([0, *sizes])
    parts = []
    for place, (name, projection) in enumerate(zip(names, projections, strict=True)):
        cut = slice(int(ends[place]), int(ends[place + 1]))
        weight, shape = f"{name[0]}_proj_weight", projection.weight.shape
        if packed:
            parts.append(Part(f".{name}_proj.weight", ("in_proj_weight",), ((sum(sizes), shape[1]),), _cut(cut)))
        else:
            parts.append(Part(f".{name}_proj.weight", (weight,), (shape,)))
        if projection.bias is not None:
            parts.append(Part(f".{name}_proj.bias", ("in_proj_bias",), ((sum(sizes),),), _cut(cut)))
    for kind in ("weight", "bias"):
        parts += _plain(f".output_proj.{kind}", f"out_proj.{kind}", getattr(layer.output_proj, kind))
    return tuple(parts)


def _cut(cut: slice) -> Callable[[np.ndarray], np.ndarray]:
    return lambda array: array[cut]


def _batch_norm(layer: eqx.nn.BatchNorm) -> tuple[Part, ...]:
    size = ((layer.input_size,),)
    return (
        *_plain(".weight", "weight", layer.weight),
        *_plain(".bias", "bias", layer.bias),
        Part("running_mean", ("running_mean",), size),
        Part("running_var", ("running_var",), size),
    )


def with_statistics(state: eqx.nn.State, layer: eqx.nn.BatchNorm, mean: jax.Array, var: jax.Array) -> eqx.nn.State:
    """`state` with the running statistics of a `layer` that has been trained, so that training may go on."""
    state = eqx.nn.State.tree_unflatten(*reversed(state.tree_flatten()))  # `set` spoils what it is called on
    if layer.ema_state_index is not None and layer.ema_first_time_index is not None:
        state = state.set(layer.ema_first_time_index, jnp.array(False))
        return state.set(layer.ema_state_index, (mean, var))
    assert layer.batch_state_index is not None and layer.batch_counter is not None
    # In this mode they are divided by 1 - momentum**counter: one, in float32, after so many batches.
    enough = 1 if layer.momentum == 0 else int(np.ceil(40 * np.log(2) / -np.log(layer.momentum)))
    state = state.set(layer.batch_counter, 0 * state.get(layer.batch_counter) + enough)
    return state.set(layer.batch_state_index, (mean, var))


def segments(path: Any) -> tuple[str, ...]:
    """The names and numbers of a path in a pytree."""
    found = []
    for key in path:
        name = getattr(key, "name", getattr(key, "idx", getattr(key, "key", key)))
        found.append(str(name))
    return tuple(found)
