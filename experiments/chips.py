"""One spoken-digit network on every chip: what its integers cost, and what training through them regains.

Cepstra become spikes, one channel a coefficient, an integrator that fires at its threshold. Each chip of
`memsim.chips` gets the network whose neurons fire and reset as its own do, or the one that is asked for: recurrent ones
that reset to zero, recurrent ones that subtract their threshold and fire often, or integrators, which is all that some
chips hold. It learns as floats, and goes on the chip as it is (quantised after training) and after some epochs of
training through the chip's own arithmetic; memristor chips stand beside them, right after programming. Writes
results/chips: chips.nc, chips.csv.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import jax.random as jr
import xarray as xr

import memsim as ms
from _frame import digits, finish, label, of_a_point, origin, swept
from _spikes import NETWORKS, as_spikes, that_fits
from _tables import print_summary
from _trained import fitted

CROSSBARS = ("hermes", "neurram", "sonos")
TRAININGS = ("as floats", "through the chip")
CALIBRATION = 200  # recordings of the training, of which converters take their ranges
COUNTS = ("events", "updates", "spikes", "messages")
MEASURED = ("accuracy", "agreement", "cores", "weights_to_zero", *COUNTS)
LABELS = {"seed": "1", "accuracy": ("1", "test accuracy"), "agreement": ("1", "recordings with the network's class")}
LABELS |= {name: ("1", f"{name} a recording") for name in COUNTS} | {"cores": "1", "weights_to_zero": "1"}
LABELS |= {"network_accuracy": ("1", "test accuracy of the network that was trained as floats, as floats")}
QUICK = {
    "targets": ("loihi1",),
    "crossbars": ("hermes",),
    "seeds": 1,
    "hidden": 16,
    "steps": 10,
    "epochs": 1,
    "more_epochs": 1,
}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take about an hour on two cores."""

    targets: tuple[str, ...] = tuple(ms.chips.TARGETS)
    """Names of `memsim.chips.TARGETS`."""
    crossbars: tuple[str, ...] = CROSSBARS
    """Names of `memsim.recipes`."""
    seeds: int = 3
    hidden: int = 63
    steps: int = 80
    """Steps of a recording."""
    offset: float = 0.3
    """Spikes a step for a coefficient of zero."""
    gain: float = 0.2
    """More spikes a step for each standard deviation of a coefficient."""
    network: Literal["by the chip", "recurrent", "subtracting", "integrators"] = "by the chip"
    """By the chip: the first without a warning of its `fits`, or the first that fits at all."""
    epochs: int = 60
    more_epochs: int = 15
    """Through the chip, from the trained network on."""
    batch_size: int = 64
    learning_rate: float = 4e-3
    """Of Adam, with a cosine decay; a quarter of it through the chip."""
    recordings: int = 600
    """Of the test set, at most."""
    out: Path = Path("results/chips")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self, batch_size=200 if self.quick else 1800)
        for name in self.targets:
            ms.chips.target(name)  # says which are near to an unknown one
        for name in self.crossbars:
            if not callable(getattr(ms.recipes, name, None)):
                raise ValueError(
                    f"`crossbars` must be names of `memsim.recipes`. Got {name!r}. Take some of {', '.join(CROSSBARS)}."
                )


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    targets = [*config.targets, *config.crossbars]
    grid = {"seed": range(config.seeds), "training": list(TRAININGS), "target": targets}
    measured = partial(measure, config=of_a_point(config, "seeds", "targets", "crossbars"))
    result = swept(measured, grid, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    result = result.assign_attrs(origin(config, digits(config.steps).test))
    table = ms.study.summary(result.accuracy)
    finish("chips", result, table, out=config.out, report=lambda: report(result, table))
    return result


def measure(seed, training, target, *, key, config: Config) -> xr.Dataset:
    """Trains the network, perhaps through the chip, and compares the chip with the network."""
    data = as_spikes(digits(config.steps, recordings=config.recordings, quick=config.quick), config.offset, config.gain)
    model_key, fit_key, more_key, chip_key = jr.split(key, 4)
    chip = ms.chips.target(target) if target in ms.chips.TARGETS else None
    design = None if chip else getattr(ms.recipes, target)()
    known = data.train.inputs[:CALIBRATION]
    name = chosen(chip, data.train.inputs.shape[-1], config)
    model = NETWORKS[name](data.train.inputs.shape[-1], config.hidden, 10, key=model_key)
    how = {"batch_size": config.batch_size, "learning_rate": config.learning_rate}
    once = f"floats-{seed}-{list(NETWORKS).index(name)}"
    model = fitted(model, data, key=fit_key, once=once, epochs=config.epochs, **how)
    own = ms.train.evaluate(model, data.test)["accuracy"]
    if training == TRAININGS[1] and (chip is None or chip.fits(model)):
        hardware = ms.train.OnChip(chip) if chip else ms.train.SampledChip(ms.calibrate(model, known, design))
        how["learning_rate"] *= 0.25
        model = fitted(model, data, key=more_key, hardware=hardware, epochs=config.more_epochs, **how)
    names = {"targets": [chip], "crossbars": {}} if chip else {"targets": [], "crossbars": {target: design}}
    found = ms.chips.compare(model, data.test, key=chip_key, calibration=known, **names)
    found = found.sel(target=target, drop=True)[[*MEASURED, "refused", "warned"]]
    return found.assign(network_accuracy=float(own), network=name)


def chosen(chip, inputs: int, config: Config) -> str:
    """The network that a chip gets; those of memristors are the first."""
    if config.network != "by the chip":
        return config.network
    return that_fits(chip, inputs, config.hidden, 10)


def report(result: xr.Dataset, table) -> None:
    """Prints what each chip makes of the network, and which it refuses."""
    first = {"seed": 0, "training": 0}
    beside = {
        name: lambda row, name=name: f"{result[name].isel(first).sel(target=row['target']).item():.3g}"
        for name in ("cores", "events", "spikes", "weights_to_zero")
    }
    own = 100 * result.network_accuracy.isel(training=0).mean("seed")
    beside |= {
        "network": lambda row: str(result.network.isel(first).sel(target=row["target"]).item()),
        "itself": lambda row: f"{own.sel(target=row['target']).item():.1f}",
    }
    print_summary(table, ["target"], "training", head=str, beside=beside)
    for name in result.target.values:
        for word, does in {"refused": "refuses it", "warned": "warns"}.items():
            said = str(result[word].isel(first).sel(target=name).item())
            if said:
                print(f"{name} {does}: {said}")
