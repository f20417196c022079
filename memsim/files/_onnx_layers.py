"""Nodes of ONNX that multiply by a matrix, as layers of Equinox."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from ._forms import forms


class Unsupported(Exception):
    """Why a node cannot be imported."""


def linear(w: np.ndarray, bias: np.ndarray | None) -> eqx.nn.Linear:
    """A layer of weights (outputs, inputs)."""
    outputs, inputs = w.shape
    empty = eqx.filter_eval_shape(lambda: eqx.nn.Linear(inputs, outputs, use_bias=bias is not None, key=jr.key(0)))
    return _with(empty, w, bias)


def gemm(attributes: Mapping[str, Any], constants: list[np.ndarray | None]) -> eqx.nn.Linear:
    """alpha A B + beta C with a constant B."""
    _, w, *rest = constants
    if w is None or w.ndim != 2 or attributes.get("transA", 0) or constants[0] is not None:
        raise Unsupported("a product of anything but a sample and a constant matrix")
    w = w if attributes.get("transB", 0) else w.T
    bias = None
    if rest:
        if rest[0] is None or rest[0].size not in (1, w.shape[0]):
            raise Unsupported("a bias that is not one constant an output")
        bias = attributes.get("beta", 1.0) * np.broadcast_to(rest[0].reshape(-1), w.shape[:1])
    return linear(attributes.get("alpha", 1.0) * w, bias)


def conv(attributes: Mapping[str, Any], constants: list[np.ndarray | None]) -> eqx.nn.Conv:
    """A convolution with a constant kernel."""
    w, bias = _kernel(constants)
    auto, groups = attributes.get("auto_pad", "NOTSET"), attributes.get("group", 1)
    same = {"SAME_UPPER": "SAME", "SAME_LOWER": "SAME_LOWER", "VALID": "VALID"}
    rank = w.ndim - 2
    settings = _settings(attributes, rank) | ({"padding": same[auto]} if auto in same else {})
    settings |= {"groups": groups, "use_bias": bias is not None}
    inputs, outputs, *kernel = w.shape[1] * groups, w.shape[0], *w.shape[2:]
    kind = {1: eqx.nn.Conv1d, 2: eqx.nn.Conv2d, 3: eqx.nn.Conv3d}[rank]
    empty = eqx.filter_eval_shape(lambda: kind(inputs, outputs, kernel, key=jr.key(0), **settings))
    return _with(empty, w, bias)


def conv_transpose(attributes: Mapping[str, Any], constants: list[np.ndarray | None]) -> eqx.nn.ConvTranspose:
    """A transposed convolution with a constant kernel."""
    w, bias = _kernel(constants)
    groups, rank = attributes.get("group", 1), w.ndim - 2
    if attributes.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID") or "output_shape" in attributes:
        raise Unsupported("padding by the shape of the output")
    more = tuple(attributes.get("output_padding", [0] * rank))
    kind = {1: eqx.nn.ConvTranspose1d, 2: eqx.nn.ConvTranspose2d, 3: eqx.nn.ConvTranspose3d}[rank]
    settings = {"groups": groups, "use_bias": bias is not None, "output_padding": more, **_settings(attributes, rank)}
    empty = eqx.filter_eval_shape(lambda: kind(w.shape[0], w.shape[1] * groups, w.shape[2:], key=jr.key(0), **settings))
    return _with(empty, forms(empty)[0][0].make(w), bias)


def matmul(attributes: Mapping[str, Any], constants: list[np.ndarray | None]) -> eqx.nn.Linear:
    """A product with a constant matrix."""
    w = constants[1]
    assert w is not None
    return linear(w.T, None)


LAYERS = {"Gemm": gemm, "MatMul": matmul, "Conv": conv, "ConvTranspose": conv_transpose}


def scaled(layer: Any, scale: np.ndarray, shift: np.ndarray) -> Any:
    """A layer whose outputs are `scale` times what they are, plus `shift`: a batch normalisation that is part of it."""
    shape = (-1, *[1] * (layer.weight.ndim - 1))
    w = np.asarray(layer.weight)
    out = jax.tree.map(lambda leaf: leaf, layer)
    bias = shift if layer.bias is None else scale * np.asarray(layer.bias).reshape(-1) + shift
    out = eqx.tree_at(lambda made: made.weight, out, jnp.asarray(w * scale.reshape(shape), w.dtype))
    return with_bias(out, bias)


def with_bias(layer: Any, bias: np.ndarray) -> Any:
    """A layer with another bias, or with one where it has none."""
    rank = layer.weight.ndim - 2
    values = jnp.asarray(bias.reshape(-1, *[1] * rank) if rank else bias, layer.weight.dtype)
    layer = eqx.tree_at(lambda made: made.bias, layer, values, is_leaf=lambda leaf: leaf is None)
    object.__setattr__(layer, "use_bias", True)
    return layer


def _kernel(constants: list[np.ndarray | None]) -> tuple[np.ndarray, np.ndarray | None]:
    _, w, *rest = constants
    if w is None or not 3 <= w.ndim <= 5 or (rest and rest[0] is None) or constants[0] is not None:
        raise Unsupported("a kernel or a bias that is not constant, or of other than one to three spatial axes")
    return w, rest[0] if rest else None


def _settings(attributes: Mapping[str, Any], rank: int) -> dict[str, Any]:
    pads = attributes.get("pads", [0] * (2 * rank))
    return {
        "stride": tuple(attributes.get("strides", [1] * rank)),
        "dilation": tuple(attributes.get("dilations", [1] * rank)),
        "padding": tuple(zip(pads[:rank], pads[rank:], strict=True)),
    }


def _with(layer: Any, w: np.ndarray, bias: np.ndarray | None) -> Any:
    dtype = jnp.result_type(float)
    layer = eqx.tree_at(lambda made: made.weight, layer, jnp.asarray(w, dtype))
    if bias is None:
        return layer
    return eqx.tree_at(lambda made: made.bias, layer, jnp.asarray(bias, dtype).reshape(layer.bias.shape))
