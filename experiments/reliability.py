"""How alike chips of one design are: their accuracies, which digits they confuse, how sure they are, and what costs it.

A recurrent network learns the spoken digits without hardware and with Gaussian noise of its weights, and stands on many
chips of phase-change memory a day after they were written. Of both trainings: the accuracy of each chip, weights and
conductances. Of the one with noise: what is named as what, whether confidence can be believed, and what each effect
costs. Writes results/reliability: reliability.nc (classes and confidence), chip_to_chip.nc, distributions.nc,
attribution.nc, reliability.csv.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax.numpy as jnp
import jax.random as jr
import xarray as xr

import device_models as dm
import memsim as ms
from _frame import digits, finish, of_a_point, origin, swept
from _trained import trained

STEPS = 40
NETWORK, CHIPS = jr.key(0), jr.key(1)
TRAININGS = PLAIN, NOISY = "plain", "with noise"
QUICK = {"chips": 3, "attributed": 2, "recordings": 20, "hidden": 16, "epochs": 1}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take some minutes on two cores."""

    device: str = "pcm_joshi2020"
    """A name of `device_models.DEVICES`."""
    time: float = 86400.0
    """Age of the chips, in seconds."""
    adc_bits: int = 8
    noise: float = 0.05
    """Standard deviation of the weights' noise in training, over the largest weight of a layer."""
    chips: int = 40
    attributed: int = 10
    """Chips on which each effect is judged, alone and left out."""
    recordings: int = 600
    """Of the test set."""
    hidden: int = 64
    epochs: int = 20
    out: Path = Path("results/reliability")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self, recordings=200 if self.quick else 600)
        dm.device(self.device)
        if self.chips < 3:
            raise ValueError(f"`chips` must be at least 3, whose spread can be drawn. Got {self.chips}.")


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes of classes and confidence."""
    data = digits(STEPS, recordings=config.recordings, quick=config.quick)
    networks = {training: network(training, config, data) for training in TRAININGS}
    noisy, age = {NOISY: networks[NOISY]}, {"time": config.time, "key": CHIPS}
    found = {
        "chip_to_chip": over_trainings(accuracies, networks, config),
        "distributions": ms.study.distributions(networks, cells(config), chips=5, **age),
        "attribution": over_trainings(effects, noisy, config).squeeze("training", drop=True),
        "reliability": over_trainings(confusion, noisy, config).squeeze("training", drop=True),
    }
    found = {name: each.assign_attrs(origin(config, data.test, cells(config))) for name, each in found.items()}
    parts = [each.attrs.pop("parts") for each in found.values() if "parts" in each.attrs]
    named = found.pop("reliability")
    for name, result in found.items():
        ms.study.save_result(result, config.out / f"{name}.nc")
    table = ms.study.summary(found["chip_to_chip"])
    finish("reliability", named, table, out=config.out, report=lambda: report(named, **found))
    for part in parts:
        ms.study.remove_parts(config.out / part)
    for training in TRAININGS:
        checkpoint(training, config).unlink(missing_ok=True)
    return named


def cells(config: Config) -> ms.Crossbar:
    """Arrays whose ranges are not found yet."""
    return ms.Crossbar(dm.device(config.device).make(), adc=ms.ADC(config.adc_bits))


def network(training: str, config: Config, data: ms.data.Splits) -> ms.nn.SpikingNetwork:
    """The network after one training, from the same start; a training that was interrupted goes on."""
    noisy = {"hardware": ms.train.GaussianNoise(config.noise), "clip": 1.5}
    how = noisy if training == NOISY else {"clip": None}
    how |= {"epochs": config.epochs, "checkpoint": checkpoint(training, config)}
    return trained(config.hidden, data, key=NETWORK, **how)


def checkpoint(training: str, config: Config) -> Path:
    """The file of a training, until all is written."""
    words = *training.split(), config.hidden, config.epochs, config.noise, "quick" if config.quick else "whole"
    return config.out / f"{'-'.join(map(str, words))}.checkpoint"


def over_trainings(measure, networks: dict[str, ms.nn.SpikingNetwork], config: Config) -> xr.Dataset:
    """What is measured of each network on chips; what was finished before is not measured again."""
    chosen = partial(measure, config=of_a_point(config))
    return swept(chosen, {"training": networks}, folder=config.out)


def accuracies(training, *, config: Config) -> xr.Dataset:
    """What chip i has right, the same chip for each training."""
    data, design = on_chips(training, config)
    return ms.study.robustness(training, data.test, design, chips=config.chips, times=[config.time], key=CHIPS)


def effects(training, *, config: Config) -> xr.Dataset:
    """What each effect costs."""
    data, design = on_chips(training, config)
    return ms.study.attribute(training, data.test, design, chips=config.attributed, times=[config.time], key=CHIPS)


def confusion(training, *, config: Config) -> xr.Dataset:
    """What is named as what, and how sure it is."""
    data, design = on_chips(training, config)
    return ms.study.confusion(training, data.test, design, chips=config.chips, time=config.time, key=CHIPS)


def on_chips(training: ms.nn.SpikingNetwork, config: Config):
    """The recordings, and the design with ranges of a network."""
    data = digits(STEPS, recordings=config.recordings, quick=config.quick)
    return data, ms.calibrate(training, jnp.asarray(data.train.inputs[:200]), cells(config))


def report(named: xr.Dataset, *, chip_to_chip: xr.Dataset, distributions: xr.Dataset, attribution: xr.Dataset) -> None:
    """Prints accuracy and its spread over chips, the errors of confidence, and the effects that cost most."""
    for training in chip_to_chip.training.values:
        each = 100 * chip_to_chip.accuracy.sel(training=training).squeeze()
        low, high = (float(each.quantile(share)) for share in (0.05, 0.95))
        print(f"{training}: {float(each.mean()):.1f} % on chips, 5th to 95th percentile {low:.1f} to {high:.1f} %")
    low, high = (100 * float(named.calibration_error.quantile(share)) for share in (0.05, 0.95))
    digital = 100 * float(named.digital_calibration_error)
    print(f"confidence is off by {digital:.1f} points in digital, {low:.1f} to {high:.1f} on chips")
    print("\n".join(ms.study.explain(attribution)))
