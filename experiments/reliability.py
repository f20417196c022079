"""How alike chips of one design are: their accuracies, which digits they confuse, how sure they are, and what costs it.

A recurrent network learns the spoken digits without hardware and with Gaussian noise of its weights, and stands on many
chips of phase-change memory a day after they were written. Of both trainings: the accuracy of each chip, weights and
conductances. Of the one with noise: what is named as what, whether confidence can be believed, and what each effect
costs. Writes results/reliability: reliability.nc (classes and confidence), chip_to_chip.nc, distributions.nc,
attribution.nc, reliability.csv.
"""

from dataclasses import dataclass
from pathlib import Path

import jax.numpy as jnp
import jax.random as jr
import xarray as xr

import device_models as dm
import memsim as ms
from _frame import digits, finish, origin
from _trained import trained

STEPS = 40
NETWORK, CHIPS = jr.key(0), jr.key(1)
PLAIN, NOISY = "plain", "with noise"
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
    """Runs the study; returns what it writes of classes and confidence."""
    data = digits(STEPS, recordings=config.recordings, quick=config.quick)
    cells = ms.Crossbar(dm.device(config.device).make(), adc=ms.ADC(config.adc_bits))
    networks = {name: network(name, config, data) for name in (PLAIN, NOISY)}
    designs = {name: ms.calibrate(net, jnp.asarray(data.train.inputs[:200]), cells) for name, net in networks.items()}
    told = origin(config, data.test, cells)
    chips = accuracies(networks, designs, data, config).assign_attrs(told)
    model, design, aged = networks[NOISY], designs[NOISY], {"time": config.time, "key": CHIPS}
    beside = {
        "chip_to_chip": chips,
        "distributions": ms.study.distributions(networks, cells, chips=5, **aged).assign_attrs(told),
        "attribution": ms.study.attribute(
            model, data.test, design, chips=config.attributed, times=[config.time], key=CHIPS
        ).assign_attrs(told),
    }
    for name, result in beside.items():
        ms.study.save_result(result, config.out / f"{name}.nc")
    named = ms.study.confusion(model, data.test, design, chips=config.chips, **aged).assign_attrs(told)
    finish("reliability", named, ms.study.summary(chips), out=config.out, report=lambda: report(named, **beside))
    return named


def network(training: str, config: Config, data: ms.data.Splits) -> ms.nn.SpikingNetwork:
    """The network after one training, from the same start."""
    noisy = {"hardware": ms.train.GaussianNoise(config.noise), "clip": 1.5}
    return trained(
        config.hidden, data, key=NETWORK, epochs=config.epochs, **(noisy if training == NOISY else {"clip": None})
    )


def accuracies(networks, designs, data: ms.data.Splits, config: Config) -> xr.Dataset:
    """What chip i has right, the same chip for each training, over (training, chip)."""
    found = [
        ms.study.robustness(
            networks[name], data.test, designs[name], chips=config.chips, times=[config.time], key=CHIPS
        )
        for name in networks
    ]
    names = xr.DataArray(list(networks), dims="training", name="training")
    return xr.concat(found, names, combine_attrs="drop_conflicts")


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
