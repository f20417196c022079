"""Weights that were trained in the array, some time after their last pulse."""

from typing import Any

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from device_models import AbstractDevice
from device_models._device import said_effects

from .._checks import at_least, checked
from ._matrices import matrices, replaced
from ._transform import InSituState

WRITE_NOISE = "write noise"


@checked(t=at_least(0.0, "in seconds"))
def aged(
    params: Any, state: InSituState, device: AbstractDevice, t: float | Float[Array, ""], *, key: Key[Array, ""]
) -> Any:
    r"""`params` as their arrays show them at `t` seconds after the last pulse: cells that drift as those of `device`.

    A pulsed device says how pulses move a weight and, but for a leak in mini-batches, not how it then ages. This lends
    it the retention of another device, whose conductances have been measured over time: a weight of $w$ units becomes a
    pair of its cells,

    $$G^\pm(0) = G_\mathrm{min} + (G_\mathrm{max} - G_\mathrm{min}) \min(\max(\pm w, 0), 1), \qquad
    w(t) = \frac{G^+(t) - G^-(t)}{G_\mathrm{max} - G_\mathrm{min}}.$$

    What it assumes: at `t` = 0 the cells hold what was trained, for the training has seen their write errors; they then
    age as if each had been written once to that conductance, whatever pulses led there. What such a write leaves beside
    its error stays: a spread that the device has at once. Weights beyond one unit saturate.
    Nothing compensates for drift, and reads are exact. One `key` is one chip: the same for several `t` gives one
    history.

    **Arguments:**

    - `params`, `state`: After training, of a transformation of `memsim.insitu`.
    - `device`: Whose cells they are, such as `device_models.pcm_joshi2020()`.
    - `t`: In seconds.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> optimizer = ms.insitu.analog_sgd(dm.pulsed.idealized(), 0.1, key=jr.key(0))
    >>> params = {"weight": jnp.ones((4, 8))}
    >>> old = ms.insitu.aged(params, optimizer.init(params), dm.pcm_joshi2020(), 86400.0, key=jr.key(1))
    >>> print(f"{old['weight'].mean():.1f} of 1 after a day")
    0.7 of 1 after a day
    """
    time = jnp.asarray(t, float)
    quiet = device.without(WRITE_NOISE) if WRITE_NOISE in said_effects(device) else device
    found = {}
    for place, (path, weight) in enumerate(matrices(params).items()):
        if path not in state.scales:
            raise ValueError(f"`state` must be of the training of `params`. Got one without {path or 'the matrix'}.")
        unit = state.scales[path]
        found[path] = unit * _pair(quiet, weight / unit, time, key=jr.fold_in(key, place)).astype(weight.dtype)
    return replaced(params, found)


def _pair(
    device: AbstractDevice, w: Float[Array, "outputs inputs"], t: Float[Array, ""], *, key: Key[Array, ""]
) -> Float[Array, "outputs inputs"]:
    span = device.g_max - device.g_min

    def side(share: Array, key: Array) -> Array:
        cells = device.program(device.g_min + span * jnp.clip(share, 0.0, 1.0), key=key)
        return device.conductance(cells, t)

    plus, minus = jr.split(key)
    return (side(w, plus) - side(-w, minus)) / span
