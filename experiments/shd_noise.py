"""Accuracy against weight noise of one layer of delayed synapses, by the protocol of DenRAM.

D'Agostino et al. (2024) report accuracy on the Spiking Heidelberg Digits (SHD) against Gaussian weight noise, relative
to the largest weight and the same in training and test. From each channel to each class lead 16 synapses with random
log-normal delays; each class has a leaky membrane, whose largest value is its score. Here a network is trained at each
level of noise, none among them, and tested at each. Without SHD (`memsim data get shd`) the task is the spoken digits
that come with the package, and the output says so. Writes results/shd_noise: shd_noise.nc, shd_noise.csv.

What differs from the paper: coarser steps by default, membranes that may be negative, no bias, Adam with a cosine decay
in place of early stopping, and several draws of the noise in the test.
"""

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import memsim as ms
from _denram import DURATION, NOISE, PUBLISHED, SHORTEST_STEP, network, recordings
from _frame import FEW, finish, label, of_a_point, origin
from _tables import print_summary
from _trained import adam

DRAWS = jr.key(1)  # the same draws of noise for every network: comparisons are paired
LABELS = {"seed": "1", "draw": "1", "accuracy": ("1", "test accuracy")}
LABELS |= {"noise": ("1", "weight noise in the test"), "training_noise": ("1", "weight noise in training")}
largest = partial(jnp.max, axis=0)  # over time
OBJECTIVE = ms.train.Objective(ms.train.max_cross_entropy, scores=largest)
noisy = partial(ms.train.GaussianNoise, ramp=0.0, relative_to="layer")
QUICK = {"noise": (0.0, 0.2), "draws": 2, "seeds": 2, "dt": 75e-3, "dendrites": 2, "epochs": 1}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults are for SHD and a GPU; `--dt 0.025` is for spoken digits and two cores."""

    noise: tuple[float, ...] = NOISE
    """Standard deviations of the weights, relative to the layer's largest; the first is 0."""
    draws: int = 10
    """Chips: draws of the noise in the test."""
    seeds: int = 3
    """Training seeds: of delays, initial weights, batches and noise."""
    channels: int = 700
    """Of SHD; the spoken digits have 13."""
    dt: float = 15e-3
    """Length of a step, in seconds; 5e-3 in the paper. The work grows as one over its square."""
    dendrites: int = 16
    """Delayed synapses from each channel to each class; each delay is drawn by itself, and two may be equal."""
    tau_mem: float = 20e-3
    """Of the membranes, in seconds; in the paper 15e-3 with 256 channels."""
    epochs: int = 50
    batch_size: int = 64
    learning_rate: float = 5e-3
    out: Path = Path("results/shd_noise")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self)
        if not self.noise or self.noise[0] != 0 or not all(0 <= level < 1 for level in self.noise):
            raise ValueError(f"`noise` must be in [0, 1), the first 0. Got {self.noise}. Percent? Divide by 100.")
        if not SHORTEST_STEP <= self.dt <= DURATION / 2:
            raise ValueError(f"`dt` must be from {SHORTEST_STEP} to {DURATION / 2} s. Got {self.dt}.")
        ms.nn.LI(1, self.tau_mem, dt=self.dt)  # says what cannot be


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    try:
        task, data = "shd", load(config, "shd")
    except FileNotFoundError as error:
        print(f"{error} This run takes the spoken digits, which are another task.")
        task, data = "spoken_digits", load(config, "spoken_digits")
    ms.study.check_options(config, batch_size=len(data.train))
    grid = {"seed": range(config.seeds), "training_noise": config.noise}
    chosen = partial(measure, config=of_a_point(config, "seeds"), task=task)
    result = ms.study.sweep(chosen, grid, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    if task == "shd" and config.channels in PUBLISHED:
        source = PUBLISHED[config.channels]
        published = ("published_noise", list(source.coefficients), {"units": "1", "source": source.where})
        noise = ("published_noise", list(NOISE), {"units": "1"})
        result = result.assign(published=published).assign_coords(published_noise=noise)
    told = {"task": task, "channels": data.test.inputs.shape[2]}
    result = result.assign_attrs(origin(asdict(config) | told, data.test) | told)
    table = ms.study.summary(result.accuracy.rename(draw="chip"))
    finish("shd_noise", result, table, out=config.out, report=lambda: report(result, table))
    return result


def load(config: Config, task: str) -> ms.data.Splits:
    return recordings(task, config.dt, config.channels, most=FEW if config.quick else None)


def measure(seed, training_noise, *, key, config: Config, task: str) -> xr.Dataset:
    """Trains one network at one level of noise and tests it at all of them."""
    data = load(config, task)
    (model_key, fit_key), classes = jr.split(key), len(data.test.class_names)
    cells = {"dendrites": config.dendrites, "dt": config.dt, "tau_mem": config.tau_mem}
    model = ms.train.fit(
        network(data.test.inputs.shape[2], classes, **cells, key=model_key),
        data,
        key=fit_key,
        hardware=noisy(jnp.asarray(training_noise)),
        optimizer=adam(config.learning_rate, config.epochs * (len(data.train) // config.batch_size)),
        loss=OBJECTIVE,
        epochs=config.epochs,
        batch_size=config.batch_size,
        clip=None,
        checkpoint=ms.study.checkpoint(),
    )
    xs, labels = jnp.asarray(data.test.inputs), jnp.asarray(data.test.labels)
    found = accuracies(model, jnp.asarray(config.noise), xs, labels, jr.split(DRAWS, config.draws))
    grid = {"noise": list(config.noise), "draw": np.arange(config.draws)}
    return xr.Dataset({"accuracy": (tuple(grid), np.asarray(found))}, grid)


@eqx.filter_jit
def accuracies(model, levels, xs, labels, keys) -> jax.Array:
    """Accuracy at each level of noise in each draw."""

    def one(level, key):
        sample = noisy(level).sample(model, strength=jnp.ones(()), key=key)
        return ms.train.accuracy(sample, xs, labels, scores=largest)

    return jax.lax.map(lambda level: jax.lax.map(lambda key: one(level, key), keys), levels)


def report(result: xr.Dataset, table) -> None:
    """Prints accuracies at all levels of noise, and those that are published, if any."""
    title = f"Accuracy in % on {result.task}, {result.sizes['seed']} seeds, {result.sizes['draw']} draws each"
    print_summary(table, ["training_noise"], "noise", title=title, head=lambda level: f"tested at {100 * level:g} %")
    if "published" in result:
        published = [f"{100 * value:.1f} at {100 * value.published_noise:g} %" for value in result.published]
        print(f"Published, tested as trained: {', '.join(published)}.")
    else:
        print(f"The published accuracies are of SHD with 700 or 256 channels; these are of {result.task}.")
