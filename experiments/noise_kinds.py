"""Whether read errors pile up over the time steps of a spiking network, for white and for frozen noise of one variance.

Bhattacharjee et al. (2022) find that errors of crossbars accumulate over time steps, and advise few of them. Here
networks are trained for several numbers of steps and run on the same chips with no read noise, with fresh noise in
every read (white), and with one draw for all reads (frozen), each read having the same variance. Two settings: the
steps cut one duration finer, or each has the same length and the duration grows. Writes results/noise_kinds:
noise_kinds.nc, noise_kinds.csv.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import device_models as dm
import memsim as ms
from _frame import digits, finish, label, of_a_point, origin, places, swept
from _read_noise import DIMENSIONS, KINDS, NOISY, compared, fabricate, with_differences
from _runs import analog_weights
from _tables import gain, print_intervals
from _trained import trained
from _workload import digital_outcome

SETTINGS = ("same duration", "same step")
STEP = 1e-3  # seconds: the step of "same step"
LONGEST_STEP = 0.2  # seconds, 20 of the shortest time constants, after which nothing is left of a state
CHIPS = jr.key(1)  # the same chips for every network, as far as chance is concerned: comparisons are paired
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


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    grid = {"seed": range(config.seeds), "setting": SETTINGS, "steps": config.steps}
    chosen = partial(measure, config=of_a_point(config, "seeds", "steps"))
    result = with_differences(swept(chosen, grid, folder=config.out, key=jr.key(0)))
    label(result, {str(name): "1" for name in result.variables if name not in ("setting", "kind")})
    label(result, {name: ("1", words) for name, words in MEANINGS.items()})
    result = result.assign_attrs(origin(config, digits(2).test, design(config)))
    finish("noise_kinds", result, ms.study.summary(lost(result)), out=config.out, report=lambda: report(result))
    return result


def measure(seed, setting, steps, *, key, config: Config) -> xr.Dataset:
    """Trains one network and runs it on its chips."""
    data = digits(steps, recordings=config.recordings, quick=config.quick)
    dt = config.duration / steps if setting == "same duration" else STEP
    budget = {"epochs": config.epochs, "batch_size": config.batch_size, "clip": config.clip}
    model = trained(config.hidden, data, key=key, dt=dt, input_scale=dt / STEP, **budget)
    xs, labels = jnp.asarray(data.test.inputs), jnp.asarray(data.test.labels)
    chip_key, noise_key = jr.split(CHIPS)
    matrices = fabricate(analog_weights(model), design(config), jnp.arange(config.chips), key=chip_key)
    found = compared(model, matrices, xs, labels, jnp.asarray(config.noise_scales), key=noise_key)
    return xr.Dataset(
        {
            **found.pop("noiseless").variables(("chip",), len(labels), "noiseless_{}"),
            **found.pop("noisy").variables(NOISY, len(labels)),
            **digital_outcome(model, xs, labels).variables((), len(labels), "digital_{}"),
            **{name: (DIMENSIONS[name], np.asarray(values)) for name, values in found.items()},
        },
        {"kind": list(KINDS), "noise_scale": list(config.noise_scales)}
        | {"chip": np.arange(config.chips), "step": np.arange(steps)},
    )


def design(config: Config) -> ms.Crossbar:
    """No converters and no drift: nothing but the noise differs from the chip without it."""
    device = dm.device(config.device).make(write_noise_scale=jnp.asarray(config.write_noise))
    return ms.Crossbar(device, compensation=None, reads=ms.Reads("per_read"))


def lost(result: xr.Dataset) -> xr.DataArray:
    """Of each recording, 1 where only the chip without read noise is right, and -1 where only that with it is."""
    return ms.study.difference(ms.study.right(result, "noiseless_right"), ms.study.right(result))


def report(result: xr.Dataset) -> None:
    """Prints what noise costs at each number of steps, and how that changes from the fewest to the most, paired."""
    changed = (result.spike_deviation / result.spike_rate.mean("step")).mean("step")
    columns = {"no noise %": ms.study.right(result, "noiseless_right"), "lost, points": lost(result)}
    columns |= {"spikes changed %": changed, "score error %": result.score_error}
    columns |= {"readout error %": (result.readout_deviation / result.readout_size).mean("step")}
    columns |= {"growth of spike errors %": result.spike_growth, "growth of readout errors %": result.readout_growth}
    title = f"Mean [95 % interval], {result.sizes['seed']} seeds x {result.sizes['chip']} chips"
    print_intervals(columns, places(result, "setting", "noise_scale", "kind", "steps"), title=title)
    few, many = int(result.steps.min()), int(result.steps.max())
    for place in places(result, "setting", "noise_scale", "kind"):
        at = result.sel(place)
        for name, of in (("lost accuracy", lost(at)), ("score error", at.score_error)):
            change = gain(of.sel(steps=many, drop=True), of.sel(steps=few, drop=True))
            print(f"{', '.join(map(str, place.values()))}, {few} to {many} steps: {name} {change}")
    noise = (100 * result.weight_noise.mean(["seed", "chip"])).to_series()
    print(f"Read noise over weights at 1x, in % (root mean squares):\n{noise.round(2).to_string()}")
