"""How well each published device learns in the array, with each way to make it learn.

A network of two layers learns the spoken digits recording by recording, its two matrices arrays of pulsed cells: by
plain descent, by mixed precision, with two arrays (Tiki-Taka, with and without a buffer), with choppers (AGAD) and by
writes of the size of their error (EaPU). All start from the same weights and see the same batches. One rule tunes each
algorithm for each device, and digital training: of the learning rates of a grid it takes the one with the best accuracy
on the validation set after the last epoch, of one network that is not among the seeds. Of a cell that goes one way
only, each weight takes two. Writes results/insitu: insitu.nc, insitu.csv.
"""

import dataclasses
import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import xarray as xr
from jaxtyping import Array, Float, Key

import device_models as dm
import memsim as ms

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
        for name in self.devices:
            if name not in dm.pulsed.PULSED:
                raise ValueError(f"`devices` must be names of pulsed devices, {tuple(dm.pulsed.PULSED)}. Got {name!r}.")
        for name in self.algorithms:
            if name not in ALGORITHMS:
                raise ValueError(f"`algorithms` must be among {tuple(ALGORITHMS)}. Got {name!r}.")
        if not self.rates or min(self.rates) <= 0:
            raise ValueError(f"`rates` must be positive, at least one. Got {self.rates}.")
        counts = (self.columns, self.seeds, self.hidden, self.epochs, self.batch_size)
        if min(counts) < 1 or not self.devices or not self.algorithms or self.recordings < self.batch_size:
            raise ValueError(
                "Counts must be at least 1, with a device, an algorithm and as many recordings as a batch has. "
                f"Got {self}."
            )
        ms.study.check_options(self)


Optimizer = optax.GradientTransformation
DIGITAL = ("digital_loss", "digital_accuracy", "digital_rate")
# The largest initial weights, 0.46 and 0.52, near one unit: the error of a write then counts half as much.
WITHOUT_TRANSFER = {
    "analog SGD": ms.insitu.analog_sgd,
    "mixed precision": ms.insitu.mixed_precision,
    "EaPU": functools.partial(ms.insitu.eapu, momentum=0.99, scale=0.5),
}
WITH_TRANSFER = {"Tiki-Taka": ms.insitu.tiki_taka, "Tiki-Taka v2": ms.insitu.tiki_taka_v2, "AGAD": ms.insitu.agad}
ALGORITHMS: dict[str, Callable[..., Optimizer]] = {**WITHOUT_TRANSFER, **WITH_TRANSFER}


class Part(NamedTuple):
    """What is computed, and saved, at a time: all seeds of one device with one algorithm; `None` is digital."""

    device: str | None
    algorithm: str | None


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    settings = dataclasses.asdict(config) | {"out": str(config.out)}
    folder = ms.study.parts_folder(config.out, settings)
    parts = {"digital": Part(None, None)}
    parts |= {f"{device}-{name}": Part(device, name) for device in config.devices for name in config.algorithms}
    result = ms.study.run_parts(parts, lambda part: compute(config, part), folder)
    result = labelled(result.sel(device=list(config.devices), algorithm=list(config.algorithms)), config, settings)
    ms.study.save_result(result, config.out / "insitu.nc")
    ms.study.save_table(table(result), config.out / "insitu.csv", index=False)
    report(result)
    print(f"Wrote {config.out / 'insitu.nc'} and insitu.csv. `memsim draw insitu` draws them")
    ms.study.remove_parts(folder)
    return result


def compute(config: Config, part: Part) -> xr.Dataset:
    """Trains all seeds of one part."""
    data = ms.data.spoken_digits(steps=config.steps)
    train = data.train.take(np.arange(0, len(data.train), -(-len(data.train) // config.recordings)))
    sets = [(jnp.asarray(d.inputs.reshape(len(d), 1, -1)), jnp.asarray(d.labels)) for d in (train, data.validation)]
    device = None if part.device is None else traceable(dm.pulsed.PULSED[part.device].make())
    rate = tuned(config, part.algorithm, device, *sets)
    sets[1] = jnp.asarray(data.test.inputs.reshape(len(data.test), 1, -1)), jnp.asarray(data.test.labels)
    keys = jax.vmap(lambda seed: jr.fold_in(jr.key(0), seed))(jnp.arange(config.seeds))
    rates = jnp.full(config.seeds, rate)
    loss, accuracy, written = (
        np.asarray(a) for a in train_all(config, part.algorithm, device, *sets, rates=rates, keys=keys)
    )
    index = {"seed": np.arange(config.seeds), "epoch": np.arange(1, config.epochs + 1)}
    if part.device is None:
        dims = ("seed", "epoch")
        variables = {"digital_loss": (dims, loss), "digital_accuracy": (dims, accuracy), "digital_rate": ((), rate)}
        return xr.Dataset(variables, index)
    dims = ("device", "algorithm", "seed", "epoch")
    variables = {"loss": (dims, loss[None, None]), "accuracy": (dims, accuracy[None, None])}
    variables |= {"rate": (dims[:2], [[rate]]), "written": (dims[:3], written[None, None])}
    return xr.Dataset(variables, index | {"device": [part.device], "algorithm": [part.algorithm]})


def tuned(
    config: Config,
    algorithm: str | None,
    device: dm.pulsed.AbstractPulsed | None,
    train: tuple[Array, Array],
    validation: tuple[Array, Array],
) -> float:
    """The learning rate of the best accuracy on the validation set, of one network that is not among the seeds."""
    if len(config.rates) == 1:
        return config.rates[0]
    keys = jnp.repeat(jr.key(1)[None], len(config.rates))
    rates = jnp.asarray(config.rates)
    accuracy = train_all(config, algorithm, device, train, validation, rates=rates, keys=keys)[1]
    return config.rates[int(jnp.argmax(accuracy[:, -1]))]


def traceable(device: dm.pulsed.AbstractPulsed) -> dm.pulsed.AbstractPulsed:
    """`device` with arrays for its numbers: devices of one kind share a compiled function. What is zero stays so."""
    return jax.tree.map(
        lambda number: number if number == 0 else jnp.asarray(number), dataclasses.replace(device, sources=())
    )


@eqx.filter_jit
def train_all(
    config: Config,
    algorithm: str | None,
    device: dm.pulsed.AbstractPulsed | None,
    train: tuple[Array, Array],
    test: tuple[Array, Array],
    *,
    rates: Float[Array, " seeds"],
    keys: Key[Array, " seeds"],
) -> tuple[Float[Array, "seeds epochs"], Float[Array, "seeds epochs"], Float[Array, " seeds"]]:
    return jax.vmap(lambda rate, key: train_one(config, algorithm, device, train, test, rate, key=key))(rates, keys)


def train_one(
    config: Config,
    algorithm: str | None,
    device: dm.pulsed.AbstractPulsed | None,
    train: tuple[Array, Array],
    test: tuple[Array, Array],
    rate: Float[Array, ""],
    *,
    key: Key[Array, ""],
) -> tuple[Float[Array, " epochs"], Float[Array, " epochs"], Float[Array, ""]]:
    """Mean training loss and accuracy on the test set, of one network in every epoch; and the share of its weights
    that is written in a step, where that is counted."""
    model_key, device_key, batch_key = jr.split(key, 3)
    params, static = eqx.partition(network(config, train[0].shape[-1], model_key), eqx.is_inexact_array)
    if algorithm is None:
        optimizer, differentiate = optax.sgd(rate), eqx.filter_value_and_grad
    else:
        transfer = ms.insitu.Transfer(config.transfer_rate, columns=config.columns)
        settings = {"transfer": transfer} if algorithm in WITH_TRANSFER else {}
        optimizer = ALGORITHMS[algorithm](device, rate, key=device_key, **settings)
        differentiate = ms.insitu.value_and_outer

    def loss(params: Any, xs: Array, labels: Array) -> Array:
        return jnp.mean(jax.vmap(ms.train.cross_entropy)(jax.vmap(eqx.combine(params, static))(xs), labels))

    def step(carry: Any, batch: Array) -> tuple[Any, Array]:
        params, state = carry
        value, gradients = differentiate(loss)(params, train[0][batch], train[1][batch])
        updates, state = optimizer.update(gradients, state, params)
        return (optax.apply_updates(params, updates), state), value

    def epoch(carry: Any, key: Array) -> tuple[Any, tuple[Array, Array]]:
        order = jr.permutation(key, train[0].shape[0])
        batches = order[: order.shape[0] // config.batch_size * config.batch_size].reshape(-1, config.batch_size)
        carry, losses = jax.lax.scan(step, carry, batches)
        return carry, (jnp.mean(losses), ms.train.accuracy(eqx.combine(carry[0], static), *test))

    start = (params, optimizer.init(params))
    (_, state), (losses, accuracies) = jax.lax.scan(epoch, start, jr.split(batch_key, config.epochs))
    return losses, accuracies, written_share(state) if algorithm == "EaPU" else jnp.asarray(jnp.nan)


def written_share(state: ms.insitu.InSituState) -> Float[Array, ""]:
    """Of all weights in a step."""
    cells = sum(array.array.shown.size for array in state.arrays.values())
    return sum(array.writes for array in state.arrays.values()) / (state.count * cells)


def network(config: Config, inputs: int, key: Key[Array, ""]) -> ms.nn.SpikingNetwork:
    first, second = jr.split(key)
    return ms.nn.SpikingNetwork(
        [
            ms.nn.Linear(inputs, config.hidden, key=first),
            eqx.nn.Lambda(jnp.tanh),
            ms.nn.Linear(config.hidden, 10, key=second),
        ]
    )


def labelled(result: xr.Dataset, config: Config, settings: dict[str, Any]) -> xr.Dataset:
    """With units and provenance."""
    for name in ("seed", "epoch", "loss", "accuracy", "rate", "written", *DIGITAL):
        result[name].attrs["units"] = "1"
    result["accuracy"].attrs["long_name"] = "test accuracy after each epoch"
    result["loss"].attrs["long_name"] = "training loss, mean over each epoch"
    result["rate"].attrs["long_name"] = "learning rate that the validation set chose"
    result["written"].attrs["long_name"] = "share of the weights that is written in a step, where counted"
    numbers = [f"{name}: {line}" for name in config.devices for line in dm.describe(dm.pulsed.PULSED[name].numbers)]
    data = ms.data.spoken_digits(steps=2).test
    attributes = ms.study.provenance() | {"device_numbers": "\n".join(numbers), "config": json.dumps(settings)}
    return result.assign_attrs(attributes | {"data": f"{data.citation} {data.licence}"})


def table(result: xr.Dataset):
    """One row a device and algorithm: accuracy after the last epoch with its 95 % interval over seeds."""
    import pandas as pd

    last = result.isel(epoch=-1)
    rows = []
    for device in result.device.values:
        for algorithm in result.algorithm.values:
            mean, low, high = ms.study.mean_interval(last.accuracy.sel(device=device, algorithm=algorithm).values)
            row = {"device": device, "algorithm": algorithm, "accuracy": mean, "low": low, "high": high}
            here = last.sel(device=device, algorithm=algorithm)
            rows.append(row | {"rate": float(here.rate), "written": float(here.written.mean())})
    return pd.DataFrame(rows)


def report(result: xr.Dataset) -> None:
    """Prints the accuracies after the last epoch, in percent."""
    from rich.console import Console
    from rich.table import Table

    last = result.isel(epoch=-1)
    title = f"Test accuracy in %, mean over seeds; digital {100 * float(last.digital_accuracy.mean()):.1f}"
    shown = Table("device", *map(str, result.algorithm.values), title=title)
    for device in result.device.values:
        accuracy = 100 * last.accuracy.sel(device=device).mean("seed").values
        shown.add_row(str(device), *(f"{value:.1f}" for value in accuracy))
    Console(width=120, soft_wrap=False).print(shown)
