"""How well each published device learns in the array, with each way to make it learn.

A network of two layers learns the spoken digits recording by recording, its two matrices arrays of pulsed cells: by
plain descent, by mixed precision, with two arrays (Tiki-Taka, with and without a buffer), with choppers (AGAD) and by
writes of the size of their error (EaPU). All start from the same weights and see the same batches. One rule tunes each
algorithm for each device, and digital training: of the learning rates of a grid it takes the one with the best accuracy
on the validation set after the last epoch, of one network that is not among the seeds. Of a cell that goes one way
only, each weight takes two. Writes results/insitu: insitu.nc, insitu.csv.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pandas as pd
import xarray as xr
from jax.tree_util import Partial

import device_models as dm
import memsim as ms
from _frame import finish, label, of_a_point, origin, print_table
from _online import Plan, learnt, sgd
from _workload import at_once

TUNED = jr.key(1)  # the network that learning rates are chosen with
LABELS = {
    **{name: "1" for name in ("seed", "epoch", "digital_loss", "digital_accuracy", "digital_rate")},
    "accuracy": ("1", "test accuracy after each epoch"),
    "loss": ("1", "training loss, mean over each epoch"),
    "rate": ("1", "learning rate that the validation set chose"),
    "written": ("1", "share of the weights that is written in a step, where counted"),
}
# EaPU: the largest initial weights, 0.46 and 0.52, near one unit: the error of a write then counts half as much.
EAPU = partial(ms.insitu.eapu, momentum=0.99, scale=0.5)
WITHOUT_TRANSFER = {"analog SGD": ms.insitu.analog_sgd, "mixed precision": ms.insitu.mixed_precision, "EaPU": EAPU}
WITH_TRANSFER = {"Tiki-Taka": ms.insitu.tiki_taka, "Tiki-Taka v2": ms.insitu.tiki_taka_v2, "AGAD": ms.insitu.agad}
ALGORITHMS: dict[str, Callable[..., optax.GradientTransformation]] = {**WITHOUT_TRANSFER, **WITH_TRANSFER}
QUICK = {"devices": ("ecram_tang2018",), "algorithms": ("mixed precision", "AGAD"), "seeds": 2, "steps": 2}
QUICK |= {"hidden": 4, "epochs": 2, "recordings": 40, "rates": (0.1,)}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. Without tuning and EaPU it took 45 minutes on two busy cores; tuning doubles that."""

    devices: tuple[str, ...] = tuple(dm.pulsed.PULSED)
    """Names of `device_models.pulsed.PULSED`."""
    algorithms: tuple[str, ...] = ("analog SGD", "mixed precision", "Tiki-Taka", "Tiki-Taka v2", "AGAD", "EaPU")
    rates: tuple[float, ...] = (0.03, 0.1, 0.3)
    """Learning rates among which every algorithm is tuned, the digital one too; one is taken as it is."""
    transfer_rate: float = 0.1
    """Of what is read from a fast array in a transfer, the share that goes to the slow one."""
    columns: int = 8
    """Columns read after each batch, in turn."""
    seeds: int = 3
    """Networks, with their own devices, initial weights and batches."""
    steps: int = 4
    """Frames each recording is resampled to; the network sees all of them at once."""
    hidden: int = 32
    epochs: int = 8
    batch_size: int = 10
    recordings: int = 1800
    """Of the training set, at most 1800."""
    out: Path = Path("results/insitu")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        for option, known in (("devices", dm.pulsed.PULSED), ("algorithms", ALGORITHMS)):
            if unknown := set(getattr(self, option)) - set(known):
                raise ValueError(f"`{option}` must be among {', '.join(known)}. Got {', '.join(sorted(unknown))}.")
        ms.study.check_options(self)
        ms.study.check_options(self, batch_size=self.recordings)


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    grid = {"device": config.devices, "algorithm": config.algorithms}
    chosen = partial(measure, config=of_a_point(config, "devices", "algorithms"))
    result = ms.study.sweep(chosen, grid, folder=config.out, key=jr.key(0))
    digital = of_seeds(config, sgd, key=jr.key(0)).drop_vars("written")
    result = result.assign(digital.rename({name: f"digital_{name}" for name in digital.data_vars}))
    label(result, LABELS)
    numbers = [f"{name}: {line}" for name in config.devices for line in dm.describe(dm.pulsed.PULSED[name].numbers)]
    told = {"device_numbers": "\n".join(numbers)}
    result = result.assign_attrs(origin(config, ms.data.spoken_digits(steps=2).test) | told)
    finish("insitu", result, table(result), out=config.out, report=lambda: report(result))
    return result


def measure(device, algorithm, *, key, config: Config) -> xr.Dataset:
    """Trains the networks of all seeds on one device with one algorithm."""
    pulsed = traceable(dm.pulsed.PULSED[device].make())
    return of_seeds(config, Partial(optimizer, config, algorithm, pulsed), key=key)


def optimizer(config: Config, algorithm: str, device, rate, *, key) -> optax.GradientTransformation:
    transfer = ms.insitu.Transfer(config.transfer_rate, columns=config.columns)
    settings = {"transfer": transfer} if algorithm in WITH_TRANSFER else {}
    return ALGORITHMS[algorithm](device, rate, key=key, **settings)


def traceable(device: dm.pulsed.AbstractPulsed) -> dm.pulsed.AbstractPulsed:
    """`device` with arrays for its numbers: devices of one kind share a compiled function. What is zero stays so."""
    return jax.tree.map(
        lambda number: number if number == 0 else jnp.asarray(number), dataclasses.replace(device, sources=())
    )


def of_seeds(config: Config, optimizer: Callable[..., optax.GradientTransformation], *, key) -> xr.Dataset:
    """Tunes the learning rate, then trains the networks of all seeds."""
    data = at_once(ms.data.spoken_digits(steps=config.steps))
    some = data.train.take(np.arange(0, len(data.train), -(-len(data.train) // config.recordings)))
    parts = some, data.validation, data.test
    train, validation, test = ((jnp.asarray(part.inputs), jnp.asarray(part.labels)) for part in parts)
    plan = Plan(config.hidden, config.epochs, config.batch_size)
    rate = config.rates[0]
    if len(config.rates) > 1:
        rates, keys = jnp.asarray(config.rates), jnp.repeat(TUNED[None], len(config.rates))
        found = learnt(optimizer, plan, train, validation, rates=rates, keys=keys)
        rate = config.rates[int(jnp.argmax(found.accuracy[:, -1]))]
    keys = jax.vmap(lambda seed: jr.fold_in(key, seed))(jnp.arange(config.seeds))
    found = learnt(optimizer, plan, train, test, rates=jnp.full(config.seeds, rate), keys=keys)
    loss, accuracy = (("seed", "epoch"), np.asarray(found.loss)), (("seed", "epoch"), np.asarray(found.accuracy))
    variables = {"loss": loss, "accuracy": accuracy, "written": ("seed", np.asarray(found.written)), "rate": rate}
    return xr.Dataset(variables, {"seed": np.arange(config.seeds), "epoch": np.arange(1, config.epochs + 1)})


def table(result: xr.Dataset) -> pd.DataFrame:
    """One row a device and algorithm: accuracy after the last epoch with its 95 % interval over seeds."""
    last = result.isel(epoch=-1)
    found = ms.study.summary(last.accuracy).rename(columns={"mean": "accuracy"}).drop(columns=["p5", "p95"])
    return found.assign(rate=last.rate.values.ravel(), written=last.written.mean("seed").values.ravel())


def report(result: xr.Dataset) -> None:
    """Prints the accuracies after the last epoch, in percent."""
    last = 100 * result.isel(epoch=-1)
    mean = last.accuracy.mean("seed").transpose("device", "algorithm").values
    rows = [[str(name), *(f"{a:.1f}" for a in each)] for name, each in zip(result.device.values, mean, strict=True)]
    title = f"Test accuracy in %, mean over seeds; digital {float(last.digital_accuracy.mean()):.1f}"
    print_table(["device", *map(str, result.algorithm.values)], rows, title=title)
