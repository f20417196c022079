"""What one network does on an ideal and on an analog chip: spikes, membranes, rates, and how far spikes move.

A recurrent spiking network is trained on spoken digits and hears the same recordings digitally and on chips of
phase-change memory with mismatched analog neurons. Spikes of a neuron are paired with those of the same neuron on the
chip, nearest first, at most `window` steps apart. Writes results/raster: raster.nc, raster.csv.
"""

import dataclasses
import json
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
from _workload import recurrent_network

VERSIONS = ("ideal", "analog")
STEP = 1e-3  # seconds


QUICK = {"chips": 2, "recordings": 10, "hidden": 16, "epochs": 1}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take about two minutes on two cores."""

    device: str = "pcm_joshi2020"
    """A name of `device_models.DEVICES`."""
    time: float = 86400.0
    """Age of the chips, in seconds."""
    mismatch: float = 0.1
    """Relative standard deviation of the neurons' time constants and thresholds."""
    adc_bits: int = 8
    chips: int = 20
    recordings: int = 100
    """Of the test set, for rates and jitter; the first of them is drawn."""
    window: int = 4
    """Most steps that a spike may have moved and still be the same spike."""
    hidden: int = 64
    epochs: int = 20
    out: Path = Path("results/raster")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self, recordings=200 if self.quick else 600)
        dm.device(self.device)


def run(config: Config) -> xr.Dataset:
    """Trains the network, runs it on its chips, and writes what it did."""
    circuit(config)  # says what cannot be, before any work
    ms.study.make_folder(config.out)
    data = ms.data.spoken_digits()
    if config.quick:
        data = ms.data.Splits(*(part.take(np.arange(200)) for part in (data.train, data.validation, data.test)))
    model_key, fit_key, chip_key = jr.split(jr.key(0), 3)
    model = recurrent_network(13, config.hidden, 10, key=model_key)
    model = ms.train.fit(model, data, key=fit_key, epochs=config.epochs, clip=1.5)
    test = data.test.take(np.arange(config.recordings))
    xs = jnp.asarray(test.inputs)
    ideal = watch(model, xs)
    design = ms.calibrate(model, jnp.asarray(data.train.inputs), circuit(config))
    chips = on_chips(model, design, xs, jnp.asarray(config.time), jnp.arange(config.chips), key=chip_key)
    result = collected(config, ideal, chips, test.labels)
    attributes = ms.study.provenance() | ms.study.device_numbers(circuit(config))
    settings = dataclasses.asdict(config) | {"out": str(config.out)}
    attributes |= {"config": json.dumps(settings), "data": f"{test.citation} {test.licence}"}
    result = result.assign_attrs(attributes)
    ms.study.save_result(result, config.out / "raster.nc")
    ms.study.save_table(
        result[["accuracy", "jitter", "moved", "lost", "added"]].to_dataframe(), config.out / "raster.csv"
    )
    report(result)
    print(f"Wrote {config.out / 'raster.nc'} and raster.csv. `memsim draw raster` draws them")
    return result


def circuit(config: Config) -> ms.nn.MixedSignal:
    crossbar = ms.Crossbar(dm.device(config.device).make(), adc=ms.ADC(config.adc_bits), reads=ms.Reads("per_read"))
    spread = {"tau_mem": config.mismatch, "threshold": config.mismatch}
    return ms.nn.MixedSignal(crossbar, ms.nn.NeuronCircuit(spread))


@eqx.filter_jit
def watch(model, xs, key=None) -> dict[str, jax.Array]:
    """Spikes and membranes of the hidden neurons, and the readout: (recordings, steps, ...)."""
    keys = None if key is None else jr.split(key, xs.shape[0])
    outputs, found = jax.vmap(lambda x, key: model(x, key=key, record=("spikes", "membranes")))(xs, keys)
    hidden = ms.nn.neurons(model)
    (path,) = [path for path in hidden if hidden[path].spiking]
    return {"spikes": found["spikes"][path], "membranes": found["membranes"][path], "readout": outputs}


@eqx.filter_jit
def on_chips(model, design, xs, t, chips, *, key) -> dict[str, jax.Array]:
    """What the network does on each chip."""

    def one(number):
        deploy_key, read_key = jr.split(jr.fold_in(key, number))
        return watch(ms.deploy(model, design, t, key=deploy_key), xs, read_key)

    return jax.lax.map(one, chips)


def collected(config: Config, ideal: dict, chips: dict, labels: np.ndarray) -> xr.Dataset:
    """Traces of the first recording on the first chip, rates of its neurons, and what every chip did to the spikes."""
    traces = {
        name: np.stack([np.asarray(ideal[name][0]), np.asarray(chips[name][0, 0])])
        for name in ("spikes", "membranes", "readout")
    }
    rates = np.stack([np.asarray(ideal["spikes"]).mean((0, 1)), np.asarray(chips["spikes"][0]).mean((0, 1))]) / STEP
    pairs = [paired(np.asarray(ideal["spikes"]), np.asarray(spikes), config.window) for spikes in chips["spikes"]]
    lags = np.arange(-config.window, config.window + 1)
    counts = np.stack([counted for counted, _, _ in pairs])
    kept = np.maximum(counts.sum(1), 1)
    spikes = max(float(np.asarray(ideal["spikes"]).sum()), 1.0)
    named = np.asarray(chips["readout"]).mean(2).argmax(-1) == labels
    variables = {
        "spikes": (("version", "step", "neuron"), traces["spikes"], {"units": "1"}),
        "membranes": (
            ("version", "step", "neuron"),
            traces["membranes"],
            {"units": "1", "long_name": "over threshold"},
        ),
        "readout": (("version", "step", "class"), traces["readout"], {"units": "1"}),
        "rate": (("version", "neuron"), rates, {"units": "Hz", "long_name": "mean over the recordings"}),
        "lag_count": (("chip", "lag"), counts, {"units": "1", "long_name": "spikes that moved by so many steps"}),
        "jitter": ("chip", np.sqrt((counts * lags**2).sum(1) / kept) * STEP, {"units": "s", "long_name": "rms lag"}),
        "moved": ("chip", 1 - counts[:, config.window] / kept, {"units": "1"}),
        "lost": ("chip", np.array([lost for _, lost, _ in pairs]) / spikes, {"units": "1"}),
        "added": ("chip", np.array([added for _, _, added in pairs]) / spikes, {"units": "1"}),
        "accuracy": ("chip", named.mean(1), {"units": "1"}),
        "digital_accuracy": ((), float((np.asarray(ideal["readout"]).mean(1).argmax(-1) == labels).mean())),
    }
    coordinates = {
        "version": list(VERSIONS),
        "step": np.arange(traces["spikes"].shape[1]),
        "lag": ("lag", lags, {"units": "steps"}),
        "chip": np.arange(config.chips),
    }
    return xr.Dataset(variables, coordinates)


def paired(one: np.ndarray, other: np.ndarray, window: int) -> tuple[np.ndarray, int, int]:
    """How many spikes of `one` are found in `other` (recordings, steps, neurons) at each lag, the nearest first.

    Returns the counts from -window to window, the spikes of `one` without a partner, and those of `other`.
    """
    left, right = one > 0, other > 0
    counts = np.zeros(2 * window + 1, int)
    steps = one.shape[1]
    for lag in sorted(range(-window, window + 1), key=abs):
        if abs(lag) >= steps:
            continue
        here, there = slice(max(0, -lag), steps - max(0, lag)), slice(max(0, lag), steps + min(0, lag))
        both = left[:, here] & right[:, there]
        left[:, here] &= ~both
        right[:, there] &= ~both
        counts[lag + window] = both.sum()
    return counts, int(left.sum()), int(right.sum())


def report(result: xr.Dataset) -> None:
    """Prints what the chips do to the spikes: mean over chips, and the 5th to 95th percentile."""
    size = f"{result.sizes['chip']} chips of one network"
    for name, factor, unit in (("jitter", 1e3, "ms"), ("moved", 100, "%"), ("lost", 100, "%"), ("added", 100, "%")):
        low, high = factor * np.percentile(result[name], [5, 95])
        print(f"{name:8} {factor * float(result[name].mean()):6.2f} {unit} ({low:.2f} to {high:.2f} over {size})")
    print(f"accuracy {100 * float(result.accuracy.mean()):.1f} %, digital {100 * float(result.digital_accuracy):.1f} %")
