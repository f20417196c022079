"""The spikes, membranes and rates of one spiking network, ideal beside analog, for the same input.

A recurrent spiking network is trained on spoken digits and deployed on phase-change memory with an ADC, drift
compensation and mismatched neurons. Recorded are one recording on one chip in full, and over the test set the rate of
every neuron, and by how much spikes move. Writes results/raster: raster.nc, raster.csv.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import device_models as dm
import memsim as ms

KINDS = ("ideal", "analog")


@dataclass(frozen=True)
class Config:
    """Options of the recording; times in seconds. The defaults take a minute or two."""

    device: str = "pcm_joshi2020"
    """A name of `device_models.DEVICES`."""
    time: float = 86400.0
    """After programming."""
    adc_bits: int = 8
    mismatch: float = 0.1
    """Relative standard deviation of the neurons' time constants and thresholds."""
    chips: int = 20
    recording: int = 0
    """Of the test set: the one that is kept in full, on the first chip."""
    window: int = 5
    """Steps within which a spike of the chip is the ideal one, moved."""
    steps: int = 40
    dt: float = 1e-3
    hidden: int = 64
    epochs: int = 30
    out: Path = Path("results/raster")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        dm.device(self.device)
        ms.study.check_times([self.time])
        if min(self.chips, self.window, self.steps, self.hidden, self.epochs) < 1 or not 0 <= self.recording < 600:
            raise ValueError(
                "`chips`, `window`, `steps`, `hidden` and `epochs` must be at least 1, and `recording` one of the 600 "
                f"of the test set. Got {self}."
            )


QUICK = {"chips": 2, "steps": 20, "hidden": 16, "epochs": 2}


def run(config: Config) -> xr.Dataset:
    """Trains, records, and returns what it writes."""
    if config.quick:
        config = dataclasses.replace(config, **QUICK)
    ms.study.make_folder(config.out)  # before minutes of work
    data = ms.data.spoken_digits(steps=config.steps)
    if config.quick:
        data = ms.data.Splits(data.train.take(np.arange(200)), data.validation, data.test.take(np.arange(50)))
    model_key, fit_key, chip_key = jr.split(jr.key(0), 3)
    model = ms.study.recurrent_network(13, config.hidden, 10, dt=config.dt, key=model_key)
    model = ms.train.fit(model, data, key=fit_key, epochs=config.epochs)
    circuit = ms.nn.NeuronCircuit({"tau_mem": config.mismatch, "threshold": config.mismatch})
    chip = ms.nn.MixedSignal(crossbar(config), circuit)
    design = ms.calibrate(model, jnp.asarray(data.train.inputs), chip)
    xs = jnp.asarray(data.test.inputs)
    ideal = record(model, xs)
    chips = [on_chip(model, design, xs, config.time, jr.fold_in(chip_key, chip)) for chip in range(config.chips)]
    result = labelled(gathered(config, data.test, ideal, chips), config, design, data.test)
    ms.study.save_result(result, config.out / "raster.nc")
    result[["jitter", "mean_shift", "missing", "extra", "analog_accuracy"]].to_dataframe().to_csv(
        config.out / "raster.csv"
    )
    report(result)
    print(f"Wrote {config.out / 'raster.nc'} and raster.csv. `memsim draw raster` draws them")
    return result


def crossbar(config: Config) -> ms.Crossbar:
    return ms.Crossbar(dm.device(config.device).make(), adc=ms.ADC(config.adc_bits), read_noise="per_moment")


class Recorded(NamedTuple):
    """Outputs (batch, steps, classes), and spikes and membranes (batch, steps, neurons) of the hidden layer."""

    outputs: jax.Array
    spikes: jax.Array
    membranes: jax.Array


@eqx.filter_jit
def record(model, xs) -> Recorded:
    outputs, found = jax.vmap(lambda x: model(x, record=("spikes", "membranes")))(xs)
    ((path, spikes),) = found["spikes"].items()
    return Recorded(outputs, spikes, found["membranes"][path])


@eqx.filter_jit
def on_chip(model, design, xs, t, key) -> Recorded:
    return record(ms.deploy(model, design, t, key=key), xs)


class Moved(NamedTuple):
    """How the spikes of one raster became those of another: spikes by shift in steps, and those without a partner."""

    counts: np.ndarray
    missing: float
    extra: float


def moved(ideal: np.ndarray, analog: np.ndarray, window: int) -> Moved:
    """Pairs the spikes (batch, steps, neurons) of each neuron one to one, the nearest first, within `window` steps.

    `counts` are for shifts of -window to window, positive for a late spike. Missing and extra spikes are fractions of
    the ideal ones.
    """
    left, free = ideal > 0, analog > 0
    total = max(int(left.sum()), 1)
    left, free = (np.pad(spikes, ((0, 0), (window, window), (0, 0))) for spikes in (left, free))
    counts = np.zeros(2 * window + 1, int)
    for shift in sorted(range(-window, window + 1), key=abs):
        pairs = left & np.roll(free, -shift, axis=1)
        counts[shift + window] = pairs.sum()
        left = left & ~pairs
        free = free & ~np.roll(pairs, shift, axis=1)
    return Moved(counts, left.sum() / total, free.sum() / total)


def gathered(config: Config, test: ms.data.Dataset, ideal: Recorded, chips: list[Recorded]) -> xr.Dataset:
    one = config.recording if config.recording < len(test) else 0
    both = (ideal, chips[0])
    pairs = [moved(np.asarray(ideal.spikes), np.asarray(chip.spikes), config.window) for chip in chips]
    counts = np.array([pair.counts for pair in pairs])
    shifts = np.arange(-config.window, config.window + 1) * config.dt
    mean = counts @ shifts / np.maximum(counts.sum(1), 1)
    jitter = np.sqrt(np.maximum(counts @ shifts**2 / np.maximum(counts.sum(1), 1) - mean**2, 0))
    return xr.Dataset(
        {
            "input": (("step", "channel"), test.inputs[one]),
            "spikes": (("kind", "step", "neuron"), np.stack([recorded.spikes[one] for recorded in both])),
            "membranes": (("kind", "step", "neuron"), np.stack([recorded.membranes[one] for recorded in both])),
            "ideal_rate": ("neuron", rates(ideal, config.dt)),
            "analog_rate": (("chip", "neuron"), np.stack([rates(chip, config.dt) for chip in chips])),
            "moved": (("chip", "shift"), counts),
            "jitter": ("chip", jitter),
            "mean_shift": ("chip", mean),
            "missing": ("chip", [pair.missing for pair in pairs]),
            "extra": ("chip", [pair.extra for pair in pairs]),
            "ideal_accuracy": ((), accuracy(ideal, test)),
            "analog_accuracy": ("chip", [accuracy(chip, test) for chip in chips]),
        },
        {
            "kind": list(KINDS),
            "step": np.arange(config.steps),
            "time": ("step", np.arange(config.steps) * config.dt),
            "neuron": np.arange(config.hidden),
            "chip": np.arange(config.chips),
            "shift": shifts,
        },
        {"shown": f"test recording {one}, digit {test.class_names[test.labels[one]]}"},
    )


def rates(recorded: Recorded, dt: float) -> np.ndarray:
    """Mean rate of each neuron over all recordings, in hertz."""
    return np.asarray(recorded.spikes).mean((0, 1)) / dt


def accuracy(recorded: Recorded, test: ms.data.Dataset) -> float:
    scores = jax.vmap(ms.train.class_scores)(recorded.outputs)
    return float(np.mean(np.argmax(np.asarray(scores), -1) == test.labels))


def labelled(result: xr.Dataset, config: Config, design, test: ms.data.Dataset) -> xr.Dataset:
    """With units and provenance."""
    units = {"time": "s", "shift": "s", "jitter": "s", "mean_shift": "s", "ideal_rate": "Hz", "analog_rate": "Hz"}
    for name in result.variables:
        if name != "kind":
            result[name].attrs["units"] = units.get(str(name), "1")
    names = {
        "membranes": "before any reset; the nominal threshold is 1",
        "moved": "pairs of an ideal spike and the nearest of the chip, by shift",
        "jitter": "standard deviation of the shifts of paired spikes",
        "missing": "ideal spikes without a partner, as a fraction of the ideal spikes",
        "extra": "spikes of the chip without a partner, as a fraction of the ideal spikes",
    }
    for name, words in names.items():
        result[name].attrs["long_name"] = words
    settings = json.dumps(dataclasses.asdict(config), default=str)
    sources = ms.study.device_numbers(crossbar(config)) | {"design": ms.study.device_numbers(design)["design"]}
    own = {"config": settings, "data": f"{test.citation} {test.licence}"}
    return result.assign_attrs(ms.study.provenance() | sources | own)


def report(result: xr.Dataset) -> None:
    """Prints means over chips with their 95 % intervals."""
    over = f"mean and 95 % interval over {result.sizes['chip']} chips of one network"
    for name, unit, factor in (
        ("jitter", "ms", 1e3),
        ("mean_shift", "ms", 1e3),
        ("missing", "%", 100.0),
        ("extra", "%", 100.0),
        ("analog_accuracy", "%", 100.0),
    ):
        mean, low, high = (factor * x for x in ms.study.mean_interval(result[name].values))
        print(f"{name.replace('_', ' '):16} {mean:7.3f} {unit} [{low:.3f}, {high:.3f}], {over}")
    print(f"ideal accuracy   {100 * float(result.ideal_accuracy):7.3f} %")
