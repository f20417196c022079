"""What one spoken-digit network takes on arrays, in digital arithmetic and on Loihi: energy, latency, area, accuracy.

A recurrent network of current-based neurons hears spoken digits as spikes. It is put on arrays of phase-change, oxide
and charge-trap cells as published designs read them, right after programming; its matrices are multiplied by a systolic
array and by a processor; and its events are counted on Loihi. Periphery and digital machines are of one node. Writes
results/energy_bars: energy_bars.nc, energy_bars.csv.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import memsim as ms
from _frame import digits, finish, label, of_a_point, origin, print_table, swept
from _spikes import as_spikes, spiking_network
from _trained import adam

ARRAYS = {"PCM": "hermes", "RRAM": "neurram", "SONOS": "sonos"}
DIGITAL = {"systolic": ms.energy.Systolic, "processor": ms.energy.Processor}
MACHINES = (*ARRAYS, *DIGITAL, "Loihi")
OTHERS = ("arithmetic", "instructions", "on-chip memory", "synapses", "routing", "static")
COMPONENTS = (*ms.energy.COMPONENTS, *OTHERS)
OF_LOIHI = {
    "events": "synapses",
    "accesses": "neurons",
    "updates": "neurons",
    "spikes": "neurons",
    "messages": "routing",
    "static": "static",
}
LABELS = {
    "seed": "1",
    "accuracy": ("1", "test accuracy"),
    "joules": ("J", "energy of a recording"),
    "latency": ("s", "of a recording, if reads follow each other"),
    "square_metres": ("m^2", "area of arrays, converters, drivers and buffers"),
}
QUICK = {"machines": ("PCM", "systolic", "Loihi"), "seeds": 1, "hidden": 16, "steps": 10, "epochs": 1, "priced": 4}
DT = 1e-3  # seconds of a step on Loihi, whose static power is counted for as long


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take some ten minutes on two cores."""

    machines: tuple[str, ...] = MACHINES
    seeds: int = 3
    hidden: int = 63
    steps: int = 80
    """Steps of a recording."""
    offset: float = 0.3
    """Spikes a step for a coefficient of zero."""
    gain: float = 0.2
    """More spikes a step for each standard deviation of a coefficient."""
    epochs: int = 40
    batch_size: int = 64
    learning_rate: float = 4e-3
    """Of Adam, with a cosine decay."""
    recordings: int = 600
    """Of the test set, at most."""
    priced: int = 64
    """Recordings whose energy is measured."""
    nanometres: int = 28
    """The technology node."""
    out: Path = Path("results/energy_bars")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self, batch_size=200 if self.quick else 1800)
        around(self)
        for name in self.machines:
            if name not in MACHINES:
                raise ValueError(f"`machines` must be of {', '.join(MACHINES)}. Got {name}.")


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    chosen = partial(measure, config=of_a_point(config, "seeds", "machines"))
    grid = {"seed": range(config.seeds), "machine": list(config.machines)}
    result = swept(chosen, grid, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    result = result.assign_attrs(origin(config, digits(config.steps).test))
    table = ms.study.summary(result.accuracy)
    finish("energy_bars", result, table, out=config.out, report=lambda: report(result))
    return result


def measure(seed, machine, *, key, config: Config) -> xr.Dataset:
    """The network on one machine."""
    data = as_spikes(digits(config.steps, recordings=config.recordings, quick=config.quick), config.offset, config.gain)
    model_key, fit_key, chip_key = jr.split(key, 3)
    model = trained(
        spiking_network(data.train.inputs.shape[-1], config.hidden, 10, key=model_key), data, config, seed, fit_key
    )
    xs, node = jnp.asarray(data.test.inputs[: config.priced]), config.nanometres * 1e-9
    if machine in ARRAYS:
        program_key, read_key = jr.split(chip_key)
        chip = ms.program(model, getattr(ms.recipes, ARRAYS[machine])(), key=program_key)
        cost = ms.energy.of(chip, xs, periphery=around(config), key=read_key)
        moment = ms.at(chip, 0.0, key=read_key)
        found = ms.train.evaluate(moment, data.test, key=read_key)["accuracy"]
        return as_row(cost.joules, found, float(cost.latency.mean()), float(cost.square_metres.sum()))
    if machine in DIGITAL:
        cost = ms.energy.digital(model, xs, node=node, machine=DIGITAL[machine]())
        return as_row(cost.joules, ms.train.evaluate(model, data.test)["accuracy"])
    return on_loihi(model, data, xs, chip_key)


def trained(model, data, config: Config, seed: int, key):
    """The trained network, once for all machines."""
    kept = ms.study.checkpoint()
    return ms.train.fit(
        model,
        data,
        key=key,
        epochs=config.epochs,
        batch_size=config.batch_size,
        optimizer=adam(config.learning_rate, config.epochs * (len(data.train) // config.batch_size)),
        clip=None,
        checkpoint=None if kept is None else kept.with_name(f"network-{seed}.checkpoint"),
    )


def around(config: Config) -> ms.energy.Periphery:
    return ms.energy.Periphery(node=config.nanometres * 1e-9)


def on_loihi(model, data, xs, key) -> xr.Dataset:
    """The events of the network on Loihi, at SANA-FE's prices."""
    target = ms.chips.loihi1()
    accuracy = ms.chips.compare(model, data.test, key=key, targets=[target], crossbars={}).accuracy.sel(target="loihi1")
    placed = target.placed(model)
    parts = np.zeros(len(COMPONENTS))
    for x in xs:
        _, counts = placed(x)
        for name, joules in ms.energy.of_counts(placed, counts, DT).items():
            parts[COMPONENTS.index(OF_LOIHI[name])] += float(joules) / len(xs)
    joules = xr.DataArray(parts, {"component": list(COMPONENTS)})
    return as_row(joules, float(accuracy), latency=xs.shape[1] * DT)


def as_row(joules, accuracy, latency: float = np.nan, area: float = np.nan) -> xr.Dataset:
    """One machine in the table; what it has not takes nothing."""
    mean = joules.mean("sample").sum("layer") if "sample" in joules.dims else joules
    whole = mean.reindex(component=list(COMPONENTS), fill_value=0.0)
    return xr.Dataset({"joules": whole, "accuracy": float(accuracy), "latency": latency, "square_metres": area})


def report(result: xr.Dataset) -> None:
    """Prints a row for each machine."""
    mean = result.mean("seed")
    rows = []
    for name in result.machine.values:
        one = mean.sel(machine=name)
        largest = one.joules.to_series().sort_values(ascending=False)
        dominated = ", ".join(f"{part} {value / largest.sum():.0%}" for part, value in largest.head(3).items() if value)
        numbers = [100 * one.accuracy, 1e9 * one.joules.sum(), 1e6 * one.latency, 1e6 * one.square_metres]
        rows.append([str(name), *(f"{float(number):.4g}" for number in numbers), dominated])
    print_table(["machine", "accuracy (%)", "energy (nJ)", "latency (us)", "area (mm^2)", "dominated by"], rows)
