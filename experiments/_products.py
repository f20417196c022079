"""Products of random matrices and inputs on chips, against exact ones."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

import device_models as dm
import memsim as ms


class Workload(NamedTuple):
    """Gaussian weights of `size` lines, and Gaussian `inputs`, cut at `largest_input` standard deviations."""

    size: int
    inputs: int
    largest_input: float

    def draw(self, key: Key[Array, ""]) -> tuple[Float[Array, "outputs size"], Float[Array, "inputs size"]]:
        """Weights, and inputs in units of the largest one."""
        weight_key, input_key = jr.split(key)
        x = jr.normal(input_key, (self.inputs, self.size))
        x = jnp.clip(x, -self.largest_input, self.largest_input) / self.largest_input
        return jr.normal(weight_key, (self.size, self.size)), x


def current_spread(workload: Workload) -> float:
    """Standard deviation of the exact currents, in units of one fully-on cell, over a few matrices."""
    tile = (workload.size, workload.size)
    meter = ms.Crossbar(dm.Ideal(), adc=ms.ADC(None, 1.0), compensation=None, tile=tile)
    found = [_currents(meter, *workload.draw(jr.fold_in(jr.key(1), matrix))) for matrix in range(4)]
    return float(np.std(found))


def on_chip(
    workload: Workload, design: ms.Crossbar, t: float, *, key: Key[Array, ""]
) -> tuple[Float[np.ndarray, " products"], Float[np.ndarray, " products"]]:
    """Exact outputs of one chip's matrix, and the errors of the analog ones, in standard deviations of the exact ones.

    The same key is the same matrix and inputs on every design, and the same chip as far as chance is concerned.
    """
    data_key, chip_key, read_key = jr.split(key, 3)
    w, x = workload.draw(data_key)
    exact = np.asarray(x, float) @ np.asarray(w, float).T
    analog = np.asarray(_outputs(design, w, x, jnp.asarray(t), chip_key, read_key), float)
    return (exact / exact.std()).ravel(), ((analog - exact) / exact.std()).ravel()


@eqx.filter_jit
def _currents(meter: ms.Crossbar, w: Array, x: Array) -> Array:
    return meter.deploy(w, 0.0, key=jr.key(0)).currents(x)[0]


@eqx.filter_jit
def _outputs(design: ms.Crossbar, w: Array, x: Array, t: Array, chip_key: Array, read_key: Array) -> Array:
    return design.deploy(w, t, key=chip_key)(x, key=read_key)
