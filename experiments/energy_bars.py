"""What one spoken-digit network takes on arrays, in digital arithmetic and on Loihi: energy, latency, area, accuracy.

A recurrent network of current-based neurons hears spoken digits as spikes. It is put on arrays of phase-change, oxide
and charge-trap cells as published designs read them, right after programming; its matrices are multiplied by a systolic
array and by a processor; and its events are counted on Loihi. Periphery and digital machines are of one node. Writes
results/energy_bars: energy_bars.nc, energy_bars.csv.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax.numpy as jnp
import jax.random as jr
import xarray as xr

import memsim as ms
from _frame import digits, finish, label, of_a_point, origin, print_table, swept
from _placed import LABELS as OF_A_ROW
from _placed import Task, check_machines, on_machine
from _spikes import as_spikes, spiking_network
from _trained import fitted

MACHINES = ("PCM", "RRAM", "SONOS", "systolic", "processor", "Loihi")
LABELS = OF_A_ROW | {"seed": "1", "accuracy": ("1", "test accuracy")}
QUICK = {"machines": ("PCM", "systolic", "Loihi"), "seeds": 1, "hidden": 16, "steps": 10, "epochs": 1, "priced": 4}
DT = 1e-3  # seconds of a step on Loihi, whose static power is counted for as long


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take some ten minutes on two cores."""

    machines: tuple[str, ...] = MACHINES
    seeds: int = 3
    hidden: int = 63
    steps: int = 80
    """Steps of a recording."""
    offset: float = 0.3
    """Spikes a step for a coefficient of zero."""
    gain: float = 0.2
    """More spikes a step for each standard deviation of a coefficient."""
    epochs: int = 40
    batch_size: int = 64
    learning_rate: float = 4e-3
    """Of Adam, with a cosine decay."""
    recordings: int = 600
    """Of the test set, at most."""
    priced: int = 64
    """Recordings whose energy is measured."""
    nanometres: int = 28
    """The technology node."""
    out: Path = Path("results/energy_bars")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self, batch_size=200 if self.quick else 1800)
        ms.energy.Periphery(node=self.nanometres * 1e-9)
        check_machines(self.machines, MACHINES)


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    chosen = partial(measure, config=of_a_point(config, "seeds", "machines"))
    grid = {"seed": range(config.seeds), "machine": list(config.machines)}
    result = swept(chosen, grid, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    result = result.assign_attrs(origin(config, digits(config.steps).test))
    table = ms.study.summary(result.accuracy)
    finish("energy_bars", result, table, out=config.out, report=lambda: report(result))
    return result


def measure(seed, machine, *, key, config: Config) -> xr.Dataset:
    """The network on one machine."""
    data = as_spikes(digits(config.steps, recordings=config.recordings, quick=config.quick), config.offset, config.gain)
    model_key, fit_key, chip_key = jr.split(key, 3)
    model = trained(
        spiking_network(data.train.inputs.shape[-1], config.hidden, 10, key=model_key), data, config, seed, fit_key
    )
    task = Task(DT, nanometres=config.nanometres, calibrated=False)
    xs = jnp.asarray(data.test.inputs[: config.priced])
    return on_machine(machine, model, data, xs, task, key=chip_key).isel(chip=0)


def trained(model, data, config: Config, seed: int, key):
    """The trained network, once for all machines."""
    how = {"epochs": config.epochs, "batch_size": config.batch_size, "learning_rate": config.learning_rate}
    return fitted(model, data, key=key, once=f"network-{seed}", **how)


def report(result: xr.Dataset) -> None:
    """Prints a row for each machine."""
    mean = result.mean("seed")
    rows = []
    for name in result.machine.values:
        one = mean.sel(machine=name)
        largest = one.joules.to_series().sort_values(ascending=False)
        dominated = ", ".join(f"{part} {value / largest.sum():.0%}" for part, value in largest.head(3).items() if value)
        numbers = [100 * one.accuracy, 1e9 * one.joules.sum(), 1e6 * one.latency, 1e6 * one.square_metres]
        rows.append([str(name), *(f"{float(number):.4g}" for number in numbers), dominated])
    print_table(["machine", "accuracy (%)", "energy (nJ)", "latency (us)", "area (mm^2)", "dominated by"], rows)
