"""Accuracy against weight noise of one layer of delayed synapses, by the protocol of DenRAM.

D'Agostino et al. (2024) report accuracy on the Spiking Heidelberg Digits (SHD) against Gaussian weight noise, relative
to the largest weight and the same in training and test. From each channel to each class lead 16 synapses with random
log-normal delays; each class has a leaky membrane, whose largest value is its score. Here a network is trained at each
level of noise, none among them, and tested at each. Without SHD (`memsim data get shd`) the task is the spoken digits
that come with the package, and the output says so. Writes results/shd_noise: shd_noise.nc, shd_noise.csv.

What differs from the paper: coarser steps by default, membranes that may be negative, no bias, Adam with a cosine decay
in place of early stopping, and several draws of the noise in the test.
"""

import dataclasses
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import xarray as xr

import memsim as ms
from device_models import Sourced

NOISE = (0.0, 0.05, 0.1, 0.15, 0.2)
WHERE = "D'Agostino et al. (2024), Fig. 4d: mean of three seeds in the authors' table expected_results_fig4d.csv"
PUBLISHED = {  # test accuracy at NOISE, by channels of SHD
    700: Sourced((0.901, 0.897, 0.872, 0.831, 0.784), "1", WHERE),
    256: Sourced((0.867, 0.860, 0.821, 0.773, 0.719), "1", WHERE),
}
DURATION = 0.75  # seconds, as in the paper: later spikes of SHD are dropped, spoken digits are stretched to it
SHORTEST_STEP = 1e-4  # seconds: the work grows as one over its square
MEAN_DELAY, SPREAD, LONGEST = 0.5, 0.4, 1.0  # seconds, of the logarithm, seconds; as in the authors' code


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
    data = load(config)
    ms.study.check_options(config, batch_size=len(data.train))
    settings = dataclasses.asdict(config) | {"out": str(config.out), "task": data.test.name}
    folder = ms.study.parts_folder(config.out, settings)
    # One optimizer for all fits, so that they share compiled functions.
    steps = config.epochs * (len(data.train) // config.batch_size)
    optimizer = optax.adam(optax.cosine_decay_schedule(config.learning_rate, steps))
    parts = {f"seed{seed}-{level:g}": (seed, level) for seed in range(config.seeds) for level in config.noise}
    result = ms.study.run_parts(parts, lambda part: compute(config, data, optimizer, *part, folder), folder)
    result = labelled(result.sel(training_noise=list(config.noise)), config, data, settings)
    ms.study.save_result(result, config.out / "shd_noise.nc")
    table = ms.study.summary(result.accuracy.rename(draw="chip"))
    ms.study.save_table(table, config.out / "shd_noise.csv", index=False)
    report(result, table)
    print(f"Wrote {config.out / 'shd_noise.nc'} and shd_noise.csv. `memsim draw shd_noise` draws them")
    ms.study.remove_parts(folder)
    return result


def load(config: Config) -> ms.data.Splits:
    """The recordings, each followed by as many empty steps as the longest delay has."""
    steps = round(DURATION / config.dt)
    try:
        data = ms.data.shd(ms.data.Binning(config.dt, steps, binary=True), channels=config.channels, dtype=np.uint8)
    except FileNotFoundError as error:
        print(f"{error} This run takes the spoken digits, which are another task.")
        data = ms.data.spoken_digits(steps=steps)

    def extended(part: ms.data.Dataset) -> ms.data.Dataset:
        part = part.take(np.arange(min(200, len(part)))) if config.quick else part
        return dataclasses.replace(part, inputs=np.pad(part.inputs, ((0, 0), (0, round(LONGEST / config.dt)), (0, 0))))

    return ms.data.Splits(extended(data.train), extended(data.validation), extended(data.test))


class Dendrites(ms.nn.AbstractLayer):
    """The sum of each `number` neighbouring outputs of `synapse`, as one convolution; digital weights only."""

    synapse: ms.nn.DelayedLinear
    number: int = eqx.field(static=True)

    def initial_state(self):
        return self.synapse.initial_state()

    def output_shape(self, shape):
        return (self.synapse.out_features // self.number,)

    def run(self, xs, state, *, keys=None, record=frozenset()):
        last, noise = state
        history = jnp.concatenate([last, xs])
        place = self.synapse.longest - self.synapse.delays.reshape(-1, self.number, self.synapse.in_features)
        weight = self.synapse.weight.reshape(place.shape)
        line, _, channel = jnp.indices(place.shape, sparse=True)
        kernel = jnp.zeros((place.shape[0], place.shape[2], self.synapse.longest + 1), weight.dtype)
        kernel = kernel.at[line, channel, place].add(weight)
        ys = jax.lax.conv_general_dilated(history.T[None], kernel, (1,), "VALID")[0].T
        return ys, (history[xs.shape[0] :], noise), {}


def network(config: Config, channels: int, classes: int, *, key) -> ms.nn.SpikingNetwork:
    """One layer of delayed synapses, positive at first, onto a leaky membrane for each class."""
    weight_key, delay_key = jr.split(key)
    shape, longest = (classes * config.dendrites, channels), round(LONGEST / config.dt)
    seconds = MEAN_DELAY * jnp.exp(SPREAD * jr.normal(delay_key, shape) - SPREAD**2 / 2)
    delays = jnp.clip(jnp.round(seconds / config.dt), 0, longest).astype(int)
    layer = ms.nn.DelayedLinear(channels, shape[0], delays, longest=longest, use_bias=False, gain=0.3, key=weight_key)
    layer = eqx.tree_at(lambda made: made.weight, layer, jnp.abs(layer.weight))
    return ms.nn.SpikingNetwork([Dendrites(layer, config.dendrites), ms.nn.LI(classes, config.tau_mem, dt=config.dt)])


largest = partial(jnp.max, axis=0)  # over time
OBJECTIVE = ms.train.Objective(ms.train.max_cross_entropy, scores=largest)
noise = partial(ms.train.GaussianNoise, ramp=0.0, relative_to="layer")


def compute(config: Config, data: ms.data.Splits, optimizer, seed: int, level: float, folder: Path) -> xr.Dataset:
    """Trains one network at one level of noise and tests it at all of them."""
    model_key, fit_key = jr.split(jr.fold_in(jr.key(0), seed))
    model = ms.train.fit(
        network(config, data.test.inputs.shape[2], len(data.test.class_names), key=model_key),
        data,
        key=fit_key,
        hardware=noise(jnp.asarray(level)),
        optimizer=optimizer,
        loss=OBJECTIVE,
        epochs=config.epochs,
        batch_size=config.batch_size,
        clip=None,
        checkpoint=folder / f"{seed}-{level:g}.checkpoint",
    )
    xs, labels = jnp.asarray(data.test.inputs), jnp.asarray(data.test.labels)
    # The same draws for every network: comparisons are paired.
    found = accuracies(model, jnp.asarray(config.noise), xs, labels, jr.split(jr.key(1), config.draws))
    place = {"seed": [seed], "training_noise": [level], "noise": list(config.noise), "draw": np.arange(config.draws)}
    return xr.Dataset({"accuracy": (tuple(place), np.asarray(found)[None, None])}, place)


@eqx.filter_jit
def accuracies(model, levels, xs, labels, keys) -> jax.Array:
    """Accuracy at each level of noise in each draw."""

    def one(level, key):
        noisy = noise(level).sample(model, strength=jnp.ones(()), key=key)
        return ms.train.accuracy(noisy, xs, labels, scores=largest)

    return jax.lax.map(lambda level: jax.lax.map(lambda key: one(level, key), keys), levels)


def labelled(result: xr.Dataset, config: Config, data: ms.data.Splits, settings: dict) -> xr.Dataset:
    """With what was published for these data, units and provenance."""
    names = {"accuracy": "test accuracy", "noise": "weight noise in the test", "training_noise": "that in training"}
    if data.test.name == "shd" and config.channels in PUBLISHED:
        source = PUBLISHED[config.channels]
        published = ("published_noise", list(source.coefficients), {"source": source.where})
        result = result.assign(published=published)
        result = result.assign_coords(published_noise=list(NOISE))
    for name in result.variables:
        result[name].attrs |= {"units": "1", "long_name": names.get(str(name), str(name))}
    own = {"config": json.dumps(settings), "task": data.test.name, "channels": data.test.inputs.shape[2]}
    return result.assign_attrs(ms.study.provenance() | own | {"data": f"{data.test.citation} {data.test.licence}"})


def report(result: xr.Dataset, table) -> None:
    """Prints the means over draws and seeds with the interval of the mean, and the published accuracies, if any."""
    from rich.console import Console
    from rich.table import Table

    sizes = f"{result.sizes['seed']} seeds, {result.sizes['draw']} draws each"
    title = f"Accuracy in % on {result.task}: mean ± 95 % interval over {table.interval_over[0]}; {sizes}"
    shown = Table("trained with noise", *(f"tested at {100 * level:g} %" for level in result.noise.values), title=title)
    cells = [f"{100 * row['mean']:.1f} ± {50 * (row.high - row.low):.1f}" for _, row in table.iterrows()]
    count = result.sizes["noise"]
    for place, level in enumerate(result.training_noise.values):
        shown.add_row(f"{100 * level:g} %", *cells[place * count : (place + 1) * count])
    shown.add_row("as in the test", *cells[:: count + 1])
    Console(width=120).print(shown)
    if "published" in result:
        published = [f"{100 * value:.1f} at {100 * value.published_noise:g} %" for value in result.published]
        print(f"Published, tested as trained: {', '.join(published)}.")
    else:
        print(f"The published accuracies are of SHD with 700 or 256 channels; these are of {result.task}.")
