"""Two senses of which one fails: spoken digits beside written ones, in one spiking network on each machine.

Each pair of a sound and an image of the same digit comes as spikes. A network learns from whole pairs, or from pairs of
which half lack a sense; beside them networks that never had the other. At the test a sense dies, fades or fills with
noise, while arrays are young or old. It asks whether ageing adds to the failing of a sense or multiplies it, which
training holds both, and what a second sense takes. Writes results/fusion: fusion.nc, fusion.csv.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import jax.random as jr
import numpy as np
import xarray as xr

import memsim as ms
from _frame import finish, label, of_a_point, origin, print_table, swept
from _placed import ARRAYS, Task, at_ages, check_machines
from _placed import LABELS as OF_A_ROW
from _senses import FAILING, RIGHT, SENSES, as_learnt, pairs, together
from _uses import TRAININGS, Learning, Use

MACHINES = ("systolic", "PCM", "RRAM", "Loihi", "SpiNNaker 2")
DIGITAL = "systolic"
DAY, YEAR, DIGIT = 86400.0, 365.25 * 86400.0, 0.5  # seconds; of a digit it is assumed
LABELS = OF_A_ROW | {
    "accuracy": ("1", "test accuracy"),
    "time": ("s", "since the arrays were written"),
    "seed": "1",
}
QUICK = {"machines": ("systolic", "PCM", "Loihi"), "seeds": 1, "chips": 2, "hidden": 12, "steps": 10, "epochs": 1}
QUICK |= {"more_epochs": 1, "priced": 2, "recordings": 20, "times": (25.0, YEAR)}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults are larger than those of other use cases, and were not timed."""

    machines: tuple[str, ...] = MACHINES
    trainings: tuple[Literal["as floats", "for the machine"], ...] = TRAININGS
    seeds: int = 2
    chips: int = 4
    """Arrays made of each network."""
    times: tuple[float, ...] = (25.0, DAY, YEAR)
    """Seconds after programming at which arrays are read."""
    time: float = DAY
    """At which those are that training for the machine samples."""
    steps: int = 40
    """Of a digit."""
    hidden: int = 63
    epochs: int = 20
    more_epochs: int = 4
    """For the machine, from the network of floats on."""
    batch_size: int = 64
    learning_rate: float = 4e-3
    """Of Adam, with a cosine decay."""
    recordings: int = 400
    """Of the test set, at most."""
    priced: int = 8
    """Recordings whose energy is measured."""
    nanometres: int = 28
    """The technology node of digital machines and of what is around arrays."""
    out: Path = Path("results/fusion")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self, batch_size=200 if self.quick else 1800)
        check_machines(self.machines)


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    measured = partial(measure, config=of_a_point(config, "seeds", "machines", "trainings"))
    grid = {"seed": range(config.seeds), "training": list(config.trainings), "senses": list(SENSES)}
    grid |= {"machine": list(config.machines)}
    result = swept(measured, grid, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    result = result.assign_attrs(origin(config, learnt_from(config).test))
    table = ms.study.summary(result.accuracy)
    finish("fusion", result, table, out=config.out, report=lambda: report(result))
    return result


def measure(seed, training, senses, machine, *, key, config: Config) -> xr.Dataset:
    """A network on one machine, at each age and for each way to fail; its price where nothing fails."""
    data = learnt_from(config)
    splits = ms.data.Splits(
        *(as_learnt(part, senses) for part in (data.train, data.validation)), together(data.test, senses)
    )
    task = Task(DIGIT / config.steps, time=config.time, nanometres=config.nanometres)
    use = Use(splits, task, Learning.of(config), hidden=config.hidden, priced=config.priced, name=senses)
    learnt = use.trained(seed, training, machine, key=key)
    if learnt.refused:
        raise ValueError(f"{machine} must take the network. It says: {learnt.refused} Leave it out of `machines`.")
    well = splits.test.take(np.arange(len(data.test)))
    row = use.placed(learnt, machine, well, key=key).drop_vars("accuracy").squeeze(drop=True)
    task = task._replace(metrics=RIGHT, chips=config.chips)
    found = at_ages(machine, learnt.model, splits, task, config.times, key=jr.fold_in(key, 3))
    accuracy = xr.concat([found[name] for name in task.names], xr.IndexVariable("failing", list(FAILING)))
    return row.assign(accuracy=accuracy.assign_coords(time=list(config.times)))


def learnt_from(config: Config) -> ms.data.Splits:
    """Pairs as spikes."""
    return pairs(config.steps, config.recordings, config.quick)


def foretold(accuracy: xr.DataArray) -> xr.Dataset:
    """Accuracy with a failing sense on a machine, if both losses add and if what is left multiplies.

    `accuracy` over `machine`, with a digital one, and `failing`.
    """
    well, digital = accuracy.sel(failing=FAILING[0]), accuracy.sel(machine=DIGITAL)
    unharmed = digital.sel(failing=FAILING[0])
    return xr.Dataset({"added": well + digital - unharmed, "multiplied": well * digital / unharmed}, attrs={})


def report(result: xr.Dataset) -> None:
    """Prints accuracy for each way to fail, what was foretold of it, and what each network takes."""
    mean = result.mean(("seed", "chip"), skipna=False)
    for training in mean.training.values:
        for senses in SENSES:
            of_it = mean.accuracy.sel(training=training, senses=senses)
            rows = []
            for machine in mean.machine.values:
                ages = mean.time.values if machine in ARRAYS else mean.time.values[:1]
                rows += [[str(machine), f"{age:.3g}", *percents(of_it.sel(machine=machine, time=age))] for age in ages]
            print_table(["machine", "age (s)", *FAILING], rows, title=f"Accuracy (%), {senses}, trained {training}")
    if DIGITAL in mean.machine.values:
        print_table(
            ["machine", "learnt", "", *FAILING], beside_foretold(mean), title="At the last age, and as foretold"
        )
    print_table(["machine", "learnt", "accuracy (%), by age", "of events (uJ)", "latency (us)"], taken(mean))


def beside_foretold(mean: xr.Dataset) -> list[list[str]]:
    """Of arrays and networks of both senses: what is found, and what was foretold."""
    old = mean.accuracy.isel(training=-1, time=-1)
    rows = []
    for machine in (name for name in mean.machine.values if name in ARRAYS):
        for senses in SENSES[:2]:
            found = old.sel(senses=senses)
            ways = {"found": found, **foretold(found)}
            rows += [
                [str(machine), senses, str(way), *percents(each.sel(machine=machine))] for way, each in ways.items()
            ]
    return rows


def percents(accuracy: xr.DataArray) -> list[str]:
    return [f"{100 * float(each):.3g}" for each in accuracy]


def taken(mean: xr.Dataset) -> list[list[str]]:
    """What each network takes while nothing fails."""
    rows = []
    for machine in mean.machine.values:
        for senses in mean.senses.values:
            one = mean.sel(machine=machine, senses=senses).isel(training=-1)
            whole = one.joules.sum("component", skipna=False)
            accuracy = " ".join(percents(one.accuracy.sel(failing=FAILING[0])))
            joules = f"{1e6 * float(whole - one.joules.sel(component='static')):.4g}"
            rows.append([str(machine), str(senses), accuracy, joules, f"{1e6 * float(one.latency):.4g}"])
    return rows
