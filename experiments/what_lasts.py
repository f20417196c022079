"""What of a correction lasts: ways to mend ageing chips, on cells that keep their rank, redraw it, or move as measured.

Published spreads say how far a population moves, not how one cell does. A chip that is measured early and corrected by
cell or column is better later only as far as its cells remember. A recurrent network on spoken digits is written to
relaxing oxide cells whose population is the same under three laws of memory, and mended in seven ways; accuracy is
measured over the span in which such cells were measured. The write error of these cells is that of verified ones, so
to verify again is to write anew. Writes results/what_lasts: what_lasts.nc, what_lasts.csv.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr
from jaxtyping import Array

import device_models as dm
import memsim as ms
from _digital import in_time
from _frame import digits, finish, first_of, label, of_a_point, origin, swept
from _tables import print_summary
from _trained import trained

HOUR, DAY = 3600.0, 86400.0
CHIPS = jr.key(1)  # the same for every network
LAWS = ("keep", "as measured", "redraw")
BIT_LINE, DESCENT, LAST = "one factor a bit line", "descent on own reads at 10 s", "last layer tuned at 1 h"
ADAPTERS, VERIFIED = "adapters refreshed daily", "verified again daily"
FOUND = {LAST: lambda t: HOUR if t >= HOUR else 0.0, ADAPTERS: lambda t: t // DAY * DAY}  # when, seen from a time
WAYS = ("nothing", "one factor a tile", BIT_LINE, DESCENT, LAST, ADAPTERS, VERIFIED)
LABELS = {"time": ("s", "time since programming"), "accuracy": ("1", "test accuracy")}
LABELS |= dict.fromkeys(("seed", "chip", "digital_accuracy"), "1")
QUICK = {"chips": 2, "seeds": 1, "times": (10.0, 1e5), "hidden": 8, "steps": 6, "epochs": 1, "recordings": 40}
QUICK |= {"updates": 3, "ways": ("one factor a tile", ADAPTERS), "laws": ("keep", "as measured")}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. With four chips and as many times it took twenty minutes beside other work."""

    technology: Literal["A", "B", "C"] = "C"
    """Of the measured cells."""
    drift: float = 1.0
    """Multiple of what time adds to the measured cells."""
    laws: tuple[str, ...] = LAWS
    ways: tuple[str, ...] = WAYS
    times: tuple[float, ...] = (10.0, 600.0, 2 * HOUR, 0.5 * DAY, 1e5)
    """Seconds after programming."""
    chips: int = 6
    seeds: int = 3
    """Training seeds."""
    rank: int = 2
    """Of the adapters, in digital beside each array."""
    updates: int = 150
    """Of the last layer or the adapters, on batches of training data."""
    adc_bits: int = 8
    hidden: int = 128
    steps: int = 40
    epochs: int = 20
    gaussian_std: float = 0.06
    recordings: int = 600
    """Of the test set, at most 600."""
    out: Path = Path("results/what_lasts")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self)
        ms.ADC(self.adc_bits)  # refused before any work
        for name, known in (("laws", LAWS), ("ways", WAYS)):
            if unknown := set(getattr(self, name)) - set(known):
                raise ValueError(f"`{name}` must be among {known}. Got {sorted(unknown)}.")


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    grid = {"way": config.ways, "law": config.laws, "seed": range(config.seeds)}
    chosen = partial(measure, config=of_a_point(config, "ways", "laws", "seeds"))
    result = swept(chosen, grid, folder=config.out, key=jr.key(0))
    result = first_of(result, ("way", "law"), "digital_accuracy")
    label(result, LABELS)
    assumed = {f"assumes ({law})": "; ".join(cell(config, law).assumes) for law in config.laws}
    assumed["span"] = str(cell(config, "as measured").span)
    result = result.assign_attrs(origin(config, digits(2).test) | assumed)
    table = ms.study.summary(result.accuracy)
    title = f"Test accuracy in % ({100 * float(result.digital_accuracy.mean()):.1f} digital)"
    report = partial(print_summary, table, ["way", "law"], "time", title=title, head="{:.3g} s".format)
    finish("what_lasts", result, table, out=config.out, report=report)
    return result


def measure(way, law, seed, *, key, config: Config) -> xr.Dataset:
    """One network on chips of one law, mended in one way; one training serves all laws and ways."""
    data = digits(config.steps, recordings=config.recordings, quick=config.quick)
    how = {"hardware": ms.train.GaussianNoise(config.gaussian_std), "epochs": config.epochs, "clip": 1.5}
    model = trained(config.hidden, data, key=key, once=f"seed {seed}", **how)
    crossbar = ms.calibrate(model, jnp.asarray(data.train.inputs[:200]), design(config, way, law))
    train, test = ((jnp.asarray(part.inputs), jnp.asarray(part.labels)) for part in (data.train, data.test))
    found = lives(config, way, model, crossbar, train, test, jnp.arange(config.chips))
    digital = eqx.filter_jit(ms.train.accuracy)(model, *test)
    return xr.Dataset(
        {"accuracy": (("chip", "time"), np.asarray(found)), "digital_accuracy": float(digital)},
        {"chip": np.arange(config.chips), "time": np.asarray(config.times)},
    )


def cell(config: Config, law: str) -> dm.AbstractDevice:
    """The measured cells; their population is the same under every law."""
    measured = dm.rram_relaxing(config.technology, drift_scale=config.drift)
    return measured if law == "as measured" else measured.remembering(law)


def design(config: Config, way: str, law: str) -> ms.Crossbar:
    each = ms.GlobalDriftCompensation(per="bit line") if way == BIT_LINE else ms.GlobalDriftCompensation()
    return ms.Crossbar(
        cell(config, law),
        adc=ms.ADC(config.adc_bits),
        programming=ms.GradientDescent(rounds=10, wait=10.0) if way == DESCENT else ms.OneShot(),
        compensation=None if way == "nothing" else each,
        reads=ms.Reads("off"),
    )


@eqx.filter_jit
def lives(config: Config, way: str, model: Any, crossbar: Any, train, test, chips) -> Array:
    """Accuracy over (chips, times) on the recordings and labels of `test`; `train` is what is learnt from."""
    times = jnp.asarray(config.times)
    written = DAY * jnp.floor(times / DAY) if way == VERIFIED else jnp.zeros_like(times)
    remedy = ms.heal.LastLayer(config.updates) if way == LAST else ms.heal.Adapters(config.rank, updates=config.updates)
    found_at = [FOUND[way](t) for t in config.times] if way in FOUND else None

    def one_chip(number: Array) -> Array:
        write_key, moment_key, tune_key = jr.split(jr.fold_in(CHIPS, number), 3)

        def written_at(since: Array) -> Any:
            return ms.program(model, crossbar, key=jr.fold_in(write_key, since.astype(int)))

        def correction(t: float) -> dict[str, ms.heal.Beside]:
            chip = written_at(jnp.zeros(()))
            now = ms.at(chip, t, key=moment_key)
            return remedy.find(ms.heal.Case.of(model, chip, now, t, *train), key=tune_key).added

        def at_time(moment: Any) -> Array:
            since, t, added = moment
            now = ms.at(written_at(since), t - since, key=moment_key)
            return ms.train.accuracy(ms.heal.beside(now, added), *test)

        added = {} if found_at is None else in_time(correction, found_at)
        return jax.lax.map(at_time, (written, times, added))

    return jax.lax.map(one_chip, chips)
