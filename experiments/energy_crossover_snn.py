"""Up to how many spikes a spiking network takes less than the same one of rates, published and here.

First, published break-evens come out of their own constants. Then, of one matrix, what a read of values takes and what
steps of spikes take, on digital machines and on an array: both are affine in the spikes, so that the break-even is a
closed form. Last, a real network: images go as values through two matrices and a ReLU, or as spikes through the same
matrices and integrators, on each machine, with the accuracy of both and the spikes that were counted. Writes
results/energy_crossover_snn: energy_crossover_snn.nc, energy_crossover_snn.csv.
"""

import dataclasses
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import memsim as ms
from _crossover_machines import (
    MACHINES,
    accuracies,
    affine,
    as_spikes,
    in_levels,
    in_spikes,
    machines,
    network,
    normed,
    spikes_a_synapse,
)
from _frame import finish, label, of_a_point, origin, print_table, swept
from _trained import adam
from memsim.energy._break_even import BREAK_EVEN, davidson, spyx

LABELS = {
    "seed": "1",
    "steps": ("1", "steps of an inference"),
    "published": ("1", "break-even of a study: spikes a synapse, or a step"),
    "reproduced": ("1", "the same from its constants"),
    "break_even": ("1", "spikes a synapse up to which the spiking network takes less, one a step at most"),
    "base": ("J", "a read of values near 0, of a synapse"),
    "graded": ("J", "what it takes more at full input"),
    "idle": ("J", "a step without spikes, of a synapse"),
    "spike": ("J", "a spike, of a synapse"),
    "spiking_joules": ("J", "energy of an image as spikes"),
    "rate_joules": ("J", "energy of an image as values"),
    "spiking_accuracy": ("1", "test accuracy of the spiking network"),
    "rate_accuracy": ("1", "test accuracy of the network of rates"),
    "spikes": ("1", "spikes a synapse and image, counted"),
}
QUICK = {"seeds": 1, "steps": (2, 8), "hidden": 16, "epochs": 1, "images": 64, "priced": 2, "size": 32}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take some ten minutes on two cores."""

    steps: tuple[int, ...] = (2, 4, 6, 8, 12, 16, 32)
    seeds: int = 3
    size: int = 256
    """Rows and columns of the matrix of the closed form."""
    hidden: int = 128
    epochs: int = 20
    learning_rate: float = 2e-3
    """Of Adam, with a cosine decay."""
    images: int = 500
    """Of the test set, at most."""
    priced: int = 16
    """Images whose energy is measured."""
    nanometres: int = 28
    """The technology node."""
    out: Path = Path("results/energy_crossover_snn")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self)
        ms.energy.Periphery(node=self.nanometres * 1e-9)


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    chosen = partial(measure, config=of_a_point(config, "seeds"))
    result = swept(chosen, {"seed": range(config.seeds)}, folder=config.out, key=jr.key(0))
    parts = result.attrs
    result = xr.merge([result, published(), of_a_matrix(config)]).assign_attrs(parts)
    label(result, LABELS)
    result = result.assign_attrs(origin(config, ms.data.fashion_mnist().test))
    names = ["spiking_accuracy", "rate_accuracy", "spiking_joules", "rate_joules", "spikes", "break_even"]
    table = result[names].mean("seed").to_dataframe().reset_index()
    finish("energy_crossover_snn", result, table, out=config.out, report=lambda: report(result))
    return result


def published() -> xr.Dataset:
    """Break-evens of studies, and what their own constants give; NaN where we have none."""
    low, high = BREAK_EVEN["dampfhoffer"].coefficients
    steps = range(5, 11)
    ours = [spyx(each) for each in steps]
    rows = {
        "Davidson2021, a synapse": (float(BREAK_EVEN["davidson"]), davidson()),
        "Dampfhoffer2022, least, a synapse": (low, np.nan),
        "Dampfhoffer2022, most, a synapse": (high, np.nan),
        "Yan2024, a step, of 5 to 10": (float(BREAK_EVEN["yan"]), float(np.mean(ours))),
        "Yan2024, a step, of 5, later": (float(BREAK_EVEN["yan_later"]), ours[0]),
    }
    theirs = BREAK_EVEN["spyx"].coefficients
    rows |= {f"Spyx, a step, of {n}": (a, b) for n, a, b in zip(steps, theirs, ours, strict=True)}
    values = np.asarray(list(rows.values()))
    return xr.Dataset({"published": ("study", values[:, 0]), "reproduced": ("study", values[:, 1])}, {"study": [*rows]})


def of_a_matrix(config: Config) -> xr.Dataset:
    """The energies of one matrix on each machine, by synapse, and the break-even that they give at each of `steps`."""
    layer = ms.nn.Linear(config.size, config.size, use_bias=False, key=jr.key(1))
    chosen = machines(config.nanometres * 1e-9).values()
    found = np.asarray([[affine(machine, layer, steps) for steps in config.steps] for machine in chosen])
    base, graded, idle, spike = np.moveaxis(found, -1, 0) / config.size**2
    steps = np.broadcast_to(config.steps, base.shape)
    rows = zip(*map(np.ravel, (base, graded, idle, spike, steps)), strict=True)
    even = [affordable(b, g, i, s, int(n)) for b, g, i, s, n in rows]
    each = {"base": base, "graded": graded, "idle": idle, "spike": spike, "break_even": np.reshape(even, base.shape)}
    dims = ("machine", "steps")
    return xr.Dataset(
        {name: (dims, values) for name, values in each.items()}, {"machine": [*MACHINES], "steps": [*config.steps]}
    )


def affordable(base: float, graded: float, idle: float, spike: float, steps: int) -> float:
    """Spikes a synapse up to which spikes pay, at most one a step: all of them where they always do."""
    less = spike - graded / steps  # a spike stands for an input of 1 / steps, which costs a read of values too
    if less <= 0:
        return float(steps) if base > steps * idle else 0.0
    return min(float(ms.energy.break_even(base, less, step=idle, steps=steps)), float(steps))


def measure(seed, *, key, config: Config) -> xr.Dataset:
    """One trained network on each machine, as values and as spikes."""
    model_key, fit_key, machine_key = jr.split(key, 3)
    data = flat(ms.data.fashion_mnist(), config)
    optimizer = adam(config.learning_rate, config.epochs * (len(data.train) // 64))
    model = ms.train.fit(
        network(config.hidden, key=model_key),
        data,
        key=fit_key,
        epochs=config.epochs,
        batch_size=64,
        optimizer=optimizer,
        checkpoint=ms.study.checkpoint(),
    )
    model = normed(model, jnp.asarray(data.train.inputs))
    xs, labels = jnp.asarray(data.test.inputs), data.test.labels
    chosen = machines(config.nanometres * 1e-9).values()
    rows = [[on(each, model, xs, labels, steps, config, key=machine_key) for steps in config.steps] for each in chosen]
    names = ("spiking_accuracy", "rate_accuracy", "spiking_joules", "rate_joules")
    table = dict(zip(names, np.moveaxis(np.asarray(rows), -1, 0), strict=True))
    counted = [spikes_a_synapse(model, as_spikes(xs, steps)) for steps in config.steps]
    found = {name: (("machine", "steps"), values) for name, values in table.items()}
    coordinates = {"machine": [*MACHINES], "steps": [*config.steps]}
    return xr.Dataset(found | {"spikes": ("steps", counted)}, coordinates)


def on(machine, model, xs, labels, steps: int, config: Config, *, key) -> tuple[float, ...]:
    """Accuracy and joules of an image on one machine, as spikes and as values."""
    accuracy_key, price_key = jr.split(key)
    right = accuracies(machine, model, xs, labels, steps, key=accuracy_key)
    some = xs[: config.priced]
    spiking = machine.joules_of_spikes(in_spikes(model), as_spikes(some, steps), key=price_key)
    values = machine.joules_of_values(in_levels(model, steps), some, steps, key=price_key)
    return (*right, float(jnp.mean(spiking)), float(jnp.mean(values)))


def flat(data: ms.data.Splits, config: Config) -> ms.data.Splits:
    """Images as 784 values from 0 to 1; of a quick run, and of the test set, not all."""

    def of(part: ms.data.Dataset, most: int) -> ms.data.Dataset:
        some = part.take(np.arange(min(most, len(part))))
        inputs = some.inputs.reshape(len(some), -1).astype(np.float32) / 255
        return dataclasses.replace(some, inputs=inputs)

    most = 256 if config.quick else len(data.train)
    return ms.data.Splits(of(data.train, most), of(data.validation, most), of(data.test, config.images))


def report(result: xr.Dataset) -> None:
    """Prints the published break-evens beside ours, and the network at each number of steps."""
    rows = [
        [str(name), f"{float(result.published.sel(study=name)):.4g}", f"{float(result.reproduced.sel(study=name)):.4g}"]
        for name in result.study.values
    ]
    print_table(["study", "published", "from its constants"], rows)
    mean, rows = result.mean("seed"), []
    for steps in result.steps.values:
        for name in result.machine.values:
            one = mean.sel(machine=name, steps=steps)
            numbers = [one.break_even, one.spikes, 1e9 * one.spiking_joules, 1e9 * one.rate_joules]
            right = [100 * one.spiking_accuracy, 100 * one.rate_accuracy]
            rows.append([str(steps), str(name), *(f"{float(each):.4g}" for each in [*numbers, *right])])
    columns = [
        "steps",
        "machine",
        "break-even",
        "spikes a synapse",
        "spiking (nJ)",
        "values (nJ)",
        "spiking (%)",
        "values (%)",
    ]
    print_table(columns, rows, title="Spikes a synapse up to which spikes pay, and of a real network")
