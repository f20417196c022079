"""How much mismatch of neurons and synapses a spiking network bears, and what training with mismatch buys.

Recurrent spiking networks are trained on spoken digits as they are, and on a freshly drawn mismatched chip in every
step. Each is then fabricated many times: every membrane time constant, threshold and weight deviates from its nominal
value by a relative standard deviation of 0 to 30 %, in the neurons only, in the synapses only, or in both. Buechel et
al. (2021) ask the question of mixed-signal neuromorphic chips. Writes results/mismatch: mismatch.nc, mismatch.csv.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import device_models as dm
import memsim as ms
from _frame import digits
from _workload import digital_outcome, recurrent_network

TRAININGS = ("as is", "with mismatch")
PLACES = ("neurons", "synapses", "both")
G_MAX = 25e-6  # siemens; relative deviations do not depend on it


QUICK = {"mismatch": (0.0, 0.2), "chips": 3, "seeds": 1, "steps": 8, "hidden": 16, "epochs": 1, "recordings": 50}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take about half an hour on two cores."""

    mismatch: tuple[float, ...] = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
    """Relative standard deviations of time constants and thresholds, and of weights."""
    training_mismatch: float = 0.2
    """That of the chips met in training, in neurons and synapses."""
    chips: int = 100
    seeds: int = 5
    """Training seeds."""
    steps: int = 40
    """Frames each recording is resampled to."""
    hidden: int = 64
    epochs: int = 40
    batch_size: int = 64
    clip: float = 2.5
    """Weight clipping of both trainings, in multiples of the root mean square of a layer's weights, at least 1."""
    recordings: int = 600
    """Of the test set, at most 600."""
    out: Path = Path("results/mismatch")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self, batch_size=200 if self.quick else 1800, recordings=600)


class Part(NamedTuple):
    """One trained network: what is computed, and saved, at a time."""

    seed: int
    training: str


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    settings = dataclasses.asdict(config) | {"out": str(config.out)}
    folder = ms.study.parts_folder(config.out, settings)
    parts = {
        f"seed{seed}-{training.replace(' ', '-')}": Part(seed, training)
        for seed in range(config.seeds)
        for training in TRAININGS
    }
    result = ms.study.run_parts(parts, lambda part: compute(config, part, folder), folder)
    result = labelled(result.sel(training=list(TRAININGS)), settings)
    ms.study.save_result(result, config.out / "mismatch.nc")
    table = ms.study.summary(result)
    ms.study.save_table(table, config.out / "mismatch.csv", index=False)
    report(result, table)
    print(f"Wrote {config.out / 'mismatch.nc'} and mismatch.csv. `memsim draw mismatch` draws them")
    ms.study.remove_parts(folder)
    return result


def compute(config: Config, part: Part, folder: Path) -> xr.Dataset:
    """Trains one network and measures it on its chips."""
    data = digits(config.steps, recordings=config.recordings, quick=config.quick)
    level = jnp.asarray(config.training_mismatch)
    model_key, fit_key = jr.split(jr.fold_in(jr.key(0), part.seed))
    model = ms.train.fit(
        recurrent_network(13, config.hidden, 10, key=model_key),
        data,
        key=fit_key,
        hardware=ms.train.SampledChip(design(level, level)) if part.training == "with mismatch" else None,
        epochs=config.epochs,
        batch_size=config.batch_size,
        clip=config.clip,
        checkpoint=folder / f"{part.seed}-{part.training.replace(' ', '-')}.checkpoint",
    )
    xs, labels = jnp.asarray(data.test.inputs), jnp.asarray(data.test.labels)
    levels = jnp.asarray(config.mismatch)
    pairs = {"neurons": (levels, 0 * levels), "synapses": (0 * levels, levels), "both": (levels, levels)}
    # The same chips for every network, as far as chance is concerned: comparisons are paired.
    found = [outcomes(model, *pairs[place], xs, labels, jnp.arange(config.chips), key=jr.key(1)) for place in PLACES]
    on_chips = ms.study.Outcome(*(np.stack(parts) for parts in zip(*found, strict=True)))
    index = {"seed": [part.seed], "training": [part.training]}
    return xr.Dataset(
        {
            **on_chips.variables((*index, "place", "mismatch", "chip"), len(labels)),
            **digital_outcome(model, xs, labels).variables(tuple(index), len(labels), "digital_{}"),
        },
        index | {"place": list(PLACES), "mismatch": list(config.mismatch), "chip": np.arange(config.chips)},
    )


def design(in_neurons, in_synapses) -> ms.nn.MixedSignal:
    """Neurons and cells that deviate by these relative standard deviations, and nothing else."""
    cell = dm.PCM(
        0.0,
        G_MAX,
        write_noise=dm.curves.Polynomial(
            (0.0, G_MAX)
        ),  # the target itself, so that its multiple is a relative deviation
        nu_mean=dm.curves.Polynomial((0.0,)),
        nu_std=dm.curves.Polynomial((0.0,)),
        relative_read_noise=dm.curves.Polynomial((0.0,)),
        t_0=1.0,
        t_read=1e-6,
        write_noise_scale=in_synapses,
    )
    return ms.nn.MixedSignal(
        ms.Crossbar(cell, compensation=None, reads=ms.Reads("off")),
        ms.nn.NeuronCircuit({"tau_mem": in_neurons, "threshold": in_neurons}),
    )


@eqx.filter_jit
def outcomes(model, in_neurons, in_synapses, xs, labels, chips, *, key) -> ms.study.Outcome:
    """What is right at each pair of levels on each chip; its deviations grow with the level, and keep their signs."""

    def one(inputs):
        level, number = inputs
        chip = ms.deploy(model, design(*level), 0.0, key=jr.fold_in(key, number))
        return ms.study.outcome(chip, xs, labels)

    def at_level(level):
        return jax.lax.map(lambda number: one((level, number)), chips)

    return jax.lax.map(at_level, (in_neurons, in_synapses))


def labelled(result: xr.Dataset, settings: dict) -> xr.Dataset:
    """With units and provenance."""
    for name in ("seed", "mismatch", "chip", "accuracy", "digital_accuracy"):
        result[name].attrs["units"] = "1"
    result["mismatch"].attrs["long_name"] = "relative standard deviation of time constants and thresholds, or weights"
    result["accuracy"].attrs["long_name"] = "test accuracy"
    data = ms.data.spoken_digits(steps=2).test
    attributes = ms.study.provenance() | ms.study.device_numbers(design(0.0, 0.0)) | {"config": json.dumps(settings)}
    return result.assign_attrs(attributes | {"data": f"{data.citation} {data.licence}"})


def report(result: xr.Dataset, table) -> None:
    """Prints the table: mean over chips and seeds, interval of the mean, 5th to 95th percentile."""
    from rich.console import Console
    from rich.table import Table

    over = table.interval_over.iloc[0]
    title = f"Test accuracy in %: mean [95 % interval over {over}] (5th–95th percentile over chips and seeds)"
    shown = Table("mismatch in", "training", "digital", title=title)
    for level in result.mismatch.values:
        shown.add_column(f"{100 * level:g} %")
    for (place, training), rows in table.groupby(["place", "training"], sort=False):
        digital = 100 * float(result.digital_accuracy.sel(training=training).mean())
        bounds = 100 * rows[["mean", "low", "high", "p5", "p95"]]
        cells = [f"{m:.1f} [{low:.1f}, {high:.1f}] ({p5:.0f}–{p95:.0f})" for m, low, high, p5, p95 in bounds.values]
        shown.add_row(str(place), str(training), f"{digital:.1f}", *cells)
    Console(width=200, soft_wrap=False).print(shown)
    gains(result)


def gains(result: xr.Dataset) -> None:
    """Prints what training with mismatch gains at each level above zero, paired."""
    right = ms.study.right(result)
    gain = ms.study.difference(right.sel(training="with mismatch", drop=True), right.sel(training="as is", drop=True))
    for place in result.place.values:
        words = []
        for level in result.mismatch.values[result.mismatch.values > 0]:
            mean, low, high = (100 * x for x in ms.study.interval(gain.sel(place=place, mismatch=level)))
            words.append(f"{100 * level:g} %: {mean:+.1f} [{low:+.1f}, {high:+.1f}]")
        over = ms.study.interval_over(gain.sel(place=place))
        print(f"Training with mismatch gains in points, paired, over {over}, mismatch in {place}: {'; '.join(words)}")
