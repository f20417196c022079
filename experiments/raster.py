"""What one network does on an ideal and on an analog chip: spikes, membranes, rates, and how far spikes move.

A recurrent spiking network is trained on spoken digits and hears the same recordings digitally and on chips of
phase-change memory with mismatched analog neurons. Spikes of a neuron are paired with those of the same neuron on the
chip, nearest first, at most `window` steps apart. Writes results/raster: raster.nc, raster.csv.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import device_models as dm
import memsim as ms
from _frame import digits, finish, first_of, label, of_a_point, origin
from _trained import trained

deployed = eqx.filter_jit(ms.deploy)
VERSIONS = ("ideal", "analog")
STEP = 1e-3  # seconds
NETWORK = jr.key(0)
CHIPS = jr.fold_in(NETWORK, 2)  # 0 and 1 are for its weights and its training
LABELS = {
    **dict.fromkeys(("spikes", "readout", "moved", "lost", "added", "accuracy", "digital_accuracy", "chip"), "1"),
    "membranes": ("1", "over threshold"),
    "rate": ("Hz", "mean over the recordings"),
    "lag_count": ("1", "spikes that moved by so many steps"),
    "jitter": ("s", "rms lag"),
    "lag": "steps",
}

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
    """Runs or continues the study; returns what it writes."""
    design = circuit(config)  # says what cannot be, before any work
    chosen = partial(measure, config=of_a_point(config, "chips"))
    result = ms.study.sweep(chosen, {"chip": range(config.chips)}, folder=config.out, key=CHIPS)
    result = first_of(result, "chip", "digital_accuracy", "spikes", "membranes", "readout", "rate")
    label(result, LABELS)
    result = result.assign_attrs(origin(config, digits(2).test, design))
    table = result[["accuracy", "jitter", "moved", "lost", "added"]].to_dataframe().reset_index()
    finish("raster", result, table, out=config.out, report=lambda: report(result))
    return result


def measure(chip, *, key, config: Config) -> xr.Dataset:
    """What one chip does to the spikes of a network, trained once: traces of the first recording, and means."""
    data = digits(40, recordings=config.recordings, quick=config.quick)
    model = trained(config.hidden, data, key=NETWORK, once="network", epochs=config.epochs, clip=1.5)
    xs, labels = jnp.asarray(data.test.inputs), data.test.labels
    design = ms.calibrate(model, jnp.asarray(data.train.inputs), circuit(config))
    deploy_key, read_key = jr.split(key)
    aged = deployed(model, design, jnp.asarray(config.time), key=deploy_key)
    both = jax.tree.map(lambda *each: np.stack(each), watch(model, xs), watch(aged, xs, read_key))
    counts, lost, added = paired(*both["spikes"], config.window)
    lags, kept = np.arange(-config.window, config.window + 1), max(counts.sum(), 1)
    spikes = max(float(both["spikes"][0].sum()), 1.0)
    digital, on_chip = (both["readout"].mean(2).argmax(-1) == labels).mean(1)
    traces = {"spikes": "neuron", "membranes": "neuron", "readout": "class"}
    return xr.Dataset(
        {
            **{name: (("version", "step", last), both[name][:, 0]) for name, last in traces.items()},
            "rate": (("version", "neuron"), both["spikes"].mean((1, 2)) / STEP),
            "lag_count": ("lag", counts),
            "jitter": np.sqrt((counts * lags**2).sum() / kept) * STEP,
            "moved": 1 - counts[config.window] / kept,
            "lost": lost / spikes,
            "added": added / spikes,
            "accuracy": on_chip,
            "digital_accuracy": digital,
        },
        {"version": list(VERSIONS), "step": np.arange(both["spikes"].shape[2]), "lag": lags},
    )


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
    for name, factor, unit in (("jitter", 1e3, "ms"), *((name, 100, "%") for name in ("moved", "lost", "added"))):
        low, high = factor * np.percentile(result[name], [5, 95])
        print(f"{name:8} {factor * float(result[name].mean()):6.2f} {unit} ({low:.2f} to {high:.2f} over the chips)")
    print(f"accuracy {100 * float(result.accuracy.mean()):.1f} %, digital {100 * float(result.digital_accuracy):.1f} %")
