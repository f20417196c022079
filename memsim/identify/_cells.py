"""What a device promises of its cells before they are read: their mean and their spread, at every age."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float

from device_models import AbstractDevice

LEVELS, DRAWS = 33, 1000
AGES, SPAN = 25, 4.0  # of the table over age, so many spreads to both sides


class CellLaw(eqx.Module):
    """Mean and standard deviation of each cell over the logarithm of age, in siemens; straight between the ages.

    **Arguments:**

    - `log_ages`: Of the table; one where age is known.
    - `mean`, `std`: Shape (ages, planes, rows, lines).
    """

    log_ages: Float[Array, " ages"]
    mean: Float[Array, "ages planes rows lines"]
    std: Float[Array, "ages planes rows lines"]

    def means(self, log_age: Float[Array, ""]) -> Float[Array, "planes rows lines"]:
        return self._at(self.mean, log_age)

    def stds(self, log_age: Float[Array, ""]) -> Float[Array, "planes rows lines"]:
        return self._at(self.std, log_age)

    def _at(self, table: Array, log_age: Array) -> Array:
        if table.shape[0] == 1:
            return table[0]
        step = self.log_ages[1] - self.log_ages[0]
        place = jnp.clip((log_age - self.log_ages[0]) / step, 0.0, table.shape[0] - 1.0)
        below = jnp.clip(jnp.floor(place).astype(int), 0, table.shape[0] - 2)
        share = place - below
        return (1 - share) * table[below] + share * table[below + 1]


def cell_law(
    device: AbstractDevice,
    targets: Float[np.ndarray, "planes rows lines"],
    ages: Float[np.ndarray, " ages"],
    frozen: list[float],
    error: float | None,
) -> CellLaw:
    """The law of cells written to `targets`, from draws of the device.

    **Arguments:**

    - `ages`: In seconds, evenly spaced in their logarithm.
    - `frozen`: Share of the read noise's variance that stands still in the reads of that age.
    - `error`: Standard deviation of the cells in the place of the device's, in siemens.
    """
    levels, means, stds, noises = drawn(device, ages, targets)
    span = device.g_max - device.g_min
    mean, std = [], []
    for m, s, noise, share in zip(means, stds, noises, frozen, strict=True):
        spread = np.sqrt(s**2 + share * noise**2) if error is None else np.full_like(s, error)
        mean.append(np.interp(targets, levels, m))
        std.append(np.maximum(np.interp(targets, levels, spread), 1e-6 * span))
    return CellLaw(*(jnp.asarray(values) for values in (np.log(np.maximum(ages, 1e-12)), mean, std)))


def anywhere(device: AbstractDevice, shape: tuple[int, int, int]) -> CellLaw:
    """Cells that may be anywhere in the range of the device: a normal law with the mean and spread of a uniform one."""
    middle, spread = (device.g_max + device.g_min) / 2, (device.g_max - device.g_min) / 12**0.5
    return CellLaw(jnp.zeros(1), *(jnp.full((1, *shape), value) for value in (middle, spread)))


def drawn(
    device: AbstractDevice, ages: Float[np.ndarray, " ages"], targets: Float[np.ndarray, "planes rows lines"] | None
) -> tuple[np.ndarray, ...]:
    """Levels over the range, and of each age (ages, levels): mean, spread over cells, and noise of one read.

    Between them laws are taken for straight. Of cells with levels of their own, whose law has steps, they are the
    `targets` themselves. The same draws for every call: the law is of the device, and no chance of the chip.
    """
    levels = np.linspace(device.g_min, device.g_max, LEVELS)
    if targets is not None and "levels" in device.effects:
        levels = np.unique(targets)
    parts = []
    with jax.enable_x64(False):  # as devices draw elsewhere
        for start in range(0, len(levels), LEVELS):  # of one size: compiled once
            some = levels[np.minimum(np.arange(start, start + LEVELS), len(levels) - 1)]
            parts.append(jax.tree.map(np.asarray, _moments(device, jnp.asarray(some), jnp.asarray(ages))))
    found = (np.concatenate(part, axis=1)[:, : len(levels)] for part in zip(*parts, strict=True))
    return levels, *(part.astype(np.float64) for part in found)


@eqx.filter_jit
def _moments(device: AbstractDevice, levels: Array, ages: Array) -> tuple[Array, Array, Array]:
    cells = device.program(jnp.broadcast_to(levels, (DRAWS, LEVELS)), key=jr.key(0))

    def at(age: Array) -> tuple[Array, Array, Array]:
        g = device.conductance(cells, age)
        noise = device.read_noise(cells, age)
        mean = jnp.mean(g, axis=0)
        rms = jnp.zeros_like(mean) if noise is None else jnp.sqrt(jnp.mean((noise / device.g_max) ** 2, axis=0))
        std = jnp.sqrt(jnp.mean(((g - mean[None]) / device.g_max) ** 2, axis=0))
        return mean, device.g_max * std, device.g_max * rms

    return jax.lax.map(at, ages)
