"""What digital adapters of few numbers bring back on old, frozen chips, of three networks on two kinds of cells.

Recurrent networks on spoken digits and LeNet-5 on Fashion-MNIST are written with four times the write noise, to PCM
that is read a year later and to relaxing oxide cells, which walk as was measured, at the end of their measured span.
Each chip is then mended from its own reads: by adapters in closed form, without labels, and by adapters that learn with
the chip in the forward pass; with at most two in a hundred of the numbers of the network. Numbers of adapters grow as
the width of a network and its weights as the square: of 128 neurons two layers can have them, of 256 all. Shares are of
the lost accuracy and of the lost loss, which differs less from chip to chip. Writes results/adapters: adapters.nc,
adapters.csv.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pandas as pd
import xarray as xr

import device_models as dm
import memsim as ms
from _frame import digits, finish, label, of_a_point, origin, places, print_table, swept
from _images import network
from _trained import adam, trained

YEAR = 365.25 * 86400.0
CHIPS = jr.key(1)  # the same for every network
DIGITS, LENET = "digits-", "LeNet-5"  # digits- is followed by the number of recurrent neurons
NETWORKS, CELLS = ("digits-128", "digits-256", LENET), ("pcm_joshi2020", "rram_relaxing")
WAYS, TARGETS = ("closed form", "learnt"), ("labels", "outputs", "mixtures")
FIRST, LAST = ".layers[0]", ".layers[2]"  # of the recurrent network
LABELS = {
    "mended_at": ("s", "time since programming"),
    "accuracy": ("1", "test accuracy"),
    "before_accuracy": ("1", "test accuracy without mending"),
    "parameters": ("1", "numbers in digital"),
    "parameter_share": ("1", "of the numbers of the model"),
    "regained": ("1", "share of the lost accuracy, of one seed"),
    "loss_regained": ("1", "share of the lost loss, of one seed"),
}
LABELS |= dict.fromkeys(("seed", "chip", "digital_accuracy"), "1")
QUICK = {
    "networks": ("digits-8",),
    "cells": CELLS[1:],
    "seeds": 1,
    "chips": 2,
    "updates": 3,
    "batch": 8,
    "most": 1.0,
    "epochs": 1,
}
QUICK |= {"recordings": 40, "training_images": 128}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study."""

    networks: tuple[str, ...] = NETWORKS
    """LeNet-5, or digits- and how many recurrent neurons."""
    cells: tuple[str, ...] = CELLS
    ways: tuple[str, ...] = WAYS
    write_noise: float = 4.0
    """Multiple of that of the cells."""
    drift: float = 2.0
    """Multiple of what time adds to the oxide cells: at 1 so little is lost that its share is not to be told."""
    chips: int = 8
    """For each training seed."""
    seeds: int = 3
    """Training seeds."""
    rank: int = 1
    most: float = 0.02
    """Share of the numbers of the network that adapters may have. They are beside all layers where that is not more,
    else beside the first and the last: beside the recurrent one they bring back least for their numbers."""
    updates: int = 200
    batch: int = 64
    """Of an update."""
    targets: str = "mixtures"
    """What is learnt of digits: the labels, or the outputs of the digital model for recordings or means of two."""
    rate: float = 1e-2
    """Of Adam, with a cosine decay."""
    adc_bits: int = 8
    epochs: int = 20
    """Of each training."""
    steps: int = 25
    gaussian_std: float = 0.06
    """Of the weights of the recurrent network in training."""
    recordings: int = 600
    """Of each test set, at most 600."""
    training_images: int = 4000
    out: Path = Path("results/adapters")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self, training_images=4000, recordings=600)
        ms.ADC(self.adc_bits)  # refused before any work
        if self.most > 1:
            raise ValueError(f"`most` must be a share, at most 1: 0.02 is 2 %. Got {self.most}.")
        for name, known in (("cells", CELLS), ("ways", WAYS), ("targets", TARGETS)):
            if unknown := set(np.atleast_1d(getattr(self, name))) - set(known):
                raise ValueError(f"`{name}` must be among {known}. Got {sorted(unknown)}.")
        for name in self.networks:
            if name != LENET and not neurons(name):
                raise ValueError(f"`networks` must be among {LENET}, digits-128, digits-256 or such. Got {name!r}.")


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    grid = {"network": config.networks, "cell": config.cells, "seed": range(config.seeds)}
    chosen = partial(measure, config=of_a_point(config, "networks", "cells", "seeds"))
    result = swept(chosen, grid, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    result = result.assign_attrs(
        origin(config) | {f"assumes ({c})": "; ".join(cells(config, c).assumes) for c in CELLS}
    )
    finish("adapters", result, summary(result), out=config.out, report=lambda: report(result))
    return result


def measure(network, cell, seed, *, key, config: Config) -> xr.Dataset:
    """One network on chips of one kind of cells, mended in each way; one training serves all cells."""
    data, model = taught(config, network, seed, key=key)
    device = cells(config, cell)
    dac = ms.DAC(config.adc_bits) if network == LENET else None  # spikes need none
    design = ms.Crossbar(device, dac=dac, adc=ms.ADC(config.adc_bits))
    crossbar = ms.calibrate(model, jnp.asarray(data.train.inputs[:200]), design)
    named = {way: remedy(config, network, model, way) for way in config.ways}
    time = YEAR if cell == CELLS[0] else device.span.time[1]
    found = ms.heal.compare(model, data, crossbar, named, chips=config.chips, key=CHIPS, time=time)
    return found.isel(time=0, drop=True).drop_attrs(deep=False).assign(mended_at=time)


def neurons(network: str) -> int:
    """How many are recurrent, of the network of digits of that name; 0 for another."""
    number = network.removeprefix(DIGITS)
    return int(number) if number != network and number.isdecimal() else 0


def taught(config: Config, name: str, seed: int, *, key):
    """Recordings, and a network that has learnt them."""
    once = f"{name} {seed}"
    if name != LENET:
        data = digits(config.steps, recordings=config.recordings, quick=config.quick)
        how = {"hardware": ms.train.GaussianNoise(config.gaussian_std), "epochs": config.epochs, "clip": 1.5}
        return data, trained(neurons(name), data, key=key, once=once, **how)
    data = ms.data.fashion_mnist()
    train, test = (np.arange(number) for number in (config.training_images, config.recordings))
    data = ms.data.Splits(data.train.take(train), data.validation, data.test.take(test))
    return data, pictured(config, data, once=once, key=key)


def pictured(config: Config, data: ms.data.Splits, *, once: str, key):
    """LeNet-5 that has learnt images; the first point of the sweep that needs it trains it."""
    model_key, fit_key = jr.split(key)
    kept = ms.study.checkpoint()
    kept = None if kept is None else kept.with_name(f"{'-'.join(once.split())}.checkpoint")
    how = {"hardware": ms.train.GaussianNoise(0.038), "epochs": config.epochs, "checkpoint": kept}
    optimizer = adam(2e-3, config.epochs * (len(data.train) // 64))
    return ms.train.fit(network(LENET, 8, key=model_key), data, key=fit_key, optimizer=optimizer, **how)


def remedy(config: Config, network: str, model, way: str) -> ms.heal.Adapters:
    """Within the numbers that are allowed, of which `model` has as many as weights, biases and time constants."""
    weights = {path: layer.weight for path, layer in ms.nn.analog_layers(model).items()}
    each = {path: config.rank * (len(w) + w.size // len(w)) for path, w in weights.items()}  # outputs and inputs
    whole = sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array)))
    layers = tuple(each)
    if network != LENET and sum(each.values()) > config.most * whole:
        layers = (FIRST, LAST)
    share = sum(each[path] for path in layers) / whole
    if share > config.most:
        raise ValueError(f"`most` must be at least {share:.3g} for adapters of {network}. Got {config.most}.")
    targets = "labels" if network == LENET else config.targets  # no means of two images of whole numbers
    how = {"updates": 0 if way == "closed form" else config.updates, "batch": config.batch, "rate": config.rate}
    return ms.heal.Adapters(config.rank, layers=layers, start="reads", targets=targets, **how)


def cells(config: Config, cell: str) -> dm.AbstractDevice:
    """With more write noise."""
    if cell == CELLS[0]:
        return dm.pcm_joshi2020(write_noise_scale=config.write_noise)
    return dm.rram_relaxing(write_noise_scale=config.write_noise, drift_scale=config.drift)


def summary(result: xr.Dataset) -> pd.DataFrame:
    """One row for each network, cell and way, over all seeds, chips and recordings."""
    rows = []
    for place in places(result, "network", "cell", "remedy"):
        one = result.sel(place)
        names = ("digital_accuracy", "before_accuracy", "accuracy", "reads", "joules", "parameter_share")
        row = place | {name: float(one[name].mean()) for name in names}
        for by in ("accuracy", "loss"):
            row |= dict(zip((f"{by}_regained", f"{by}_low", f"{by}_high"), ms.heal.regained(one, by), strict=True))
            row[f"{by}_lost"] = ms.heal.lost(one, by).mean
        rows.append(row)
    return pd.DataFrame(rows)


def report(result: xr.Dataset) -> None:
    """What comes back."""
    rows = []
    for _, row in summary(result).iterrows():
        accuracies = [f"{100 * row[f'{name}accuracy']:.2f}" for name in ("digital_", "before_", "")]
        shares = [told(row, by) for by in ("accuracy", "loss")]
        cost = [f"{100 * row.parameter_share:.2f}", f"{row.reads:.3g}"]
        rows.append([row.network, row.cell, row.remedy, *cost, *accuracies, *shares])
    names = ["network", "cells", "adapters", "numbers (%)", "reads", "digital", "chips", "mended"]
    title = f"Share of what is lost that comes back, in %, {result.sizes['seed']} seeds of {result.sizes['chip']} chips"
    print_table([*names, "of accuracy", "of loss"], rows, title=title, width=170)


def told(row: pd.Series, by: str) -> str:
    """The share that comes back, in percent, or why there is none."""
    if not row[f"{by}_lost"] > 0:
        return "nothing lost" if row[f"{by}_lost"] == 0 else "better than digital"
    return ms.study.Interval(*(row[f"{by}_{name}"] for name in ("regained", "low", "high"))).in_percent(".0f")
