"""Which layer of a network is the first that gives out NaN or infinity: looked for where that has happened."""

from typing import Any

import equinox as eqx
import jax
import jax.random as jr
import numpy as np
from jaxtyping import Array, Key

from .._array import AnalogMatrix
from .._checks import as_floats
from ..nn import analog_layers
from ..nn._calling import evaluating, is_network
from ..nn._word_lines import word_lines
from ._evaluate import predictions
from ._objective import Scores
from ._samples import Samples


def not_finite(model: Any) -> str:
    """The path of the first array in `model` that is not finite; empty where all are."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(eqx.filter(model, eqx.is_inexact_array)):
        if not np.isfinite(leaf).all():
            return jax.tree_util.keystr(path) or "an array"
    return ""


def first_not_finite(model: Any, samples: Samples, *, key: Key[Array, ""] | None, scores: Scores) -> str:
    """In words, what of a deployed or digital `model` is the first that is not finite while it runs on `samples`."""
    for path, layer in analog_layers(model).items():
        if not_finite(layer.weight):
            what = "what the chip presents" if isinstance(layer.weight, AnalogMatrix) else "a weight"
            return f"{what} in layer {path} is not finite"
    found = np.asarray(eqx.filter_jit(predictions)(model, samples, key=key, scores=scores))
    bad = np.flatnonzero(np.isnan(found).reshape(len(found), -1).any(1))
    if not bad.size:
        return "no layer is not finite when it runs again"
    keys = None if key is None else jr.split(key, len(samples))
    x, read_key = samples.xs[bad[0]], None if keys is None else keys[bad[0]]
    if not is_network(model):
        return f"with sample {bad[0]}, {_not_finite_input(model, x, read_key)}"
    x = as_floats(x)
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


def _not_finite_input(model: Any, x: Array, key: Key[Array, ""] | None) -> str:
    for path, lines in word_lines(evaluating(model), x[None], key).items():
        if _bad(lines):
            return f"the inputs of layer {path} are not finite"
    return "the outputs are not finite, while the inputs of all analog layers are"


def _bad(values: Array) -> bool:
    return not np.isfinite(values).all()
