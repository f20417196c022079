"""A device, and what several promises need of it, computed once."""

from functools import cached_property
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from .._device import AbstractDevice

YEAR = 365.25 * 86400.0
TIMES = (0.0, 1.0, 3600.0, 10 * YEAR)  # seconds after programming
CELLS = 20_000  # of each of `LEVELS` targets
LEVELS, STANDARD_ERRORS = 5, 4


class Probed:
    """A `device` that promises are asked of."""

    def __init__(self, device: AbstractDevice):
        self.device = device

    @property
    def targets(self) -> Float[Array, " targets"]:
        """Over the whole range, its ends as well."""
        return jnp.linspace(self.device.g_min, self.device.g_max, 61)

    @property
    def middle(self) -> Float[Array, ""]:
        return jnp.asarray((self.device.g_min + self.device.g_max) / 2)

    @cached_property
    def population(self) -> tuple[np.ndarray, np.ndarray]:
        """Conductances and read noise, each (times, cells, levels), of many cells of each level."""
        level = jnp.linspace(self.device.g_min, self.device.g_max, LEVELS)
        found = history(self.device, jnp.broadcast_to(level, (CELLS, LEVELS)), jr.key(7))
        g, std = (np.asarray(x, np.float64) for x in found)
        return g, std

    @cached_property
    def chip(self) -> tuple[Any, Array, Array]:
        """Cells of one chip, and their conductance just after the write and a year on."""
        return chip(self.device, self.targets)

    @cached_property
    def is_random(self) -> bool:
        """Whether chance decides anything of it: cells of one target differ."""
        return bool(np.any(np.ptp(self.population[0][2], axis=0) > 0))


@eqx.filter_jit
def history(device: AbstractDevice, target: Array, key: Key[Array, ""]) -> tuple[Array, Array]:
    """Conductance and read noise at `TIMES`, each (times, *cells), of one chip."""
    cells = device.program(target, key=key)
    return jax.vmap(lambda t: moment(device, cells, t))(jnp.asarray(TIMES))


@eqx.filter_jit
def chip(device: AbstractDevice, target: Array) -> tuple[Any, Array, Array]:
    """Cells, and their conductance at the write and a year on."""
    cells = device.program(target, key=jr.key(0))
    start, year = (device.conductance(cells, jnp.asarray(t)) for t in (0.0, YEAR))
    return cells, start, year


def moment(device: AbstractDevice, cells: Any, t: Array) -> tuple[Array, Array]:
    """Conductance and read noise at one time; exact reads have none."""
    g, std = device.conductance(cells, t), device.read_noise(cells, t)
    return g, jnp.zeros_like(g) if std is None else std
