"""Populations of every memory cell: write error against target, conductance against time, drift exponent.

Each cell of the catalogue is written many times to targets that fill its range and ages ten years. Recorded are mean
and spread of the write error beside the published curve, percentiles of G / G0 over time, and the effective exponent
-d ln G / d ln t between an hour and a month. Writes results/cells: cells.nc, cells.csv.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

import device_models as dm
import memsim as ms

HOUR, DAY, YEAR = 3600.0, 86400.0, 365.25 * 86400.0
PERCENTILES = (5, 50, 95)


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
    """Runs the study; returns what it writes."""
    settings = dataclasses.asdict(config) | {"out": str(config.out)}
    result = xr.concat([compute(config, name) for name in config.devices], dim="device")
    result = labelled(result, config, settings)
    ms.study.save_result(result, config.out / "cells.nc")
    table = result[["g", "error_mean", "error_std", "published_std"]].to_dataframe().reset_index()
    ms.study.save_table(table, config.out / "cells.csv", index=False)
    print(f"Wrote {config.out / 'cells.nc'} and cells.csv. `memsim draw cells` draws them")
    return result


def compute(config: Config, name: str) -> xr.Dataset:
    device = dm.device(name).make()
    targets = jnp.linspace(device.g_min, device.g_max, config.targets)
    found = population(device, jnp.broadcast_to(targets, (config.cells, config.targets)), jnp.asarray(config.times))
    found = Population(*(np.asarray(values, float) for values in found))
    return xr.Dataset(
        {
            "g": ("target", np.asarray(targets, float)),
            "error_mean": ("target", found.error_mean),
            "error_std": ("target", found.error_std),
            "published_std": ("target", found.published_std),
            "left": (("percentile", "time", "target"), found.left),
            "exponent": (("percentile", "target"), found.exponent),
        },
        {
            "device": name,
            "target": np.linspace(0, 1, config.targets),
            "time": np.asarray(config.times),
            "percentile": list(PERCENTILES),
        },
    )


@eqx.filter_jit
def population(device: dm.AbstractDevice, target: Array, times: Array) -> Population:
    cells = device.program(target, key=jr.key(0))
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


def labelled(result: xr.Dataset, config: Config, settings: dict[str, Any]) -> xr.Dataset:
    """With units and provenance."""
    units = {"target": "1", "percentile": "1", "time": "s", "g": "S", "error_mean": "S", "error_std": "S"}
    for name, unit in (units | {"published_std": "S", "left": "1", "exponent": "1"}).items():
        result[name].attrs["units"] = unit
    result["target"].attrs["long_name"] = "target, from g_min (0) to g_max (1)"
    result["left"].attrs["long_name"] = "conductance over that just written"
    result["exponent"].attrs["long_name"] = "-d ln G / d ln t, from an hour to a month"
    numbers = {name: "\n".join(dm.device(name).make().sources) for name in config.devices}
    attributes = ms.study.provenance() | {"config": json.dumps(settings), "device_numbers": json.dumps(numbers)}
    return result.assign_attrs(attributes)
