"""Times of compiled functions on a noisy machine, and a table of them beside what they should stay below."""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr

from memsim.study import make_folder, provenance, save_result, save_table

Call = tuple[Any, ...]  # a function with its arguments


@dataclass(frozen=True)
class Case:
    """A measured number (a ratio, or seconds) and what it should stay below."""

    name: str
    value: float
    target: float
    unit: str = "ratio"


def seconds(function: Callable[..., Any], *arguments: Any) -> float:
    """How long a call takes until its results are there."""
    start = time.perf_counter()
    jax.block_until_ready(jax.tree.leaves(function(*arguments)))
    return time.perf_counter() - start


def together(calls: list[Call], rounds: int) -> np.ndarray:
    """Seconds of each call (columns) in each round (rows), in turn, after a warm-up."""
    for call in calls:
        seconds(*call)
    return np.array([[seconds(*call) for call in calls] for _ in range(rounds)])


def ratio(call: Call, base: Call, rounds: int) -> float:
    """Median over rounds of the time of `call` over that of `base`: a noisy machine slows both."""
    times = together([call, base], rounds)
    return float(np.median(times[:, 0] / times[:, 1]))


def measured(measures: Iterable[Iterable[Case]], out: Path, config: Any) -> xr.Dataset:
    """Runs all cases, prints them and writes them into `out`."""
    make_folder(out.parent)
    cases: list[Case] = []
    for measure in measures:
        for case in measure:
            cases.append(case)
            print(f"{case.name:58} {case.value:8.3g} {case.unit:6} target <= {case.target:g}", flush=True)
    result = xr.Dataset(
        {name: ("case", [getattr(case, name) for case in cases]) for name in ("value", "target", "unit")},
        {"case": [case.name for case in cases]},
    ).assign_attrs(provenance() | {"cores": str(os.cpu_count()), "config": repr(config)})
    save_result(result, out)
    save_table(result.to_dataframe(), out.with_suffix(".csv"))
    return result
