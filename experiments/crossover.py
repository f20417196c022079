"""Up to which rate of events an asynchronous core takes less power than a clocked one, and where real signals lie.

The clocked core is ODIN as published; its asynchronous twin has no clock, and pays for handshakes at each event. The
signals are scenes before a model of an event camera, one without and one with motion, and spoken digits as spikes; each
event reaches as many synapses as ODIN has neurons. Writes results/crossover: crossover.nc, crossover.csv.
"""

from dataclasses import dataclass
from pathlib import Path

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import memsim as ms
from _frame import digits, finish, label, origin, print_table
from _spikes import as_spikes

FAN_OUT, PEAK = 256, 37.5e6  # neurons of ODIN, and its most synaptic operations a second
SIGNALS = ("camera, still", "camera, moving", "spoken digits")
LABELS = {
    "rate": ("1/s", "synaptic operations a second"),
    "overhead": ("1", "what a handshake adds to an event, in units of it"),
    "clocked": ("W", "power of the clocked core"),
    "asynchronous": ("W", "power of the asynchronous core"),
    "crossover": ("1/s", "synaptic operations a second up to which the asynchronous core takes less"),
    "measured": ("1/s", "synaptic operations a second of a signal"),
}
QUICK = {"points": 5, "pixels": 16, "recordings": 4}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take some seconds."""

    overheads: tuple[float, ...] = (0.5, 1.0, 2.0)
    """Of handshakes, from 0.5 to 2 as recalled."""
    clock: float = 75e6
    """In hertz."""
    points: int = 200
    pixels: int = 32
    """Of the camera, on each side."""
    frames: int = 200
    """Of a scene, one a millisecond."""
    noise_rate: float = 0.1
    """Random events of a pixel, in Hz."""
    duration: float = 0.5
    """Seconds of a spoken digit, assumed."""
    recordings: int = 100
    out: Path = Path("results/crossover")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self)


def run(config: Config) -> xr.Dataset:
    """Computes the powers and measures the signals; returns what it writes."""
    chip = ms.energy.odin_frenkel2019()
    rates = np.geomspace(1e4, PEAK, config.points)
    event, clock = chip.events["events"], chip.clock * config.clock
    handshakes = [[chip.static + rate * event * (1 + h) for rate in rates] for h in config.overheads]
    crossings = [float(ms.energy.crossover(clock, event, overhead=h)) for h in config.overheads]
    result = xr.Dataset(
        {
            "clocked": ("rate", [float(chip.watts({"events": rate}, config.clock)) for rate in rates]),
            "asynchronous": (("overhead", "rate"), handshakes),
            "crossover": ("overhead", crossings),
            "measured": ("signal", measured(config)),
        },
        {"rate": rates, "overhead": list(config.overheads), "signal": list(SIGNALS)},
    )
    label(result, LABELS)
    result = result.assign_attrs(origin(config, digits(40).test))
    table = result.measured.to_dataframe().reset_index()
    finish("crossover", result, table, out=config.out, report=lambda: report(result))
    return result


def measured(config: Config) -> list[float]:
    """Synaptic operations a second of each signal."""
    dt = 1e-3
    camera = ms.encoding.EventCamera(dt, noise_rate=config.noise_rate)
    found = []
    for speed in (0.0, 20.0):  # pixels a second
        pixels, frame = (jnp.arange(size, dtype=float) for size in (config.pixels, config.frames))
        place = jnp.expand_dims(pixels, 0) - speed * dt * jnp.expand_dims(frame, 1)
        rows = 0.5 + 0.4 * jnp.sin(2 * jnp.pi * place / 8)
        frames = jnp.broadcast_to(jnp.expand_dims(rows, 1), (config.frames, config.pixels, config.pixels))
        events = float(jnp.sum(camera(frames, key=jr.key(0))))
        found.append(events * FAN_OUT / (config.frames * dt))
    spikes = as_spikes(digits(80, recordings=config.recordings, quick=config.quick), 0.3, 0.2).test.inputs
    return [*found, float(np.sum(spikes)) * FAN_OUT / (len(spikes) * config.duration)]


def report(result: xr.Dataset) -> None:
    """Prints the crossovers, and which core takes less for each signal."""
    rows = []
    for name in result.signal.values:
        rate = float(result.measured.sel(signal=name))
        less = ["asynchronous" if rate < crossing else "clocked" for crossing in result.crossover.values]
        rows.append([str(name), f"{rate / 1e6:.4g}", *less])
    crossings = [
        f"handshake {h:g}: {x / 1e6:.4g}" for h, x in zip(result.overhead.values, result.crossover.values, strict=True)
    ]
    print_table(["signal", "MSOP/s", *crossings], rows, title="Which core takes less; crossovers in MSOP/s")
