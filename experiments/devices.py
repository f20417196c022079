"""The spoken-digit network on every memory cell of the catalogue: accuracy against time.

A recurrent spiking network learns the spoken digits without hardware and with Gaussian weight noise, the same for all
cells, so that no cell is preferred. It is deployed on chips of every cell with an 8-bit ADC whose range is calibrated
on training data, one pair of cells a weight, with global drift compensation, and ages. How large a cell's own errors
are is measured beside it: the spread of written cells over the range, just written and after a day. Writes
results/devices: devices.nc, devices.csv.
"""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Array, Float

import device_models as dm
import memsim as ms
from _frame import digits, finish, first_of, label, of_a_point, origin
from _tables import mean_of, print_summary
from _trained import trained
from _workload import digital_outcome

DAY, YEAR = 86400.0, 365.25 * 86400.0
TRAININGS = ("digital", "Gaussian noise")
CHIPS = jr.key(1)  # the same chips for every network: comparisons are paired
LABELS = dict.fromkeys(("seed", "chip"), "1") | {
    "time": ("s", "time since programming"),
    "age": ("s", "age of the cells whose error is measured"),
    "cell_error": ("1", "distance of cells from their targets, over the range"),
    "measured": ("1", ms.study.MEASURED),
}

QUICK = {"devices": ("ideal", "rram_milo2021", "sonos_agrawal2022"), "chips": 2, "times": (0.0, DAY), "seeds": 1}
QUICK |= {"hidden": 16, "steps": 8, "epochs": 1, "recordings": 100}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take about fifteen minutes on two cores."""

    devices: tuple[str, ...] = tuple(dm.DEVICES)
    """Names of `device_models.DEVICES`."""
    chips: int = 20
    times: tuple[float, ...] = (0.0, 3600.0, DAY, 30 * DAY, YEAR, 10 * YEAR)
    """Seconds after programming."""
    seeds: int = 3
    """Training seeds."""
    adc_bits: int = 8
    hidden: int = 128
    steps: int = 40
    """Frames each recording is resampled to."""
    epochs: int = 40
    gaussian_std: float = 0.06
    clip: float = 1.5
    """Weight clipping of the noisy training, in multiples of the root mean square of a layer's weights, at least 1."""
    recordings: int = 600
    """Of the test set, at most 600."""
    out: Path = Path("results/devices")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        if not self.devices:
            raise ValueError("`devices` must name a device. Got none.")
        ms.study.check_options(self)
        for name in self.devices:
            dm.device(name)


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    cells = {name: design(config, name).device for name in config.devices}  # says what cannot be, before any work
    # Devices vary slowest: what is compiled for one serves all its networks.
    grid = {"device": config.devices, "training": TRAININGS, "seed": range(config.seeds)}
    chosen = partial(measure, config=of_a_point(config, "devices", "seeds"))
    result = ms.study.sweep(chosen, grid, folder=config.out, key=jr.key(0))
    result = first_of(result.transpose("seed", "training", ...), "device", "digital_accuracy", "digital_right")
    result = first_of(result, ("seed", "training"), "cell_error")
    measured = [ms.study.is_measured(cell.span, result.time.values) for cell in cells.values()]
    result = result.assign_coords(measured=(("device", "time"), measured))
    label(result, LABELS)
    result = result.assign_attrs(origin(config, digits(2).test) | about(cells))
    table = ms.study.summary(result)
    finish("devices", result, table, out=config.out, report=lambda: report(result, table))
    return result


def measure(device, training, seed, *, key, config: Config) -> xr.Dataset:
    """Puts a trained network on chips of one cell; one training serves all cells."""
    data = digits(config.steps, recordings=config.recordings, quick=config.quick)
    noisy = {"hardware": ms.train.GaussianNoise(config.gaussian_std), "clip": config.clip}
    how = {"epochs": config.epochs} | (noisy if training == "Gaussian noise" else {"clip": None})
    model = trained(config.hidden, data, key=key, once=f"{training} {seed}", **how)
    xs, labels = jnp.asarray(data.test.inputs), jnp.asarray(data.test.labels)
    crossbar = design(config, device)
    ranged = ms.calibrate(model, jnp.asarray(data.train.inputs[:200]), crossbar)
    times, chips = jnp.asarray(config.times), jnp.arange(config.chips)
    found = ms.study.chip_outcomes(model, ranged, xs, labels, times, chips, key=CHIPS)
    return xr.Dataset(
        {
            **found.variables(("chip", "time"), len(labels)),
            **digital_outcome(model, xs, labels).variables((), len(labels), "digital_{}"),
            "cell_error": ("age", np.asarray(cell_error(crossbar.device))),
        },
        {"chip": np.arange(config.chips), "time": np.asarray(config.times), "age": [0.0, DAY]},
    )


def design(config: Config, device: str) -> ms.Crossbar:
    return ms.Crossbar(dm.device(device).make(), adc=ms.ADC(config.adc_bits), reads=ms.Reads("per_moment"))


def about(cells: dict[str, dm.AbstractDevice]) -> dict[str, str]:
    """Attributes: the numbers of each cell, when it was measured, and what is assumed of it."""
    numbers = {name: "\n".join(cell.sources) for name, cell in cells.items()}
    span = {name: str(cell.span) for name, cell in cells.items()}
    assumes = {name: "; ".join(cell.assumes) for name, cell in cells.items()}
    return {"device_numbers": json.dumps(numbers), "span": json.dumps(span), "assumes": json.dumps(assumes)}


@eqx.filter_jit
def cell_error(device: dm.AbstractDevice) -> Float[Array, " ages"]:
    """Root mean square distance of cells from targets that fill the range, over the range: just written, and a day on.

    What all cells have in common, a factor, is taken out, as drift compensation does.
    """
    target = jnp.linspace(device.g_min, device.g_max, 20_000)
    cells = device.program(target, key=jr.key(2))

    def at(t: float) -> Array:
        unit = device.g_max - device.g_min  # siemens squared are below float32's precision floor
        g, aim = device.conductance(cells, jnp.asarray(t)) / unit, target / unit
        return jnp.sqrt(jnp.mean((g * jnp.sum(aim * g) / jnp.sum(g * g) - aim) ** 2))

    return jnp.stack([at(0.0), at(DAY)])


def report(result: xr.Dataset, table: pd.DataFrame) -> None:
    """Prints the accuracy of each device at each time, by training, beside the error of its cells."""
    beside = {"digital": mean_of(result.digital_accuracy)}
    beside |= {f"cell error at {age:.3g} s": mean_of(result.cell_error.sel(age=age), ".2g") for age in (0.0, DAY)}
    print_summary(table, ["training", "device"], "time", head="{:.3g} s".format, beside=beside)
