"""What an analog reservoir adds to the error of chaotic predictions: NeuroBench's echo-state networks on ageing chips.

Fourteen Mackey-Glass series are foretold for ten Lyapunov times, each prediction the input of the next. In digital
float64 the networks are as published, of which one run of all series has a sMAPE of 40.80. Then both matrices are
written to chips of phase-change and oxide cells and read at several ages, with a readout that was learnt from digital
states, from the chip's own states when it was young, from its own at that age, or that is on the chip too. Writes
results/chaotic: chaotic.nc, chaotic.csv.
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
from jaxtyping import Array, Float, Key

import memsim as ms
from _echo_state import (
    BESIDE,
    PUBLISHED,
    EchoState,
    as_model,
    continued,
    drawn,
    listened,
    published_readout,
    readout,
)
from _frame import finish, label, of_a_point, origin, print_table, swept
from _mackey_glass import POINTS, horizon, mackey_glass, smape

PUBLISHED_SMAPE = 40.80  # NeuroBench, of one run of all series
DEVICES = {"PCM": "hermes", "RRAM": "neurram"}
READOUTS = ("of digital states", "of its own, young", "of its own, now", "of its own, on the chip")
WARMUP = 45  # points that a readout does not learn from
PRICED = 20  # predictions whose energy is measured
LABELS = {
    "delay": ("1", "delay of the series, in units of the equation"),
    "seed": ("1", "reservoir, and part of the series"),
    "time": ("s", "time since programming"),
    "smape": ("%", "symmetric mean absolute error of predictions over the test span"),
    "horizon": ("1", "Lyapunov times until a prediction is 0.4 standard deviations off"),
    "one_step": ("%", "symmetric mean absolute error of a step ahead, on true inputs"),
    "digital_smape": ("%", "in float64"),
    "constant_smape": ("%", "of the mean of what was learnt from, at all times"),
    "digital_horizon": ("1", "in float64, Lyapunov times"),
    "digital_one_step": ("%", "in float64"),
    "joules": ("J", "of a prediction"),
    "latency": ("s", "of a prediction"),
    "digital_joules": ("J", "of a prediction on a systolic array of 8 bits"),
}
QUICK = {"delays": (21,), "on_chips": (21,), "seeds": 1, "times": (25.0,), "lyapunov": 1, "shrink": 10}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take about ten minutes on two cores, most of it for eigenvalues."""

    delays: tuple[int, ...] = tuple(PUBLISHED)
    on_chips: tuple[int, ...] = (17, 20, 23, 26, 29)
    """Delays of the series that are predicted by chips, too."""
    seeds: int = 3
    """Reservoirs, each on a chip of its own and on a later part of the series."""
    times: tuple[float, ...] = (25.0, 86400.0, 31557600.0)
    """Seconds after programming; the first is when a chip is young."""
    lyapunov: int = 10
    """Lyapunov times that are learnt from, and as many that are predicted."""
    shrink: int = 1
    """Reservoirs are so many times smaller than published."""
    out: Path = Path("results/chaotic")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self)
        for name in (*self.delays, *self.on_chips):
            if name not in PUBLISHED:
                raise ValueError(f"`delays` must be of the benchmark's, 17 to 30. Got {name}.")
        if not 1 <= self.shrink <= 50:
            raise ValueError(f"`shrink` must leave a reservoir, so be from 1 to 50. Got {self.shrink}.")


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    chosen = partial(measure, config=of_a_point(config, "delays", "seeds"))
    result = swept(chosen, {"delay": config.delays, "seed": range(config.seeds)}, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    result = result.assign_attrs(origin(config) | {"published_smape": PUBLISHED_SMAPE})
    table = ms.study.summary(result.smape.dropna("delay"))
    finish("chaotic", result, table, out=config.out, report=lambda: report(result))
    return result


def measure(delay, seed, *, key, config: Config) -> xr.Dataset:
    """One series, predicted in digital and perhaps on chips."""
    settings, points = PUBLISHED[delay], config.lyapunov * POINTS
    settings = settings._replace(size=settings.size // config.shrink)
    series = mackey_glass(delay, 2 * points + 1, first=int(0.5 * POINTS * seed))
    weights = drawn(settings, seed)
    seen = listened(weights, settings.leakage, series[:-1])
    head = published_readout(seen[WARMUP:points], series[WARMUP + 1 : points + 1], settings.ridge)
    with np.errstate(over="ignore", invalid="ignore"):  # some reservoirs run away, and count as 200
        last = seen[points - 1, BESIDE:]
        found = continued(weights, settings.leakage, head, last, points, series[points])
    true = series[points + 1 :]
    judged = {
        "digital_smape": smape(found, true),
        "digital_horizon": horizon(found, true),
        "digital_one_step": smape(seen[points:] @ head, true),
        "constant_smape": smape(np.full(points, series[:points].mean()), true),
    }
    model = as_model(weights, head, settings.leakage)
    priced = jnp.asarray(series[None, :PRICED], jnp.float32)
    joules = ms.energy.digital(model, priced).joules.sum() / PRICED
    return analog(model, series, key, config, delay in config.on_chips).assign(
        judged | {"digital_joules": float(joules)}
    )


def analog(model: EchoState, series: np.ndarray, key: Key[Array, ""], config: Config, runs: bool) -> xr.Dataset:
    """The same on chips, at all ages and by all readouts; without numbers where it does not run."""
    shape = len(DEVICES), len(config.times), len(READOUTS)
    judged, costs = np.full((3, *shape), np.nan), np.full((2, len(DEVICES)), np.nan)
    for place, recipe in enumerate(DEVICES.values() if runs else ()):
        judged[:, place], costs[:, place] = on_chip(model, series, getattr(ms.recipes, recipe)(), key, config)
    dims = ("device", "time", "readout")
    variables = {name: (dims, judged[i]) for i, name in enumerate(("smape", "horizon", "one_step"))}
    variables |= {name: ("device", costs[i]) for i, name in enumerate(("joules", "latency"))}
    return xr.Dataset(variables, {"device": list(DEVICES), "time": np.asarray(config.times), "readout": list(READOUTS)})


def on_chip(model: EchoState, series: np.ndarray, crossbar: ms.Crossbar, key: Key[Array, ""], config: Config):
    """Errors (3, times, readouts) of one chip, and its joules and seconds of a prediction."""
    write_key, hear_key, go_key, cost_key = jr.split(key, 4)
    points = config.lyapunov * POINTS
    inputs = jnp.asarray(series[:-1], jnp.float32)

    def aged(model: EchoState) -> list[EchoState]:  # one key: the reservoir is the same whatever the readout
        chip = ms.program(model, ms.calibrate(model, inputs[None, :points], crossbar), key=write_key)
        return [ms.at(chip, t, key=jr.fold_in(hear_key, i)) for i, t in enumerate(config.times)]

    seen = [np.asarray(heard(moment, inputs, hear_key), float) for moment in aged(model)]
    own = [readout(each[WARMUP:points], series[WARMUP + 1 : points + 1]) for each in seen]
    on_it = eqx.tree_at(lambda m: m.readout.weight, model, jnp.asarray(own[0][None], jnp.float32))
    moments = aged(on_it)
    judged = np.zeros((3, len(moments), len(READOUTS)))
    for place, (moment, each) in enumerate(zip(moments, seen, strict=True)):
        heads = np.stack([np.asarray(model.readout.weight, float)[0], own[0], own[place]])
        last = jnp.asarray(each[points - 1, BESIDE:], jnp.float32)
        found = foretold(moment, last, inputs[points], jnp.asarray(heads, jnp.float32), points, go_key)
        ahead = [*(heads @ each[points:].T), np.asarray(predicted(moment, inputs, hear_key))[points:]]
        for which, (free, step) in enumerate(zip(np.asarray(found, float), ahead, strict=True)):
            true = series[points + 1 :]
            judged[:, place, which] = smape(free, true), horizon(free, true), smape(step, true)
    chip = ms.program(on_it, ms.calibrate(on_it, inputs[None, :points], crossbar), key=write_key)
    cost = ms.energy.of(chip, inputs[None, :PRICED], t=config.times[0], key=cost_key)
    return judged, (float(cost.joules.sum()) / PRICED, float(cost.latency.mean()) / PRICED)


@eqx.filter_jit
def heard(model: EchoState, inputs: Float[Array, " steps"], key: Key[Array, ""]) -> Float[Array, "steps seen"]:
    return model.listen(inputs, key=key)


@eqx.filter_jit
def predicted(model: EchoState, inputs: Float[Array, " steps"], key: Key[Array, ""]) -> Float[Array, " steps"]:
    return model(inputs, key=key)


@eqx.filter_jit
def foretold(
    model: EchoState,
    last: Float[Array, " size"],
    first: Float[Array, ""],
    heads: Float[Array, "readouts seen"],
    steps: int,
    key: Key[Array, ""],
) -> Float[Array, "one_more steps"]:
    """Predictions by each of the `heads` beside the chip, and by the readout on it."""
    beside = jax.lax.map(lambda head: model.go_on(last, first, steps, weights=head, key=key), heads)
    return jnp.concatenate([beside, model.go_on(last, first, steps, key=key)[None]])


def report(result: xr.Dataset) -> None:
    """Prints the digital error beside the published one, and a row for each device and readout."""
    runs = result.digital_smape.mean("delay")
    each = ms.study.interval(runs)
    print(
        f"Digital: sMAPE {float(runs.mean()):.1f} [{each.low:.1f}, {each.high:.1f}] over seeds, runs from "
        f"{float(runs.min()):.1f} to {float(runs.max()):.1f}, median {float(result.digital_smape.median()):.1f}, "
        f"of a constant {float(result.constant_smape.mean()):.1f} "
        f"(published: {PUBLISHED_SMAPE}, of one run of 14 series)"
    )
    chosen = result.dropna("delay", subset=["smape"])
    rows = []
    for device in result.device.values:
        for which in result.readout.values:
            one = chosen.sel(device=device, readout=which)
            ages = [one.sel(time=t) for t in result.time.values]
            rows.append([str(device), str(which), *(words(now.smape, now.horizon, now.one_step) for now in ages)])
    columns = ["device", "readout", *(f"{t:.3g} s" for t in result.time.values)]
    ours = words(chosen.digital_smape, chosen.digital_horizon, chosen.digital_one_step)
    print_table(columns, rows, title=f"Median sMAPE | mean horizon | median sMAPE of a step ahead; digital: {ours}")
    for device in result.device.values:
        cost = chosen.sel(device=device)
        print(
            f"{device}: {1e9 * float(cost.joules.mean()):.3g} nJ and {1e6 * float(cost.latency.mean()):.3g} us a "
            f"prediction (systolic array: {1e9 * float(chosen.digital_joules.mean()):.3g} nJ)"
        )


def words(smape: xr.DataArray, horizon: xr.DataArray, one_step: xr.DataArray) -> str:
    return f"{float(smape.median()):.0f} | {float(horizon.mean()):.2f} | {float(one_step.median()):.2g}"
