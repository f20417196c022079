"""What it takes to write an array well: once, cell by cell until it verifies, or by its outputs until they are right.

Phase-change memory with its published write noise and with a multiple of it is written by each method, on ideal wires
and on wires with resistance. Measured just after: the error of a random array's outputs, the accuracy of a recurrent
network on spoken digits, and the writes a cell took. Writes results/programming: programming.nc, programming.csv.
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
from _frame import digits
from _workload import digital_outcome, recurrent_network

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


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    for method in methods(config):
        design(config, method, config.write_noise[0], config.resistances[0])  # says what cannot be, before any work
    settings = dataclasses.asdict(config) | {"out": str(config.out)}
    folder = ms.study.parts_folder(config.out, settings)
    parts = {f"seed{seed}": seed for seed in range(config.seeds)}
    result = labelled(ms.study.run_parts(parts, lambda seed: compute(config, seed, folder), folder), config, settings)
    ms.study.save_result(result, config.out / "programming.nc")
    ms.study.save_table(table(result), config.out / "programming.csv", index=False)
    report(result)
    print(f"Wrote {config.out / 'programming.nc'} and programming.csv. `memsim draw programming` draws them")
    ms.study.remove_parts(folder)
    return result


def methods(config: Config) -> dict[str, tuple[float | None, ms.extend.AbstractProgramming]]:
    """By name: the window within which each cell is verified, and the programming of the array."""
    verified = {f"verified, {1e6 * window:g} µS": (window, ms.OneShot()) for window in config.windows}
    watched = {
        f"by outputs, {100 * threshold:g} %": (None, ms.GradientDescent(config.writes - 1, threshold))
        for threshold in config.thresholds
    }
    return {"once": (None, ms.OneShot())} | verified | watched


def design(config: Config, method: str, write_noise, resistance) -> ms.Crossbar:
    window, programming = methods(config)[method]
    cell = dm.pcm_joshi2020(write_noise_scale=write_noise)
    cell = cell if window is None else dm.WriteVerify(cell, window, config.writes)
    wires = ms.AlphaBetaWires(resistance, resistance)
    return ms.Crossbar(cell, wires=wires, programming=programming, compensation=None, reads=ms.Reads("per_moment"))


def compute(config: Config, seed: int, folder: Path) -> xr.Dataset:
    """One trained network and one random array, written by every method on all chips."""
    data = digits(config.steps, recordings=config.recordings, quick=config.quick)
    model_key, fit_key, array_key = jr.split(jr.fold_in(jr.key(0), seed), 3)
    model = ms.train.fit(
        recurrent_network(13, 16 if config.quick else 128, 10, key=model_key),
        data,
        key=fit_key,
        epochs=config.epochs,
        clip=2.5,
        checkpoint=folder / f"{seed}.checkpoint",
    )
    w = jr.normal(array_key, (config.size, config.size)) / config.size**0.5
    xs, labels = jnp.asarray(data.test.inputs), jnp.asarray(data.test.labels)
    settings = [(noise, ohm) for noise in config.write_noise for ohm in config.resistances]
    pairs = jnp.asarray(settings).T
    found = [
        measure(config, method, pairs, w, model, xs, labels, jnp.arange(config.chips)) for method in methods(config)
    ]
    dims = ("seed", "way", "write_noise", "resistance", "chip")
    shape = (1, len(found), len(config.write_noise), len(config.resistances), config.chips)
    variables = {
        name: (dims, np.asarray([part[name] for part, _ in found]).reshape(shape)) for name in ("error", "writes")
    }
    stacked = (np.stack([np.asarray(of[part]) for _, of in found]) for part in (0, 1))
    outcome = ms.study.Outcome(*(each.reshape(*shape, *each.shape[2:]) for each in stacked))
    variables |= outcome.variables(dims, len(labels))
    coordinates = {
        "seed": [seed],
        "way": list(methods(config)),
        "write_noise": list(config.write_noise),
        "resistance": list(config.resistances),
        "chip": np.arange(config.chips),
    }
    digital = digital_outcome(model, xs, labels)
    return xr.Dataset(variables | digital.variables(("seed",), len(labels), "digital_{}"), coordinates)


@eqx.filter_jit
def measure(
    config: Config, method: str, settings, w, model, xs, labels, chips
) -> tuple[dict[str, jax.Array], ms.study.Outcome]:
    """Error and writes of the array, and what the network has right, over (settings, chips)."""
    x = jr.uniform(jr.key(3), (1000, w.shape[1]), minval=-1.0)

    def one(setting):
        noise, ohm, number = setting
        crossbar = design(config, method, noise, ohm)
        array_key, moment_key, model_key = jr.split(jr.fold_in(jr.key(1), number.astype(int)), 3)
        chip = crossbar.program(w, key=array_key)
        y = chip.at(0.0, key=moment_key)(x)
        array = {"error": jnp.linalg.norm(y - x @ w.T) / jnp.linalg.norm(x @ w.T), "writes": writes(chip)}
        return array, ms.study.outcome(ms.deploy(model, crossbar, 0.0, key=model_key), xs, labels)

    noise, ohm = (jnp.repeat(values, chips.shape[0]) for values in settings)
    numbers = jnp.tile(chips, settings.shape[1]).astype(noise.dtype)
    return jax.lax.map(one, (noise, ohm, numbers))


def writes(chip: ms.Chip) -> jax.Array:
    """How often a cell was written, on average."""
    if chip.writes is not None:
        return jnp.mean(chip.writes, dtype=float)
    return chip.cells.mean_pulses if isinstance(chip.crossbar.device, dm.WriteVerify) else jnp.ones(())


def labelled(result: xr.Dataset, config: Config, settings: dict) -> xr.Dataset:
    """With units and provenance."""
    for name in ("seed", "chip", "write_noise", "error", "writes", "accuracy", "digital_accuracy"):
        result[name].attrs["units"] = "1"
    result["write_noise"].attrs["long_name"] = "multiple of the published write noise"
    result["resistance"].attrs.update(units="ohm", long_name="resistance of each segment of word and bit lines")
    result["error"].attrs["long_name"] = "error of the outputs of a random array, relative"
    result["writes"].attrs["long_name"] = "writes of a cell, mean"
    data = ms.data.spoken_digits(steps=2).test
    numbers = ms.study.device_numbers(design(config, "once", 1.0, 0.0))
    attributes = ms.study.provenance() | numbers | {"config": json.dumps(settings)}
    return result.assign_attrs(attributes | {"data": f"{data.citation} {data.licence}"})


def table(result: xr.Dataset):
    """One row a setting and way: writes, error, and accuracy with its 95 % interval."""
    import pandas as pd

    rows, right = [], ms.study.right(result)
    for noise in result.write_noise.values:
        for ohm in result.resistance.values:
            for way in result.way.values:
                cell = result.sel(write_noise=noise, resistance=ohm, way=way)
                of = right.sel(write_noise=noise, resistance=ohm, way=way)
                mean, low, high = ms.study.interval(of)
                numbers = {"writes": float(cell.writes.mean()), "error": float(cell.error.mean())}
                labels = {"write_noise": noise, "resistance": ohm, "way": str(way)}
                rows.append(
                    labels
                    | numbers
                    | {"accuracy": mean, "low": low, "high": high, "interval_over": ms.study.interval_over(of)}
                )
    return pd.DataFrame(rows)


def report(result: xr.Dataset) -> None:
    """Prints the table, in percent."""
    from rich.console import Console
    from rich.table import Table

    digital = 100 * float(result.digital_accuracy.mean())
    over = ms.study.interval_over(result)
    title = f"Digital accuracy {digital:.1f} %; errors and accuracies in %, intervals over {over}"
    shown = Table("write noise", "wires", "written", "writes a cell", "error", "accuracy", title=title)
    for row in table(result).itertuples():
        accuracy = f"{100 * row.accuracy:.1f} [{100 * row.low:.1f}, {100 * row.high:.1f}]"
        ohms = f"{row.resistance:g} ohm"
        shown.add_row(f"{row.write_noise:g}x", ohms, row.way, f"{row.writes:.2f}", f"{100 * row.error:.1f}", accuracy)
    Console(width=120, soft_wrap=False).print(shown)
