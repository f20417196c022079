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
from _frame import finish, label, of_a_point, origin, print_table

ONE_SIDED = ("pcm_onesided_nandakumar2020",)
LABELS = {
    **{name: "1" for name in ("read", "cell", "dw_min", "one_sided")},
    "weight": ("1", "weight that a read finds"),
    "nominal": ("1", "weight of the nominal device, without noise"),
    "pulses": ("1", "pulses since the start"),
}
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
    """Runs or continues the study; returns what it writes."""
    chosen = partial(measure, config=of_a_point(config, "devices"))
    result = ms.study.sweep(chosen, {"device": config.devices}, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    numbers = {name: list(dm.pulsed.PULSED[name].make().sources) for name in config.devices}
    result = result.assign_attrs(origin(config) | {"device_numbers": json.dumps(numbers)})
    rows = table(result)
    finish("pulse_response", result, rows, out=config.out, report=lambda: report(rows))
    return result


def measure(device, *, key, config: Config) -> xr.Dataset:
    """Weights of many devices of one kind, and of the nominal one, after every read."""
    pulsed, one_sided = dm.pulsed.PULSED[device].make(), device in ONE_SIDED
    states = (pulsed.w_max - pulsed.w_min) / pulsed.dw_min
    each = math.ceil(config.sweeps * states / config.reads)  # pulses between two reads
    weight = staircase(pulsed, each, config.reads, config.cells, one_sided, key=key)
    plain = staircase(nominal(pulsed), each, config.reads, 1, one_sided, key=key)
    reads = np.arange(2 * config.reads + 1)
    return xr.Dataset(
        {
            "weight": (("read", "cell"), np.asarray(weight)),
            "nominal": ("read", np.asarray(plain)[:, 0]),
            "pulses": ("read", each * reads),
            "dw_min": pulsed.dw_min,
            "one_sided": one_sided,
        },
        {"read": reads, "cell": np.arange(config.cells)},
    )


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


def table(result: xr.Dataset) -> pd.DataFrame:
    """One row a device: steps of its range, and mean and spread over devices at the start, the top and the end."""
    turn = result.sizes["read"] // 2
    rows = []
    for name in result.device.values:
        one = result.sel(device=name)
        row = {"device": str(name), "dw_min": float(one.dw_min), "pulses": int(one.pulses[turn])}
        for when, read in (("start", 0), ("top", turn), ("end", -1)):
            weight = one.weight.isel(read=read).values
            row |= {f"{when}_mean": weight.mean(), f"{when}_std": weight.std()}
        rows.append(row)
    return pd.DataFrame(rows)


def report(table: pd.DataFrame) -> None:
    """Prints the table."""
    rows = []
    for row in table.itertuples():
        ends = [f"{getattr(row, f'{e}_mean'):.2f} ± {getattr(row, f'{e}_std'):.2f}" for e in ("start", "top", "end")]
        rows.append([row.device, f"{row.dw_min:g}", str(row.pulses), *ends])
    print_table(["device", "step", "pulses up", "start", "after pulses up", "after pulses down"], rows)
