"""Things that right arguments are made of: a network, recordings, results, files to read."""

import dataclasses
import functools
import shutil
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

import device_models as dm
import memsim as ms

KEY = jax.random.key(0)
STEPS, BOUNDS = dm.pulsed.Steps(0.01), dm.pulsed.Bounds()
XS = jnp.asarray(np.random.default_rng(0).random((2, 6, 3)), jnp.float32)
LABELS = jnp.array([0, 1])
TIME = np.linspace(0.0, 0.5, 100)
VOLTAGE = np.sin(8 * np.pi * TIME)
CROSSBAR = ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads("off"))
CHIP = CROSSBAR.program(jnp.ones((4, 3)), key=KEY)
TARGETS = np.linspace(1e-6, 20e-6, 60)


@dataclasses.dataclass(frozen=True)
class Settings:
    """Options of an experiment."""

    chips: int = 3


@functools.cache
def network() -> ms.nn.SpikingNetwork:
    return ms.nn.SpikingNetwork([ms.nn.Linear(3, 4, key=KEY), ms.nn.LIF(4), ms.nn.Linear(4, 2, key=KEY), ms.nn.LI(2)])


@functools.cache
def normed() -> ms.nn.Stateful:
    def make():
        return eqx.nn.Sequential([ms.nn.Linear(3, 2, key=KEY), eqx.nn.BatchNorm(2, "batch", mode="batch")])

    return eqx.nn.inference_mode(ms.nn.Stateful(*eqx.nn.make_with_state(make)()))


@functools.cache
def dataset() -> ms.data.Dataset:
    return ms.data.spoken_digits().test.take(np.arange(4))


@functools.cache
def digits_network() -> ms.nn.SpikingNetwork:
    return ms.nn.SpikingNetwork([ms.nn.Linear(13, 10, key=KEY), ms.nn.LI(10)])


@functools.cache
def splits() -> ms.data.Splits:
    return ms.data.Splits(dataset(), dataset(), dataset())


@functools.cache
def result() -> xr.Dataset:
    values = np.linspace(0.8, 0.9, 6).reshape(2, 3)
    return xr.Dataset({"accuracy": (("chip", "time"), values)}, {"chip": [0, 1], "time": [0.0, 3600.0, 86400.0]})


@functools.cache
def attribution() -> xr.Dataset:
    found = {"digital_accuracy": ((), 0.9)}
    for name in ("accuracy", "output_error"):
        found[name] = ("case", "effect", "chip", "time"), np.full((2, 1, 2, 2), 0.8)
    for name in ("layer_error", "layer_gain", "dac_clipped", "adc_clipped"):
        found[name] = ("case", "effect", "layer", "chip", "time"), np.full((2, 1, 1, 2, 2), 0.1)
    found |= {
        f"{name}_{whole}": (dims[2:], values[0, 0])
        for name, (dims, values) in list(found.items())[1:]
        for whole in ("together", "ideal")
    }
    places = {"case": ["alone", "left out"], "effect": ["write noise"], "layer": [".layers[0]"], "time": [0.0, 3600.0]}
    return xr.Dataset(found, places)


@functools.cache
def events() -> np.ndarray:
    return ms.data.event_array(np.array([0, 10, 20]), np.array([1, 2, 3]), np.array([1, 2, 3]))


@functools.cache
def channels() -> np.ndarray:
    return ms.data.event_array(np.array([0, 10, 20]), np.array([1, 2, 3]))


def staircase() -> tuple[np.ndarray, np.ndarray]:
    """Pulses up and down, and the weights of eight cells with soft bounds that follow them."""
    rng, signs = np.random.default_rng(0), np.repeat([1.0, -1.0], 50)
    weights = [np.full(8, -0.3)]
    for sign in signs:
        step = 0.05 * (sign - weights[-1]) * (1 + 0.3 * rng.normal(size=8))
        weights.append(weights[-1] + step)
    read = np.stack(weights, axis=1)
    return signs, read + 0.01 * rng.normal(size=read.shape)


def relaxation() -> dict[str, Any]:
    """Reads of four hundred cells that jump."""
    target, device = np.linspace(1e-6, 39e-6, 400), dm.rram_relaxing()
    cells = device.program(jnp.asarray(target, jnp.float32), key=KEY)
    times = np.array([0.0, 0.01, 1.0, 1e3])
    g = np.stack([device.conductance(cells, jnp.asarray(t, jnp.float32)) for t in times], axis=1)
    return {"times": times, "conductances": g, "targets": target, "knots": 3, "bands": 1, "g_max": 40e-6}


def fill(folder: Path) -> None:
    """Files to read in `folder`."""
    ms.study.save_result(result(), folder / "there.nc")
    ms.data.write_events(folder / "there.dat", events(), size=(8, 8))
    ms.data.write_spikes(folder / "there.h5", [channels()], np.array([0]), ["a"])
    ms.nir.write(folder / "there.nir", ms.nir.to_nir(network(), dt=1e-3, input_shape=3, allow_reset_change=True))
    ms.save(folder / "there.memsim", CROSSBAR)
    np.savez(folder / "there.npz", weight=np.ones((3, 2), np.float32), bias=np.ones(3, np.float32))
    shutil.copy(Path(__file__).parents[1] / "data" / "torch" / "mlp.onnx", folder / "there.onnx")
    dm.fit.save_device(folder / "there.json", dm.pcm_joshi2020(), provenance={})
    (folder / "there.csv").write_text("cell,target [uS],measured [uS]\n0,1,1.1\n0,2,2.1\n")
