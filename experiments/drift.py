"""How a spiking network on phase-change memory survives ten years, and what hardware-aware training buys.

Four recurrent spiking networks start from the same weights and train with the same budget on spoken digits: digital,
Gaussian weight noise, a sampled chip, and a sampled chip of random age (drift-aware). Each is deployed on many virtual
chips, with the published write noise and with a poorer process, with and without drift compensation, and ages. The
sampled chips are those of the process the network is deployed on, with drift compensation. With --model, a network of
another library is deployed as it is instead. Writes results/drift: drift.nc, drift.csv.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import xarray as xr

import device_models as dm
import memsim as ms
from _frame import finish, label, origin, print_table
from _workload import digital_outcome, recurrent_network

YEAR = 365.25 * 86400.0
TRAININGS = ("digital", "Gaussian noise", "sampled chip", "drift-aware")
COMPENSATIONS = ("none", "global")
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


class Part(NamedTuple):
    """One network on one process: what is computed, and saved, at a time."""

    seed: int
    training: str
    write_noise: float

    @property
    def name(self) -> str:
        return f"seed{self.seed}-{self.training.replace(' ', '-')}-{self.write_noise:g}"


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    study = Study(config)
    found = ms.study.run_parts({part.name: part for part in study.parts()}, study.compute, study.parts_folder)
    result = study.labelled(found)
    table, folder = ms.study.summary(result), study.parts_folder
    finish("drift", result, table, out=config.out, report=lambda: report(result, table), parts=folder)
    return result


class Study:
    """The data, the designs, and the networks of one configuration."""

    def __init__(self, config: Config):
        self.config = config
        for write_noise in config.write_noise:
            self.crossbar(write_noise, "global", config.training_full_scale)  # says what cannot be, before any work
        self.data = ms.data.spoken_digits(steps=config.steps)
        if config.quick:
            splits = self.data.train, self.data.validation, self.data.test
            self.data = ms.data.Splits(*(split.take(np.arange(200)) for split in splits))
        self.settings = dataclasses.asdict(config) | {"out": str(config.out)}
        self.trainings, self.imported = TRAININGS, None
        if config.model is not None:
            self.trainings, self.imported = ("imported",), imported(config)
            content = hashlib.sha256(config.model.read_bytes()).hexdigest()
            self.settings |= {"model": str(config.model), "model_sha256": content}
        self.parts_folder = ms.study.parts_folder(config.out, self.settings)
        # One optimizer for all fits, so that they share compiled functions.
        steps = config.epochs * (len(self.data.train) // config.batch_size)
        self.optimizer = optax.adam(optax.cosine_decay_schedule(config.learning_rate, steps))

    def parts(self) -> Iterator[Part]:
        for seed in range(self.config.seeds):
            for training in self.trainings:
                for write_noise in self.config.write_noise:
                    yield Part(seed, training, write_noise)

    def crossbar(self, write_noise: float, compensation: str, full_scale: float) -> ms.Crossbar:
        # Arrays, not floats: designs that differ in numbers only share compiled functions.
        entry = dm.device(self.config.device)
        device = entry.make(write_noise_scale=jnp.asarray(write_noise)) if entry.numbers else entry.make()
        return ms.Crossbar(
            device,
            adc=ms.ADC(self.config.adc_bits, full_scale=jnp.asarray(full_scale)),
            compensation=ms.GlobalDriftCompensation() if compensation == "global" else None,
            tile=self.config.tile,
            reads=ms.Reads(self.config.read_noise),  # pyright: ignore[reportArgumentType]
        )

    def hardware(self, part: Part) -> ms.train.AbstractHardware | None:
        chip = self.crossbar(part.write_noise, "global", self.config.training_full_scale)
        match part.training:
            case "digital":
                return None
            case "Gaussian noise":
                return ms.train.GaussianNoise(self.config.gaussian_std)
            case "sampled chip":
                return ms.train.SampledChip(chip)
            case _:
                return ms.train.SampledChip(chip, time=ms.train.LogUniform(1.0, YEAR))

    def network(self, part: Part) -> ms.nn.AbstractNetwork:
        """The trained network; one training serves all processes where it does not depend on them."""
        if self.imported is not None:
            return self.imported
        depends = part.training in ("sampled chip", "drift-aware")
        name = part.name if depends else part._replace(write_noise=self.config.write_noise[0]).name
        model_key, fit_key = jr.split(jr.fold_in(jr.key(0), part.seed))
        return ms.train.fit(
            recurrent_network(13, self.config.hidden, 10, key=model_key),
            self.data,
            key=fit_key,
            hardware=self.hardware(part),
            optimizer=self.optimizer,
            epochs=self.config.epochs,
            batch_size=self.config.batch_size,
            clip=None if part.training == "digital" and not self.config.clip_digital else self.config.clip,
            checkpoint=self.parts_folder / f"{name}.checkpoint",
        )

    def compute(self, part: Part) -> xr.Dataset:
        """Trains one network and measures it on its chips."""
        config, test = self.config, self.data.test
        model = self.network(part)
        xs, labels = jnp.asarray(test.inputs), jnp.asarray(test.labels)
        chip_key, clip_key = jr.split(jr.key(1))  # the same chips for every network: comparisons are paired
        times, chips = jnp.asarray(config.times), jnp.arange(config.chips)
        bare = self.crossbar(part.write_noise, "none", config.training_full_scale)
        ranged = ms.calibrate(model, jnp.asarray(self.data.train.inputs), bare).designs
        found = []
        for compensation in COMPENSATIONS:
            chosen = self.crossbar(part.write_noise, compensation, config.training_full_scale).compensation
            design = ms.nn.PerLayer({path: dataclasses.replace(ranged[path], compensation=chosen) for path in ranged})
            found.append(ms.study.chip_outcomes(model, design, xs, labels, times, chips, key=chip_key))
        clipped = clipped_fraction(model, design, xs, key=clip_key)
        index = {"seed": [part.seed], "training": [part.training], "write_noise": [part.write_noise]}
        on_chips = ms.study.Outcome(*(np.stack(parts) for parts in zip(*found, strict=True)))
        return xr.Dataset(
            {
                **on_chips.variables((*index, "compensation", "chip", "time"), len(labels)),
                **digital_outcome(model, xs, labels).variables(tuple(index), len(labels), "digital_{}"),
                "adc_clipped": ((*index, "layer"), np.asarray(list(clipped.values()))[None, None, None]),
            },
            index
            | {
                "compensation": list(COMPENSATIONS),
                "chip": np.arange(config.chips),
                "time": np.asarray(config.times),
                "layer": list(clipped),
            },
        )

    def labelled(self, result: xr.Dataset) -> xr.Dataset:
        """All parts in order, with units and provenance."""
        result = result.sel(training=list(self.trainings))
        label(result, LABELS)
        design = self.crossbar(1.0, "global", self.config.training_full_scale)
        measured = ms.study.is_measured(design.device.span, result.time.values)
        result = result.assign_coords(measured=("time", measured, {"units": "1", "long_name": ms.study.MEASURED}))
        attributes = origin(self.settings, self.data.test, design)
        attributes |= {"span": str(design.device.span), "assumes": "\n".join(design.device.assumes)}
        attributes["data"] += f". {NOTE}"
        return result.assign_attrs(attributes)


LABELS = {
    "time": ("s", "time since programming"),
    "write_noise": ("1", "multiple of the published write noise"),
    **dict.fromkeys(("seed", "chip", "accuracy"), "1"),
    "adc_clipped": ("1", "fraction of ADC readings clipped, one fresh chip"),
}
NOTE = "The recordings carry no speaker labels: the split is by recording, and speakers occur in all three parts."


def imported(config: Config) -> ms.nn.AbstractNetwork:
    """The network of `config.model`; raises `ValueError` for one that does not fit the data."""
    model = ms.nir.from_nir(config.model, dt=config.model_dt, dialect=config.model_dialect)
    try:
        outputs = model.output_shape((13,))
    except ValueError as error:
        raise ValueError(f"`model` must take 13 inputs. Got {config.model}: {error}") from error
    if outputs != (10,):
        raise ValueError(f"`model` must give out 10 values, one a digit. Got {outputs} from {config.model}.")
    return model


@eqx.filter_jit
def clipped_fraction(model, design, xs, *, key) -> dict[str, jax.Array]:
    deploy_key, read_key = jr.split(key)
    found = ms.nn.clipping(ms.deploy(model, design, 0.0, key=deploy_key), xs, key=read_key)
    return {path: jnp.mean(clipping.adc) for path, clipping in found.items()}


def report(result: xr.Dataset, table) -> None:
    """Prints the table: mean over chips and seeds, 5th to 95th percentile, interval of the mean."""
    over, rows = table.interval_over.iloc[0], []
    ages = zip(result.time.values, result.measured.values, strict=True)
    columns = [duration(float(t)) + "*" * (not measured) for t, measured in ages]
    ordered = table.sort_values(["write_noise", "compensation"], ascending=[True, False], kind="stable")
    for key, cell in ordered.groupby(["write_noise", "compensation", "training"], sort=False):
        noise, compensation, training = key
        network = result.sel(write_noise=noise, training=training)
        whole = [f"{100 * float(values.mean()):.1f}" for values in (network.digital_accuracy, network.adc_clipped)]
        bounds = 100 * cell[["mean", "low", "high", "p5", "p95"]]
        words = [f"{m:.1f} [{low:.1f}, {high:.1f}] ({p5:.1f}–{p95:.1f})" for m, low, high, p5, p95 in bounds.values]
        rows.append([f"{noise:g} x write noise", compensation, training, *whole, *words])
    title = f"Test accuracy in %: mean [95 % interval over {over}] (5th–95th percentile over chips); *: not measured"
    columns = ["process", "compensation", "training", "digital", "ADC clips", *columns]
    print_table(columns, rows, title=title, width=200)
    if "drift-aware" in result.training.values:
        gains(result)
    print(f"Read noise, converters and drift of {json.loads(result.config)['device']}. {NOTE}")
    print(f"Cells were measured at {result.attrs['span']}. {result.attrs['assumes']}")


def gains(result: xr.Dataset) -> None:
    """Prints what drift-aware training gains at the last time of at most a year, paired by seed, chip and recording."""
    t = float(result.time[result.time <= YEAR][-1])
    for noise in result.write_noise.values:
        at = result.sel(time=t, write_noise=noise, drop=True)
        right = ms.study.right(at.sel(compensation="global", drop=True))
        aware = right.sel(training="drift-aware", drop=True)
        others = {f"{name} training": right.sel(training=name, drop=True) for name in TRAININGS[:-1]}
        digital = ms.study.right(at, "digital_right").sel(training="drift-aware", drop=True)
        for name, other in (others | {"its own digital accuracy": digital}).items():
            gain = ms.study.difference(aware, other)
            print(
                f"{noise:g} x write noise, {duration(t)}, compensated: drift-aware over {name} "
                f"{ms.study.interval(gain).in_percent('+.2f', ' points')}, paired, over {ms.study.interval_over(gain)}"
            )


def duration(seconds: float) -> str:
    """A time as people say it."""
    for size, unit in ((YEAR, "y"), (30 * 86400.0, "mo"), (86400.0, "d"), (3600.0, "h")):
        if seconds >= 0.999 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:g} s"
