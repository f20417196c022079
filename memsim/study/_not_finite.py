"""Where a number of a study came to be NaN: the chip, the time and the first layer, found afterwards."""

import warnings
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..nn._mixed_signal import Designs
from ..train._not_finite import first_not_finite
from ._chips import Workload, aged, programmed


def told_of_nan(
    found: Float[np.ndarray, "chips times"],
    model: Any,
    crossbar: Designs,
    workload: Workload,
    *,
    key: Any,
    of: str,
) -> dict[str, str]:
    """Warns where `found` is NaN, and says of the first chip and time in which layer that began; for the attributes.

    `of` is what was measured, such as "Accuracy".
    """
    missing = np.argwhere(np.isnan(found))
    if not len(missing):
        return {}
    chip, place = missing[0]
    t = workload.times[place]
    moment, read_key = _moment(model, crossbar, jnp.asarray(chip), t, key)
    layer = first_not_finite(moment, workload.samples, key=read_key, scores=workload.scores)
    words = (
        f"{of} must be that of finite outputs, and is NaN for {len(missing)} of {found.size} chips and times. First, "
        f"on chip {chip} at {float(t):g} s, {layer}. Look at the design, the weights and the parameters there."
    )
    warnings.warn(words, RuntimeWarning, stacklevel=3)
    return {"not_finite": words}


@eqx.filter_jit
def _moment(model: Any, crossbar: Designs, number: Array, t: Array, key: Array) -> tuple[Any, Array]:
    chip, life_key = programmed(model, crossbar, number, key=key)
    return aged(chip, t, key=life_key)[:2]
