"""How much of the lost accuracy comes back for how many reads, by method, on cells of three laws of memory.

A recurrent network on spoken digits is written to relaxing oxide cells with four times their write noise, whose
population is the same under three laws: cells keep their rank, move as was measured, or redraw it. Chips are mended
when they are an hour old, by gains of bit lines, low-rank digital adapters, a tuned last layer, or by writing chosen
weights anew, each with more and more reads. They are judged then, and at the end of the span in which such cells were
measured: there the laws differ in what is left. Writes results/healing: healing.nc, healing.csv.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import jax.numpy as jnp
import jax.random as jr
import pandas as pd
import xarray as xr

import device_models as dm
import memsim as ms
from _frame import digits, finish, label, of_a_point, origin, print_table, swept
from _trained import trained

HOUR = 3600.0
CHIPS = jr.key(1)  # the same for every network and law
LAWS = ("keep", "as measured", "redraw")
WAYS = ("line gains", "adapters", "last layer", "rewritten")
LABELS = {
    "time": ("s", "time since programming"),
    "accuracy": ("1", "test accuracy"),
    "before_accuracy": ("1", "test accuracy without mending"),
    "reads": ("1", "of arrays"),
    "writes": ("1", "of weights"),
    "joules": ("J", "of reads and writes"),
    "parameters": ("1", "numbers in digital"),
    "parameter_share": ("1", "of the numbers of the model"),
    "regained": ("1", "share of the lost accuracy"),
    "low": ("1", "95 % interval"),
    "high": ("1", "95 % interval"),
}
LABELS |= dict.fromkeys(("seed", "chip", "digital_accuracy"), "1")
QUICK = {"laws": LAWS[1:2], "seeds": 1, "chips": 2, "ways": WAYS[:2], "sizes": (0.1,), "hidden": 8, "steps": 6}
QUICK |= {"epochs": 1, "recordings": 40}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study."""

    laws: tuple[str, ...] = LAWS
    ways: tuple[str, ...] = WAYS
    sizes: tuple[float, ...] = (0.05, 0.25, 1.0)
    """Shares of the most reads of each method: 200 of each array for gains, 200 updates, 4 reads of each word line."""
    technology: Literal["A", "B", "C"] = "C"
    """Of the measured cells."""
    write_noise: float = 4.0
    """Multiple of that of the measured cells."""
    drift: float = 2.0
    """Multiple of what time adds to the measured cells: at 1 so little is lost that 4 chips tell no shares of it."""
    mended_at: float = HOUR
    judged_at: float = 1e5
    """Seconds after programming."""
    chips: int = 4
    seeds: int = 1
    """Training seeds."""
    rank: int = 1
    """Of the adapters."""
    batch: int = 32
    """Of an update."""
    share: float = 0.05
    """Of the weights that are written again, at most."""
    adc_bits: int = 8
    hidden: int = 128
    steps: int = 25
    epochs: int = 20
    gaussian_std: float = 0.06
    recordings: int = 600
    """Of the test set, at most 600."""
    out: Path = Path("results/healing")
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
    grid = {"law": config.laws, "seed": range(config.seeds)}
    chosen = partial(measure, config=of_a_point(config, "laws", "seeds"))
    result = swept(chosen, grid, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    assumed = {f"assumes ({law})": "; ".join(cell(config, law).assumes) for law in config.laws}
    result = result.assign_attrs(origin(config, digits(2).test) | assumed)
    finish("healing", result, summary(result), out=config.out, report=lambda: report(result))
    return result


def measure(law, seed, *, key, config: Config) -> xr.Dataset:
    """One network on chips of one law, mended in each way with each number of reads."""
    data = digits(config.steps, recordings=config.recordings, quick=config.quick)
    how = {"hardware": ms.train.GaussianNoise(config.gaussian_std), "epochs": config.epochs, "clip": 1.5}
    model = trained(config.hidden, data, key=key, once=f"seed {seed}", **how)
    design = ms.Crossbar(cell(config, law), adc=ms.ADC(config.adc_bits), reads=ms.Reads("off"))
    crossbar = ms.calibrate(model, jnp.asarray(data.train.inputs[:200]), design)
    named = {f"{way}, {size:g}": remedy(config, way, size) for way in config.ways for size in config.sizes}
    ages = {"time": config.mended_at, "later": (config.judged_at,)}
    found = ms.heal.compare(model, data, crossbar, named, chips=config.chips, key=CHIPS, **ages)
    names = pd.MultiIndex.from_product([config.ways, config.sizes], names=["way", "size"])
    found = found.drop_vars("remedy").assign_coords(xr.Coordinates.from_pandas_multiindex(names, "remedy"))
    return found.unstack("remedy").drop_attrs()


def remedy(config: Config, way: str, size: float) -> ms.heal.AbstractRemedy:
    """A way with a share of the most reads."""
    updates = {"updates": max(1, round(200 * size)), "batch": config.batch}
    match way:
        case "line gains":
            return ms.heal.LineGains(max(4, round(200 * size)))
        case "adapters":
            return ms.heal.Adapters(config.rank, rate=1e-2, **updates)
        case "last layer":
            return ms.heal.LastLayer(rate=1e-2, **updates)
    return ms.heal.Rewrite(config.share, repeats=max(1, round(4 * size)))


def cell(config: Config, law: str) -> dm.AbstractDevice:
    """The measured cells; their population is the same under every law."""
    scales = {"write_noise_scale": config.write_noise, "drift_scale": config.drift}
    measured = dm.rram_relaxing(config.technology, **scales)
    return measured if law == "as measured" else measured.remembering(law)


def summary(result: xr.Dataset) -> pd.DataFrame:
    """One row for each method, size, law, seed and age."""
    means = result[["accuracy", "reads", "writes", "joules"]].mean("chip")
    means = means.assign(result[["regained", "low", "high", "parameters", "parameter_share"]])
    return means.to_dataframe().reset_index()


def report(result: xr.Dataset) -> None:
    """What comes back, by method and reads."""
    rows = []
    for _, row in summary(result).iterrows():
        share = ms.study.Interval(row.regained, row.low, row.high).in_percent(".0f")
        cost = [f"{row.reads:.3g}", f"{row.writes:.3g}", f"{100 * row.parameter_share:.2f}", f"{1e6 * row.joules:.3g}"]
        rows.append([row.way, row.law, f"{row.time:g}", *cost, f"{100 * row.accuracy:.1f}", share])
    before = 100 * result.before_accuracy.mean(["chip", "seed"])
    title = f"Share of the lost accuracy regained in %; digital {100 * float(result.digital_accuracy.mean()):.1f}"
    costs = ["reads", "writes", "parameters (%)", "energy (uJ)"]
    names = ["way", "law", "judged at (s)", *costs, "accuracy", "regained"]
    print_table(names, rows, title=title, width=150)
    print("not mended:", "; ".join(f"{law}: {before.sel(law=law).values.round(1)}" for law in result.law.values))
