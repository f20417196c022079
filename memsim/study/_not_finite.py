"""Where a number of a study came to be NaN: the chip, the time and the first layer, found afterwards."""

import warnings
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from .._matrix import AnalogMatrix
from ..nn import analog_layers
from ..nn._mixed_signal import Designs
from ..train._evaluate import as_float, sequence_scores
from ._chips import aged, programmed


def told_of_nan(
    found: Float[np.ndarray, "chips times"], model: Any, crossbar: Designs, xs: Array, times: Any, *, key: Any, of: str
) -> dict[str, str]:
    """Warns where `found` is NaN, and says of the first chip and time in which layer that began; for the attributes.

    `of` is what was measured, such as "Accuracy".
    """
    missing = np.argwhere(np.isnan(found))
    if not len(missing):
        return {}
    chip, place = missing[0]
    t = jnp.asarray(np.asarray(times, float)[place], jnp.result_type(float))
    moment, read_key = _moment(model, crossbar, jnp.asarray(chip), t, key)
    words = (
        f"{of} must be of finite outputs, and is NaN for {len(missing)} of {found.size} chips and times. First, on chip "
        f"{chip} at {float(t):g} s, {first_not_finite(moment, xs, key=read_key)}. Look at that layer's design, weights "
        "and parameters."
    )
    warnings.warn(words, RuntimeWarning, stacklevel=3)
    return {"not_finite": words}


def first_not_finite(model: Any, xs: Array, *, key: Key[Array, ""] | None) -> str:
    """In words, what of a deployed or digital `model` is the first that is not finite while it runs on `xs`."""
    for path, layer in analog_layers(model).items():
        leaves = jax.tree.leaves(eqx.filter(layer.weight, eqx.is_inexact_array))
        if not all(np.isfinite(leaf).all() for leaf in leaves):
            what = "what the chip presents" if isinstance(layer.weight, AnalogMatrix) else "a weight"
            return f"{what} in layer {path} is not finite"
    scores = eqx.filter_jit(sequence_scores)(model, xs, key=key)
    bad = np.flatnonzero(np.isnan(scores).any(1))
    if not bad.size:
        return "no layer is not finite when it runs again"
    keys = None if key is None else jr.split(key, xs.shape[0])
    x, read_key = as_float(xs[bad[0]]), None if keys is None else keys[bad[0]]
    _, records = eqx.filter_jit(lambda model, x, key: model(x, key=key, record=("membranes", "outputs")))(
        model, x, read_key
    )
    for path, outputs in records["outputs"].items():
        membranes = [inner for inner, v in records["membranes"].items() if inner.startswith(path) and _bad(v)]
        if membranes:
            return f"with recording {bad[0]}, the membranes of layer {membranes[0]} are not finite"
        if _bad(outputs):
            return f"with recording {bad[0]}, the outputs of layer {path} are not finite"
    return f"with recording {bad[0]}, the scores are not finite"


@eqx.filter_jit
def _moment(model: Any, crossbar: Designs, number: Array, t: Array, key: Array) -> tuple[Any, Array]:
    chip, life_key = programmed(model, crossbar, number, key=key)
    return aged(chip, t, key=life_key)[:2]


def _bad(values: Array) -> bool:
    return not np.isfinite(values).all()
