"""Which layer of a network is the first that gives out NaN or infinity: looked for where that has happened."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.random as jr
import numpy as np
from jaxtyping import Array, Key

from .._array import AnalogMatrix
from .._checks import as_floats
from ..nn import analog_layers
from ._evaluate import sequence_scores


def not_finite(model: Any) -> str:
    """The path of the first array in `model` that is not finite; empty where all are."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(eqx.filter(model, eqx.is_inexact_array)):
        if not np.isfinite(leaf).all():
            return jax.tree_util.keystr(path) or "an array"
    return ""


def first_not_finite(model: Any, xs: Array, *, key: Key[Array, ""] | None, scores: Callable[[Array], Array]) -> str:
    """In words, what of a deployed or digital `model` is the first that is not finite while it runs on `xs`."""
    for path, layer in analog_layers(model).items():
        if not_finite(layer.weight):
            what = "what the chip presents" if isinstance(layer.weight, AnalogMatrix) else "a weight"
            return f"{what} in layer {path} is not finite"
    found = eqx.filter_jit(sequence_scores)(model, xs, key=key, scores=scores)
    bad = np.flatnonzero(np.isnan(found).any(1))
    if not bad.size:
        return "no layer is not finite when it runs again"
    keys = None if key is None else jr.split(key, xs.shape[0])
    x, read_key = as_floats(xs[bad[0]]), None if keys is None else keys[bad[0]]
    _, records = eqx.filter_jit(lambda model, x, key: model(x, key=key, record=("membranes", "outputs")))(
        model, x, read_key
    )
    for path, outputs in records["outputs"].items():
        membranes = [inner for inner, v in records["membranes"].items() if inner.startswith(path) and _bad(v)]
        if membranes:
            return f"with recording {bad[0]}, the membranes of layer {membranes[0]} are not finite"
        if _bad(outputs):
            return f"with recording {bad[0]}, the outputs of layer {path} are not finite"
    return f"with recording {bad[0]}, what `scores` makes of finite outputs is not"


def _bad(values: Array) -> bool:
    return not np.isfinite(values).all()
