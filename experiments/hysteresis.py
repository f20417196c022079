"""How the loop of every compact memristor closes as the drive becomes faster.

Each model of `device_models.memristors.MEMRISTORS` is driven by a sine of an amplitude and a frequency that open its
loop, and by multiples of that frequency, for `periods` periods; the last of them is kept. Measured: current and state,
the area that the loop encloses relative to the box around it, and how far the state moves. Writes results/hysteresis:
hysteresis.nc, hysteresis.csv.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

import device_models as dm
import memsim as ms

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
    """Drives every model, and writes what it did."""
    ms.study.make_folder(config.out)
    found = [labelled(config, name, period(config, name)) for name in config.models]
    result = xr.concat(found, "model")
    settings = dataclasses.asdict(config) | {"out": str(config.out)}
    result = result.assign_attrs(ms.study.provenance() | numbers(config) | {"config": json.dumps(settings)})
    ms.study.save_result(result, config.out / "hysteresis.nc")
    columns = ["area", "excursion", "largest_current", "amplitude", "frequency"]
    ms.study.save_table(result[columns].to_dataframe(), config.out / "hysteresis.csv")
    report(result)
    print(f"Wrote {config.out / 'hysteresis.nc'} and hysteresis.csv. `memsim draw hysteresis` draws them")
    return result


def period(config: Config, name: str) -> dm.memristors.Trace:
    """The last period at every frequency: (factors, samples + 1)."""
    entry = dm.memristors.memristor(name)
    phase = jnp.linspace(0.0, config.periods, config.periods * config.samples + 1)
    voltage = entry.amplitude * jnp.sin(2 * jnp.pi * (phase % 1.0))
    steps = dm.memristors.AdaptiveSteps(config.rtol, config.rtol / 100)
    simulate = eqx.filter_jit(lambda memristor, time: dm.memristors.simulate(memristor, time, voltage, steps=steps))
    traces = [simulate(entry.make(), phase / (factor * entry.frequency)) for factor in config.factors]
    return jax.tree.map(lambda *x: np.stack(x)[:, -config.samples - 1 :], *traces)


def labelled(config: Config, name: str, trace: dm.memristors.Trace) -> xr.Dataset:
    """Traces and measures of one model, with units."""
    entry = dm.memristors.memristor(name)
    low, high = (float(end) for end in entry.make().bounds)
    share = (trace.state - low) / (high - low)
    samples, model = ("model", "factor", "sample"), ("model", "factor")
    largest = np.abs(trace.current).max(1)
    frequency = entry.frequency * np.asarray(config.factors)
    variables = {
        "voltage": (samples, trace.voltage[None], {"units": "V"}),
        "current": (samples, trace.current[None], {"units": "A"}),
        "state": (samples, share[None], {"units": "1", "long_name": "state, as a share of its range"}),
        "area": (model, area(trace)[None], {"units": "1", "long_name": "area of the loop over that of its box"}),
        "excursion": (model, np.ptp(share, axis=1)[None], {"units": "1", "long_name": "range of the state"}),
        "largest_current": (model, largest[None], {"units": "A"}),
        "frequency": (model, frequency[None], {"units": "Hz"}),
        "amplitude": (("model",), [entry.amplitude], {"units": "V"}),
    }
    coordinates = {
        "model": [name],
        "factor": ("factor", list(config.factors), {"units": "1", "long_name": "multiple of the model's frequency"}),
        "sample": ("sample", np.arange(config.samples + 1), {"units": "1"}),
    }
    return xr.Dataset(variables, coordinates)


def area(trace: dm.memristors.Trace) -> np.ndarray:
    """What the current encloses in both halves of a period, relative to the boxes around the halves."""
    half = trace.voltage.shape[1] // 2
    found = 0.0
    for part in (slice(0, half + 1), slice(half, None)):
        found = found + np.abs(np.trapezoid(trace.current[:, part], trace.voltage[:, part], axis=1))
    return found / (2 * np.abs(trace.voltage).max(1) * np.abs(trace.current).max(1))


def numbers(config: Config) -> dict[str, str]:
    """Every number of every model with its source, as an attribute of the result."""
    lines = [f"{name}: {line}" for name in config.models for line in dm.memristors.memristor(name).make().sources]
    return {"device_numbers": "\n".join(lines)}


def report(result: xr.Dataset) -> None:
    """Prints the area of each loop."""
    from rich.console import Console
    from rich.table import Table

    shown = Table("model", "amplitude (V)", "frequency (Hz)", *(f"{factor:g}x" for factor in result.factor.values))
    shown.title = "Area of the loop over that of its box, in %"
    for name in result.model.values:
        cell = result.sel(model=name)
        areas = [f"{100 * float(value):.2f}" for value in cell.area]
        shown.add_row(str(name), f"{float(cell.amplitude):g}", f"{float(cell.frequency[0]):.3g}", *areas)
    Console(width=120, soft_wrap=False).print(shown)
