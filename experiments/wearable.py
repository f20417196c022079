"""Shoulder exercises before a smartwatch, people held out: what a spiking network is worth and takes on each machine.

Accelerations are rates of spikes, and changes of all six channels ON and OFF events: 15 inputs, as many as the chip for
inertial sensors has. The network is learnt as floats and for the machine, and judged on three people that it was not
learnt from. Needs `pip install --no-deps seglearn==1.2.5`. Writes results/wearable: wearable.nc, wearable.csv.
"""

from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import memsim as ms
from _frame import finish, label, of_a_point, origin, swept
from _placed import LABELS as OF_A_ROW
from _placed import Task, check_machines
from _spikes import at_rates_and_changes
from _uses import TRAININGS, Learning, Use, report, table_of

MACHINES = ("systolic", "PCM", "RRAM", "Loihi", "Xylo IMU")
DT = 2 / 50.0  # seconds of a step: two samples of the watch
OFFSET, GAIN = 0.4, 0.2  # spikes a step of a rate, at the mean and for each standard deviation
THRESHOLD = 0.25  # standard deviations
ACCELERATIONS = 3
LABELS = OF_A_ROW | {
    "accuracy": ("1", "test accuracy, of people not learnt from"),
    "f1": ("1", "mean over exercises"),
    "seed": "1",
}
QUICK = {"machines": ("PCM", "Xylo IMU"), "seeds": 1, "chips": 2, "hidden": 12, "epochs": 1, "more_epochs": 1}
QUICK |= {"priced": 2, "windows": 70}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take some ten minutes on two cores."""

    machines: tuple[str, ...] = MACHINES
    seeds: int = 2
    chips: int = 5
    """Arrays made of each network."""
    windows: int = 2000
    """Of each set, at most."""
    folder: Path | None = None
    """With watch_dataset.npy; by default that of an installed seglearn 1.2.5 is read."""
    hidden: int = 128
    epochs: int = 15
    more_epochs: int = 5
    """For the machine, from the network of floats on."""
    batch_size: int = 64
    learning_rate: float = 4e-3
    """Of Adam, with a cosine decay."""
    time: float = 86400.0
    """Seconds after programming at which arrays are read."""
    priced: int = 32
    """Windows whose energy is measured."""
    nanometres: int = 28
    """The technology node of digital machines and of what is around arrays."""
    out: Path = Path("results/wearable")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self)
        check_machines(self.machines)


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    data = windows(config.folder, config.windows)  # says what to do where the set is not there, before any work
    measured = partial(measure, config=of_a_point(config, "seeds", "machines"))
    grid = {"seed": range(config.seeds), "training": list(TRAININGS), "machine": list(config.machines)}
    result = swept(measured, grid, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    result = result.assign_attrs(origin(config, data.test))
    table = table_of(result)
    finish("wearable", result, table, out=config.out, report=lambda: report(table))
    return result


def measure(seed, training, machine, *, key, config: Config) -> xr.Dataset:
    """The network, trained in one way, on one machine."""
    task = Task(DT, ("accuracy", "f1"), chips=config.chips, time=config.time, nanometres=config.nanometres)
    data = windows(config.folder, config.windows)
    use = Use(data, task, Learning.of(config), hidden=config.hidden, priced=config.priced)
    return use.row(seed, training, machine, key=key)


@cache
def windows(folder: Path | None, most: int) -> ms.data.Splits:
    """Spikes of windows of four seconds, at most so many at random, once for all points."""
    found = ms.data.spar(folder=folder)
    return ms.data.Splits(*(some(part, most) for part in (found.train, found.validation, found.test)))


def some(data: ms.data.Dataset, most: int) -> ms.data.Dataset:
    chosen = data.take(np.random.default_rng(0).permutation(len(data))[:most])
    return replace(chosen, inputs=np.asarray(as_spikes(jnp.asarray(chosen.inputs))))


@jax.jit
@jax.vmap
def as_spikes(x):
    """Rates of the accelerations, whose mean is which way is down, and events of all channels."""
    return at_rates_and_changes(jnp.clip(OFFSET + GAIN * x[:, :ACCELERATIONS], 0.0, 1.0), x, THRESHOLD)
