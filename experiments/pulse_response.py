"""How every published pulsed device answers to pulses: up, then down, mean and spread over devices.

Many devices of each kind start at their least weight and get as many pulses up as their nominal range has steps, and
half as many again, then the same number down; the one-sided device is reset instead and goes up again. Read now and
then, with and without noise and spread.
Writes results/pulse_response: pulse_response.nc, pulse_response.csv.
"""

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import device_models as dm
import memsim as ms

ONE_SIDED = ("pcm_onesided_nandakumar2020",)


QUICK = {"devices": ("ecram_tang2018", "pcm_onesided_nandakumar2020", "reram_array_om_gong2022"), "sweeps": 0.1}
QUICK |= {"reads": 4, "cells": 10}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take about a minute on two cores."""

    devices: tuple[str, ...] = tuple(dm.pulsed.PULSED)
    """Names in `device_models.pulsed.PULSED`."""
    sweeps: float = 1.5
    """Pulses in each direction, in multiples of the nominal range over the nominal step."""
    reads: int = 60
    """Reads in each direction."""
    cells: int = 400
    """Devices of each kind."""
    out: Path = Path("results/pulse_response")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        unknown = [name for name in self.devices if name not in dm.pulsed.PULSED]
        if unknown or not self.devices:
            raise ValueError(f"`devices` must be one or more of {', '.join(dm.pulsed.PULSED)}. Got {self.devices}.")
        ms.study.check_options(self)


def run(config: Config) -> xr.Dataset:
    """Runs the study; returns what it writes."""
    result = labelled(xr.concat([measure(config, name) for name in config.devices], "device"), config)
    ms.study.save_result(result, config.out / "pulse_response.nc")
    ms.study.save_table(table(result), config.out / "pulse_response.csv", index=False)
    report(result)
    print(f"Wrote {config.out / 'pulse_response.nc'} and pulse_response.csv. `memsim draw pulse_response` draws them")
    return result


def measure(config: Config, name: str) -> xr.Dataset:
    """Weights of many devices of one kind, and of the nominal one, after every read."""
    device = dm.pulsed.PULSED[name].make()
    states = (device.w_max - device.w_min) / device.dw_min
    each = math.ceil(config.sweeps * states / config.reads)  # pulses between two reads
    one_sided = name in ONE_SIDED
    key = jr.key(0)
    weight = staircase(device, each, config.reads, config.cells, one_sided, key=key)
    plain = staircase(nominal(device), each, config.reads, 1, one_sided, key=key)
    dims = ("device", "read", "cell")
    variables = {
        "weight": (dims, np.asarray(weight)[None]),
        "nominal": (dims[:2], np.asarray(plain)[None, :, 0]),
        "pulses": (dims[:2], (each * np.arange(2 * config.reads + 1))[None]),
        "dw_min": (dims[:1], [device.dw_min]),
        "one_sided": (dims[:1], [one_sided]),
    }
    coordinates = {"device": [name], "read": np.arange(2 * config.reads + 1), "cell": np.arange(config.cells)}
    return xr.Dataset(variables, coordinates)


@eqx.filter_jit
def staircase(
    device: dm.pulsed.AbstractPulsed, each: int, reads: int, cells: int, one_sided: bool, *, key
) -> jax.Array:
    """What is read at the start, after every `each` pulses up, and down again: (1 + 2 reads, cells)."""
    fabricate_key, up_key, down_key, reset_key = jr.split(key, 4)
    array = dm.pulsed.PulsedArray.fabricate(device, (cells,), key=fabricate_key)
    # The least weight of every device, whatever its reference.
    array = dataclasses.replace(array, hidden=array.cells.w_min, shown=array.cells.w_min - array.cells.reference)

    def go(array, number, key):
        def body(state, key):
            now = dataclasses.replace(array, hidden=state[0], shown=state[1])
            now = now.pulse(jnp.full((cells,), number), key=key)
            return (now.hidden, now.shown), now.shown

        (hidden, shown), history = jax.lax.scan(body, (array.hidden, array.shown), jr.split(key, reads))
        return dataclasses.replace(array, hidden=hidden, shown=shown), history

    top, up = go(array, each, up_key)
    if one_sided:
        top = top.reset(jnp.ones((cells,), bool), key=reset_key)
    _, down = go(top, each if one_sided else -each, down_key)
    return jnp.concatenate([array.shown[None], up, down])


def nominal(device: dm.pulsed.AbstractPulsed) -> dm.pulsed.AbstractPulsed:
    """The device without spread and noise."""
    steps = dm.pulsed.Steps(device.steps.dw_min, device.steps.up_down)
    bounds = dm.pulsed.Bounds(device.bounds.w_min, device.bounds.w_max)
    reset = dm.pulsed.Upkeep(reset=dm.pulsed.Reset(device.upkeep.reset.mean))
    spreads = {name: 0.0 for name in ("gamma_dtod", "reference_std") if hasattr(device, name)}
    return dataclasses.replace(device, steps=steps, bounds=bounds, upkeep=reset, **spreads)


def labelled(result: xr.Dataset, config: Config) -> xr.Dataset:
    """With units and provenance."""
    for name in ("weight", "nominal", "pulses", "read", "cell", "dw_min", "one_sided"):
        result[name].attrs["units"] = "1"
    result["weight"].attrs["long_name"] = "weight that a read finds"
    result["nominal"].attrs["long_name"] = "weight of the nominal device, without noise"
    result["pulses"].attrs["long_name"] = "pulses since the start"
    settings = dataclasses.asdict(config) | {"out": str(config.out)}
    numbers = {name: list(dm.pulsed.PULSED[name].make().sources) for name in config.devices}
    attributes = ms.study.provenance() | {"config": json.dumps(settings), "device_numbers": json.dumps(numbers)}
    return result.assign_attrs(attributes)


def table(result: xr.Dataset):
    """One row a device: steps of its range, and mean and spread over devices at the start, the top and the end."""
    import pandas as pd

    turn = result.sizes["read"] // 2
    rows = []
    for name in result.device.values:
        one = result.sel(device=name)
        row = {"device": str(name), "dw_min": float(one.dw_min), "pulses": int(one.pulses[turn])}
        for label, read in (("start", 0), ("top", turn), ("end", -1)):
            weight = one.weight.isel(read=read).values
            row |= {f"{label}_mean": weight.mean(), f"{label}_std": weight.std()}
        rows.append(row)
    return pd.DataFrame(rows)


def report(result: xr.Dataset) -> None:
    """Prints the table."""
    from rich.console import Console
    from rich.table import Table

    shown = Table("device", "step", "pulses up", "start", "after pulses up", "after pulses down")
    for row in table(result).itertuples():
        ends = [f"{getattr(row, f'{e}_mean'):.2f} ± {getattr(row, f'{e}_std'):.2f}" for e in ("start", "top", "end")]
        shown.add_row(row.device, f"{row.dw_min:g}", str(row.pulses), *ends)
    Console(width=120, soft_wrap=False).print(shown)
