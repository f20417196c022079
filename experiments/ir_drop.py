"""How much wire resistance a spiking network bears, and what training through the wires buys.

Networks on spoken digits, a recurrent one with 128 neurons and a feed-forward one with 512, are trained with ideal
wires, through the closed form of wires with resistance, and through the exact solution. Each is then read through
exact wires of 0 to 5 ohm a segment, on tiles of 64 to 512 lines. Cells are exact: only the wires act. Besides, how
wrong ideal wires and the closed form are for arrays of growing size, and where in an array the voltage is lost.
Writes results/ir_drop: ir_drop.nc, ir_drop.csv.
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
from _frame import digits
from _workload import digital_outcome, recurrent_network

TRAININGS = {"ideal wires": None, "closed form": ms.AlphaBetaWires, "exact": ms.ResistiveWires}
V_READ = 0.2  # volts, of the heat map; ohmic cells lose the same share at any


QUICK = {
    "resistances": (0.0, 50.0),
    "training_resistance": 20.0,
    "tiles": (16,),
    "training_tile": 16,
    "recurrent": 12,
    "hidden": 16,
    "seeds": 1,
    "steps": 4,
    "epochs": 1,
    "recordings": 50,
    "sizes": (4, 8),
}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take an hour on two cores, most of it training through exact wires."""

    resistances: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0)
    """Ohm for each segment of word and bit lines."""
    training_resistance: float = 2.0
    """That of the wires met in training, in ohm."""
    tiles: tuple[int, ...] = (64, 128, 256, 512)
    training_tile: int = 512
    g_min: float = 1e-6
    g_max: float = 1e-4
    """Of the cells, in siemens."""
    recurrent: int = 128
    """Neurons of the recurrent network."""
    hidden: int = 512
    """Neurons of the feed-forward network."""
    seeds: int = 3
    steps: int = 20
    """Frames each recording is resampled to."""
    epochs: int = 10
    batch_size: int = 64
    clip: float = 2.5
    """Weight clipping in training, in multiples of the root mean square of a layer's weights, at least 1."""
    recordings: int = 600
    """Of the test set, at most 600."""
    sizes: tuple[int, ...] = (16, 32, 64, 128, 256)
    """Lines of the square arrays whose error is shown."""
    out: Path = Path("results/ir_drop")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ohms = (*self.resistances, self.training_resistance)
        if not self.resistances or not all(0 <= ohm < float("inf") for ohm in ohms):
            raise ValueError(
                f"Resistances must be one or more, in ohm, finite and at least 0. Got {ohms} as "
                "`resistances` and `training_resistance`."
            )
        ms.study.check_options(self, batch_size=200 if self.quick else 1800, recordings=600)


class Part(NamedTuple):
    """One trained network: what is computed, and saved, at a time. Without a network: single arrays."""

    network: str
    training: str
    seed: int


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    for r in (*config.resistances, config.training_resistance):
        design(config, ms.ResistiveWires(r, r), config.training_tile)  # says what cannot be, before any work
    settings = dataclasses.asdict(config) | {"out": str(config.out)}
    folder = ms.study.parts_folder(config.out, settings)
    parts = {"arrays": Part("", "", 0)} | {
        f"{network.replace(' ', '-')}-{training.replace(' ', '-')}-{seed}": Part(network, training, seed)
        for seed in range(config.seeds)
        for network in networks(config)
        for training in TRAININGS
    }
    result = ms.study.run_parts(parts, lambda part: compute(config, part, folder), folder)
    result = labelled(result.sel(training=list(TRAININGS), network=list(networks(config))), config, settings)
    ms.study.save_result(result, config.out / "ir_drop.nc")
    ms.study.save_table(table(result), config.out / "ir_drop.csv", index=False)
    report(result)
    print(f"Wrote {config.out / 'ir_drop.nc'} and ir_drop.csv. `memsim draw ir_drop` draws them")
    ms.study.remove_parts(folder)
    return result


def networks(config: Config) -> dict[str, int]:
    """Name of each network, and the longest line of its matrices."""
    return {
        f"recurrent, {config.recurrent} neurons": config.recurrent,
        f"feed-forward, {config.hidden} neurons": config.hidden,
    }


def network(config: Config, name: str, key) -> ms.nn.SpikingNetwork:
    if name.startswith("recurrent"):
        return recurrent_network(13, config.recurrent, 10, key=key)
    keys, n = jr.split(key), config.hidden
    return ms.nn.SpikingNetwork(
        [ms.nn.Linear(13, n, key=keys[0]), ms.nn.LIF(n), ms.nn.Linear(n, 10, key=keys[1]), ms.nn.LI(10)]
    )


def tiles(config: Config, longest: int) -> list[int]:
    """Tiles that differ for matrices with lines of at most `longest`: a larger one holds the whole matrix, too."""
    whole = [tile for tile in sorted(config.tiles) if tile >= longest]
    return [tile for tile in sorted(config.tiles) if tile < longest] + whole[:1]


def design(config: Config, wires: ms.extend.AbstractWires, tile: int) -> ms.Crossbar:
    cell = dm.Ideal(config.g_min, config.g_max)
    return ms.Crossbar(cell, wires=wires, tile=(tile, tile), compensation=None, reads=ms.Reads("off"))


def compute(config: Config, part: Part, folder: Path) -> xr.Dataset:
    """Trains one network and reads it through wires; or looks at single arrays."""
    if not part.network:
        return arrays(config)
    data = digits(config.steps, recordings=config.recordings, quick=config.quick)
    model_key, fit_key = jr.split(jr.fold_in(jr.key(0), part.seed))
    wires, r = TRAININGS[part.training], config.training_resistance
    model = ms.train.fit(
        network(config, part.network, model_key),
        data,
        key=fit_key,
        hardware=wires and ms.train.SampledChip(design(config, wires(r, r), config.training_tile)),
        epochs=config.epochs,
        batch_size=config.batch_size,
        clip=config.clip,
        checkpoint=folder / f"{part.network[:9]}-{part.training.replace(' ', '-')}-{part.seed}.checkpoint",
    )
    xs, labels = jnp.asarray(data.test.inputs), jnp.asarray(data.test.labels)
    used = tiles(config, networks(config)[part.network])
    ohms = jnp.asarray(config.resistances)
    found = [outcomes(config, model, xs, labels, ohms, tile) for tile in used]
    stacked = ms.study.Outcome(*(np.stack(parts) for parts in zip(*found, strict=True)))
    index = {"network": [part.network], "training": [part.training], "seed": [part.seed]}
    return xr.Dataset(
        {
            **stacked.variables((*index, "tile", "resistance"), len(labels)),
            **digital_outcome(model, xs, labels).variables(tuple(index), len(labels), "digital_{}"),
        },
        index | {"tile": used, "resistance": list(config.resistances)},
    )


@eqx.filter_jit
def outcomes(config: Config, model, xs, labels, ohms, tile: int) -> ms.study.Outcome:
    """What is right behind exact wires of each resistance."""

    def one(r):
        chip = ms.deploy(model, design(config, ms.ResistiveWires(r, r), tile), 0.0, key=jr.key(0))
        return ms.study.outcome(chip, xs, labels)

    return jax.lax.map(one, ohms)


def arrays(config: Config) -> xr.Dataset:
    """Square arrays of random cells: errors against size, and the voltage that one of them loses."""
    r, found = config.training_resistance, []
    for n in config.sizes:
        g, v = random_array(config, n), jr.uniform(jr.key(2), (100, n), maxval=V_READ)
        exact = v @ ms.ResistiveWires(r, r).effective(g)
        others = v @ g, v @ ms.AlphaBetaWires(r, r).effective(g)
        found.append([float(jnp.mean(jnp.abs(other - exact)) / jnp.mean(exact)) for other in others])
    n = min(128, max(config.sizes))
    solved = ms.ResistiveWires(r, r).solve(random_array(config, n), jnp.full(n, V_READ))
    lost = 1 - (solved.word_line - solved.bit_line) / V_READ
    return xr.Dataset(
        {
            "array_error": (("size", "model"), np.asarray(found)),
            "lost_voltage": (("word_line", "bit_line"), np.asarray(lost)),
        },
        {"size": list(config.sizes), "model": ["ideal wires", "closed form"]},
    )


def random_array(config: Config, n: int) -> jax.Array:
    return jr.uniform(jr.key(1), (n, n), minval=config.g_min, maxval=config.g_max)


def labelled(result: xr.Dataset, config: Config, settings: dict) -> xr.Dataset:
    """With units and provenance."""
    for name in ("seed", "tile", "size", "accuracy", "digital_accuracy", "array_error", "lost_voltage"):
        result[name].attrs["units"] = "1"
    result["resistance"].attrs.update(units="ohm", long_name="resistance of each segment of word and bit lines")
    result["accuracy"].attrs["long_name"] = "test accuracy; NaN where a tile is larger than it need be"
    result["array_error"].attrs["long_name"] = "mean error of bit-line currents over their mean, against the exact ones"
    result["lost_voltage"].attrs["long_name"] = "share of the applied voltage that a cell does not see"
    data = ms.data.spoken_digits(steps=2).test
    numbers = ms.study.device_numbers(design(config, ms.IdealWires(), 1))
    attributes = ms.study.provenance() | numbers | {"config": json.dumps(settings)}
    return result.assign_attrs(attributes | {"data": f"{data.citation} {data.licence}"})


def table(result: xr.Dataset):
    """One row a network, tile, training and resistance: mean and its 95 % interval."""
    return ms.study.summary(result).dropna(subset=["mean"]).drop(columns=["p5", "p95"])


def report(result: xr.Dataset) -> None:
    """Prints accuracy in percent with its interval, and the errors of arrays."""
    from rich.console import Console
    from rich.table import Table

    ohms = result.resistance.values
    shown = Table(
        *("network", "tile", "trained"),
        *(f"{ohm:g} ohm" for ohm in ohms),
        title=f"Accuracy in % behind exact wires [95 % interval over {ms.study.interval_over(result)}]",
    )
    for (name, tile, training), rows in table(result).groupby(["network", "tile", "training"], sort=False):
        cells = [f"{100 * row['mean']:.1f} [{100 * row.low:.1f}, {100 * row.high:.1f}]" for _, row in rows.iterrows()]
        shown.add_row(name, str(tile), training, *cells)
    Console(width=160, soft_wrap=False).print(shown)
    for size in result["size"].values:
        ideal, closed = (
            100 * result.array_error.sel(size=size, model=m).item() for m in ("ideal wires", "closed form")
        )
        print(f"{size} x {size}: ideal wires are wrong by {ideal:.3g} %, the closed form by {closed:.2g} %")
