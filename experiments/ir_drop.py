"""How much wire resistance a spiking network bears, and what training through the wires buys.

Networks on spoken digits, a recurrent one with 128 neurons and a feed-forward one with 512, are trained with ideal
wires, through the closed form of wires with resistance, and through the exact solution. Each is then read through
exact wires of 0 to 5 ohm a segment, on tiles of 64 to 512 lines. Cells are exact: only the wires act. Besides, how
wrong ideal wires and the closed form are for arrays of growing size, and where in an array the voltage is lost.
Writes results/ir_drop: ir_drop.nc, ir_drop.csv.
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
from _frame import digits, finish, label, of_a_point, origin, swept
from _square_arrays import Cells, array_error, lost_voltage
from _tables import print_summary
from _workload import digital_outcome, feed_forward_network, recurrent_network

NETWORKS = {"recurrent": recurrent_network, "feed-forward": feed_forward_network}
TRAININGS = {"ideal wires": None, "closed form": ms.AlphaBetaWires, "exact": ms.ResistiveWires}
CHIPS = jr.key(0)  # cells are exact, so that no chip differs from another
LABELS = {
    **{name: "1" for name in ("seed", "tile", "size", "digital_accuracy")},
    "accuracy": ("1", "test accuracy; NaN where a tile is larger than it need be"),
    "resistance": ("ohm", "resistance of each segment of word and bit lines"),
    "array_error": ("1", "mean error of bit-line currents over their mean, against the exact ones"),
    "lost_voltage": ("1", "share of the applied voltage that a cell does not see"),
}
QUICK = {"resistances": (0.0, 50.0), "training_resistance": 20.0, "tiles": (16,), "training_tile": 16, "recurrent": 12}
QUICK |= {"hidden": 16, "seeds": 1, "steps": 4, "epochs": 1, "recordings": 50, "sizes": (4, 8)}


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
        ms.study.check_options(self, batch_size=200 if self.quick else 1800, recordings=600)
        for r in (*self.resistances, self.training_resistance):
            design(self, ms.ResistiveWires(r, r), self.training_tile)  # says what cannot be


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    sizes = {"recurrent": config.recurrent, "feed-forward": config.hidden}
    networks = {f"{name}, {n} neurons": (name, n) for name, n in sizes.items()}
    grid = {"network": networks, "training": list(TRAININGS), "seed": range(config.seeds)}
    chosen = partial(measure, config=of_a_point(config, "recurrent", "hidden", "seeds", "sizes"))
    result = swept(chosen, grid, folder=config.out, key=jr.key(0))
    arrays = (config.sizes, Cells(config.g_min, config.g_max), config.training_resistance)
    result = result.assign(array_error=array_error(*arrays), lost_voltage=lost_voltage(*arrays))
    label(result, LABELS)
    result = result.assign_attrs(origin(config, digits(2).test, design(config, ms.IdealWires(), 1)))
    table = ms.study.summary(result).dropna(subset=["mean"])
    finish("ir_drop", result, table, out=config.out, report=lambda: report(result, table))
    return result


def measure(network, training, seed, *, key, config: Config) -> xr.Dataset:
    """Trains one network and reads it through exact wires, on all tiles."""
    (name, neurons), (model_key, fit_key) = network, jr.split(key)
    data = digits(config.steps, recordings=config.recordings, quick=config.quick)
    wires, r = TRAININGS[training], config.training_resistance
    model = ms.train.fit(
        NETWORKS[name](data.train.inputs.shape[-1], neurons, 10, key=model_key),
        data,
        key=fit_key,
        hardware=wires and ms.train.SampledChip(design(config, wires(r, r), config.training_tile)),
        epochs=config.epochs,
        batch_size=config.batch_size,
        clip=config.clip,
        checkpoint=ms.study.checkpoint(),
    )
    xs, labels = jnp.asarray(data.test.inputs), jnp.asarray(data.test.labels)
    used = tiles(config, neurons)
    found = [outcomes(config, model, xs, labels, jnp.asarray(config.resistances), tile) for tile in used]
    stacked = jax.tree.map(lambda *each: np.stack(each), *found)
    return xr.Dataset(
        stacked.variables(("tile", "resistance"), len(labels))
        | digital_outcome(model, xs, labels).variables((), len(labels), "digital_{}"),
        {"tile": used, "resistance": list(config.resistances)},
    )


def design(config: Config, wires: ms.extend.AbstractWires, tile: int) -> ms.Crossbar:
    cell = dm.Ideal(config.g_min, config.g_max)
    return ms.Crossbar(cell, wires=wires, tile=(tile, tile), compensation=None, reads=ms.Reads("off"))


def tiles(config: Config, longest: int) -> list[int]:
    """Tiles that differ for matrices with lines of at most `longest`: a larger one holds the whole matrix, too."""
    whole = [tile for tile in sorted(config.tiles) if tile >= longest]
    return [tile for tile in sorted(config.tiles) if tile < longest] + whole[:1]


@eqx.filter_jit
def outcomes(config: Config, model, xs, labels, ohms, tile: int) -> ms.study.Outcome:
    """What is right behind exact wires of each resistance."""

    def one(r):
        chip = ms.deploy(model, design(config, ms.ResistiveWires(r, r), tile), 0.0, key=CHIPS)
        return ms.study.outcome(chip, xs, labels)

    return jax.lax.map(one, ohms)


def report(result: xr.Dataset, table) -> None:
    """Prints accuracies behind exact wires, and the errors of arrays."""
    title = "Accuracy in % behind exact wires"
    print_summary(table, ["network", "tile", "training"], "resistance", title=title, head=lambda ohm: f"{ohm:g} ohm")
    for size, (ideal, closed) in zip(result["size"].values, 100 * result.array_error.values, strict=True):
        print(f"{size} x {size}: ideal wires are wrong by {ideal:.3g} %, the closed form by {closed:.2g} %")
