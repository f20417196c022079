"""How much mismatch of neurons and synapses a spiking network bears, and what training with mismatch buys.

Recurrent spiking networks are trained on spoken digits as they are, and on a freshly drawn mismatched chip in every
step. Each is then fabricated many times: every membrane time constant, threshold and weight deviates from its nominal
value by a relative standard deviation of 0 to 30 %, in the neurons only, in the synapses only, or in both. Buechel et
al. (2021) ask the question of mixed-signal neuromorphic chips. Writes results/mismatch: mismatch.nc, mismatch.csv.
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
from _frame import digits, finish, label, of_a_point, origin, places, swept
from _tables import gain, mean_of, print_summary
from _trained import trained
from _workload import beside_digital

TRAININGS = ("as is", "with mismatch")
PLACES = ("neurons", "synapses", "both")
CHIPS = jr.key(1)  # the same chips for every network, as far as chance is concerned: comparisons are paired
G_MAX = 25e-6  # siemens; relative deviations do not depend on it
SPREAD = ("1", "relative standard deviation of time constants and thresholds, or weights")
LABELS = {"seed": "1", "chip": "1", "mismatch": SPREAD}


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


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    grid = {"seed": range(config.seeds), "training": TRAININGS}
    chosen = partial(measure, config=of_a_point(config, "seeds"))
    result = swept(chosen, grid, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    result = result.assign_attrs(origin(config, digits(2).test, design(0.0, 0.0)))
    table = ms.study.summary(result)
    finish("mismatch", result, table, out=config.out, report=lambda: report(result, table))
    return result


def measure(seed, training, *, key, config: Config) -> xr.Dataset:
    """Trains one network and measures it on its chips."""
    data = digits(config.steps, recordings=config.recordings, quick=config.quick)
    level = jnp.asarray(config.training_mismatch)
    hardware = ms.train.SampledChip(design(level, level)) if training == "with mismatch" else None
    budget = {"epochs": config.epochs, "batch_size": config.batch_size, "clip": config.clip}
    model = trained(config.hidden, data, key=key, hardware=hardware, **budget)
    xs, labels = jnp.asarray(data.test.inputs), jnp.asarray(data.test.labels)
    levels, chips = jnp.asarray(config.mismatch), jnp.arange(config.chips)
    pairs = {"neurons": (levels, 0 * levels), "synapses": (0 * levels, levels), "both": (levels, levels)}
    found = [outcomes(model, *pairs[place], xs, labels, chips, key=CHIPS) for place in PLACES]
    return xr.Dataset(
        {
            **beside_digital(found, ("place", "mismatch", "chip"), model, xs, labels),
        },
        {"place": list(PLACES), "mismatch": list(config.mismatch), "chip": np.arange(config.chips)},
    )


def design(in_neurons, in_synapses) -> ms.nn.MixedSignal:
    """Neurons and cells that deviate by these relative standard deviations, and nothing else."""
    none = dm.curves.Polynomial((0.0,))
    cell = dm.PCM(
        0.0,
        G_MAX,
        write_noise=dm.curves.Polynomial((0.0, G_MAX)),  # the target itself: its multiple is a relative deviation
        nu_mean=none,
        nu_std=none,
        relative_read_noise=none,
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


def report(result: xr.Dataset, table: pd.DataFrame) -> None:
    """Prints the table, and what training with mismatch gains at each level above zero, paired."""
    beside = {"digital": mean_of(result.digital_accuracy)}
    ordered = table.sort_values("place", key=lambda names: names.map(PLACES.index), kind="stable")
    print_summary(ordered, ["place", "training"], "mismatch", head=lambda level: f"{100 * level:g} %", beside=beside)
    right = ms.study.right(result)
    aware, other = (right.sel(training=name, drop=True) for name in TRAININGS[::-1])
    for place in places(result.sel(mismatch=result.mismatch > 0), "place", "mismatch"):
        words = f"{100 * place['mismatch']:g} % mismatch of {place['place']}"
        print(f"{words}: training with mismatch gains {gain(aware.sel(place), other.sel(place), '+.1f')}")
