"""The spoken-digit network on every memory cell of the catalogue: accuracy against time.

A recurrent spiking network learns the spoken digits without hardware and with Gaussian weight noise, the same for all
cells, so that no cell is preferred. It is deployed on chips of every cell with an 8-bit ADC whose range is calibrated
on training data, one pair of cells a weight, with global drift compensation, and ages. How large a cell's own errors
are is measured beside it: the spread of written cells over the range, just written and after a day. Writes
results/devices: devices.nc, devices.csv.
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
from _frame import digits
from _workload import digital_outcome, recurrent_network

DAY, YEAR = 86400.0, 365.25 * 86400.0
TRAININGS = ("digital", "Gaussian noise")


QUICK = {"devices": ("ideal", "rram_milo2021", "sonos_agrawal2022"), "chips": 2, "times": (0.0, DAY), "seeds": 1}
QUICK |= {"hidden": 16, "steps": 8, "epochs": 1, "recordings": 100}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take about fifteen minutes on two cores."""

    devices: tuple[str, ...] = tuple(dm.DEVICES)
    """Names of `device_models.DEVICES`."""
    chips: int = 20
    times: tuple[float, ...] = (0.0, 3600.0, DAY, 30 * DAY, YEAR, 10 * YEAR)
    """Seconds after programming."""
    seeds: int = 3
    """Training seeds."""
    adc_bits: int = 8
    hidden: int = 128
    steps: int = 40
    """Frames each recording is resampled to."""
    epochs: int = 40
    gaussian_std: float = 0.06
    clip: float = 1.5
    """Weight clipping of the noisy training, in multiples of the root mean square of a layer's weights, at least 1."""
    recordings: int = 600
    """Of the test set, at most 600."""
    out: Path = Path("results/devices")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        if not self.devices:
            raise ValueError("`devices` must name a device. Got none.")
        ms.study.check_options(self)
        for name in self.devices:
            dm.device(name)


class Part(NamedTuple):
    """One network on chips of one cell: what is computed, and saved, at a time."""

    seed: int
    training: str
    device: str

    @property
    def name(self) -> str:
        return f"seed{self.seed}-{self.training.replace(' ', '-')}-{self.device}"


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    for name in config.devices:
        design(config, name)  # says what cannot be, before any work
    settings = dataclasses.asdict(config) | {"out": str(config.out)}
    folder = ms.study.parts_folder(config.out, settings)
    # Devices vary slowest: what is compiled for one serves all its networks.
    every = [Part(s, t, d) for d in config.devices for t in TRAININGS for s in range(config.seeds)]
    data = digits(config.steps, recordings=config.recordings, quick=config.quick)
    parts = {part.name: part for part in every}
    result = ms.study.run_parts(parts, lambda part: compute(config, part, data, folder), folder)
    result = labelled(result.sel(device=list(config.devices), training=list(TRAININGS)), config, settings)
    ms.study.save_result(result, config.out / "devices.nc")
    ms.study.save_table(ms.study.summary(result), config.out / "devices.csv", index=False)
    report(result)
    print(f"Wrote {config.out / 'devices.nc'} and devices.csv. `memsim draw devices` draws them")
    ms.study.remove_parts(folder)
    return result


def compute(config: Config, part: Part, data: ms.data.Splits, folder: Path) -> xr.Dataset:
    """Trains one network, or takes it from its checkpoint, and measures it on chips of one cell."""
    model = network(config, part, data, folder)
    xs, labels = jnp.asarray(data.test.inputs), jnp.asarray(data.test.labels)
    bare = design(config, part.device)
    ranged = ms.calibrate(model, jnp.asarray(data.train.inputs[:200]), bare)
    # The same chips for every network: comparisons are paired.
    times, chips = jnp.asarray(config.times), jnp.arange(config.chips)
    found = ms.study.chip_outcomes(model, ranged, xs, labels, times, chips, key=jr.key(1))
    index = {"seed": [part.seed], "training": [part.training], "device": [part.device]}
    return xr.Dataset(
        {
            **found.variables((*index, "chip", "time"), len(labels)),
            **digital_outcome(model, xs, labels).variables(("seed", "training"), len(labels), "digital_{}"),
            "cell_error": (("device", "age"), np.asarray(cell_error(bare.device))[None]),
        },
        index | {"chip": np.arange(config.chips), "time": np.asarray(config.times), "age": [0.0, DAY]},
    )


def design(config: Config, device: str) -> ms.Crossbar:
    return ms.Crossbar(dm.device(device).make(), adc=ms.ADC(config.adc_bits), reads=ms.Reads("per_moment"))


def network(config: Config, part: Part, data: ms.data.Splits, folder: Path) -> ms.nn.AbstractNetwork:
    """The trained network: one training serves all devices."""
    model_key, fit_key = jr.split(jr.fold_in(jr.key(0), part.seed))
    noisy = part.training == "Gaussian noise"
    return ms.train.fit(
        recurrent_network(13, config.hidden, 10, key=model_key),
        data,
        key=fit_key,
        hardware=ms.train.GaussianNoise(config.gaussian_std) if noisy else None,
        epochs=config.epochs,
        clip=config.clip if noisy else None,
        checkpoint=folder / f"seed{part.seed}-{part.training.replace(' ', '-')}.checkpoint",
    )


@eqx.filter_jit
def cell_error(device: dm.AbstractDevice) -> Float[Array, " ages"]:
    """Root mean square distance of cells from targets that fill the range, over the range: just written, and a day on.

    What all cells have in common, a factor, is taken out, as drift compensation does.
    """
    target = jnp.linspace(device.g_min, device.g_max, 20_000)
    cells = device.program(target, key=jr.key(2))

    def at(t: float) -> Array:
        # In units of the range: siemens squared are below float32's precision floor.
        unit = device.g_max - device.g_min
        g, aim = device.conductance(cells, jnp.asarray(t)) / unit, target / unit
        return jnp.sqrt(jnp.mean((g * jnp.sum(aim * g) / jnp.sum(g * g) - aim) ** 2))

    return jnp.stack([at(0.0), at(DAY)])


def labelled(result: xr.Dataset, config: Config, settings: dict[str, Any]) -> xr.Dataset:
    """With units and provenance."""
    for name in ("seed", "chip", "accuracy", "digital_accuracy", "cell_error"):
        result[name].attrs["units"] = "1"
    result["time"].attrs |= {"units": "s", "long_name": "time since programming"}
    result["age"].attrs |= {"units": "s", "long_name": "age of the cells whose error is measured"}
    result["accuracy"].attrs["long_name"] = "test accuracy"
    result["cell_error"].attrs["long_name"] = "distance of cells from their targets, over the range"
    cells = {name: dm.device(name).make() for name in config.devices}
    measured = [ms.study.is_measured(cell.span, result.time.values) for cell in cells.values()]
    result = result.assign_coords(
        measured=(("device", "time"), measured, {"units": "1", "long_name": ms.study.MEASURED})
    )
    numbers = {name: "\n".join(cell.sources) for name, cell in cells.items()}
    told = {"span": {name: str(cell.span) for name, cell in cells.items()}}
    told["assumes"] = {name: "; ".join(cell.assumes) for name, cell in cells.items()}
    data = ms.data.spoken_digits(steps=2).test
    attributes = ms.study.provenance() | {"config": json.dumps(settings), "device_numbers": json.dumps(numbers)}
    attributes |= {name: json.dumps(words) for name, words in told.items()}
    return result.assign_attrs(attributes | {"data": f"{data.citation} {data.licence}"})


def report(result: xr.Dataset) -> None:
    """Prints the mean accuracy of each device at each time, by training."""
    from rich.console import Console
    from rich.table import Table

    for training in result.training.values:
        chosen = result.sel(training=training)
        digital = 100 * float(chosen.digital_accuracy.mean())
        size = f"mean over {result.sizes['chip']} chips of each of {result.sizes['seed']} seeds"
        title = f"Test accuracy in %, {training} training ({digital:.1f} digital), {size}; *: age not measured"
        shown = Table("device", "cell error", "after a day", title=title)
        for time in result.time.values:
            shown.add_column(f"{time:.3g} s")
        for device in result.device.values:
            one = chosen.sel(device=device)
            errors = [f"{100 * e:.2g} %" for e in one.cell_error.values]
            known = zip(one.accuracy.mean(["seed", "chip"]).values, one.measured.values, strict=True)
            shown.add_row(str(device), *errors, *(f"{100 * a:.1f}" + "*" * (not measured) for a, measured in known))
        Console(width=140).print(shown)
