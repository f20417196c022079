"""How the loop of every compact memristor closes as the drive becomes faster.

Each model of `device_models.memristors.MEMRISTORS` is driven by a sine of an amplitude and a frequency that open its
loop, and by multiples of that frequency, for `periods` periods; the last of them is kept. Measured: current and state,
the area that the loop encloses relative to the box around it, and how far the state moves. Writes results/hysteresis:
hysteresis.nc, hysteresis.csv.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

import device_models as dm
import memsim as ms
from _frame import finish, label, of_a_point, origin, print_table

LABELS = {
    "voltage": "V",
    "current": "A",
    "state": ("1", "state, as a share of its range"),
    "area": ("1", "area of the loop over that of its box"),
    "excursion": ("1", "range of the state"),
    "largest_current": "A",
    "frequency": "Hz",
    "amplitude": "V",
    "factor": ("1", "multiple of the model's frequency"),
    "sample": "1",
}
QUICK = {"samples": 40, "periods": 1, "models": ("mms_molter2016", "vteam_kvatinsky2015"), "rtol": 1e-4}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take about two minutes on two cores, most of it compiling."""

    factors: tuple[float, ...] = (1.0, 4.0, 16.0)
    """Multiples of each model's own frequency."""
    samples: int = 400
    """Samples of a period, even, so that one of them is the zero in its middle."""
    periods: int = 3
    rtol: float = 1e-5
    """Relative tolerance of the integration."""
    models: tuple[str, ...] = tuple(dm.memristors.MEMRISTORS)
    """Names of `device_models.memristors.MEMRISTORS`."""
    out: Path = Path("results/hysteresis")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self)
        for name in self.models:
            dm.memristors.memristor(name)
        if self.samples < 8 or self.samples % 2:
            raise ValueError(f"`samples` must be an even number of at least 8. Got {self.samples}.")


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    chosen = partial(measure, config=of_a_point(config, "models"))
    result = ms.study.sweep(chosen, {"model": config.models}, folder=config.out)
    label(result, LABELS)
    numbers = [f"{name}: {line}" for name in config.models for line in dm.memristors.memristor(name).make().sources]
    result = result.assign_attrs(origin(config) | {"device_numbers": "\n".join(numbers)})
    table = result[["area", "excursion", "largest_current", "amplitude", "frequency"]].to_dataframe().reset_index()
    finish("hysteresis", result, table, out=config.out, report=lambda: report(result))
    return result


def measure(model, *, config: Config) -> xr.Dataset:
    """What one model does at every frequency."""
    entry, trace = dm.memristors.memristor(model), period(config, model)
    low, high = (float(end) for end in entry.make().bounds)
    share = (trace.state - low) / (high - low)
    samples = ("factor", "sample")
    return xr.Dataset(
        {
            "voltage": (samples, trace.voltage),
            "current": (samples, trace.current),
            "state": (samples, share),
            "area": ("factor", area(trace)),
            "excursion": ("factor", np.ptp(share, axis=1)),
            "largest_current": ("factor", np.abs(trace.current).max(1)),
            "frequency": ("factor", entry.frequency * np.asarray(config.factors)),
            "amplitude": entry.amplitude,
        },
        {"factor": list(config.factors), "sample": np.arange(config.samples + 1)},
    )


def period(config: Config, name: str) -> dm.memristors.Trace:
    """The last period at every frequency: (factors, samples + 1)."""
    entry = dm.memristors.memristor(name)
    phase = jnp.linspace(0.0, config.periods, config.periods * config.samples + 1)
    voltage = entry.amplitude * jnp.sin(2 * jnp.pi * (phase % 1.0))
    steps = dm.memristors.AdaptiveSteps(config.rtol, config.rtol / 100)
    simulate = eqx.filter_jit(lambda memristor, time: dm.memristors.simulate(memristor, time, voltage, steps=steps))
    traces = [simulate(entry.make(), phase / (factor * entry.frequency)) for factor in config.factors]
    return jax.tree.map(lambda *x: np.stack(x)[:, -config.samples - 1 :], *traces)


def area(trace: dm.memristors.Trace) -> np.ndarray:
    """What the current encloses in both halves of a period, relative to the boxes around the halves."""
    half = trace.voltage.shape[1] // 2
    found = 0.0
    for part in (slice(0, half + 1), slice(half, None)):
        found = found + np.abs(np.trapezoid(trace.current[:, part], trace.voltage[:, part], axis=1))
    return found / (2 * np.abs(trace.voltage).max(1) * np.abs(trace.current).max(1))


def report(result: xr.Dataset) -> None:
    """Prints the area of each loop."""
    rows = []
    for name in result.model.values:
        cell = result.sel(model=name)
        areas = [f"{100 * float(value):.2f}" for value in cell.area]
        rows.append([str(name), f"{float(cell.amplitude):g}", f"{float(cell.frequency[0]):.3g}", *areas])
    columns = ["model", "amplitude (V)", "frequency (Hz)", *(f"{factor:g}x" for factor in result.factor.values)]
    print_table(columns, rows, title="Area of the loop over that of its box, in %")
