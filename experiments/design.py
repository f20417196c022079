"""Designs that their gradient found beside designs chosen by hand: energy and accuracy, on the same chips.

A recurrent network on spoken digits and LeNet-5 on images, trained for chips of phase-change memory, are put on arrays
as published chips read them, with 8 bits and with fewer, and on designs whose read voltage, cell range, bits by layer
and converter ranges have descended together with the weights, at several prices of energy. All train for the same
epochs from the same weights, and are judged on the same chips. Writes results/design: design.nc, design.csv.
"""

import dataclasses
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax.random as jr
import numpy as np
import xarray as xr

import memsim as ms
from _frame import digits, finish, label, of_a_point, origin, print_table, swept
from _images import network as image_network
from _trained import adam
from _workload import recurrent_network

NETWORKS = ("spoken digits", "LeNet-5")
HAND = ("HERMES, 8 bits", "6 bits", "5 bits", "4 bits", "NeuRRAM")
FREE = ms.energy.Free(v_read=(0.02, 0.4), g_max=(2e-6, 20.7e-6), adc_bits=(4, 10), dac_bits=(2, 8))
LABELS = {
    "seed": "1",
    "chip": "1",
    "accuracy": ("1", "test accuracy"),
    "joules": ("J", "energy of a sample"),
    "v_read": ("V", "read voltage"),
    "g_max": ("S", "a cell that is fully on"),
    "bits": ("1", "of the ADCs, mean over layers"),
}
QUICK = {"networks": NETWORKS[:1], "hand": HAND[:1], "prices": (1.0,), "seeds": 1, "hidden": 8, "steps": 6}
QUICK |= {"epochs": 1, "descent": 1, "last": 1, "chips": 2, "samples": 40}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take some two hours on two cores."""

    networks: tuple[str, ...] = NETWORKS
    hand: tuple[str, ...] = HAND
    """Designs chosen by hand: two recipes, and the first with other bits of both converters."""
    prices: tuple[float, ...] = (0.01, 0.03, 0.1, 0.3)
    """Of the descending ones: of the loss, for an e-fold of energy."""
    seeds: int = 2
    hidden: int = 64
    steps: int = 40
    """Of a spoken digit."""
    epochs: int = 15
    """Of training for chips, before."""
    descent: int = 8
    last: int = 3
    """Epochs of the descent, and after bits are rounded."""
    chips: int = 10
    samples: int = 500
    """Of the test sets, at most."""
    images: int = 4000
    """To train with."""
    age: float = 3600.0
    """Seconds after programming."""
    noise: float = 0.04
    """Of the amplifiers, in fully-on cells of HERMES at 0.2 V, as of Rasch et al. (2023); the same amperes in all."""
    nanometres: int = 14
    """The technology node."""
    buffer: int = 8192
    """Bytes of the memory between layers."""
    out: Path = Path("results/design")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self, images=4000, samples=600)
        for name, known in (("networks", NETWORKS), ("hand", HAND)):
            if unknown := set(getattr(self, name)) - set(known):
                raise ValueError(f"`{name}` must be among {known}. Got {sorted(unknown)}.")


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    ways = [*config.hand, *(f"price {price:g}" for price in config.prices)]
    grid = {"network": list(config.networks), "seed": range(config.seeds), "way": ways}
    chosen = partial(measure, config=of_a_point(config, "networks", "seeds", "hand", "prices"))
    result = swept(chosen, grid, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    result = result.assign_attrs(origin(config, digits(2).test, by_hand(HAND[0], config)))
    finish("design", result, ms.study.summary(result.accuracy), out=config.out, report=lambda: report(result))
    return result


def measure(network, seed, way, *, key, config: Config) -> xr.Dataset:
    """One network on one design, after a training of its own."""
    data = recordings(network, config)
    model_key, fit_key, descent_key = jr.split(key, 3)
    model = trained(network, data, config, seed, model_key, fit_key)
    descends = way.startswith("price ")
    start = ms.calibrate(model, data.train.inputs[:200], by_hand(HAND[0] if descends else way, config))
    price = float(way.removeprefix("price ")) if descends else 0.0
    kept = ms.study.checkpoint()
    front = ms.energy.descend(
        model,
        start,
        data,
        free=FREE if descends else ms.energy.Free(),
        prices=[price],
        periphery=around(config),
        descent=ms.energy.Descent(
            epochs=config.descent,
            last_epochs=config.last,
            chips=config.chips,
            time=ms.train.LogUniform(1.0, 2 * config.age),
            times=(config.age,),
            folder=None if kept is None else kept.parent / f"{network}-{seed}-{way}".replace(" ", "-"),
        ),
        key=descent_key,
    )
    one = front.table.isel(design=0, price=0, time=0, drop=True)
    designs = [each for each in front.points["", price].crossbar.designs.values() if each is not None]
    return xr.Dataset(
        {
            "accuracy": one.accuracy,
            "joules": one.joules,
            "v_read": float(np.mean([each.reads.v_read for each in designs])),
            "g_max": float(np.mean([each.cell_range[1] for each in designs])),
            "bits": float(np.mean([each.adc.bits for each in designs])),
        }
    )


def by_hand(way: str, config: Config) -> ms.Crossbar:
    """A design as a published chip reads, or with other bits; all amplifiers have the same noise in amperes."""
    hermes = ms.recipes.hermes()
    chosen = ms.recipes.neurram() if way == "NeuRRAM" else hermes
    amperes = config.noise * hermes.one_cell * 0.2
    noise = amperes / (chosen.one_cell * chosen.reads.v_read)
    reads = dataclasses.replace(chosen.reads, sense=ms.SenseAmplifier(noise=float(noise)))
    if way in ("NeuRRAM", HAND[0]):
        return dataclasses.replace(chosen, reads=reads)
    bits = int(way.removesuffix(" bits"))
    return dataclasses.replace(chosen, reads=reads, dac=ms.PulseWidthDAC(bits), adc=ms.ADC(bits))


def around(config: Config) -> ms.energy.Periphery:
    return ms.energy.Periphery(node=config.nanometres * 1e-9, buffer=config.buffer)


def recordings(network: str, config: Config) -> ms.data.Splits:
    if network == "spoken digits":
        return digits(config.steps, recordings=config.samples, quick=config.quick)
    data = ms.data.fashion_mnist()
    train, test = data.train.take(np.arange(config.images)), data.test.take(np.arange(config.samples))
    return ms.data.Splits(train, data.validation, test)


def trained(network: str, data, config: Config, seed: int, model_key, fit_key):
    """The network that all ways begin with, trained on chips of the first design without energy."""
    inputs = data.train.inputs.shape[-1]
    digit = network == "spoken digits"
    start = (
        recurrent_network(inputs, config.hidden, 10, key=model_key)
        if digit
        else image_network(network, 8, key=model_key)
    )
    ages = ms.train.LogUniform(1.0, 2 * config.age)
    kept = ms.study.checkpoint()
    return ms.train.fit(
        start,
        data,
        key=fit_key,
        hardware=ms.train.SampledChip(
            ms.calibrate(start, data.train.inputs[:200], by_hand(HAND[0], config)), time=ages
        ),
        epochs=config.epochs,
        optimizer=adam(4e-3 if digit else 2e-3, config.epochs * (len(data.train) // 64)),
        checkpoint=None if kept is None else kept.with_name(f"{network}-{seed}.checkpoint".replace(" ", "-")),
    )


def report(result: xr.Dataset) -> None:
    """Prints each way, and for each chosen by hand the cheapest that descended and is not told to be less accurate."""
    for network in result.network.values:
        found = result.sel(network=network)
        nanojoules = 1e9 * found.joules.sum("component").mean(("seed", "chip"))
        rows = []
        for way in map(str, found.way.values):
            one = found.sel(way=way)
            numbers = [1e3 * one.v_read.mean(), 1e6 * one.g_max.mean(), one.bits.mean(), nanojoules.sel(way=way)]
            accuracy = ms.study.interval(one.accuracy).in_percent()
            rows.append([way, accuracy, *(f"{float(number):.4g}" for number in numbers), beaten(found, way)])
        heads = ["way", "accuracy (%)", "read (mV)", "g_max (uS)", "ADC bits", "energy (nJ)", "as accurate, for less"]
        print_table(heads, rows, title=str(network))


def beaten(found: xr.Dataset, way: str) -> str:
    """By which price a design chosen by hand is, at what share of its energy; in pairs over seeds and chips."""
    if way.startswith("price "):
        return ""
    joules = found.joules.sum("component").mean(("seed", "chip"))
    for other in joules.sortby(joules).way.values:
        gain = ms.study.interval(found.accuracy.sel(way=other) - found.accuracy.sel(way=way))
        if str(other).startswith("price ") and gain.high >= 0 and joules.sel(way=other) < joules.sel(way=way):
            share = float(joules.sel(way=other) / joules.sel(way=way))
            return f"{other}: {share:.2f} of the energy, {gain.in_percent('+.1f', ' points')}"
    return "none"
