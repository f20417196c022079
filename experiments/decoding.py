"""A decoder of a hand's velocity on chips: what of its loss over days is the neurons', what the chip's, what is mended.

A simulated population is tuned to the velocity of a hand, and its tuning wanders with days. A spiking network decodes
it, as floats or trained for its machine, on arrays of phase-change and oxide cells that age as well, and on two digital
chips of spikes. Neurons wander, the chip ages, or both; each day nothing is done, two outputs are mapped to two anew,
or a digital last layer is fitted to the spikes of the hidden neurons, from twenty seconds of known movements. The
Kalman filter, which knows the law of the movements, and the Wiener filter stand beside, in closed form. Writes
results/decoding: decoding.nc, decoding.csv.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr
from jaxtyping import Array, Key

import memsim as ms
from _frame import finish, label, of_a_point, origin, print_table, swept
from _hand import DT, SETTLED, Days, settled_r2
from _placed import ARRAYS, CHIPS, check_machines, design_of
from _said import Affine, Said, on_machine, written
from _seconds import LABELS as OF_SECONDS
from _seconds import of_a_second
from _tables import duration
from _trained import fitted

nn = ms.nn
MACHINES = ("digital", "PCM", "RRAM", "Loihi", "SpiNNaker 2")
TRAININGS = ("as floats", "for the machine")
CHANGES = ("neurons wander", "chip ages", "both")
MENDED = ("not", "outputs mapped", "last layer fitted")
DAY = 86400.0  # s
SMOOTH = np.exp(-DT / 0.1)  # of the spikes that a last layer is fitted to
LABELS = {
    "seed": "1",
    "chip": "1",
    "time": ("s", "since programming and training"),
    "r2": ("1", "explained share of the variance of the velocity"),
    "kalman": ("1", "the same, of the Kalman filter on the same spikes, not fitted again"),
    "kalman_again": ("1", "the same, fitted again on twenty seconds of that day"),
    "wiener": ("1", "the same, of the Wiener filter, not fitted again"),
} | OF_SECONDS
QUICK = {"machines": ("PCM", "Loihi"), "seeds": 1, "chips": 2, "times": (25.0, 2.6e6), "neurons": 16, "hidden": 16}
QUICK |= {"examples": 64, "epochs": 2, "more_epochs": 1, "trials": 2, "priced": 2}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take some ten minutes on two cores."""

    machines: tuple[str, ...] = MACHINES
    seeds: int = 3
    """Populations, each with a network of its own."""
    chips: int = 4
    """Arrays that are made of each network."""
    times: tuple[float, ...] = (25.0, DAY, 7 * DAY, 30 * DAY)
    """Seconds after the chip was written and the decoder was trained."""
    neurons: int = 64
    """Of the population."""
    hidden: int = 64
    examples: int = 512
    """Seconds that are learnt from."""
    known: int = 20
    """Seconds of each day with known movements, for what is mended."""
    epochs: int = 40
    more_epochs: int = 12
    """With what the machine does, or without."""
    learning_rate: float = 4e-3
    """Of Adam, with a cosine decay; a quarter of it in the last epochs."""
    trials: int = 24
    """Of five seconds each, for the judgement of a day."""
    priced: int = 8
    """Seconds whose energy is measured."""
    out: Path = Path("results/decoding")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self)
        check_machines(self.machines, MACHINES)
        if self.known < 2:
            raise ValueError(f"`known` must be at least 2, to fit to. Got {self.known}.")


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    chosen = partial(measure, config=of_a_point(config, "seeds", "machines"))
    grid = {"seed": range(config.seeds), "training": list(TRAININGS), "machine": list(config.machines)}
    result = swept(chosen, grid, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    result = result.assign_attrs(origin(config))
    table = ms.study.summary(result.r2)
    finish("decoding", result, table, out=config.out, report=lambda: report(result))
    return result


def measure(seed, training, machine, *, key, config: Config) -> xr.Dataset:
    """The decoder of one population on one machine, on all days."""
    later = tuple(t / DAY for t in config.times)
    days = Days.recorded(seed, later, config.neurons, config.examples + 32, config.known, config.trials)
    learnt, velocity = days.learnt
    parts = slice(0, -32), slice(-32, -16), slice(-16, None)
    data = ms.data.Splits(*(ms.data.Dataset(learnt[each], velocity[each]) for each in parts))
    model_key, fit_key, more_key, chip_key = jr.split(key, 4)
    rate, hardware = config.learning_rate, None
    model = decoder(config.neurons, config.hidden, key=model_key)
    model = fitted(model, data, key=fit_key, once=f"floats {seed}", epochs=config.epochs, learning_rate=rate)
    if training == TRAININGS[1]:
        hardware = what_happens(machine, model, data)
    more = {"hardware": hardware, "clip": None if hardware is None else 3.0}
    model = fitted(model, data, key=more_key, epochs=config.more_epochs, learning_rate=0.25 * rate, **more)
    crossbar = ms.calibrate(model, data.train.inputs[:64], design_of(machine)) if machine in ARRAYS else None
    chips = written(model, crossbar, config.chips, key=chip_key)
    found = np.zeros((len(CHANGES), config.chips, len(config.times), len(MENDED)))
    for place in np.ndindex(len(CHANGES), len(config.times)):
        day, age = (place[1] if place[0] != fixed else 0 for fixed in (1, 0))
        spikes = [days.known[day], days.judged[day]]
        given = on_machine(machine, model, chips, spikes, config.times[age], SMOOTH)
        found[place[0], :, place[1]] = worth(given, days.known_velocity, days.judged_velocity)
    dims = ("change", "chip", "time", "mended")
    coords = {
        "change": list(CHANGES),
        "chip": np.arange(config.chips),
        "time": list(config.times),
        "mended": list(MENDED),
    }
    xs = jnp.asarray(learnt[: config.priced])
    cost = of_a_second(machine, model, data.train.inputs[:64], xs, DT, key=chip_key)
    return xr.Dataset({"r2": (dims, found)}, coords).assign(
        cost | {name: ("time", each) for name, each in days.linear().items()}
    )


def decoder(neurons: int, hidden: int, *, key: Key[Array, ""]) -> nn.SpikingNetwork:
    """From the spikes of a population to two velocities."""
    first, last = jr.split(key)
    return nn.SpikingNetwork(
        [
            nn.Linear(neurons, hidden, gain=3.0, key=first),
            nn.CuBaLIF(hidden, dt=DT, tau_mem=50e-3, tau_syn=20e-3, firing=nn.Firing(reset="zero")),
            nn.Linear(hidden, 2, gain=0.5, key=last),
            nn.LI(2, dt=DT, tau_mem=100e-3),
        ],
        chunk=None,
    )


def what_happens(machine: str, model: Any, data: ms.data.Splits) -> ms.train.AbstractHardware | None:
    """What training for a machine samples: arrays up to a month old."""
    if machine in CHIPS:
        return ms.train.OnChip(ms.chips.target(CHIPS[machine]))
    if machine not in ARRAYS:
        return None
    crossbar = ms.calibrate(model, data.train.inputs[:64], design_of(machine))
    return ms.train.SampledChip(crossbar, time=ms.train.LogUniform(25.0, 30 * DAY))


def worth(given: list[list[Said]], known: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """R2 of (chips, ways to mend); alike chips have one row, and what cannot be mended in a way is NaN."""
    rows = []
    for (then, hidden_then), (now, hidden_now) in given:
        mapped = Affine.fitted(then[:, SETTLED:], known[:, SETTLED:])
        row = [settled_r2(now, judged), settled_r2(mapped(now), judged), np.nan]
        if hidden_now is not None:
            last = Affine.fitted(hidden_then[:, SETTLED:], known[:, SETTLED:], ridge=10.0)
            row[2] = settled_r2(last(hidden_now), judged)
        rows.append(row)
    return np.asarray(rows)


def report(result: xr.Dataset) -> None:
    """Prints the linear decoders, and a row for each machine, training and change."""
    times = result.time.values
    for name in ("kalman", "kalman_again", "wiener"):
        each = result[name].isel(machine=0, training=0)
        print(
            f"{name}: " + ", ".join(f"{float(each.sel(time=t).mean()):.3f} after {duration(float(t))}" for t in times)
        )
    rows = []
    for machine in result.machine.values:
        for training in result.training.values:
            one = result.sel(machine=machine, training=training)
            cost = f"{1e6 * float((one.joules - one.static).mean()):.3g} + {1e3 * float(one.static.mean()):.3g} m"
            for change in CHANGES:
                chosen = one.r2.sel(change=change)
                words = [
                    " | ".join(f"{float(chosen.sel(time=t, mended=way).mean()):.3f}" for way in MENDED) for t in times
                ]
                rows.append([str(machine), str(training), change, *words, cost])
    columns = ["machine", "trained", "what moves", *(duration(float(t)) for t in times), "uJ/s + static"]
    print_table(columns, rows, title=f"R2, mended: {' | '.join(MENDED)}", width=200)
