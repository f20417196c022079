"""Accuracy against weight noise with random delays, by the protocol of DenRAM, on the Spiking Heidelberg Digits.

D'Agostino et al. (2024) train a single layer whose synapses have random delays, a membrane for each class, the largest
of which names the class, and Gaussian weight noise relative to the largest weight of the layer, the same in training
and in the test. Here the same network is trained at each level of noise and tested at each. Without the data set
(`memsim data get shd`) it runs on the spoken digits that come with the package, and says so; published accuracies are
given only where the data are theirs. Writes results/shd_noise: shd_noise.nc, shd_noise.csv.

What differs from the paper: the membranes may be negative, the bias is free of noise, time steps are coarser by
default, and the training (Adam with cosine decay, no early stopping).
"""

import dataclasses
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

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
WHERE = "D'Agostino et al. (2024), Fig. 4d: mean of three seeds in the authors' table"
PUBLISHED = {  # test accuracy at NOISE, by channels
    700: Sourced((0.901, 0.897, 0.872, 0.831, 0.784), "1", WHERE),
    256: Sourced((0.867, 0.860, 0.821, 0.773, 0.719), "1", WHERE),
}


@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take about half an hour on one large GPU with SHD, or on two cores without."""

    data: Literal["auto", "shd", "spoken_digits"] = "auto"
    """"auto" takes SHD where it has been fetched, and the spoken digits otherwise."""
    folder: Path | None = None
    """Where data sets are kept, as for `memsim data get`."""
    noise: tuple[float, ...] = NOISE
    """Standard deviations relative to the layer's largest weight."""
    draws: int = 10
    """Chips: draws of the noise in the test."""
    seeds: int = 3
    """Training seeds: delays, initial weights, batches."""
    channels: int = 700
    """Of SHD; the spoken digits have 13."""
    dt: float = 15e-3
    """Length of a step, in seconds; the paper has 5e-3. The work grows as one over its square."""
    duration: float = 0.75
    """Of the recordings, in seconds: later spikes are dropped, and spoken digits are stretched to it."""
    dendrites: int = 16
    """Delays from each channel to each class."""
    delay: float = 0.5
    """Mean of the log-normal delays, in seconds."""
    delay_spread: float = 0.4
    """Standard deviation of the logarithm of the delays."""
    longest_delay: float = 1.0
    """Delays are clipped here, in seconds; so long the network runs on after the recording."""
    tau_mem: float = 20e-3
    epochs: int = 50
    batch_size: int = 64
    learning_rate: float = 2e-3
    """Of Adam, with a cosine decay."""
    out: Path = Path("results/shd_noise")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        if not self.noise or not all(0 <= level < 1 for level in self.noise) or self.noise[0] != 0:
            raise ValueError(
                "`noise` must be relative standard deviations in [0, 1), the first of them 0. "
                f"Got {self.noise}. Percent? Divide by 100."
            )
        if min(self.draws, self.seeds, self.channels, self.dendrites, self.epochs) < 1:
            raise ValueError(f"`draws`, `seeds`, `channels`, `dendrites` and `epochs` must be at least 1. Got {self}.")
        if not 0 < self.dt <= self.duration / 2 or self.longest_delay < 0 or self.delay <= 0:
            raise ValueError(
                "`dt` must be at most half of `duration`, and delays positive, all in seconds. "
                f"Got dt={self.dt}, duration={self.duration}, delay={self.delay}."
            )


QUICK = {"noise": (0.0, 0.2), "draws": 2, "seeds": 1, "dt": 75e-3, "dendrites": 2, "epochs": 1}


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    if config.quick:
        config = dataclasses.replace(config, **QUICK)
    data = load(config)
    settings = json.loads(json.dumps(dataclasses.asdict(config) | {"used": data.test.name}, default=str))
    folder = ms.study.parts_folder(config.out, settings)
    # One optimizer and one objective for all fits, so that they share compiled functions.
    steps = config.epochs * (len(data.train) // config.batch_size)
    optimizer = optax.adam(optax.cosine_decay_schedule(config.learning_rate, steps))
    parts = {f"seed{seed}-{level:g}": (seed, level) for seed in range(config.seeds) for level in config.noise}
    result = ms.study.run_parts(parts, lambda part: compute(config, data, optimizer, *part, folder), folder)
    result = labelled(result, config, data, settings)
    ms.study.save_result(result, config.out / "shd_noise.nc")
    table = ms.study.summary(result.accuracy.rename(draw="chip"))
    table.to_csv(config.out / "shd_noise.csv", index=False)
    report(result, table)
    print(f"Wrote {config.out / 'shd_noise.nc'} and shd_noise.csv. `memsim draw shd_noise` draws them")
    shutil.rmtree(folder)
    return result


def load(config: Config) -> ms.data.Splits:
    """The recordings, followed by as many empty steps as the longest delay has."""
    steps = round(config.duration / config.dt)
    data = None
    if config.data != "spoken_digits":
        binning = ms.data.Binning(config.dt, steps, binary=True)
        try:
            data = ms.data.shd(binning, channels=config.channels, dtype=np.uint8, folder=config.folder)
        except FileNotFoundError as error:
            if config.data == "shd":
                raise
            print(f"{error} Until then: the spoken digits, which are another task.")
    data = ms.data.spoken_digits(steps=steps) if data is None else data
    return ms.data.Splits(*(extended(part, config) for part in (data.train, data.validation, data.test)))


def extended(part: ms.data.Dataset, config: Config) -> ms.data.Dataset:
    part = part.take(np.arange(min(200, len(part)))) if config.quick else part
    tail = ((0, 0), (0, round(config.longest_delay / config.dt)), (0, 0))
    return dataclasses.replace(part, inputs=np.pad(part.inputs, tail))


class Dendrites(ms.nn.AbstractLayer):
    """Each `number` of neighbouring outputs of a delayed `synapse` summed, as by the dendrites of one neuron.

    Digital weights only, and so as one convolution for all dendrites of a neuron: `number` times less work.
    """

    synapse: ms.nn.DelayedLinear
    number: int = eqx.field(static=True)

    def initial_state(self):
        return self.synapse.initial_state()

    def output_shape(self, shape):
        (outputs,) = self.synapse.output_shape(shape)
        return (outputs // self.number,)

    def run(self, xs, state, *, keys=None, record=frozenset()):
        history = jnp.concatenate([state, xs])
        ys = jax.lax.conv_general_dilated(history.T[None], self.kernel(), (1,), "VALID")[0].T
        return ys, history[xs.shape[0] :], {}

    def kernel(self) -> jax.Array:
        """What each neuron gathers of each channel, (neurons, channels, longest + 1), the oldest first."""
        layer = self.synapse
        place = layer.longest - layer.delays.reshape(-1, self.number, layer.in_features)
        weight = layer.weight.reshape(place.shape)
        neuron, _, channel = jnp.indices(place.shape, sparse=True)
        shape = (weight.shape[0], layer.in_features, layer.longest + 1)
        return jnp.zeros(shape, weight.dtype).at[neuron, channel, place].add(weight)


def network(config: Config, channels: int, classes: int, *, key) -> ms.nn.SpikingNetwork:
    """One layer of delayed synapses, positive at first, onto a leaky membrane for each class."""
    weight_key, delay_key = jr.split(key)
    shape = (classes * config.dendrites, channels)
    longest = round(config.longest_delay / config.dt)
    sigma = config.delay_spread
    seconds = config.delay * jnp.exp(sigma * jr.normal(delay_key, shape) - sigma**2 / 2)
    delays = jnp.clip(jnp.round(seconds / config.dt), 0, longest).astype(int)
    layer = ms.nn.DelayedLinear(
        channels, shape[0], np.asarray(delays), longest=longest, use_bias=False, gain=0.3, key=weight_key
    )
    layer = eqx.tree_at(lambda made: made.weight, layer, jnp.abs(layer.weight))
    return ms.nn.SpikingNetwork(
        [Dendrites(layer, config.dendrites), ms.nn.LI(classes, config.tau_mem, dt=config.dt)], input_shape=channels
    )


def largest(outputs: jax.Array) -> jax.Array:
    """The scores: the largest value that each membrane reaches."""
    return jnp.max(outputs, axis=0)


OBJECTIVE = ms.train.Objective(ms.train.max_cross_entropy, scores=largest)


def noise(level) -> ms.train.GaussianNoise:
    return ms.train.GaussianNoise(level, ramp=0.0, relative_to="layer")


def compute(config: Config, data: ms.data.Splits, optimizer, seed: int, level: float, folder: Path) -> xr.Dataset:
    """Trains one network at one level of noise and tests it at all of them."""
    model_key, fit_key = jr.split(jr.fold_in(jr.key(0), seed))
    channels, classes = data.test.inputs.shape[2], len(data.test.class_names)
    model = ms.train.fit(
        network(config, channels, classes, key=model_key),
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
    return xr.Dataset(
        {"accuracy": (("seed", "training_noise", "noise", "draw"), np.asarray(found)[None, None])},
        {
            "seed": [seed],
            "training_noise": [level],
            "noise": list(config.noise),
            "draw": np.arange(config.draws),
        },
    )


@eqx.filter_jit
def accuracies(model, levels, xs, labels, keys) -> jax.Array:
    """Accuracy at each level of noise in each draw."""

    def one(level, key):
        sampled = noise(level).sample(model, strength=jnp.ones(()), key=key)
        return ms.train.accuracy(sampled, xs, labels, scores=largest)

    return jax.lax.map(lambda level: jax.lax.map(lambda key: one(level, key), keys), levels)


def labelled(result: xr.Dataset, config: Config, data: ms.data.Splits, settings: dict) -> xr.Dataset:
    """With what was published for these data, units and provenance."""
    if data.test.name == "shd" and config.channels in PUBLISHED:
        published = PUBLISHED[config.channels]
        result["published"] = (("published_noise",), list(published.coefficients))
        result = result.assign_coords(published_noise=list(NOISE))
        result["published"].attrs["source"] = published.where
    for name in result.variables:
        result[name].attrs["units"] = "1"
    result["noise"].attrs["long_name"] = "standard deviation of weights in the test, relative to the layer's largest"
    result["training_noise"].attrs["long_name"] = "that in training"
    result["accuracy"].attrs["long_name"] = "test accuracy"
    own = {"config": json.dumps(settings), "task": data.test.name, "channels": data.test.inputs.shape[2]}
    source = {"data": f"{data.test.citation} {data.test.licence}"}
    return result.assign_attrs(ms.study.provenance() | own | source)


def report(result: xr.Dataset, table) -> None:
    """Prints the table: mean over draws and seeds, interval of the mean; and the published accuracies, if any."""
    from rich.console import Console
    from rich.table import Table

    over = table.interval_over.iloc[0].replace("chips", "draws")
    title = f"Test accuracy on {result.task} ({result.channels} channels) in %: mean ± 95 % interval over {over}"
    shown = Table("noise in training", title=title)
    for level in result.noise.values:
        shown.add_column(f"test noise {100 * level:g} %")

    def cells(rows) -> list[str]:
        return [f"{100 * row['mean']:.1f} ± {50 * (row.high - row.low):.1f}" for _, row in rows.iterrows()]

    for level, rows in table.groupby("training_noise", sort=False):
        shown.add_row(f"{100 * level:g} %", *cells(rows))
    shown.add_row("as in the test", *cells(table[table.training_noise == table.noise]))
    if "published" in result:
        published = dict(zip(result.published_noise.values, result.published.values, strict=True))
        values = [published.get(level) for level in result.noise.values]
        shown.add_row("as in the test, published", *("" if x is None else f"{100 * x:.1f}" for x in values))
    Console(width=160, soft_wrap=False).print(shown)
    if "published" not in result:
        print(f"Published accuracies are of SHD with 700 or 256 channels; these are of {result.task}.")
