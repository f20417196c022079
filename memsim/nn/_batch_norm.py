"""Batch norms of a model that goes onto chips: folded into the layers before them, or adapted to a chip."""

import dataclasses
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Key, Num

from .._checks import checked
from ._calling import called
from ._deploy import digital_weight
from ._precedes import FOLDED, layer_before_each_norm, norms_of
from ._stateful import Stateful
from ._synapses._kernel import AbstractKernel
from ._synapses._linear import Linear
from ._word_lines import SAMPLES, checked_samples

AXIS = "memsim_samples"


class Statistics(NamedTuple):
    """What a norm takes off and divides by, of each channel."""

    mean: Float[Array, " channels"]
    variance: Float[Array, " channels"]


class FoldedNorm(eqx.nn.StatefulLayer):
    """What is left of a batch norm that has been folded into the layer before it: nothing happens."""

    def __call__(self, x: Array, state: Any, *, key: Any = None, inference: Any = None) -> tuple[Array, Any]:
        return x, state


@checked()
def fold_batch_norm(model: Stateful, x: Any) -> Stateful:
    r"""`model` whose batch norms are in the layers before them: the same outputs in inference.

    Of $\gamma (W x + b - \mu) / \sqrt{v + \epsilon} + \beta$, with the running statistics $\mu$ and $v$, the matrix $W$
    and the bias $b$ take all, so that nothing is left beside the crossbar. Layers can be `Linear`, `Conv` and
    `ConvTranspose`, of Equinox or of memsim, before they are programmed. Other norms are left as they are.

    **Arguments:**

    - `model`: Trained: its statistics are there.
    - `x`: One sample, or a `jax.ShapeDtypeStruct` of it: by a trace of the model is found what stands before a norm.

    Raises `ValueError`, with what stands between, for a norm that does not come right after such a layer, or after one
    whose output is also used elsewhere.

    Reference: Joshi2020 for the scale of a norm folded into conductances.

    >>> import equinox as eqx, jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> def make():
    ...     return eqx.nn.Sequential([eqx.nn.Linear(3, 2, key=jr.key(0)), eqx.nn.BatchNorm(2, "batch", mode="batch")])
    >>> model = eqx.nn.inference_mode(ms.nn.Stateful(*eqx.nn.make_with_state(make)()))
    >>> folded = ms.nn.fold_batch_norm(model, jnp.ones(3))
    >>> bool(jnp.allclose(folded(jnp.ones(3)), model(jnp.ones(3)), rtol=1e-4)), len(folded.model.layers)
    (True, 2)
    """
    norms = norms_of(model)
    if not norms:
        raise ValueError(f"`model` must hold an `equinox.nn.BatchNorm`. Got none in {type(model.model).__name__}.")
    before = layer_before_each_norm(model, x)
    found = {path: statistics(norms[path], model.state, path) for path in norms}
    layers = _nodes(model, FOLDED)
    changed: dict[str, Any] = {path: FoldedNorm() for path in norms}  # pyright: ignore[reportCallIssue]
    for path, layer in before.items():
        changed[layer] = _folded(layer, layers[layer], norms[path], found[path])
    return _replaced(model, changed)


@checked(xs=SAMPLES)
def adapt_batch_norm(
    model: Stateful, xs: Num[Array, "batch *sample"] | np.ndarray | list, *, key: Key[Array, ""] | None = None
) -> Stateful:
    """`model` with the running statistics that its norms meet on these chips, now: no weight is written again.

    All samples go through the model at once, each norm with the statistics of this batch, as in training. What drift,
    write errors and converters change in the mean and the spread of a channel is taken out; Joshi2020 uses a few per
    cent of the training data and calls it AdaBS. Dropout is off.

    **Arguments:**

    - `model`: Deployed.
    - `xs`: A batch of samples, without labels; hundreds, so that a variance is known to some per cent.
    - `key`: Of the reads.

    Reference: Joshi2020.

    >>> import equinox as eqx, jax, jax.random as jr, numpy as np, device_models as dm, memsim as ms
    >>> def make():
    ...     return eqx.nn.Sequential([ms.nn.Linear(3, 2, key=jr.key(0)), eqx.nn.BatchNorm(2, "batch", mode="batch")])
    >>> model = eqx.nn.inference_mode(ms.nn.Stateful(*eqx.nn.make_with_state(make)()))
    >>> xs = jr.normal(jr.key(1), (100, 3))
    >>> aged = ms.deploy(model, ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads("off")), 3.15e7, key=jr.key(2))
    >>> print(abs(np.asarray(jax.vmap(ms.nn.adapt_batch_norm(aged, xs))(xs)).mean(0)).round(2))
    [0. 0.]
    """
    norms = norms_of(model)
    if not norms:
        raise ValueError(f"`model` must hold an `equinox.nn.BatchNorm`. Got none in {type(model.model).__name__}.")
    still = eqx.nn.inference_mode(model)
    samples = checked_samples(still, xs)
    keys = None if key is None else jr.split(key, samples.shape[0])
    found = _measured(still, samples, keys)
    state = jax.tree.map(lambda a: a, model.state)
    for path, norm in norms.items():
        state = _with_statistics(norm, state, Statistics(*found[path]))
    return Stateful(model.model, state)


def over_axis(model: Stateful) -> Stateful:
    """`model` whose batch norms take the batch along the `jax.vmap` axis `AXIS`."""
    return _replaced(model, {path: _with_fields(norm, axis_name=AXIS) for path, norm in norms_of(model).items()})


def statistics(norm: Any, state: eqx.nn.State, path: str) -> Statistics:
    """The running statistics that `norm` uses in inference."""
    if norm.mode == "ema":
        first = state.get(norm.ema_first_time_index)
        if not isinstance(first, Tracer) and bool(first):
            raise ValueError(f"The running statistics of {path} must be there. It has met no batch yet: train first.")
        return Statistics(*state.get(norm.ema_state_index))
    scale = _share(norm, state)
    mean, variance = state.get(norm.batch_state_index)
    return Statistics(mean / scale, variance / scale)


def _share(norm: Any, state: eqx.nn.State) -> Float[Array, ""]:
    """The share of a running statistic that batches have filled in."""
    counter = state.get(norm.batch_counter)
    mean, _ = state.get(norm.batch_state_index)
    filled = 1 - jnp.asarray(norm.momentum, mean.dtype) ** counter.astype(mean.dtype)
    return jnp.where(counter == 0, jnp.ones_like(filled), filled)


def _with_statistics(norm: Any, state: eqx.nn.State, found: Statistics) -> eqx.nn.State:
    if norm.mode == "ema":
        return state.set(norm.ema_first_time_index, jnp.array(False)).set(norm.ema_state_index, tuple(found))
    scale = _share(norm, state)
    return state.set(norm.batch_state_index, (found.mean * scale, found.variance * scale))


class _Measuring(eqx.Module):
    """A model that gives out the statistics its norms find in the batch, for `jax.vmap` with `AXIS`."""

    model: Stateful

    def __call__(self, x: Any, *, key: Key[Array, ""] | None = None) -> dict[str, Any]:
        _, state = self.model.update(x, key=key)
        return {path: tuple(statistics(norm, state, path)) for path, norm in norms_of(self.model).items()}


@eqx.filter_jit
def _measured(model: Stateful, xs: Array, keys: Array | None) -> dict[str, Any]:
    """The statistics of each norm over all samples; of each batch alone, with no momentum."""
    norms = norms_of(model)
    fresh = {path: _with_fields(n, momentum=0.0, inference=False, axis_name=AXIS) for path, n in norms.items()}
    measuring = _Measuring(_replaced(model, fresh))
    return jax.vmap(lambda x, key: called(measuring, x, key), out_axes=None, axis_name=AXIS)(xs, keys)


def _folded(path: str, layer: Any, norm: Any, found: Statistics) -> Any:
    """`layer` with `norm` behind it."""
    ours = isinstance(layer, Linear | AbstractKernel)
    w = digital_weight(path, layer) if ours else layer.weight
    gain = jax.lax.rsqrt(found.variance + norm.eps)
    gain = gain if norm.weight is None else gain * norm.weight
    shift = -found.mean if layer.bias is None else layer.bias.reshape(-1).astype(gain.dtype) - found.mean
    bias = shift * gain if norm.bias is None else shift * gain + norm.bias
    shape = (-1, *[1] * (w.ndim - 2)) if isinstance(layer, eqx.nn.Conv | eqx.nn.ConvTranspose) else (-1,)
    weight = w * jnp.broadcast_to(gain.astype(w.dtype).reshape(-1, *[1] * (w.ndim - 1)), w.shape)
    own = {} if ours else {"use_bias": True}
    return _with_fields(layer, weight=weight, bias=bias.astype(w.dtype).reshape(shape), **own)


def _with_fields(module: Any, **changes: Any) -> Any:
    """`module` with other fields, static ones too, made without its constructor."""
    made = object.__new__(type(module))
    for field in dataclasses.fields(module):
        object.__setattr__(made, field.name, changes.get(field.name, getattr(module, field.name)))
    return made


def _nodes(model: Any, kinds: Any) -> dict[str, Any]:
    leaves = jax.tree_util.tree_leaves_with_path(model, is_leaf=lambda node: isinstance(node, kinds))
    return {jax.tree_util.keystr(path): leaf for path, leaf in leaves if isinstance(leaf, kinds)}


def _replaced(model: Stateful, changed: dict[str, Any]) -> Stateful:
    def swap(path: Any, node: Any) -> Any:
        return changed.get(jax.tree_util.keystr(path), node)

    kinds = (*FOLDED, eqx.nn.BatchNorm)
    return jax.tree_util.tree_map_with_path(swap, model, is_leaf=lambda node: isinstance(node, kinds))
