"""What devices cost: cells against the random numbers they need, memristors in milliseconds, updates against a product.

Functions are timed in turn, after a warm-up, and medians are given. Writes results/device_speed: device_speed.nc, .csv.
"""

from dataclasses import dataclass
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import _clock as clock
import device_models as dm
import memsim as ms
from _clock import Case

CELLS = {
    **{name: dm.device(name).make() for name in ("pcm_joshi2020", "cmo_hfox_falcone2025", "sonos_agrawal2022")},
    "rram_wan2022, walking": dm.rram_wan2022(),
    "rram_relaxing, jumping": dm.rram_relaxing("C"),
    "pcm_joshi2020, walking": dm.pcm_joshi2020().remembering("walk"),
}


@dataclass(frozen=True)
class Config:
    """Options of the benchmark."""

    only: str = ""
    """Run the cases whose name contains this."""
    rounds: int = 15
    cells: int = 10_000_000
    memristors: int = 64
    points: int = 1000
    width: int = 512
    """Of the array that is updated."""
    length: int = 31
    """Of the pulse trains."""
    out: Path = Path("results/device_speed")

    def __post_init__(self):
        ms.study.check_options(self)
        if self.points < 2:
            raise ValueError(f"`points` must be at least 2. Got {self.points}.")


def run(config: Config) -> xr.Dataset:
    """Measures all cases, prints them and writes them."""
    chosen = [measure(config) for measure in (cells, memristors, update) if config.only in measure.__name__]
    if not chosen:
        raise ValueError(f"`only` must be part of the name of a case. Got {config.only!r}.")
    return clock.measured(chosen, config.out / "device_speed.nc", config)


def cells(config: Config):
    """Programming many cells, and ageing them to a new time, against drawing the normals that programming needs."""
    target = jr.uniform(jr.key(0), (config.cells,))
    few = min(config.rounds, 5)
    for name, device in CELLS.items():
        aim = device.g_min + (device.g_max - device.g_min) * target
        program = jax.jit(lambda aim, key, device=device: device.program(aim, key=key))
        age = jax.jit(lambda written, t, device=device: device.conductance(written, t))
        number = normals_of(device)
        draw = jax.jit(lambda key, number=number: jr.normal(key, (number, config.cells)))
        written = program(aim, jr.key(1))
        times = clock.together([(program, aim, jr.key(1)), (age, written, jnp.asarray(3600.0)), (draw, jr.key(2))], few)
        size = f"{config.cells:.0e} cells of {name}"
        yield Case(f"{size}, programming / normals", float(np.median(times[:, 0] / times[:, 2])), 3.0)
        yield Case(f"{size}, ageing / normals", float(np.median(times[:, 1] / times[:, 2])), 3.0)


def normals_of(device: dm.AbstractDevice) -> int:
    """Normals that one cell needs: one for its write error, one for what comes later."""
    return len(set(device.effects) & {"write noise", "drift"})


def memristors(config: Config):
    """Many memristors over one sine: their currents, and the gradient to all parameters of each.

    One step a sample, whatever its error: cells that switch within a step take as long as others.
    """
    steps = dm.memristors.FixedSteps(tolerance=float("inf"))
    for name, entry in dm.memristors.MEMRISTORS.items():
        t = jnp.linspace(0.0, 1 / entry.frequency, config.points)
        v = entry.amplitude * jnp.sin(2 * jnp.pi * entry.frequency * t)
        several = jax.tree.map(lambda x: jnp.full(config.memristors, x), entry.make())

        @eqx.filter_jit
        def currents(several, t=t, v=v):
            return eqx.filter_vmap(lambda one: dm.memristors.simulate(one, t, v, steps=steps).current)(several)

        gradient = eqx.filter_jit(eqx.filter_value_and_grad(lambda m, run=currents: jnp.mean(run(m) ** 2)))
        times = 1e3 * np.median(clock.together([(currents, several), (gradient, several)], config.rounds), axis=0)
        yield Case(f"{config.memristors} {name}, {config.points} points", times[0], 50.0, "ms")
        yield Case(f"{config.memristors} {name}, and gradient", times[1], 200.0, "ms")


def update(config: Config):
    """A rank-one update by coincidences of pulse trains against a dense outer product."""
    x, d = jr.uniform(jr.key(0), (2, config.width), minval=-1.0)
    outer = jax.jit(lambda x, d: d[:, None] * x[None]), x, d
    for name, entry in dm.pulsed.PULSED.items():
        shape = (config.width, config.width)
        array = dm.pulsed.PulsedArray.fabricate(entry.make(), jnp.zeros(shape), key=jr.key(1))

        @eqx.filter_jit
        def step(array, x, d, key):
            return array.update(x, d, 0.01, length=config.length, key=key)

        found = clock.ratio((step, array, x, d, jr.key(2)), outer, 10 * config.rounds)
        yield Case(f"update of {config.width}x{config.width} {name}", found, 20.0)
