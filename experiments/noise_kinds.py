"""Whether read errors pile up over the time steps of a spiking network, for white and for frozen noise of one variance.

Bhattacharjee et al. (2022) find that errors of crossbars accumulate over time steps, and advise few of them. Here
networks are trained for several numbers of steps and run on the same chips with no read noise, with fresh noise in
every read (white), and with one draw for all reads (frozen), each read having the same variance. Two settings: the
steps cut one duration finer, or each has the same length and the duration grows. A place for 1/f noise, which lies
between the two, is left in KINDS. Writes results/noise_kinds: noise_kinds.nc, noise_kinds.csv.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import device_models as dm
import memsim as ms
from _frame import digits, finish, label, origin, places, print_table
from _runs import Run, analog_weights
from _workload import digital_outcome, recurrent_network

KINDS = ("white", "frozen")
SETTINGS = ("same duration", "same step")
STEP = 1e-3  # seconds: the step of "same step"
LONGEST_STEP = 0.2  # seconds, 20 of the shortest time constants, after which nothing is left of a state

# With this duration both settings are one, and compiled once.
QUICK = {"steps": (8,), "duration": 8e-3, "noise_scales": (4.0,), "chips": 2, "seeds": 1, "hidden": 16}
QUICK |= {"epochs": 1, "recordings": 50}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take about half an hour on two cores."""

    device: str = "pcm_joshi2020"
    """A name of `device_models.DEVICES`, of a device with read noise."""
    steps: tuple[int, ...] = (5, 10, 20, 40, 80)
    """Numbers of time steps."""
    duration: float = 40e-3
    """What "same duration" cuts into steps, in seconds; the time constants are 10 and 20 ms."""
    noise_scales: tuple[float, ...] = (1.0, 4.0, 8.0)
    """Multiples of the published read noise."""
    write_noise: float = 1.0
    """Multiple of the published write noise."""
    chips: int = 20
    seeds: int = 5
    """Training seeds."""
    hidden: int = 64
    epochs: int = 30
    batch_size: int = 64
    clip: float = 2.5
    """Weight clipping while training, in multiples of the root mean square of a layer's weights, at least 1."""
    recordings: int = 600
    """Of the test set, at most 600."""
    out: Path = Path("results/noise_kinds")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self, batch_size=200 if self.quick else 1800, recordings=600)
        if self.duration / min(self.steps) > LONGEST_STEP:
            raise ValueError(
                f"`duration` must be at most {LONGEST_STEP} s a step, of which there are {min(self.steps)}. "
                f"Got {self.duration}. Milliseconds? Multiply by 1e-3."
            )
        if dm.device(self.device).make().sources == ():
            raise ValueError(f"`device` must be a published one, with read noise to scale. Got {self.device}.")


class Part(NamedTuple):
    """One trained network: what is computed, and saved, at a time."""

    seed: int
    setting: str
    steps: int


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    design(config)  # says what cannot be, before any work
    settings = dataclasses.asdict(config) | {"out": str(config.out)}
    folder = ms.study.parts_folder(config.out, settings)
    parts = {
        f"seed{seed}-{setting.replace(' ', '-')}-{steps}": Part(seed, setting, steps)
        for seed in range(config.seeds)
        for setting in SETTINGS
        for steps in config.steps
    }
    result = ms.study.run_parts(parts, lambda part: compute(config, part, folder), folder)
    result = labelled(result.sel(setting=list(SETTINGS)), config, settings)
    table = ms.study.summary(lost(result))
    finish("noise_kinds", result, table, out=config.out, report=lambda: report(result), parts=folder)
    return result


def compute(config: Config, part: Part, folder: Path) -> xr.Dataset:
    """Trains one network and runs it on its chips."""
    data = digits(part.steps, recordings=config.recordings, quick=config.quick)
    dt = config.duration / part.steps if part.setting == "same duration" else STEP
    model_key, fit_key = jr.split(jr.fold_in(jr.key(0), part.seed))
    model = ms.train.fit(
        recurrent_network(13, config.hidden, 10, dt=dt, input_scale=dt / STEP, key=model_key),
        data,
        key=fit_key,
        epochs=config.epochs,
        batch_size=config.batch_size,
        clip=config.clip,
        checkpoint=folder / f"{part.seed}-{part.setting.replace(' ', '-')}-{part.steps}.checkpoint",
    )
    xs, labels = jnp.asarray(data.test.inputs), jnp.asarray(data.test.labels)
    # The same chips for every network, as far as chance is concerned: comparisons are paired.
    chip_key, noise_key = jr.split(jr.key(1))
    matrices = fabricate(analog_weights(model), design(config), jnp.arange(config.chips), key=chip_key)
    found = measure(model, matrices, xs, labels, jnp.asarray(config.noise_scales), key=noise_key)
    index = {"seed": [part.seed], "setting": [part.setting], "steps": [part.steps]}
    quiet, noisy = found.pop("noiseless"), found.pop("noisy")
    variables: dict[str, Any] = {
        name: ((*index, *DIMENSIONS[name]), np.asarray(values)[None, None, None]) for name, values in found.items()
    }
    variables |= quiet.variables((*index, "chip"), len(labels), "noiseless_{}")
    variables |= noisy.variables((*index, *NOISY), len(labels))
    variables |= digital_outcome(model, xs, labels).variables(tuple(index), len(labels), "digital_{}")
    coordinates = {
        "kind": list(KINDS),
        "noise_scale": list(config.noise_scales),
        "chip": np.arange(config.chips),
        "step": np.arange(part.steps),
    }
    return xr.Dataset(variables, index | coordinates)


def design(config: Config) -> ms.Crossbar:
    # No converters and no drift: nothing but the noise differs from the chip without it.
    device = dm.device(config.device).make(write_noise_scale=jnp.asarray(config.write_noise))
    return ms.Crossbar(device, compensation=None, reads=ms.Reads("per_read"))


NOISY = ("chip", "kind", "noise_scale")
DIMENSIONS = {
    "weight_noise": ("chip",),
    "spike_rate": ("chip", "step"),
    "readout_size": ("chip", "step"),
    "score_size": ("chip",),
    "spike_deviation": (*NOISY, "step"),
    "readout_deviation": (*NOISY, "step"),
    "score_deviation": NOISY,
}


@eqx.filter_jit
def fabricate(weights, crossbar, chips, *, key) -> list[ms.AnalogMatrix]:
    """The matrices of each chip, whatever network the `weights` are of: compiled once for all numbers of steps."""

    def one_chip(number):
        keys = jr.split(jr.fold_in(key, number), len(weights))
        return [crossbar.deploy(w, 0.0, key=layer_key) for w, layer_key in zip(weights, keys, strict=True)]

    return jax.lax.map(one_chip, chips)


@eqx.filter_jit
def measure(model, matrices, xs, labels, scales, *, key) -> dict[str, Any]:
    """What each chip does without read noise, and how far noise of each kind and scale takes it from there."""

    def one_chip(inputs):
        matrices, key = inputs
        still = Run.of(model, [dataclasses.replace(matrix, noise=None) for matrix in matrices], xs)
        alone = {
            "noiseless": still.outcome(labels),
            "weight_noise": jnp.mean(jnp.stack([relative_noise(matrix) for matrix in matrices])),
            **still.size(),
        }

        def at_scale(scale):
            draw_key, read_key = jr.split(key)  # the same draws at every scale
            louder = [dataclasses.replace(matrix, noise=noise_of(matrix).ramped(scale)) for matrix in matrices]
            keys = jr.split(draw_key, len(louder))
            stills = [frozen(matrix, key=key) for matrix, key in zip(louder, keys, strict=True)]
            runs = Run.of(model, louder, xs, key=read_key), Run.of(model, stills, xs)  # in the order of KINDS
            found = [{"noisy": run.outcome(labels), **run.deviation(still)} for run in runs]
            return jax.tree.map(lambda *values: jnp.stack(values), *found)

        by_scale = jax.lax.map(at_scale, scales)
        return alone | jax.tree.map(lambda values: jnp.swapaxes(values, 0, 1), by_scale)

    return jax.lax.map(one_chip, (matrices, jr.split(key, matrices[0].weight.shape[0])))


def relative_noise(matrix: ms.AnalogMatrix) -> jax.Array:
    """Root mean square of the read noise over that of the weights."""
    return jnp.sqrt(jnp.mean(noise_of(matrix).variance) / jnp.mean(matrix.weight**2))


def noise_of(matrix: ms.AnalogMatrix) -> Any:
    assert matrix.noise is not None, "cells of this experiment are noisy"
    return matrix.noise


def frozen(matrix: ms.AnalogMatrix, *, key) -> ms.AnalogMatrix:
    """One draw of the read noise for all reads.

    `Reads("per_moment")` draws conductances, which stay positive: 2 % less variance at the published
    noise, 6 % less at four times. Here the variance is that of `per_read` exactly.
    """
    draw = jnp.sqrt(noise_of(matrix).variance) * jr.normal(key, matrix.weight.shape, matrix.weight.dtype)
    return dataclasses.replace(matrix, weight=matrix.weight + draw, noise=None)


MEANINGS = {
    "lost_accuracy": "accuracy of the same chip without read noise less that with it",
    "spike_deviation": "fraction of neurons whose spike differs from that without read noise",
    "readout_deviation": "root mean square over recordings and classes, in units of the membrane",
    "score_error": "deviation of the class scores over their size without read noise",
    "spike_growth": "fraction of changed spikes in the last third of a sequence over that in the middle, less one",
    "readout_growth": "relative deviation of the readout in the last third over that in the middle third, less one",
    "weight_noise": "published read noise over the weights, root mean squares, mean over layers",
    "noise_scale": "multiple of the published read noise",
    "steps": "time steps of a sequence",
}


def labelled(result: xr.Dataset, config: Config, settings: dict) -> xr.Dataset:
    """With the differences that the question is about, units and provenance."""
    result["lost_accuracy"] = result.noiseless_accuracy - result.accuracy
    result["score_error"] = result.score_deviation / result.score_size
    result["spike_growth"] = growth(result.spike_deviation / result.spike_rate.mean("step"), result.steps)
    result["readout_growth"] = growth(result.readout_deviation / result.readout_size, result.steps)
    label(result, {str(name): "1" for name in result.variables if name not in ("setting", "kind")})
    label(result, {name: ("1", words) for name, words in MEANINGS.items()})
    return result.assign_attrs(origin(settings, ms.data.spoken_digits(steps=2).test, design(config)))


def lost(result: xr.Dataset) -> xr.DataArray:
    """Of each recording, 1 where only the chip without read noise is right, and -1 where only that with it is."""
    return ms.study.difference(ms.study.right(result, "noiseless_right"), ms.study.right(result))


def growth(deviation: xr.DataArray, steps: xr.DataArray) -> xr.DataArray:
    """Mean `deviation` in the last third of a sequence over that in the middle third, less one.

    The first third is left out: there, membranes and errors alike rise from zero.
    """
    place = deviation.step / (steps - 1)
    last = deviation.where((place > 2 / 3) & (place <= 1)).mean("step")
    return last / deviation.where((place >= 1 / 3) & (place <= 2 / 3)).mean("step") - 1


def report(result: xr.Dataset) -> None:
    """Prints what noise costs at each number of steps: means over chips and seeds, with 95 % intervals."""

    def cell(values: xr.DataArray, form: str = ".1f") -> str:
        # Of a silent network nothing changes, and too few steps have no growth.
        return "-" if np.isnan(values).all() else ms.study.interval(values).in_percent(form)

    right, noiseless, change = ms.study.right(result), ms.study.right(result, "noiseless_right"), lost(result)
    rows = []
    for place in places(result, "setting", "noise_scale", "kind", "steps"):
        network = {name: place[name] for name in ("setting", "steps")}
        at, noisy = result.sel(network), result.sel(place)
        changed = noisy.spike_deviation.mean("step") / at.spike_rate.mean("step")
        readout = (noisy.readout_deviation / at.readout_size).mean("step")
        words = [cell(noiseless.sel(network)), cell(change.sel(place), ".2f"), cell(changed), cell(readout)]
        words += [cell(noisy.score_error), cell(noisy.spike_growth, ".0f"), cell(noisy.readout_growth, ".0f")]
        rows.append([place["setting"], f"{place['noise_scale']:g}x {place['kind']}", str(place["steps"]), *words])
    over = f"{ms.study.interval_over(right)}; of what is no accuracy, over {ms.study.interval_over(result.score_error)}"
    title = f"Mean [95 % interval over {over}], {result.sizes['seed']} seeds x {result.sizes['chip']} chips"
    columns = ["setting", "read noise", "steps", "no noise %", "lost, points", "spikes changed %"]
    columns += ["readout error %", "score error %", "growth of spike errors %", "growth of readout errors %"]
    print_table(columns, rows, title=title, width=160)
    trends(result)


def trends(result: xr.Dataset) -> None:
    """Prints how the lost accuracy and the score error change from the fewest steps to the most, paired.

    And how the noise of the weights does: networks trained for other numbers of steps have other weights.
    """
    few, many = int(result.steps.min()), int(result.steps.max())
    for setting in result.setting.values:
        noise = 100 * result.weight_noise.sel(setting=setting).mean(["seed", "chip"])
        words = [f"{float(noise.sel(steps=steps)):.2f} % at {steps} steps" for steps in result.steps.values]
        print(f"{setting}, 1x: read noise over weights (root mean squares) {', '.join(words)}")
        for place in places(result, "noise_scale", "kind"):
            at, words = result.sel(setting=setting, **place), []
            for name, of in (("lost accuracy", lost(at)), ("score error", at.score_error)):
                change = ms.study.difference(of.sel(steps=many, drop=True), of.sel(steps=few, drop=True))
                words.append(f"{name} {ms.study.interval(change).in_percent('+.2f', ' points')}")
            noise = f"{place['noise_scale']:g}x {place['kind']}"
            print(f"{setting}, {noise}, {few} to {many} steps: {', '.join(words)}, paired")
