"""A small data set for each standard figure: shapes as of the studies that make them, numbers of closed forms."""

from functools import cache

import numpy as np
import xarray as xr

DEVICES = ["pcm_joshi2020", "rram_wan2022"]
TIMES = [0.0, 1.0, 3600.0, 86400.0, 2592000.0, 31557600.0]


def cells() -> xr.Dataset:
    """Cells of which one drifts by a power law."""
    target = np.linspace(0, 1, 21)
    spread = np.array([1e-6 * np.sqrt(0.05 + target), np.full(21, 4e-7)])
    nu = 0.05 + 0.02 * np.array([-1, 0, 1])[:, None] + 0 * target
    times = np.asarray(TIMES)
    left = (1 + times / 20)[None, :, None] ** -nu[:, None]
    both = np.stack([left, 1 + 0.1 * np.array([-1, 0, 1])[:, None, None] * (times > 0)[None, :, None] + 0 * left])
    return xr.Dataset(
        {
            "error_std": (("device", "target"), spread * (1 - 0.4 * (target == 0))),
            "published_std": (("device", "target"), spread),
            "g": (("device", "target"), np.stack([25e-6 * target, 40e-6 * target])),
            "left": (("device", "percentile", "time", "target"), both),
            "exponent": (("device", "percentile", "target"), np.stack([nu, 0.3 * (nu - 0.05)])),
        },
        {"device": DEVICES, "target": target, "time": times, "percentile": [5, 50, 95]},
    )


def loops() -> xr.Dataset:
    """A resistor that remembers: its loop closes as the frequency rises."""
    phase = np.linspace(0, 2 * np.pi, 201)
    factor = np.array([1.0, 4.0, 16.0])
    voltage = np.broadcast_to(np.sin(phase), (2, 3, 201))
    swing = np.array([1.0, 0.2])[:, None, None] * (1 - np.cos(phase)) / factor[:, None]
    current = np.array([1e-3, 1e-6])[:, None, None] * voltage * (1 + swing)
    names = ("model", "factor", "step")
    return xr.Dataset(
        {
            "voltage": (names, voltage),
            "current": (names, current),
            "frequency": (names[:2], np.array([[1.0], [1e6]]) * factor),
        },
        {"model": ["hp_strukov2008", "jart_bengel2020"], "factor": factor},
    )


def stairs() -> xr.Dataset:
    """Soft bounds: each pulse takes a share of what is left."""
    up = 1 - 2 * np.exp(-np.arange(30) / 10)
    nominal = np.concatenate([up, -up])
    noise = 0.05 * np.random.default_rng(0).normal(size=(2, 60, 40)).cumsum(1) / 3
    return xr.Dataset(
        {
            "nominal": (("device", "read"), np.stack([nominal, 0.5 * nominal])),
            "pulses": (("device", "read"), np.stack([np.arange(60), 10 * np.arange(60)])),
            "weight": (("device", "read", "cell"), np.stack([nominal, 0.5 * nominal])[..., None] + noise),
            "one_sided": ("device", [False, True]),
        },
        {"device": ["ecram_tang2018", "pcm_onesided_nandakumar2020"]},
    )


def products() -> xr.Dataset:
    """Normal errors of three sizes."""
    at, error = np.linspace(-3.9, 3.9, 40), np.linspace(-1.5, 1.5, 101)
    sizes = np.array([0.02, 0.1, 0.12])[:, None] * np.linspace(0.9, 1.1, 5)
    density = np.exp(-(error**2) / (2 * sizes[..., None] ** 2)) / (sizes[..., None] * np.sqrt(2 * np.pi))
    count = 2e3 * np.exp(-(at[:, None] ** 2) / 2 - (at - at[:, None]) ** 2 / 0.05)
    return xr.Dataset(
        {
            "count": (("exact", "analog"), count.astype(int)),
            "error_density": (("case", "chip", "error"), density),
            "rms": (("case", "chip"), sizes),
            "snr": (("case", "chip"), -20 * np.log10(sizes)),
        },
        {"exact": at, "analog": at, "error": error, "case": ["ADC", "write noise", "all together"]},
    )


def wires() -> xr.Dataset:
    """Losses that grow with the distance from the driver."""
    along = np.arange(32)
    lost = 0.002 * (along[None] + along[::-1, None])
    accuracy = (
        0.95 - np.array([0.02, 0.005])[:, None] * np.array([0.0, 1.0, 2.0, 5.0]) - 0.01 * np.arange(3)[:, None, None]
    )
    return xr.Dataset(
        {
            "lost_voltage": (("word_line", "bit_line"), lost),
            "array_error": (("size", "model"), 0.001 * np.array([[1.0, 0.1], [4.0, 0.2], [16.0, 0.8]])),
            "accuracy": (("seed", "training", "resistance"), accuracy),
        },
        {"size": [32, 64, 128], "model": ["ideal wires", "closed form"], "training": ["plain", "through wires"],
         "resistance": [0.0, 1.0, 2.0, 5.0]},
    )  # fmt: skip


def noisy() -> xr.Dataset:
    """Accuracies that fall with the square of the noise."""
    noise, chips = np.array([0.0, 0.02, 0.05, 0.1, 0.2]), np.linspace(-1, 1, 20)
    lost = np.array([12.0, 3.0])[:, None] * noise**2
    values = 0.95 - lost[:, :, None] * (1 + 0.4 * chips)
    return xr.Dataset(
        {"accuracy": (("training", "noise", "chip"), values)}, {"training": ["plain", "with noise"], "noise": noise}
    )


def ageing() -> xr.Dataset:
    """Two corrections on two processes, of which one was measured for a month."""
    times, chips = np.asarray(TIMES), np.linspace(-1, 1, 12)
    lost = np.log10(1 + times) * np.array([0.05, 0.01])[:, None]
    each = 0.95 - lost[None, :, :, None] * np.array([1.0, 1.4])[:, None, None, None] * (1 + 0.3 * chips)
    seeds = np.stack([each, each - 0.01])
    dims = ("seed", "process", "correction", "time", "chip")
    result = xr.Dataset({"accuracy": (dims, seeds), "digital_accuracy": ("seed", [0.96, 0.95])})
    return result.assign_coords(
        time=times, measured=("time", times < 3e6), correction=["none", "global"], process=["mushroom", "bar"]
    )


def bits() -> xr.Dataset:
    """Accuracy lost to two converters, each by the square of its step."""
    steps = np.array([3.0, 4.0, 5.0, 6.0, np.inf])
    lost = 4.0 ** -steps[:, None] * 20 + 4.0**-steps * 6
    chips = 0.95 - np.clip(lost, 0, 0.7)[..., None] + 0.004 * np.linspace(-1, 1, 6)
    both = np.stack([chips, np.clip(chips + 0.02, 0, 1)])
    return xr.Dataset(
        {"accuracy": (("cells", "adc_bits", "dac_bits", "chip"), both)},
        {"cells": ["pcm_joshi2020", "ideal"], "adc_bits": steps, "dac_bits": steps},
    )


def attributed() -> xr.Dataset:
    """Three effects of two layers, of which drift costs most."""
    effects, chips = ["write noise", "drift", "ADC"], np.linspace(-1, 1, 8)
    cost = np.array([0.01, 0.08, 0.002])
    alone = 0.95 - cost[:, None] * (1 + 0.3 * chips)
    together = 0.95 - 0.1 * (1 + 0.3 * chips)
    left_out = together + cost[:, None] * (1 + 0.2 * chips)
    accuracy = np.stack([alone, left_out])[..., None]
    error = 2 * cost[:, None, None] * np.array([0.5, 1.5])[:, None] * (1 + 0.4 * chips)
    names = ("case", "effect", "layer", "chip", "time")
    return xr.Dataset(
        {
            "accuracy": (("case", "effect", "chip", "time"), accuracy),
            "accuracy_ideal": (("chip", "time"), np.full((8, 1), 0.95)),
            "accuracy_together": (("chip", "time"), together[:, None]),
            "layer_error": (names, np.stack([error, error])[..., None]),
            "output_error": (("case", "effect", "chip", "time"), accuracy * 0.1),
        },
        {"case": ["alone", "left out"], "effect": effects, "layer": [".layers[0]", ".layers[1]"], "time": [86400.0]},
    )


def many_chips() -> xr.Dataset:
    """Normal accuracies of 200 chips of two trainings."""
    rng = np.random.default_rng(1)
    values = np.stack([0.9 + 0.02 * rng.normal(size=200), 0.93 + 0.005 * rng.normal(size=200)])
    return xr.Dataset({"accuracy": (("training", "chip"), values)}, {"training": ["plain", "for chips"]})


def densities() -> xr.Dataset:
    """A normal density of weights, and one that was clipped; conductances as their sizes."""
    at = np.linspace(-1, 1, 41)
    bell = np.exp(-(at**2) / 0.05) / np.sqrt(0.05 * np.pi)
    flat = np.where(np.abs(at) < 0.5, 1.0, 0.0)
    g = np.linspace(0, 25e-6, 41)
    of_cells = np.stack([np.exp(-g / 3e-6) / 3e-6, np.where(g < 20e-6, 5e4, 0.0)])
    chips = of_cells[None, :, None] * np.linspace(0.9, 1.1, 4)[:, None]
    return xr.Dataset(
        {
            "weight_density": (("layer", "version", "weight_bin"), np.stack([bell, flat])[None]),
            "conductance_density": (("layer", "version", "chip", "conductance_bin"), chips),
            "weight": (("layer", "weight_bin"), at[None]),
            "conductance": (("layer", "conductance_bin"), g[None]),
        },
        {"layer": [".layers[0]"], "version": ["before", "after"], "time": [0.0]},
    )


def spiking() -> xr.Dataset:
    """Regular spikes, of which some come a step late on the chip."""
    step, neuron = np.arange(60)[:, None], np.arange(12)
    phase = (step + 3 * neuron) % (5 + neuron)
    membranes = np.stack([phase, np.roll(phase, 1, 0)]) / (4 + neuron)
    lags = np.array([1.0, 20.0, 200.0, 30.0, 2.0]) * np.linspace(0.8, 1.2, 6)[:, None]
    over = ("version", "step", "neuron")
    return xr.Dataset(
        {
            "spikes": (over, (membranes >= 1).astype(float)),
            "membranes": (over, membranes),
            "rate": (
                ("chip", "version", "neuron"),
                1000 / (5 + neuron) * np.stack([[[1.0], [x]] for x in (1.1, 0.95, 1, 1.05, 0.9, 1.0)]),
            ),
            "lag_count": (("chip", "lag"), lags),
            "jitter": ("chip", 4e-4 * np.linspace(0.8, 1.2, 6)),
            "lost": ("chip", np.full(6, 0.02)),
        },
        {"version": ["ideal", "analog"], "lag": [-2, -1, 0, 1, 2]},
    )


def machines() -> xr.Dataset:
    """Three machines, of which one takes a hundred times as much."""
    parts = np.array([[5.0, 3.0, 2.0], [1.0, 8.0, 3.0], [200.0, 300.0, 500.0]]) * 1e-9
    return xr.Dataset(
        {
            "joules": (("seed", "machine", "component"), parts * np.array([0.9, 1.0, 1.2])[:, None, None]),
            "accuracy": (("seed", "machine"), np.array([0.9, 0.92, 0.95]) + np.array([-0.01, 0.0, 0.005])[:, None]),
        },
        {"machine": ["PCM", "RRAM", "digital"], "component": ["ADC", "array", "SRAM"]},
    )


def crossing() -> xr.Dataset:
    """A clocked core with power at rest, and asynchronous ones without."""
    rate = np.geomspace(1e4, 1e8, 20)
    return xr.Dataset(
        {
            "clocked": ("rate", 1e-4 + 1e-11 * rate),
            "asynchronous": (("overhead", "rate"), np.array([[1.0], [2.0]]) * 2e-11 * rate),
        },
        {"rate": rate, "overhead": [0.0, 1.0]},
    )


@cache
def confused() -> xr.Dataset:
    """Classes that are taken for their neighbours, more often on chips; too sure of itself."""
    classes = ["zero", "one", "two", "three"]
    digital = 90 * np.eye(4) + 10 * np.roll(np.eye(4), 1, 1)
    chips = np.stack([(90 - k) * np.eye(4) + (10 + k) * np.roll(np.eye(4), 1, 1) for k in (2, 5, 9)])
    number, confidence = np.array([0, 20, 60, 120, 200]), np.array([np.nan, 0.3, 0.5, 0.7, 0.93])
    right = np.array([np.nan, 0.2, 0.4, 0.62, 0.9])
    over = ("chip", "true", "named")
    found = {"number": number, "confidence": confidence, "right": right}
    worse = {"number": 1.0, "confidence": 1.0, "right": 0.9}
    return xr.Dataset(
        {f"digital_{name}": ("bin", each) for name, each in found.items()}
        | {name: (("chip", "bin"), np.stack([each, each, worse[name] * each])) for name, each in found.items()}
        | {"digital_count": (over[1:], digital), "count": (over, chips)}
        | {"digital_calibration_error": ((), 0.05), "calibration_error": ("chip", [0.05, 0.06, 0.11])},
        {"true": classes, "named": classes, "bin": np.linspace(0.1, 0.9, 5)},
    )  # fmt: skip


STANDARD = {
    "accuracy_over_bits": (bits, {}),
    "accuracy_over_noise": (noisy, {}),
    "accuracy_over_time": (ageing, {"lines": "correction", "panels": ("process",)}),
    "attribution": (attributed, {"label": {".layers[0]": "hidden", ".layers[1]": "readout"}}),
    "chip_to_chip": (many_chips, {}),
    "conductance_drift": (cells, {}),
    "confusion": (confused, {}),
    "distributions": (densities, {"label": {".layers[0]": "hidden"}}),
    "energy_breakdown": (machines, {}),
    "hysteresis": (loops, {}),
    "ir_drop": (wires, {}),
    "mvm_scatter": (products, {}),
    "pareto": (machines, {}),
    "programming_error": (cells, {}),
    "raster": (spiking, {}),
    "staircase": (stairs, {}),
}
"""Of each figure the data set and options."""
