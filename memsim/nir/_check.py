"""Does what was written read back to the same network?"""

from typing import Any

import equinox as eqx
import jax
import jax.random as jr
import numpy as np

from ..nn import AbstractNetwork
from ..nn._layer import Shape
from ._import import from_nir
from ._step import Discretisation

STEPS = 32
DRIVES = (1.0, 10.0, 100.0)
ROUNDING = 1e-3  # fraction of spikes that may differ, and relative error of outputs


def check_export(model: AbstractNetwork, graph: Any, shape: Shape, dt: float, discretisation: Discretisation) -> None:
    """Raises `ValueError` unless `graph` reads back to the spikes of `model` on random input that makes it fire."""
    copy = from_nir(graph, dt=dt, discretisation=discretisation)
    xs = jr.normal(jr.key(0), (STEPS, *shape))
    for drive in DRIVES:
        expected, spikes = _run(model, drive * xs)
        if any(raster.any() for raster in spikes):
            break
    found, again = _run(copy, drive * xs)
    if [raster.shape for raster in spikes] == [raster.shape for raster in again]:
        differing = sum(int((a != b).sum()) for a, b in zip(spikes, again, strict=True))
        fired = sum(int((raster != 0).sum()) for raster in spikes)
    else:  # a neuron without reset comes back as two layers, which records its spikes as outputs only
        differing, fired = 0, 0
    wrong = np.abs(found - expected) > ROUNDING * max(1.0, float(np.abs(expected).max()))
    if differing > ROUNDING * max(fired, 1) or (differing == 0 and wrong.mean() > ROUNDING):
        raise ValueError(
            "A written graph must read back to the same network. "
            f"Got {differing} different spikes of {fired}, and {int(wrong.sum())} different outputs of {wrong.size}. "
            "This is a defect of the export of one of the layers; `check=False` returns the graph all the same."
        )


@eqx.filter_jit
def _rasters(model: AbstractNetwork, xs: jax.Array) -> tuple[jax.Array, list[jax.Array]]:
    ys, found = model(xs, record="spikes")
    return ys, list(found["spikes"].values())


def _run(model: AbstractNetwork, xs: jax.Array) -> tuple[np.ndarray, list[np.ndarray]]:
    ys, spikes = _rasters(model, xs)
    return np.asarray(ys), [np.asarray(raster) for raster in spikes]
