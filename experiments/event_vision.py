"""What a camera of events saves, and on which machines: things that move fast, slowly and not at all.

Clothes move before a model of an event camera in three saccades, at several speeds and standing still; or N-MNIST's
digits and DVS gestures as recorded, where they have been fetched, beside a camera that sees nothing move. One network
is learnt at all speeds and put on every machine: at each speed its accuracy, its events, and what a recording takes, of
what happens and of what runs anyway. Writes results/event_vision: event_vision.nc, event_vision.csv.
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
from _placed import LABELS as OF_A_ROW
from _placed import Task, check_machines
from _scenes import Scenes, scenes
from _uses import TRAININGS, Learning, Use

MACHINES = ("systolic", "event-driven core", "PCM", "RRAM", "Loihi", "SpiNNaker 2")
LABELS = OF_A_ROW | {
    "accuracy": ("1", "test accuracy"),
    "camera": ("1/s", "events of the camera, all pixels"),
    "speed": ("1/s", "pixels a second; 1 of sets as recorded"),
    "seed": "1",
}
QUICK = {"machines": ("PCM", "Loihi"), "speeds": (0.0, 100.0), "seeds": 1, "chips": 2, "hidden": 12, "epochs": 1}
QUICK |= {"more_epochs": 1, "priced": 2, "recordings": 64}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take some ten minutes on two cores."""

    machines: tuple[str, ...] = MACHINES
    speeds: tuple[float, ...] = (0.0, 25.0, 50.0, 100.0)
    """Pixels a second; of what is recorded only 0 and 1 are there, nothing moving and as it is."""
    data: Literal["clothes", "nmnist", "dvs_gesture"] = "clothes"
    folder: Path | None = None
    """Of data sets, as of `memsim data get`."""
    noise_rate: float = 0.1
    """Random events of a pixel, in Hz."""
    seeds: int = 2
    chips: int = 4
    """Arrays made of each network."""
    recordings: int = 1600
    """To learn from, of all speeds but 0; a quarter as many are judged on, at each speed."""
    hidden: int = 63
    epochs: int = 10
    more_epochs: int = 3
    """For the machine, from the network of floats on."""
    batch_size: int = 64
    learning_rate: float = 4e-3
    """Of Adam, with a cosine decay."""
    time: float = 86400.0
    """Seconds after programming at which arrays are read."""
    priced: int = 16
    """Recordings whose energy is measured, at each speed."""
    nanometres: int = 28
    """The technology node of digital machines and of what is around arrays."""
    out: Path = Path("results/event_vision")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self)
        check_machines(self.machines)
        if not any(self.speeds):
            raise ValueError(f"`speeds` must have one at which something moves. Got {self.speeds}.")


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    measured = partial(measure, config=of_a_point(config, "seeds", "machines"))
    grid = {"seed": range(config.seeds), "training": list(TRAININGS), "machine": list(config.machines)}
    result = swept(measured, grid, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    result = result.assign_attrs(origin(config, scenes_of(config).splits.test))
    table = ms.study.summary(result.accuracy)
    finish("event_vision", result, table, out=config.out, report=lambda: report(result))
    return result


def measure(seed, training, machine, *, key, config: Config) -> xr.Dataset:
    """The network, trained in one way, on one machine at all speeds."""
    seen = scenes_of(config)
    task = Task(seen.dt, chips=config.chips, time=config.time, nanometres=config.nanometres)
    use = Use(seen.splits, task, Learning.of(config), hidden=config.hidden, priced=config.priced)
    learnt = use.trained(seed, training, machine, key=key)
    if learnt.refused:
        raise ValueError(f"{machine} must take the network. It says: {learnt.refused} Leave it out of `machines`.")
    rows = []
    for test in seen.tests.values():
        rate = float(np.mean(np.sum(test.inputs, axis=(1, 2)))) / (test.inputs.shape[1] * seen.dt)
        rows.append(use.placed(learnt, machine, test, key=key).assign(camera=rate))
    return xr.concat(rows, xr.IndexVariable("speed", list(seen.tests)))


def scenes_of(config: Config) -> Scenes:
    """What the camera saw, once for all points."""
    return scenes(config.data, config.folder, config.speeds, config.noise_rate, config.recordings)


def report(result: xr.Dataset) -> None:
    """Prints what each machine takes at each speed, trained for it."""
    mean = result.sel(training=TRAININGS[1]).mean(("seed", "chip"), skipna=False)
    for name in mean.machine.values:
        rows = []
        for speed in mean.speed.values:
            one = mean.sel(machine=name, speed=speed)
            static = one.joules.sel(component="static")
            numbers = [one.camera, 100 * one.accuracy, 1e9 * (one.joules.sum("component", skipna=False) - static)]
            rows.append([f"{speed:g}", *(f"{float(each):.4g}" for each in [*numbers, 1e9 * static])])
        columns = ["speed", "events a second", "accuracy (%)", "of events (nJ)", "static (nJ)"]
        print_table(columns, rows, title=str(name))
