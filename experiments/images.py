"""Four networks for images on three kinds of cells: what training with noise, and new norms, are worth.

LeNet-5, ResNet-8, a small vision transformer and an LSTM that reads rows learn Fashion-MNIST without hardware, with
Gaussian weight noise of 3.8 % (Joshi et al. 2020) and with sampled chips of PCM of random age. They run on chips of
PCM, RRAM and SONOS with calibrated 8-bit converters, and age. Measured beside: what noise of one kind costs, in the
same fraction of the range of weights, inputs or outputs (Rasch et al. 2023: that of weights costs least, and recurrent
networks lose least); the ResNet with norms re-estimated on the chip, without drift compensation; and what each effect
of PCM costs LeNet-5 after a day. Writes results/images: images.nc, images.csv.
"""

from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import device_models as dm
import memsim as ms
from _frame import finish, label, of_a_point, origin, swept
from _images import NETWORKS, network
from _images_beside import KINDS, NORMS, adapted_or_not, costs_alone, noisy_accuracies
from _images_report import report
from _trained import adam
from _workload import beside_digital

DAY = 86400.0
CELLS = ("pcm_joshi2020", "rram_wan2022", "sonos_xiao2022")
CHIPS = jr.key(1)  # the same chips for all: comparisons are paired
AGES = ms.train.LogUniform(1.0, 30 * DAY)  # of the chips that training meets
TRAININGS = ("digital", "Gaussian noise", "sampled chip")
ATTRIBUTED = {"seed": 0, "network": "LeNet-5", "training": "Gaussian noise"}
LABELS = {
    "seed": "1",
    "chip": "1",
    "time": ("s", "after programming"),
    "noise": ("1", "standard deviation, fraction of the range"),
    "noisy_accuracy": ("1", "test accuracy with noise of one kind"),
    "norms_accuracy": ("1", "test accuracy on PCM without drift compensation"),
    "cost": ("1", "accuracy lost to one effect alone, on PCM after a day"),
}
QUICK = {"networks": NETWORKS[-1:], "trainings": TRAININGS[1:2], "cells": CELLS[:1], "seeds": 1, "chips": 2}
QUICK |= {"times": (0.0,), "noise": (0.05,), "epochs": 1, "training_images": 128, "images": 40, "calibration": 20}
QUICK |= {"attribution": False}
FULL = {"chips": 25, "times": (0.0, 60.0, 3600.0, 6 * 3600.0, DAY, 2 * DAY, 5 * DAY, 30 * DAY), "width": 16}
FULL |= {"training_images": 54000, "images": 10000}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take about an hour on two cores: 30 points without ResNet-8 took a third."""

    networks: tuple[str, ...] = NETWORKS
    trainings: tuple[str, ...] = TRAININGS
    cells: tuple[str, ...] = CELLS
    """Names of `device_models.DEVICES`."""
    chips: int = 4
    times: tuple[float, ...] = (0.0, 3600.0, DAY)
    """Seconds after programming."""
    noise: tuple[float, ...] = (0.02, 0.05)
    """Fractions of the range; the orderings are tested at the last."""
    noise_of_one_kind: bool = True
    """Three compilations, and three more reads of all images on each chip."""
    seeds: int = 3
    """Training seeds."""
    width: int = 8
    """Channels of the first block of ResNet-8, 16 in MLPerf Tiny."""
    gaussian_std: float = 0.038
    epochs: int = 10
    learning_rate: float = 2e-3
    """Of Adam, with a cosine decay."""
    training_images: int = 4000
    """4000 come with memsim, and 54000 with `memsim data get fashion_mnist`."""
    images: int = 500
    """Of the test set: of 1000, and of 10000."""
    calibration: int = 200
    """Training images from which ranges and norms are found."""
    attribution: bool = True
    """Of LeNet-5: a variant of the chip, which compiles by itself, for each effect."""
    out: Path = Path("results/images")
    full: bool = False
    """25 chips at 8 times, all images: days on two cores."""
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        for field in fields(self):
            if self.full and field.name in FULL and getattr(self, field.name) == field.default:
                object.__setattr__(self, field.name, FULL[field.name])
        ms.study.check_options(self, training_images=54000, images=10000)
        for given, known in ((self.networks, NETWORKS), (self.trainings, TRAININGS)):
            for name in given:
                if name not in known:
                    raise ValueError(f"`networks` and `trainings` must be of {', '.join(known)}. Got {name}.")
        for name in self.cells:
            dm.device(name)


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    grid = {"seed": range(config.seeds), "network": list(config.networks), "training": list(config.trainings)}
    chosen = partial(measure, config=of_a_point(config, "networks", "trainings", "seeds"))
    result = swept(chosen, grid, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    result = result.assign_attrs(origin(config, images(config).test, design(config.cells[0])))
    finish("images", result, ms.study.summary(result), out=config.out, report=lambda: report(result))
    return result


def measure(seed, network, training, *, key, config: Config) -> xr.Dataset:
    """Trains one network, and measures it on chips, with noise of one kind, and with what else it is asked."""
    data, model = images(config), trained(network, training, config, key=key)
    test = jnp.asarray(data.test.inputs), jnp.asarray(data.test.labels)
    profile = jnp.asarray(data.train.inputs[: config.calibration])
    times, chips = jnp.asarray(config.times), jnp.arange(config.chips)

    def ranged(cell, **changes):
        return ms.calibrate(model, profile, design(cell, **changes))

    found = [ms.study.chip_outcomes(model, ranged(cell), *test, times, chips, key=CHIPS) for cell in config.cells]
    noisy = np.full((len(KINDS), len(config.noise), config.chips), np.nan)
    if config.noise_of_one_kind:
        noisy = noisy_accuracies(model, profile, test, config.noise, chips, key=CHIPS)
    norms = np.full((2, config.chips, len(config.times)), np.nan)
    if isinstance(model, ms.nn.Stateful):
        norms = adapted_or_not(model, ranged(CELLS[0], compensation=None), profile, test, times, chips, key=CHIPS)
    costs = np.full(len(ms.EFFECTS), np.nan)
    if config.attribution and {"seed": seed, "network": network, "training": training} == ATTRIBUTED:
        costs = costs_alone(model, data.test, ranged(CELLS[0]), DAY, config.chips, key=CHIPS)
    return xr.Dataset(
        {
            **beside_digital(found, ("cells", "chip", "time"), model, *test),
            "noisy_accuracy": (("kind", "noise", "chip"), noisy),
            "norms_accuracy": (("norms", "chip", "time"), np.asarray(norms)),
            "cost": ("effect", costs),
        },
        {"cells": list(config.cells), "chip": np.arange(config.chips), "time": list(config.times)}
        | {"kind": list(KINDS), "noise": list(config.noise), "norms": list(NORMS), "effect": list(ms.EFFECTS)},
    )


def trained(name: str, training: str, config: Config, *, key):
    """A network after training."""
    model_key, fit_key = jr.split(key)
    chip = ms.train.SampledChip(ms.Crossbar(dm.pcm_joshi2020()), time=AGES)
    hardware = {"digital": None, "Gaussian noise": ms.train.GaussianNoise(config.gaussian_std), "sampled chip": chip}
    data, model = images(config), network(name, config.width, key=model_key)
    how = {"hardware": hardware[training], "epochs": config.epochs, "checkpoint": ms.study.checkpoint()}
    optimizer = adam(config.learning_rate, config.epochs * (len(data.train) // 64))
    return ms.train.fit(model, data, key=fit_key, optimizer=optimizer, **how)


def design(cell: str, **changes) -> ms.Crossbar:
    """With 8-bit converters."""
    return ms.Crossbar(dm.device(cell).make(), dac=ms.DAC(8), adc=ms.ADC(8), **changes)


def images(config: Config) -> ms.data.Splits:
    """As many as are asked for, of the whole set where those in the package are too few."""
    data = ms.data.fashion_mnist()
    if config.training_images > len(data.train) or config.images > len(data.test):
        data = ms.data.fashion_mnist("full")
    train, test = (np.arange(number) for number in (config.training_images, config.images))
    return ms.data.Splits(data.train.take(train), data.validation, data.test.take(test))
