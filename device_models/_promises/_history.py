"""Keys, shapes, time and gradients: a chip has one history, however it is computed."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from .._device import AbstractDevice
from ._probed import TIMES, YEAR, Probed, history, moment
from ._report import Promise

RELATIVE, ABSOLUTE = 1e-5, 1e-12  # of conductances in float32 that are computed in another order, and in siemens
SHAPES = ((), (3,), (2, 3))


@eqx.filter_jit
def _write(device: AbstractDevice, target: Any, key: Any) -> Any:
    return device.program(target, key=key)


@eqx.filter_jit
def _read(device: AbstractDevice, cells: Any, t: Any) -> Any:
    return moment(device, cells, t)


def _one_history(probed: Probed) -> str | None:
    cells, hour, year = _write(probed.device, probed.targets, jr.key(0)), jnp.asarray(3600.0), jnp.asarray(YEAR)
    first, _, again = (_read(probed.device, cells, t) for t in (hour, year, hour))
    anew = _read(probed.device, _write(probed.device, probed.targets, jr.key(0)), hour)
    for came, why in ((again, "read twice at one age"), (anew, "written twice with one key")):
        for part, other, what in zip(first, came, ("conductance", "read noise"), strict=True):
            if not np.array_equal(part, other):
                return f"a {what} that differs by {_distance(part, other):.2g} S where it is {why}"
    return None


def _another_chip(probed: Probed) -> str | None:
    if not probed.is_random:
        return None  # all chips are one
    one, other = (
        _read(probed.device, _write(probed.device, probed.targets, jr.key(n)), jnp.asarray(3600.0))[0] for n in (0, 1)
    )
    differing = float(np.mean(np.asarray(one) != np.asarray(other)))
    return None if differing > 0.5 else f"the same conductance for {1 - differing:.0%} of the cells of two keys"


def _shapes(probed: Probed) -> str | None:
    dtype, device = jnp.zeros(()).dtype, probed.device
    for shape in SHAPES:
        target = jnp.broadcast_to(probed.middle, shape)
        g, std = jax.eval_shape(lambda t: moment(device, device.program(t, key=jr.key(0)), jnp.asarray(1.0)), target)
        for part, what in ((g, "conductance"), (std, "read noise")):
            if part.shape != shape or part.dtype != dtype:
                return f"a {what} {part.dtype}{list(part.shape)} for targets {dtype}{list(shape)}"
    return None


def _batch(probed: Probed) -> str | None:
    keys = jr.split(jr.key(0), 3)
    batch = eqx.filter_vmap(history, in_axes=(None, None, 0))(probed.device, probed.middle, keys)
    one = history(probed.device, probed.middle, keys[2])
    for several, single in zip(batch, one, strict=True):
        if several.shape != (3, len(TIMES)):
            return f"shape {several.shape} for 3 chips at {len(TIMES)} times"
        if not np.allclose(several[2], single, rtol=RELATIVE, atol=ABSOLUTE):
            return f"a chip that differs by {_distance(several[2], single):.2g} S where it is alone"
    return None


def _compiled(probed: Probed) -> str | None:
    target = probed.targets[::6]
    with jax.disable_jit():
        eager = history(probed.device, target, jr.key(0))
    for compiled, plain in zip(history(probed.device, target, jr.key(0)), eager, strict=True):
        if not np.allclose(compiled, plain, rtol=RELATIVE, atol=ABSOLUTE):
            return f"a difference of {_distance(compiled, plain):.2g} S"
    return None


def _gradient(probed: Probed) -> str | None:
    @eqx.filter_jit
    def gradients(device, x):
        return jax.jacrev(lambda x: tuple(part.sum(-1) for part in history(device, x, jr.key(0))))(x)

    for slope, what in zip(gradients(probed.device, probed.targets), ("conductance", "read noise"), strict=True):
        slope = np.asarray(slope)
        if not np.isfinite(slope).all():
            time, cell = np.argwhere(~np.isfinite(slope))[0]
            at = f"{TIMES[time]:g} s and a target of {float(probed.targets[cell]):.3g} S"
            return f"{slope[time, cell]} as the slope of a {what} at {at}"
        if what == "conductance" and not np.any(slope != 0, axis=-1).all():
            return "a conductance that no target moves"
    return None


def _distance(a: Any, b: Any) -> float:
    return float(np.max(np.abs(np.asarray(a, np.float64) - np.asarray(b, np.float64))))


HISTORY_PROMISES = {
    "one history": Promise(
        "One key writes one chip, and ageing it twice gives the same history.",
        _one_history,
        "Draw in `program` alone, from its `key`, and keep what was drawn in the cells it returns.",
    ),
    "another chip": Promise(
        "Another key writes another chip.", _another_chip, "Draw in `program` from its `key`; split it, don't make one."
    ),
    "shapes": Promise(
        "Cells come in any shape, and conductance and read noise have theirs, in the dtype of floats.",
        _shapes,
        "Write for `target.shape`, and draw floats with `dtype=target.dtype`.",
    ),
    "batch": Promise(
        "Chips computed side by side by `jax.vmap` are the chips one by one.",
        _batch,
        "Let nothing depend on the number or place of cells; write for one array.",
    ),
    "compiled": Promise(
        "Compiled cells are the eager cells.",
        _compiled,
        "Use `jax.numpy` and no Python values that change from call to call.",
    ),
    "gradient": Promise(
        "Gradients in the target are finite at every age, and the target moves the conductance.",
        _gradient,
        "Keep roots, logarithms and quotients away from zero before they are taken; levels pass a gradient straight.",
    ),
}
