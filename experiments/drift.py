"""How a spiking network on phase-change memory survives ten years, and what hardware-aware training buys.

Four recurrent spiking networks start from the same weights and train with the same budget on spoken digits: digital,
Gaussian weight noise, a sampled chip, and a sampled chip of random age (drift-aware). Each is deployed on many virtual
chips, with the published write noise and with a poorer process, with and without drift compensation, and ages. The
sampled chips are those of the process the network is deployed on, with drift compensation. With --model, a network of
another library is deployed as it is instead. Writes results/drift: drift.nc, drift.csv.
"""

import dataclasses
import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pandas as pd
import xarray as xr

import device_models as dm
import memsim as ms
from _frame import digits, finish, label, of_a_point, origin, places, swept
from _tables import duration, gain, mean_of, print_summary
from _trained import trained
from _workload import beside_digital, clipped_fraction, imported_network

YEAR = 365.25 * 86400.0
TRAININGS = ("digital", "Gaussian noise", "sampled chip", "drift-aware")
COMPENSATIONS = {"none": None, "global": ms.GlobalDriftCompensation()}
CHIPS = jr.key(1)  # the same chips for every network: comparisons are paired
LABELS = dict.fromkeys(("seed", "chip"), "1") | {
    "time": ("s", "time since programming"),
    "write_noise": ("1", "multiple of the published write noise"),
    "adc_clipped": ("1", "fraction of ADC readings clipped, one fresh chip"),
    "measured": ("1", ms.study.MEASURED),
}
NOTE = "The recordings carry no speaker labels: the split is by recording, and speakers occur in all three parts."

QUICK = {"chips": 3, "times": (0.0, YEAR), "hidden": 32, "steps": 20, "epochs": 2}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study; times in seconds."""

    device: str = "pcm_joshi2020"
    """A name of `device_models.DEVICES`."""
    write_noise: tuple[float, ...] = (1.0, 4.0)
    """Multiples of the published write noise."""
    chips: int = 100
    times: tuple[float, ...] = (0.0, 3600.0, 86400.0, 30 * 86400.0, YEAR, 10 * YEAR)
    seeds: int = 1
    """Training seeds: initial weights, batches and sampled hardware."""
    adc_bits: int = 8
    read_noise: str = "per_moment"
    """"per_moment" (1/f noise stands still during one inference), "per_read" or "off"."""
    tile: tuple[int, int] = (256, 256)
    hidden: int = 128
    steps: int = 40
    """Frames each recording is resampled to."""
    epochs: int = 40
    batch_size: int = 64
    learning_rate: float = 4e-3
    """Of Adam, with a cosine decay; chosen on validation, as were the time constant and initial gains."""
    gaussian_std: float = 0.06
    clip: float = 1.5
    """Weight clipping of the hardware-aware trainings, in multiples of the root mean square of a layer's weights, at
    least 1; chosen on the validation set."""
    clip_digital: bool = False
    """Clip the digital training's weights too: how much of the gain is clipping alone?"""
    training_full_scale: float = 20.0
    """ADC full scale while training, in fully-on cells. Deployment calibrates it for each layer, on training data."""
    model: Path | None = None
    """A NIR file with 13 inputs and 10 outputs: this network is studied as it is, and none is trained."""
    model_dt: float = 1e-3
    """Time step of that network, in seconds."""
    model_dialect: str = "nir"
    """What wrote the file, a name of `memsim.nir.DIALECTS`, or "guess"."""
    out: Path = Path("results/drift")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self, batch_size=200 if self.quick else 1800)
        dm.device(self.device)
        if self.model is not None and self.seeds > 1:
            raise ValueError(f"`seeds` must be 1 for a `model` that is not trained. Got {self.seeds}.")


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    designs = [crossbar(config, write_noise) for write_noise in config.write_noise]  # says what cannot be
    model, trainings, settings = None, TRAININGS, dataclasses.asdict(config)
    if config.model is not None:
        model = imported_network(config.model, dt=config.model_dt, dialect=config.model_dialect)
        trainings = ("imported",)
        settings["model_sha256"] = hashlib.sha256(config.model.read_bytes()).hexdigest()
    grid = {"seed": range(config.seeds), "training": trainings, "write_noise": config.write_noise}
    chosen = partial(measure, config=of_a_point(config, "seeds", "write_noise", "model"), model=model)
    result = swept(chosen, grid, folder=config.out, key=jr.key(0))
    span, assumes = designs[0].device.span, designs[0].device.assumes
    result = result.assign_coords(measured=("time", ms.study.is_measured(span, result.time.values)))
    label(result, LABELS)
    about = origin(settings, digits(2).test, crossbar(config, 1.0)) | {"span": str(span), "assumes": "\n".join(assumes)}
    result = result.assign_attrs(about | {"data": f"{about['data']}. {NOTE}"})
    table = ms.study.summary(result)
    finish("drift", result, table, out=config.out, report=lambda: report(result, table))
    return result


def measure(seed, training, write_noise, *, key, config: Config, model: ms.nn.AbstractNetwork | None) -> xr.Dataset:
    """Trains one network, or takes the `model` that there is, and measures it on its chips."""
    data = digits(config.steps, recordings=200 if config.quick else 600, quick=config.quick)
    if model is None:
        model = learnt(config, data, f"{training} {seed}", training, crossbar(config, write_noise), key=key)
    xs, labels = jnp.asarray(data.test.inputs), jnp.asarray(data.test.labels)
    chip_key, clip_key = jr.split(CHIPS)
    times, chips = jnp.asarray(config.times), jnp.arange(config.chips)
    ranged = ms.calibrate(model, jnp.asarray(data.train.inputs), crossbar(config, write_noise, None)).designs
    designs = [
        ms.nn.PerLayer({path: dataclasses.replace(ranged[path], compensation=each) for path in ranged})
        for each in COMPENSATIONS.values()
    ]
    found = [ms.study.chip_outcomes(model, each, xs, labels, times, chips, key=chip_key) for each in designs]
    clipped = clipped_fraction(model, designs[-1], xs, key=clip_key)
    return xr.Dataset(
        {
            **beside_digital(found, ("compensation", "chip", "time"), model, xs, labels),
            "adc_clipped": ("layer", np.asarray(list(clipped.values()))),
        },
        {"compensation": list(COMPENSATIONS), "chip": np.arange(config.chips)}
        | {"time": np.asarray(config.times), "layer": list(clipped)},
    )


def crossbar(config: Config, write_noise: float, compensation=COMPENSATIONS["global"]) -> ms.Crossbar:
    """A process, with the ADC range of training; of arrays, so that processes share compiled functions."""
    entry = dm.device(config.device)
    return ms.Crossbar(
        entry.make(write_noise_scale=jnp.asarray(write_noise)) if entry.takes("write_noise_scale") else entry.make(),
        adc=ms.ADC(config.adc_bits, full_scale=jnp.asarray(config.training_full_scale)),
        compensation=compensation,
        tile=config.tile,
        reads=ms.Reads(config.read_noise),  # pyright: ignore[reportArgumentType]
    )


def learnt(config: Config, data: ms.data.Splits, once: str, training: str, chip: ms.Crossbar, *, key):
    """The trained network; one training serves all processes where it does not depend on the `chip`, then as `once`."""
    hardware = {
        "digital": None,
        "Gaussian noise": ms.train.GaussianNoise(config.gaussian_std),
        "sampled chip": ms.train.SampledChip(chip),
        "drift-aware": ms.train.SampledChip(chip, time=ms.train.LogUniform(1.0, YEAR)),
    }[training]
    how = {"epochs": config.epochs, "batch_size": config.batch_size, "learning_rate": config.learning_rate}
    how["clip"] = None if training == "digital" and not config.clip_digital else config.clip
    how["once"] = None if isinstance(hardware, ms.train.SampledChip) else once
    return trained(config.hidden, data, key=key, hardware=hardware, **how)


def report(result: xr.Dataset, table: pd.DataFrame) -> None:
    """Prints the table, and what drift-aware training gains at the last time of at most a year, paired."""
    rows = ["write_noise", "compensation", "training"]
    ordered = table.sort_values(rows[:2], ascending=[True, False], kind="stable")
    beside = {"digital": mean_of(result.digital_accuracy), "ADC clips": mean_of(result.adc_clipped)}
    print_summary(ordered, rows, "time", head=duration, beside=beside)
    t = max((float(time) for time in result.time if time <= YEAR), default=None)
    right, digital = ms.study.right(result), ms.study.right(result, "digital_right")
    for place in places(result, "write_noise") if "drift-aware" in result.training and t is not None else ():
        at = right.sel(place | {"time": t, "compensation": "global"}, drop=True)
        others = {f"{name} training": at.sel(training=name, drop=True) for name in TRAININGS[:-1]}
        others["its own digital accuracy"] = digital.sel(place | {"training": "drift-aware"}, drop=True)
        for name, other in others.items():
            words = f"{place['write_noise']:g} x write noise, {duration(t)}, compensated: drift-aware over {name}"
            print(words, gain(at.sel(training="drift-aware", drop=True), other))
    print(f"{NOTE} Cells were measured at {result.attrs['span']}. {result.attrs['assumes']}")
