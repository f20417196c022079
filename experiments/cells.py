"""Populations of every memory cell: write error against target, conductance against time, drift exponent.

Each cell of the catalogue is written many times to targets that fill its range and ages ten years. Recorded are mean
and spread of the write error beside the published curve, percentiles of G / G0 over time, and the effective exponent
-d ln G / d ln t between an hour and a month. Writes results/cells: cells.nc, cells.csv.
"""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr
from jaxtyping import Array, Float, Key

import device_models as dm
import memsim as ms
from _frame import finish, label, of_a_point, origin

HOUR, DAY, YEAR = 3600.0, 86400.0, 365.25 * 86400.0
PERCENTILES = (5, 50, 95)
LABELS = {
    **{name: "S" for name in ("g", "error_mean", "error_std", "published_std")},
    **{"percentile": "1", "time": "s"},
    "target": ("1", "target, from g_min (0) to g_max (1)"),
    "left": ("1", "conductance over that just written"),
    "exponent": ("1", "-d ln G / d ln t, from an hour to a month"),
}
QUICK = {"devices": ("pcm_joshi2020", "sonos_agrawal2022"), "cells": 50, "targets": 5, "times": (0.0, HOUR, YEAR)}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take about a minute on two cores."""

    devices: tuple[str, ...] = tuple(name for name in dm.DEVICES if name != "ideal")
    """Names of `device_models.DEVICES`."""
    cells: int = 4000
    """Written to each target."""
    targets: int = 41
    """Evenly spread over the range of each device."""
    times: tuple[float, ...] = (0.0, 1.0, 10.0, 100.0, HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY, YEAR, 10 * YEAR)
    """Seconds after programming."""
    out: Path = Path("results/cells")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self)
        for name in self.devices:
            dm.device(name)
        if min(self.cells, self.targets) < 2:
            raise ValueError(f"`cells` and `targets` must be at least 2. Got {self.cells} and {self.targets}.")


class Population(NamedTuple):
    """Of one device: mean and spread of the write error and the published spread (targets) in siemens, percentiles of
    G / G0 (percentiles, times, targets) and of the exponent (percentiles, targets)."""

    error_mean: Float[Array, " targets"]
    error_std: Float[Array, " targets"]
    published_std: Float[Array, " targets"]
    left: Float[Array, "percentiles times targets"]
    exponent: Float[Array, "percentiles targets"]


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    chosen = partial(measure, config=of_a_point(config, "devices"))
    result = ms.study.sweep(chosen, {"device": config.devices}, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    numbers = {name: "\n".join(dm.device(name).make().sources) for name in config.devices}
    result = result.assign_attrs(origin(config) | {"device_numbers": json.dumps(numbers)})
    table = result[["g", "error_mean", "error_std", "published_std"]].to_dataframe().reset_index()
    finish("cells", result, table, out=config.out, report=lambda: print(table.to_string(max_rows=10)))
    return result


def measure(device, *, key, config: Config) -> xr.Dataset:
    """A population of one device."""
    cell = dm.device(device).make()
    targets = jnp.linspace(cell.g_min, cell.g_max, config.targets)
    written = jnp.broadcast_to(targets, (config.cells, config.targets))
    found = population(cell, written, jnp.asarray(config.times), key=key)._asdict()
    dims = {"left": ("percentile", "time", "target"), "exponent": ("percentile", "target")}
    return xr.Dataset(
        {name: (dims.get(name, ("target",)), np.asarray(values, float)) for name, values in found.items()}
        | {"g": ("target", np.asarray(targets, float))},
        {"target": np.linspace(0, 1, config.targets), "time": list(config.times), "percentile": list(PERCENTILES)},
    )


@eqx.filter_jit
def population(device: dm.AbstractDevice, target: Array, times: Array, *, key: Key[Array, ""]) -> Population:
    cells = device.program(target, key=key)
    unit = device.g_max  # squares of siemens are below float32's precision floor

    def at(t: Array) -> Array:
        return device.conductance(cells, t) / unit

    start = at(jnp.zeros(()))
    alive = jnp.where(start > 0, start, jnp.nan)  # a cell written to zero has no G / G0
    left = jnp.stack([at(times[k]) / alive for k in range(times.shape[0])])
    fall = jnp.log(at(jnp.asarray(HOUR)) / at(jnp.asarray(30 * DAY)))
    exponent = jnp.where(start > 0, fall / jnp.log(30 * DAY / HOUR), jnp.nan)
    percentiles = jnp.asarray(PERCENTILES, float)
    error = start - target / unit
    return Population(
        unit * jnp.mean(error, 0),
        unit * jnp.std(error, 0),
        published(device, target[0]),
        jnp.nanpercentile(left, percentiles, axis=1),
        jnp.nanpercentile(exponent, percentiles, axis=0),
    )


def published(device: dm.AbstractDevice, target: Float[Array, " targets"]) -> Float[Array, " targets"]:
    """Spread of a write as the source gives it, in siemens, for the cells between the ends of the range."""
    if isinstance(device, dm.Levels):  # the same at each level
        step = (device.g_max - device.g_min) / (device.n - 1)
        return published(device.device, device.g_min + step * jnp.round((target - device.g_min) / step))
    if isinstance(device, dm.Retention):
        return published(device.device, target)
    g = target / device.g_max
    if isinstance(device, dm.PCM):
        return device.write_noise_scale * device.write_noise(g)
    assert isinstance(device, dm.Gaussian)
    written = jnp.zeros_like(g) if device.write_noise is None else device.write_noise(g)
    spread = jnp.zeros_like(g) if device.spread is None else device.spread(g, jnp.zeros(()))
    return jnp.hypot(written / device.g_max, spread / device.g_max) * device.g_max
