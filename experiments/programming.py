"""What it takes to write an array well: once, cell by cell until it verifies, or by its outputs until they are right.

Phase-change memory with its published write noise and with a multiple of it is written by each method, on ideal wires
and on wires with resistance. Measured just after: the error of a random array's outputs, the accuracy of a recurrent
network on spoken digits, and the writes a cell took. Writes results/programming: programming.nc, programming.csv.
"""

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
from _frame import digits, finish, first_of, label, of_a_point, origin, print_table, swept
from _trained import trained
from _workload import digital_outcome

CHIPS = jr.key(1)  # the same chips for every network and way, as far as chance is concerned: comparisons are paired
LABELS = {
    **{name: "1" for name in ("seed", "chip", "accuracy", "digital_accuracy")},
    "write_noise": ("1", "multiple of the published write noise"),
    "resistance": ("ohm", "resistance of each segment of word and bit lines"),
    "error": ("1", "error of the outputs of a random array, relative"),
    "writes": ("1", "writes of a cell, mean"),
}
Way = tuple[float | None, ms.extend.AbstractProgramming]  # the window of each cell, if verified; that of the array
QUICK = {"windows": (1e-6,), "thresholds": (0.05,), "writes": 3, "size": 8, "chips": 2, "seeds": 1, "steps": 4}
QUICK |= {"epochs": 1, "recordings": 40}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take about ten minutes on two cores."""

    write_noise: tuple[float, ...] = (1.0, 4.0)
    """Multiples of the published write noise."""
    resistances: tuple[float, ...] = (0.0, 2.0)
    """Ohm for each segment of word and bit lines, in the closed form."""
    windows: tuple[float, ...] = (2e-6, 1e-6, 0.5e-6)
    """Accepted deviations of a cell when each is verified, in siemens."""
    thresholds: tuple[float, ...] = (0.1, 0.05, 0.03)
    """Accepted deviations of a weight when outputs are watched, in units of one fully-on cell."""
    writes: int = 20
    """Most writes of a cell, by either method."""
    size: int = 128
    """Lines of the random array."""
    chips: int = 10
    seeds: int = 3
    """Trained networks, and random arrays."""
    steps: int = 20
    epochs: int = 15
    recordings: int = 600
    """Of the test set, at most 600."""
    out: Path = Path("results/programming")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self, recordings=600)
        for way in ways(self).values():
            design(self, way, self.write_noise[0], self.resistances[0])  # says what cannot be


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    grid = {"seed": range(config.seeds), "way": ways(config)}
    chosen = partial(measure, config=of_a_point(config, "seeds", "windows", "thresholds"))
    result = swept(chosen, grid, folder=config.out, key=jr.key(0))
    result = first_of(result, "way", "digital_accuracy", "digital_right")
    label(result, LABELS)
    result = result.assign_attrs(origin(config, digits(2).test, design(config, ways(config)["once"], 1.0, 0.0)))
    rows = table(result)
    finish("programming", result, rows, out=config.out, report=lambda: report(result, rows))
    return result


def ways(config: Config) -> dict[str, Way]:
    """How an array is written, by name."""
    verified = {f"verified, {1e6 * window:g} µS": (window, ms.OneShot()) for window in config.windows}
    seen = {f"by outputs, {100 * t:g} %": (None, ms.GradientDescent(config.writes - 1, t)) for t in config.thresholds}
    return {"once": (None, ms.OneShot())} | verified | seen


def design(config: Config, way: Way, write_noise, resistance) -> ms.Crossbar:
    window, programming = way
    cell = dm.pcm_joshi2020(write_noise_scale=write_noise)
    cell = cell if window is None else dm.WriteVerify(cell, window, config.writes)
    wires = ms.AlphaBetaWires(resistance, resistance)
    return ms.Crossbar(cell, wires=wires, programming=programming, compensation=None, reads=ms.Reads("per_moment"))


def measure(seed, way, *, key, config: Config) -> xr.Dataset:
    """One trained network and one random array, written in one way on all chips."""
    data = digits(config.steps, recordings=config.recordings, quick=config.quick)
    model = trained(16 if config.quick else 128, data, key=key, once=f"network {seed}", epochs=config.epochs, clip=2.5)
    w = jr.normal(jr.split(key, 3)[2], (config.size, config.size)) / config.size**0.5
    xs, labels = jnp.asarray(data.test.inputs), jnp.asarray(data.test.labels)
    grid = {"write_noise": [*config.write_noise], "resistance": [*config.resistances], "chip": [*range(config.chips)]}
    points = jnp.meshgrid(*(jnp.asarray(values) for values in grid.values()), indexing="ij")
    found = written(config, way, [each.ravel() for each in points], w, model, xs, labels)
    array, outcome = jax.tree.map(lambda x: np.reshape(x, (*points[0].shape, *x.shape[1:])), found)
    variables = {name: (tuple(grid), values) for name, values in array.items()}
    variables |= digital_outcome(model, xs, labels).variables((), len(labels), "digital_{}")
    return xr.Dataset(variables | outcome.variables(tuple(grid), len(labels)), grid)


@eqx.filter_jit
def written(config: Config, way: Way, points, w, model, xs, labels) -> tuple[dict[str, jax.Array], ms.study.Outcome]:
    """Error and writes of the array, and what the network has right, at each of the points."""
    x = jr.uniform(jr.key(3), (1000, w.shape[1]), minval=-1.0)

    def one(point):
        noise, ohm, number = point
        crossbar = design(config, way, noise, ohm)
        array_key, moment_key, model_key = jr.split(jr.fold_in(CHIPS, number), 3)
        chip = crossbar.program(w, key=array_key)
        y = chip.at(0.0, key=moment_key)(x)
        array = {"error": jnp.linalg.norm(y - x @ w.T) / jnp.linalg.norm(x @ w.T), "writes": jnp.mean(chip.pulses)}
        return array, ms.study.outcome(ms.deploy(model, crossbar, 0.0, key=model_key), xs, labels)

    return jax.lax.map(one, points)


def table(result: xr.Dataset) -> pd.DataFrame:
    """One row a setting and way: writes, error, and accuracy with its 95 % interval."""
    result = result.transpose("seed", "write_noise", "resistance", "way", ...)
    found = ms.study.summary(result).rename(columns={"mean": "accuracy"})
    for place, name in enumerate(("writes", "error")):
        found.insert(3 + place, name, result[name].mean(["seed", "chip"]).values.ravel())
    return found


def report(result: xr.Dataset, table: pd.DataFrame) -> None:
    """Prints the table, in percent."""
    percent = {name: 100 * table[name] for name in ("error", "accuracy", "low", "high")}
    shown = table.assign(**percent).drop(columns=["p5", "p95", "interval_over"])
    rows = [[value if isinstance(value, str) else f"{value:.3g}" for value in row] for row in shown.values]
    digital = f"Digital accuracy {100 * float(result.digital_accuracy.mean()):.1f} %"
    title = f"{digital}; errors and accuracies in %, intervals over {table.interval_over[0]}"
    print_table(list(shown.columns), rows, title=title)
