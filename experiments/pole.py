"""Does control forgive what ages? A spiking controller of a pole on a cart, on drifting chips, in closed loop.

A spiking network learns the forces of the optimal linear controller from spikes of sensors, as floats or with what its
machine does to it. It then holds up the pole against pushes for ten seconds, on arrays of phase-change and oxide cells
up to a year after they were written, and on two digital chips of spikes. Arrays are left alone, or one factor a tile
corrects drift, or the force at rest is set right, too: one number, from two seconds of sensors that feel nothing. The
runs that fail are set beside the error of its force in open loop, on the inputs of the optimal controller, and its gain
and offset. Writes results/pole: pole.nc, pole.csv.
"""

import dataclasses
import itertools
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr
from jaxtyping import Array, Float, Key

import memsim as ms
from _frame import finish, label, of_a_point, origin, print_table, swept
from _placed import ARRAYS, CHIPS, check_machines, design_of
from _pole import CHANNELS, DT, SECOND, Run, at_rest, held_up, judged, linear, optimal_gain, starts
from _seconds import LABELS as OF_SECONDS
from _seconds import of_a_second
from _tables import duration
from _trained import fitted

nn = ms.nn
MACHINES = ("digital", "PCM", "RRAM", "Loihi", "SpiNNaker 2")
TRAININGS = ("as floats", "for the machine")
CORRECTIONS = ("none", "one factor a tile", "and force at rest")
LEARNT = 6.0  # N, spread of the pushes of what is learnt from: twice those of the task
LABELS = {
    "seed": "1",
    "chip": "1",
    "recording": ("1", "run of ten seconds"),
    "time": ("s", "time since programming"),
    "failed": ("1", "runs in which the pole or the cart left its limits"),
    "angle": ("rad", "root mean square of the pole's angle until then"),
    "by_cart": ("1", "runs that ended since the cart left its track"),
    "open_loop": ("1", "error of the force on inputs of the optimal controller, of its root mean square"),
    "gain": ("1", "slope of the force over that of the network itself, in open loop"),
    "offset": ("1", "its force where that of the network is zero, of the largest one"),
    "linear_failed": ("1", "runs in which the optimal linear controller failed"),
    "linear_angle": ("rad", "of the optimal linear controller"),
    "linear_joules": ("J", "of its products, a second, on a processor"),
}
LABELS |= OF_SECONDS
QUICK = {"machines": ("PCM", "Loihi"), "seeds": 1, "chips": 2, "times": (25.0,), "hidden": 16}
QUICK |= {"examples": 64, "epochs": 2, "more_epochs": 1, "seconds": 1, "runs": 2, "priced": 2}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take some ten minutes on two cores."""

    machines: tuple[str, ...] = MACHINES
    seeds: int = 3
    chips: int = 8
    """Arrays that are made of each network."""
    times: tuple[float, ...] = (25.0, 86400.0, 2.6e6, 31557600.0)
    """Seconds after programming."""
    hidden: int = 64
    examples: int = 768
    """Seconds of optimal control that are learnt from."""
    epochs: int = 60
    more_epochs: int = 20
    """With what the machine does, or without."""
    learning_rate: float = 4e-3
    """Of Adam, with a cosine decay; a quarter of it in the last epochs."""
    seconds: int = 10
    """Of a run."""
    runs: int = 16
    """Runs on each chip, the same for all."""
    push: float = 3.0
    """Spread of the force that disturbs each step, in newtons."""
    priced: int = 8
    """Seconds whose energy is measured."""
    out: Path = Path("results/pole")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self)
        check_machines(self.machines, MACHINES)


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    chosen = partial(measure, config=of_a_point(config, "seeds", "machines"))
    grid = {"seed": range(config.seeds), "training": list(TRAININGS), "machine": list(config.machines)}
    result = swept(chosen, grid, folder=config.out, key=jr.key(0))
    result = result.assign(by_the_linear_one(config))
    label(result, LABELS)
    result = result.assign_attrs(origin(config) | {"gain": str(optimal_gain())})
    table = ms.study.summary(result.failed)
    finish("pole", result, table, out=config.out, report=lambda: report(result))
    return result


def measure(seed, training, machine, *, key, config: Config) -> xr.Dataset:
    """The controller on one machine, at all ages."""
    model_key, data_key, fit_key, more_key, chip_key = jr.split(key, 5)
    data = examples(config, key=data_key)
    model = controller(config.hidden, key=model_key)
    model = fitted(
        model, data, key=fit_key, once=f"floats {seed}", epochs=config.epochs, learning_rate=config.learning_rate
    )
    hardware = None if training == TRAININGS[0] else what_happens(machine, model, data)
    more = {"hardware": hardware, "clip": None if hardware is None else 3.0}
    rate = 0.25 * config.learning_rate
    model = fitted(model, data, key=more_key, epochs=config.more_epochs, learning_rate=rate, **more)
    heard = jnp.asarray(data.test.inputs)
    expected = np.asarray(jax.jit(jax.vmap(model))(heard))[..., 0]
    found = {
        name: np.stack([np.asarray(each[i]) for each in on_machine(machine, model, data, config, chip_key)])
        for i, name in enumerate(("failed", "by_cart", "angle", "outputs"))
    }
    shape = len(CORRECTIONS), config.chips, len(config.times)
    dims = ("correction", "chip", "time")
    of_force = open_loop(found.pop("outputs"), expected)
    variables = {
        name: ((*dims, "recording"), np.broadcast_to(each, (*shape, config.runs))) for name, each in found.items()
    }
    variables |= {name: (dims, np.broadcast_to(each, shape)) for name, each in of_force.items()}
    coords = {"correction": list(CORRECTIONS), "chip": np.arange(config.chips), "time": np.asarray(config.times)}
    coords["recording"] = np.arange(config.runs)
    return xr.Dataset(variables, coords).assign(
        of_a_second(machine, model, data.train.inputs[:64], heard[: config.priced], DT, key=chip_key)
    )


def open_loop(found: np.ndarray, expected: np.ndarray) -> dict[str, np.ndarray]:
    """How forces (..., n, steps) differ from the `expected` ones: root mean square, and a line through both."""
    error = np.sqrt(np.mean((found - expected) ** 2, axis=(-1, -2)) / np.mean(expected**2))
    around = expected - expected.mean()
    gain = np.mean(found * around, axis=(-1, -2)) / np.mean(around**2)
    return {"open_loop": error, "gain": gain, "offset": found.mean(axis=(-1, -2)) - gain * expected.mean()}


def controller(hidden: int, *, key: Key[Array, ""]) -> nn.SpikingNetwork:
    """From the spikes of sensors to a force, relative to the largest one."""
    first, last = jr.split(key)
    neurons = nn.CuBaLIF(hidden, dt=DT, tau_mem=30e-3, tau_syn=10e-3, firing=nn.Firing(reset="zero"))
    return nn.SpikingNetwork(
        [
            nn.Linear(CHANNELS, hidden, gain=2.0, key=first),
            neurons,
            nn.Linear(hidden, 1, gain=0.5, key=last),
            nn.LI(1, dt=DT, tau_mem=20e-3),
        ],
        chunk=None,
    )


def examples(config: Config, *, key: Key[Array, ""]) -> ms.data.Splits:
    """Seconds of the optimal controller under strong pushes: spikes of the sensors, and its forces."""
    optimal = linear(optimal_gain())

    @jax.jit
    @jax.vmap
    def one(key: Array) -> Run:
        start_key, push_key = jr.split(key)
        pushes = LEARNT * jr.normal(push_key, (SECOND,))
        return held_up(optimal, None, starts(start_key[None])[0], pushes)

    found = one(jr.split(key, config.examples + 64))
    spikes, forces = np.asarray(found.spikes), np.asarray(found.forces)
    ends = (0, config.examples, config.examples + 32, config.examples + 64)
    parts = [ms.data.Dataset(spikes[a:b], forces[a:b]) for a, b in itertools.pairwise(ends)]
    return ms.data.Splits(*parts)


def design(machine: str, correction: str) -> ms.Crossbar:
    crossbar = design_of(machine)
    return crossbar if correction != CORRECTIONS[0] else dataclasses.replace(crossbar, compensation=None)


def what_happens(machine: str, model: Any, data: ms.data.Splits) -> ms.train.AbstractHardware | None:
    """What training for a machine samples: arrays of all ages, without correction."""
    if machine in CHIPS:
        return ms.train.OnChip(ms.chips.target(CHIPS[machine]))
    if machine not in ARRAYS:
        return None
    crossbar = ms.calibrate(model, data.train.inputs[:64], design(machine, CORRECTIONS[0]))
    return ms.train.SampledChip(crossbar, time=ms.train.LogUniform(25.0, 3e7))


def on_machine(machine: str, model: Any, data: ms.data.Splits, config: Config, key: Key[Array, ""]) -> list[Any]:
    """By correction: of (chips, times) what `controlled` tells."""
    heard = jnp.asarray(data.test.inputs)
    if machine not in ARRAYS:
        placed = ms.chips.target(CHIPS[machine]).placed(model) if machine in CHIPS else model
        return [jax.tree.map(lambda each: each[None, None], controlled(placed, heard, config))]
    found = []
    for correction in CORRECTIONS:
        crossbar = ms.calibrate(model, data.train.inputs[:64], design(machine, correction))
        expected = force_at_rest(model) if correction == CORRECTIONS[2] else None
        found.append(aged(model, crossbar, expected, heard, config, key))
    return found


def force_at_rest(model: Any) -> Float[Array, ""]:
    """Of the second of two seconds, the mean."""
    return jnp.mean(model.run(at_rest(2 * SECOND), model.initial_state())[0][SECOND:, 0])


@eqx.filter_jit
def aged(model: Any, crossbar: Any, expected: Any, heard: Array, config: Config, key: Key[Array, ""]):
    """`controlled` over (chips, times); where the force `expected` at rest is given, each chip is set right by it."""

    def one_chip(number: Array) -> Any:
        write_key, moment_key = jr.split(jr.fold_in(key, number))
        chip = ms.program(model, crossbar, key=write_key)

        def at(t: Array) -> Any:
            moment = ms.at(chip, t, key=moment_key)
            excess = 0.0 if expected is None else force_at_rest(moment) - expected
            return controlled(moment, heard, config, excess)

        return jax.lax.map(at, jnp.asarray(config.times))

    return jax.lax.map(one_chip, jnp.arange(config.chips))


def controlled(model: Any, heard: Array, config: Config, excess: Any = 0.0) -> tuple[Array, ...]:
    """Of each run what `judged` tells; and (n, steps) what the controller says to spikes (n, steps, channels).

    All its forces are lessened by `excess`.
    """
    on_chip = isinstance(model, ms.chips.Placed)

    def act(spikes: Array, state: Array, before: Any, key: Any) -> tuple[Array, Any]:
        force, after, *_ = model.step(spikes.astype(jnp.int32) if on_chip else spikes, before)
        return force[0].astype(float) - excess, after

    def said(x: Array) -> Array:
        outputs = model.run(x.astype(jnp.int32) if on_chip else x, model.initial_state())[0]
        return outputs[:, 0].astype(float) - excess

    return *judged(act, model.initial_state(), config.runs, config.seconds, config.push), jax.vmap(said)(heard)


def by_the_linear_one(config: Config) -> dict[str, Any]:
    """What the optimal linear controller, which sees the state itself, makes of the same runs."""
    optimal = linear(optimal_gain())
    failed, _, angle = jax.jit(lambda: judged(optimal, None, config.runs, config.seconds, config.push))()
    row = nn.Linear(4, 1, use_bias=False, key=jr.key(0))
    cost = ms.energy.digital(row, jnp.ones((1, 4)), machine=ms.energy.Processor())
    return {
        "linear_failed": ("recording", np.asarray(failed)),
        "linear_angle": ("recording", np.asarray(angle)),
        "linear_joules": SECOND * float(cost.joules.sum()),
    }


def report(result: xr.Dataset) -> None:
    """Prints a row for each machine, training and correction: failures and open-loop error over age, and costs."""
    failed = float(result.linear_failed.mean())
    print(f"Optimal linear controller: {100 * failed:.0f} % fail, {1e9 * float(result.linear_joules):.2g} nJ a second")
    rows = []
    for machine in result.machine.values:
        for training in result.training.values:
            for correction in CORRECTIONS if machine in ARRAYS else CORRECTIONS[:1]:
                one = result.sel(machine=machine, training=training, correction=correction)
                words = []
                for t in result.time.values:
                    now = one.sel(time=t)
                    each = ms.study.interval(now.failed)
                    spread = 100 * float(now.offset.std())
                    words.append(f"{each.in_percent('.0f')} | {100 * float(now.open_loop.mean()):.0f}, {spread:.0f}")
                cost = f"{1e6 * float((one.joules - one.static).mean()):.3g} + {1e3 * float(one.static.mean()):.3g} m"
                rows.append(
                    [str(machine), str(training), correction, *words, cost, f"{1e6 * float(one.latency.mean()):.3g}"]
                )
    ages = [duration(float(t)) for t in result.time.values]
    title = "Runs that fail in % [95 % interval] | error of the force in open loop, spread of its offset in %"
    print_table(
        ["machine", "trained", "correction", *ages, "uJ/s + static", "latency (us)"], rows, title=title, width=200
    )
