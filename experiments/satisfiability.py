"""3-SAT by reads of two arrays: how many runs are solved within so many flips, beside WalkSAT/SKC in software.

Formulas of 14 variables and 64 random clauses that have a solution, found by trying all assignments. The walk on arrays
reads what each flip would break from cells; in software, plain NumPy, it is counted. Cells are exact ("exact"), or
those of a device with multiples of its write noise. Writes results/satisfiability.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import device_models as dm
import memsim as ms
from _frame import finish, label, of_a_point, origin, places, print_table, swept

RANDOM = 0.5  # share of random flips where every flip breaks a clause
LABELS = {
    "flips": ("1", "flips until all clauses are true; inf where the run ended before"),
    "software_flips": ("1", "the same in software"),
    "solutions": ("1", "assignments that make a formula true"),
    "formula": "1",
    "run": "1",
}
QUICK = {"formulas": 2, "write_noise": (1.0,), "runs": 50, "flips": 50}
MARKS = (10, 30, 100, 300, 1000)


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take some minutes."""

    variables: int = 14
    clauses: int = 64
    formulas: int = 20
    runs: int = 500
    flips: int = 1000
    """A run ends after so many."""
    write_noise: tuple[float, ...] = (1.0, 2.0, 4.0, 6.0)
    """Multiples of that of the device."""
    device: str = "pcm_joshi2020"
    out: Path = Path("results/satisfiability")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self)
        if not 3 <= self.variables <= 20:
            raise ValueError(f"`variables` must be from 3 to 20, all of whose values are tried. Got {self.variables}.")


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    chosen = partial(measure, config=of_a_point(config, "formulas"))
    result = swept(chosen, {"formula": range(config.formulas)}, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    result = result.assign_attrs(origin(config, design=designs(config)[str(config.write_noise[0])]))
    within = (result.flips <= min(100, config.flips)).mean("run")
    table = within.to_dataframe("solved_within_100_flips").reset_index()
    finish("satisfiability", result, table, out=config.out, report=lambda: report(result))
    return result


def measure(formula, *, key, config: Config) -> xr.Dataset:
    """The flips of all runs on one formula, with each kind of cells and in software."""
    rng = np.random.default_rng([config.variables, config.clauses, formula])
    clauses, solutions = satisfiable_formula(config.variables, config.clauses, rng)
    cells = designs(config)
    found = [
        ms.solve.walk_sat(
            jnp.asarray(clauses), crossbar, random=RANDOM, flips=config.flips, runs=config.runs, time=1.0,
            key=jr.fold_in(key, formula),
        ).flips
        for crossbar in cells.values()
    ]  # fmt: skip
    software = [walk(clauses, config.variables, config.flips, rng) for _ in range(config.runs)]
    return xr.Dataset(
        {
            "flips": (("cells", "run"), np.stack(found)),
            "software_flips": ("run", np.array(software)),
            "solutions": ((), solutions),
        },
        {"cells": list(cells), "run": np.arange(config.runs)},
    )


def designs(config: Config) -> dict[str, ms.Crossbar]:
    """By their names, the exact one first."""
    make = dm.device(config.device).make
    cells = {"exact": dm.Ideal()} | {f"{scale}": make(write_noise_scale=scale) for scale in config.write_noise}
    return {name: ms.Crossbar(device, compensation=None) for name, device in cells.items()}


def satisfiable_formula(variables: int, clauses: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """Random clauses of three different variables that some assignment makes true, and how many do."""
    every = (np.arange(2**variables)[:, None] >> np.arange(variables) & 1).astype(bool)
    while True:
        chosen = np.stack([rng.choice(variables, 3, replace=False) + 1 for _ in range(clauses)])
        chosen *= rng.choice([-1, 1], chosen.shape)
        true = np.ones(len(every), bool)
        for clause in chosen:
            true &= (every[:, np.abs(clause) - 1] == (clause > 0)).any(1)
        if true.any():
            return chosen, int(true.sum())


def walk(clauses: np.ndarray, variables: int, flips: int, rng: np.random.Generator) -> float:
    """Flips of one run of WalkSAT/SKC, counted in software (Selman1994, recalled)."""
    of_clause, sign = np.abs(clauses) - 1, clauses > 0
    assignment = rng.random(variables) < 0.5
    for flip in range(flips + 1):
        true = assignment[of_clause] == sign
        count = true.sum(1)
        if count.all():
            return flip
        chosen = of_clause[rng.choice(np.flatnonzero(count == 0))]
        critical = of_clause[(count == 1)[:, None] & true]  # the variable that alone holds each critical clause
        breaks = np.array([(critical == variable).sum() for variable in chosen])
        at_random = breaks.min() > 0 and rng.random() < RANDOM
        flipped = rng.choice(chosen if at_random else chosen[breaks == breaks.min()])
        assignment[flipped] ^= True
    return np.inf


def report(result: xr.Dataset) -> None:
    """Prints the share of runs solved within so many flips."""
    marks = [mark for mark in MARKS if mark <= float(np.nanmax(result.flips.where(np.isfinite(result.flips))))]
    rows = [["software", *(f"{float((result.software_flips <= mark).mean()):.3f}" for mark in marks)]]
    for place in places(result, "cells"):
        chosen = result.flips.sel(place)
        rows.append([place["cells"], *(f"{float((chosen <= mark).mean()):.3f}" for mark in marks)])
    title = f"Runs solved within so many flips, {result.sizes['formula']} formulas; cells by multiples of write noise"
    print_table(["cells", *map(str, marks)], rows, title=title)
