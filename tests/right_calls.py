"""Right arguments for every public name: what `test_bad_values.py` spoils one by one."""

import dataclasses
import functools
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import device_models as dm
import memsim as ms

KEY = jax.random.key(0)
STEPS, BOUNDS = dm.Steps(0.01), dm.Bounds()
XS = jnp.asarray(np.random.default_rng(0).random((2, 6, 3)), jnp.float32)
LABELS = jnp.array([0, 1])
TIME = np.linspace(0.0, 0.5, 100)
VOLTAGE = np.sin(8 * np.pi * TIME)
CROSSBAR = ms.Crossbar(dm.pcm_joshi2020(), read_noise="off")
TARGETS = np.linspace(1e-6, 20e-6, 60)

# What the library makes and hands out, and nobody writes by hand. A `Dialect` is judged where it is used.
RESULTS = {
    "Dialect",
    "AnalogMatrix",
    "Chip",
    "Clipping",
    "WireSolution",
    "EmpiricalCells",
    "GaussianCells",
    "MemristorEntry",
    "OneSidedPair",
    "PCMCells",
    "PairCells",
    "PulsedArray",
    "PulsedCells",
    "PulsedEntry",
    "Trace",
    "Traps",
    "VerifiedCells",
    "Entry",
    "Diagnosis",
    "KeyedMatrix",
    "Stateless",
    "Positive",
    "Epoch",
    "Trainer",
    "Case",
    "Interval",
    "Outcome",
    "InSituState",
    "OuterProduct",
    "Estimate",
    "Fit",
    "Goodness",
    "Guess",
    "PerConductance",
    "combine",  # takes fits one after the other
}


@dataclasses.dataclass(frozen=True)
class Settings:
    """Options of an experiment."""

    chips: int = 3


@functools.cache
def network() -> ms.nn.SpikingNetwork:
    return ms.nn.SpikingNetwork([ms.nn.Linear(3, 4, key=KEY), ms.nn.LIF(4), ms.nn.Linear(4, 2, key=KEY), ms.nn.LI(2)])


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
    dm.fit.save_device(folder / "there.json", dm.pcm_joshi2020(), provenance={})
    (folder / "there.csv").write_text("cell,target [uS],measured [uS]\n0,1,1.1\n0,2,2.1\n")


def instances() -> list[Any]:
    """One of each class that has fields."""
    curve = dm.Constant(1e-6)
    memristors = [entry.make() for entry in dm.MEMRISTORS.values()]
    pulsed = [entry.make() for entry in dm.PULSED.values()]
    return [
        *memristors,
        *pulsed,
        dm.pcm_joshi2020(),
        dm.Gaussian(0.0, 25e-6, write_noise=curve),
        dm.Empirical((0.0, 1.0), jnp.full(3, 1e-6), jnp.full((3, 2), 1e-6), 0.0, 25e-6, neighbours=2),
        STEPS,
        curve,
        dm.Asymptotes(0.0, 1.0),
        dm.Walls(0.0, 1.0),
        dm.Biolek(),
        dm.Joglekar(),
        dm.Prodromakis(),
        dm.Branches(0.5, curve, curve),
        dm.Chebyshev((1.0, 2.0)),
        dm.ClippedLog(0.1, 0.2, 0.0, 1.0),
        dm.Polynomial((1.0, 2.0)),
        dm.InversePower(1.0, 0.5, 2.0),
        dm.InverseProportional(1e-8),
        dm.Proportional(1e-6),
        dm.Saturating(1e-6, 1e-5),
        dm.Table((0.0, 1.0), (1.0, 2.0)),
        dm.Steady(curve),
        dm.LogGrowth(curve, 1e-6),
        dm.LogTime(1e-6, 1e-7),
        dm.Snapshots((0.0, 1.0), (curve, curve)),
        dm.Growth((1.0,), (dm.Table((0.0, 1.0), (1.0, 2.0)),), 0.01),
        dm.Jumps(0.01, 0.2),
        dm.Cubic(1.0),
        dm.Sinh(2.0),
        dm.CellPair(dm.Ideal(), dm.Ideal(), 4.0),
        dm.Levels(dm.Ideal(), 17),
        dm.Parallel(dm.Ideal(), 2),
        dm.Retention(dm.Ideal(), 1e5, 0.1),
        dm.StuckCells(dm.Ideal()),
        dm.WriteVerify(dm.pcm_joshi2020(), 1e-6, 5),
        dm.Flicker(1.0, 1e3),
        dm.Mixture((dm.White(), dm.White()), (0.5, 0.5)),
        dm.OneOverF(20.0, 250e-9),
        dm.Telegraph(1e-3, 1.0),
        dm.AbsoluteNoise(0.1),
        dm.AdditiveNoise(0.1),
        dm.MultiplicativeNoise(0.1),
        dm.ComplexNoise(0.1),
        dm.Corrupt(0.1),
        dm.Leak(100.0),
        dm.LinearStep(STEPS, BOUNDS, 0.1, 0.1),
        dm.PiecewiseStep(STEPS, BOUNDS, (1.0, 2.0), (1.0, 2.0)),
        dm.PowStep(STEPS, BOUNDS, 1.0, 1.0),
        dm.SoftBounds(STEPS),
        dm.SoftBoundsReference(STEPS),
        dm.ConstantStep(STEPS),
        dm.Sourced(1.0, "S", "Example2024, Table I"),
        ms.ADC(8),
        ms.SAR(8),
        ms.Ramp(6),
        ms.DAC(8),
        ms.PulseWidthDAC(8),
        ms.BitSerialDAC(8),
        ms.UnlimitedADC(ms.ADC(8)),
        ms.UnlimitedDAC(ms.DAC(8)),
        ms.AlphaBetaWires(1.0, 1.0),
        ms.ResistiveWires(1.0, 1.0),
        ms.BitSliced(ms.DifferentialPair(), 2, 3),
        ms.Correlated(dm.Flicker(1.0, 1e3), 1e-3),
        CROSSBAR,
        ms.insitu.Buffer(),
        ms.insitu.Periphery(),
        ms.insitu.Transfer(),
        ms.nn.MixedSignal(CROSSBAR),
        ms.nn.NeuronCircuit({"tau_mem": 0.1}),
        ms.nn.NoisyNeuron(ms.nn.LIF(4), 0.1),
        ms.nn.ParallelInTime(ms.nn.LIF(4, firing=ms.nn.Firing(reset="none"))),
        ms.nn.PerLayer({".layers[0]": CROSSBAR}),
        *(neuron(4) for neuron in (ms.nn.ALIF, ms.nn.AdEx, ms.nn.CuBaLI, ms.nn.CuBaLIF, ms.nn.IF, ms.nn.Integrator)),
        *(neuron(4) for neuron in (ms.nn.Izhikevich, ms.nn.LI, ms.nn.LIF, ms.nn.ResonateAndFire)),
        ms.train.GaussianNoise(0.1),
        ms.train.LogUniform(1.0, 10.0),
        ms.train.Objective(ms.train.cross_entropy),
        ms.train.SampledChip(CROSSBAR),
        ms.train.SpikeRate(upper=0.5),
        ms.encoding.ChargingLatency(5, 0.02, 1e-3, 0.1),
        ms.encoding.DeltaModulator(0.1),
        ms.encoding.EventCamera(1e-3),
        ms.encoding.LinearLatency(5),
        ms.encoding.Poisson(5, 1e-3),
        ms.encoding.Population(4, 0.0, 1.0),
        ms.encoding.Rate(5),
        ms.data.Binning(1e-3, 5),
        ms.data.Relaxation("cells", np.arange(2.0), np.full(2, 1e-6), np.full((2, 2), 1e-6), 1e-4, "MIT", "nobody"),
        ms.data.sources()["shd"],
        ms.data.sources()["shd"].archives[0],
        dataset(),
        splits(),
    ]


def calls(folder: Path) -> dict[str, dict[str, Any]]:
    """Arguments for what has required ones and is no class in `instances`; files go into `folder`."""
    wide = {"key": KEY}
    trained = {"model": network(), "xs": XS}
    study = {"model": digits_network(), "data": dataset(), "crossbar": CROSSBAR, "key": KEY}
    learner = {"device": dm.ecram_tang2018(), "learning_rate": 0.1, "key": KEY}
    loss = {"outputs": XS[0], "label": LABELS[0]}
    trains = {"spikes": jnp.ones((6, 3)), "tau": 0.02, "dt": 1e-3}
    pulses, weights = staircase()
    figure = Figure()
    axes = figure.subplots()
    on_chips = trained | {"crossbar": CROSSBAR, "labels": LABELS, "key": KEY}
    on_chips |= {"times": jnp.zeros(1), "chips": jnp.arange(1)}
    clock = {"rounds": 1}
    cells = {"t_0": 1.0, "conductances": 1e-5 * np.exp(np.random.default_rng(0).normal(0, 0.1, (60, 5))).cumprod(1)}
    return {
        "at": {"model": ms.program(network(), CROSSBAR, key=KEY), "t": 1.0, "key": KEY},
        "calibrate": trained | {"crossbar": ms.Crossbar(dm.Ideal(), adc=ms.ADC(8))},
        "deploy": {"model": network(), "crossbar": CROSSBAR, "t": 1.0, "key": KEY},
        "effects": {"design": CROSSBAR},
        "program": {"model": network(), "crossbar": CROSSBAR, "key": KEY},
        "real_block": {"w": jnp.ones((2, 3), complex)},
        "to_complex": {"y": jnp.ones(4)},
        "to_real": {"x": jnp.ones(4, complex)},
        "without": {"design": CROSSBAR, "effect": "write noise"},
        "citation": {"model": dm.pcm_joshi2020()},
        "coincidences": {"x": jnp.ones(3), "d": jnp.ones(2), "strength": 0.1, "key": KEY},
        "describe": {"table": dm.DEVICES["pcm_joshi2020"].numbers},
        "device": {"name": "ideal"},
        "memristor": {"name": next(iter(dm.MEMRISTORS))},
        "pulsed": {"name": next(iter(dm.PULSED))},
        "pcm_with_drift": {
            "conductances": [0.0, 5e-6, 25e-6],
            "nu_mean": [0.03, 0.02, 0.01],
            "nu_std": [0.0, 0.0, 0.0],
        },
        "retention_lammie2021": {"device": dm.Ideal(), "p": (1.0, 1.0, 1.0, 1.0)},
        "simulate": {"memristor": dm.hp_strukov2008(), "time": jnp.asarray(TIME), "voltage": jnp.asarray(VOLTAGE)},
        "soft_bounds_pmax": {},
        "AvgPool1d": {"kernel_size": 2},
        "AvgPool2d": {"kernel_size": 2},
        "SumPool1d": {"kernel_size": 2},
        "SumPool2d": {"kernel_size": 2},
        "Conv1d": {"in_channels": 2, "out_channels": 3, "kernel_size": 3} | wide,
        "Conv2d": {"in_channels": 2, "out_channels": 3, "kernel_size": 3} | wide,
        "Delay": {"size": 3, "steps": 2},
        "DelayedLinear": {"in_features": 3, "out_features": 2, "delays": 2} | wide,
        "GRUCell": {"input_size": 3, "hidden_size": 2} | wide,
        "LSTMCell": {"input_size": 3, "hidden_size": 2} | wide,
        "Linear": {"in_features": 3, "out_features": 2} | wide,
        "Graph": {"nodes": {"a": ms.nn.LI(3)}, "edges": [("input", "a"), ("a", "output")]},
        "Recurrent": {"neuron": ms.nn.LIF(3), "synapse": ms.nn.Linear(3, 3, key=KEY)},
        "Scale": {"scale": 2.0},
        "SpikingNetwork": {"layers": [ms.nn.LI(3)]},
        "analog_layers": {"model": network()},
        "clipping": {"model": ms.deploy(network(), CROSSBAR, 1.0, key=KEY), "xs": XS},
        "convert": {"model": eqx.nn.Linear(3, 2, key=KEY)},
        "diagnose": trained,
        "fluctuation_driven": {"model": network(), "rate": 0.1} | wide,
        "izhikevich_2003": {"kind": "resonator", "size": 4},
        "neurons": {"model": network()},
        "scaled_to_rate": trained | {"rate": 0.1, "tolerance": 0.5},
        "with_read_keys": {"model": ms.deploy(ms.nn.Linear(3, 2, key=KEY), CROSSBAR, 1.0, key=KEY)} | wide,
        "accuracy": trained | {"labels": LABELS},
        "class_scores": {"outputs": XS[0]},
        "clip_weights": {"model": network(), "sigmas": 2.5},
        "count_cross_entropy": loss,
        "cross_entropy": loss,
        "latency_cross_entropy": loss | {"tau": 0.02, "dt": 1e-3},
        "latency_scores": {"outputs": XS[0]},
        "max_cross_entropy": loss,
        "rate_mse": loss,
        "run_batch": trained,
        "van_rossum": trains | {"target": jnp.zeros((6, 3))},
        "fit": {"model": digits_network(), "data": splits(), "key": KEY, "epochs": 1, "batch_size": 2},
        "attribute": study | {"chips": 1, "recordings": 2},
        "robustness": study | {"chips": 1, "times": [0.0]},
        "check_times": {"times": [0.0]},
        "device_numbers": {"design": CROSSBAR},
        "make_folder": {"folder": folder},
        "difference": {"first": result().accuracy, "second": result().accuracy},
        "interval": {"values": result().accuracy.isel(time=0)},
        "interval_over": {"values": result().accuracy},
        "is_measured": {"span": dm.pcm_joshi2020().span, "times": [0.0]},
        "mean_interval": {"values": np.arange(4.0)},
        "outcome": trained | {"labels": LABELS},
        "packed": {"right": np.ones((2, 9), bool)},
        "right": {"result": xr.Dataset(ms.study.packed(np.ones((2, 9), bool)).variables(("chip",), 9))},
        "variance_components": {"values": result().accuracy.isel(time=0)},
        "open_result": {"path": folder / "there.nc"},
        "save_table": {"table": result().to_dataframe(), "path": folder / "new.csv"},
        "check_options": {"config": Settings()},
        "quick": {"smaller": {}},
        "remove_parts": {"folder": folder / "no-parts"},
        "save_result": {"result": result(), "path": folder / "new.nc"},
        "recurrent_network": {"inputs": 3, "hidden": 4, "classes": 2} | wide,
        "summary": {"accuracy": result().accuracy},
        **dict.fromkeys(("agad", "analog_sgd", "eapu", "mixed_precision", "tiki_taka", "tiki_taka_v2"), learner),
        "aged": {
            "params": {"weight": jnp.ones((2, 3))},
            "state": ms.insitu.analog_sgd(**learner).init({"weight": jnp.ones((2, 3))}),
            "device": dm.pcm_joshi2020(),
            "t": 1.0,
            "key": KEY,
        },
        "value_and_outer": {"loss": lambda model: 0.0},
        "exponential_trace": trains,
        "first_spike_time": {"spikes": jnp.ones((6, 3))},
        "SpikeFile": {"path": folder / "there.h5"},
        "as_events": {"array": events()},
        "crop": {"events": events(), "start": 0.0, "stop": 1.0},
        "downsample": {"events": events(), "size": (8, 8), "to": (4, 4)},
        "event_array": {"t": np.array([0, 1]), "x": np.array([0, 1])},
        "from_frames": {"frames": np.ones((2, 2, 3)), "dt": 1e-3},
        "read_events": {"file": folder / "there.dat"},
        "to_frames": {"events": events(), "size": (8, 8), "binning": ms.data.Binning(1e-3, 5)},
        "write_events": {"file": folder / "new.dat", "events": events(), "size": (8, 8)},
        "write_spikes": {
            "path": folder / "new.h5",
            "recordings": [channels()],
            "labels": np.array([0]),
            "class_names": ["a"],
        },
        "fit_drift": cells | {"times": np.geomspace(1, 1e4, 5)},
        "fit_relaxation": relaxation(),
        "fit_programming": {"targets": TARGETS, "measured": TARGETS * (1 + 0.1 * np.sin(np.arange(60)))},
        "fit_read_noise": {"reads": np.random.default_rng(0).normal(1e-5, 1e-7, (9, 50)), "t_0": 1.0, "t_read": 1e-6},
        "read_csv": {"path": folder / "there.csv", "columns": {"target": "S"}},
        "read_cells": {"path": folder / "there.csv", "columns": {"target": "S", "measured": "S"}},
        "save_device": {"path": folder / "new.json", "device": dm.pcm_joshi2020(), "provenance": {}},
        "load_device": {"path": folder / "there.json"},
        "load_provenance": {"path": folder / "there.json"},
        "fit_memristor": {
            "model": dm.hp_strukov2008(),
            "time": TIME,
            "voltage": VOLTAGE,
            "current": VOLTAGE * 1e-4 + 1e-6 * np.random.default_rng(0).normal(size=100),
            "parameters": ("r_off",),
        },
        "fit_pulse_response": {"directions": pulses, "weights": weights},
        "guess": {"graph": folder / "there.nir", "dt": 1e-3},
        "write": {
            "path": folder / "new.nir",
            "graph": ms.nir.to_nir(network(), dt=1e-3, input_shape=3, allow_reset_change=True),
        },
        "from_nir": {"graph": folder / "there.nir", "dt": 1e-3},
        "to_nir": {"model": network(), "dt": 1e-3, "input_shape": 3, "allow_reset_change": True},
        "accuracy_over_time": {"result": result()},
        "width": {"journal": "nature"},
        "attribution": {"result": attribution()},
        "attribution_table": {"result": attribution()},
        "explain": {"result": attribution()},
        "draw_accuracy": {"axes": axes, "accuracy": result().accuracy, "place": 0, "label": None},
        "draw_spread": {
            "axes": axes,
            "x": np.arange(3.0),
            "values": result().accuracy,
            "along": "time",
            "place": 0,
            "label": None,
        },
        "label_time": {"axes": axes, "times": np.array([1.0, 10.0])},
        "draw_line": {"axes": axes, "x": np.arange(3.0), "y": np.arange(3.0)},
        "letter_panels": {"panels": [axes]},
        "shown_time": {"times": np.array([1.0, 10.0])},
        "save": {"figure": figure, "path": folder / "new"},
        "parts_folder": {"out": folder, "settings": {}},
        "run_parts": {"parts": {"a": 0}, "compute": lambda part: result(), "folder": folder / "parts"},
        "measured": {"measures": [], "out": folder / "new.nc", "config": None},
        "seconds": {"function": lambda: 0},
        "together": {"calls": [(lambda: 0,)]} | clock,
        "ratio": {"call": (lambda: 0,), "base": (lambda: 0,)} | clock,
        **dict.fromkeys(("chip_accuracies", "chip_outcomes"), on_chips),
        "get": {"name": "shd"},
        "is_complete": {"source": ms.data.sources()["shd"]},
    }
