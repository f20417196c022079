"""How well an array is known after some reads, by how its inputs were chosen. Writes results/identification."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import device_models as dm
import memsim as ms
from _frame import finish, label, of_a_point, origin, swept

LABELS = {
    "error": ("1", "root mean square error of the conductances, of the range"),
    "covered": ("1", "share of the conductances within their 95 % intervals"),
    "reads": ("1", "inputs read"),
    "inputs": ("1", "how they were chosen"),
    "chip": "1",
}
QUICK = {"reads": (8, 16), "chips": 2, "size": 8}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take some two minutes."""

    inputs: tuple[str, ...] = ("expected", "random", "one-hot")
    reads: tuple[int, ...] = (8, 12, 16, 20, 24, 32, 48, 64)
    chips: int = 10
    size: int = 16
    noise: float = 1e-7  # amperes; a cell at full range carries 2e-5
    out: Path = Path("results/identification")
    quick: bool = False

    def __post_init__(self):
        ms.study.check_options(self)


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    chosen = partial(measure, config=of_a_point(config, "inputs", "reads", "chips"))
    grid = {"inputs": config.inputs, "reads": config.reads, "chip": range(config.chips)}
    result = swept(chosen, grid, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    result = result.assign_attrs(origin(config, design=circuit(config.size)))
    table = ms.study.summary(result.error)
    finish("identification", result, table, out=config.out, report=lambda: print(table))
    return result


def measure(inputs, reads, chip, *, key, config: Config):
    """What is found of one array of cells anywhere in their range."""
    cell_key, choice_key, noise_key = jr.split(key, 3)
    design, known = circuit(config.size), ms.identify.Known(noise=config.noise)
    low, high = design.device.g_min, design.device.g_max
    g = jr.uniform(cell_key, (config.size, config.size), minval=low, maxval=high)
    x = ms.identify.choose(design, int(reads), known, how=str(inputs), key=choice_key)
    with jax.enable_x64(True):
        y = np.asarray(x, np.float64) @ np.asarray(wires(g), np.float64)
    y = y + config.noise * np.asarray(jr.normal(noise_key, y.shape), np.float64)
    found = ms.identify.infer(x, y, design, known, strict=False).conductances
    ends, true = found.interval(), np.asarray(g, np.float64)
    return {
        "error": np.sqrt(np.mean((found.mean[0] - true) ** 2)) / (high - low),
        "covered": np.mean((ends[0][0] < true) & (true < ends[1][0])),
    }


def wires(g: jax.Array) -> jax.Array:
    """What the array presents."""
    return ms.ResistiveWires(1.0, 1.0, 10.0, 10.0).effective(jnp.asarray(np.asarray(g, np.float64)))


def circuit(size: int) -> ms.identify.Circuit:
    """The array, whose wires are guessed within a factor of e."""
    return ms.identify.Circuit(dm.Ideal(1e-6, 100e-6), size, size, ms.ResistiveWires(1.5, 1.5, 15.0, 15.0))
