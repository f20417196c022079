"""What of a correction lasts: ways to mend ageing chips, on cells that keep their rank, redraw it, or move as measured.

Published spreads say how far a population moves, not how one cell does. A chip that is measured early and corrected by
cell or column is better later only as far as its cells remember. A recurrent network on spoken digits is written to
relaxing oxide cells whose population is the same under three laws of memory, and mended in seven ways; accuracy is
measured over the span in which such cells were measured. The write error of these cells is that of verified ones, so
to verify again is to write anew. Writes results/what_lasts: what_lasts.nc, what_lasts.csv.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import xarray as xr
from jaxtyping import Array, Float

import device_models as dm
import memsim as ms
from _frame import digits, finish, label, origin, print_table
from _workload import recurrent_network

HOUR, DAY = 3600.0, 86400.0
LAWS = ("keep", "as measured", "redraw")
WAYS = (
    "nothing",
    "one factor a tile",
    "one factor a bit line",
    "descent on own reads at 10 s",
    "last layer tuned at 1 h",
    "adapters refreshed daily",
    "verified again daily",
)
QUICK = {"chips": 2, "seeds": 1, "times": (10.0, 1e5), "hidden": 8, "steps": 6, "epochs": 1, "recordings": 40}
QUICK |= {"updates": 3, "ways": ("one factor a tile", "adapters refreshed daily"), "laws": ("keep", "as measured")}


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
    settings = dataclasses.asdict(config) | {"out": str(config.out)}
    folder = ms.study.parts_folder(config.out, settings)
    every = [(way, law, seed) for way in config.ways for law in config.laws for seed in range(config.seeds)]
    parts = {f"{way.replace(' ', '-')}-{law.replace(' ', '-')}-{seed}": (way, law, seed) for way, law, seed in every}
    data = digits(config.steps, recordings=config.recordings, quick=config.quick)
    found = ms.study.run_parts(parts, lambda part: compute(config, part, data, folder), folder)
    result = labelled(found.sel(way=list(config.ways), law=list(config.laws)), config, settings)
    table = ms.study.summary(result.accuracy)
    finish("what_lasts", result, table, out=config.out, report=lambda: report(result), parts=folder)
    return result


def cell(config: Config, law: str) -> dm.AbstractDevice:
    """The measured cells; their population is the same under every law."""
    measured = dm.rram_relaxing(config.technology, drift_scale=config.drift)
    return measured if law == "as measured" else measured.remembering(law)


def design(config: Config, way: str, law: str) -> ms.Crossbar:
    device, programming, compensation = cell(config, law), ms.OneShot(), ms.GlobalDriftCompensation()
    if way == "nothing":
        compensation = None
    if way == "one factor a bit line":
        compensation = ms.GlobalDriftCompensation(per="bit line")
    if way == "descent on own reads at 10 s":
        programming = ms.GradientDescent(rounds=10, wait=10.0)
    return ms.Crossbar(
        device,
        adc=ms.ADC(config.adc_bits),
        programming=programming,
        compensation=compensation,
        reads=ms.Reads("off"),
    )


def compute(config: Config, part: tuple[str, str, int], data: ms.data.Splits, folder: Path) -> xr.Dataset:
    """One network on chips of one law, mended in one way; the same chips for every network."""
    way, law, seed = part
    model = network(config, seed, data, folder)
    crossbar = ms.calibrate(model, jnp.asarray(data.train.inputs[:200]), design(config, way, law))
    train, test = ((jnp.asarray(part.inputs), jnp.asarray(part.labels)) for part in (data.train, data.test))
    found = lives(config, way, model, crossbar, train, test, jnp.arange(config.chips))
    index = {"way": [way], "law": [law], "seed": [seed]}
    digital = eqx.filter_jit(ms.train.accuracy)(model, *test)
    return xr.Dataset(
        {
            "accuracy": ((*index, "chip", "time"), np.asarray(found)[None, None, None]),
            "digital_accuracy": (("seed",), np.asarray(digital)[None]),
        },
        index | {"chip": np.arange(config.chips), "time": np.asarray(config.times)},
    )


def network(config: Config, seed: int, data: ms.data.Splits, folder: Path) -> ms.nn.AbstractNetwork:
    model_key, fit_key = jr.split(jr.fold_in(jr.key(0), seed))
    return ms.train.fit(
        recurrent_network(13, config.hidden, 10, key=model_key),
        data,
        key=fit_key,
        hardware=ms.train.GaussianNoise(config.gaussian_std),
        epochs=config.epochs,
        clip=1.5,
        checkpoint=folder / f"seed{seed}.checkpoint",
    )


@eqx.filter_jit
def lives(config: Config, way: str, model: Any, crossbar: Any, train, test, chips) -> Array:
    """Accuracy over (chips, times) on the recordings and labels of `test`; `train` is what is learnt from."""
    times = jnp.asarray(config.times)
    days = jnp.floor(times / DAY)
    written = DAY * days if way == "verified again daily" else jnp.zeros_like(times)

    def one_chip(number: Array) -> Array:
        write_key, moment_key, tune_key = jr.split(jr.fold_in(jr.key(1), number), 3)

        def at(since: Array, t: Array) -> Any:
            """The network on the chip as it was written at `since`, at time `t`."""
            chip = ms.program(model, crossbar, key=jr.fold_in(write_key, since.astype(int)))
            return ms.at(chip, t - since, key=moment_key)

        def at_time(moment: Any) -> Array:
            since, t, added = moment
            return ms.train.accuracy(corrected(at(since, t), added), *test)

        added = additions(config, way, lambda t: at(jnp.zeros(()), jnp.asarray(t)), *train, key=tune_key)
        return jax.lax.map(at_time, (written, times, added))

    return jax.lax.map(one_chip, chips)


def additions(config: Config, way: str, at: Any, xs, labels, *, key) -> dict[str, Array]:
    """What digital adds to some layers at each time: (times, inputs, outputs), zero before it was found."""
    if way == "last layer tuned at 1 h":
        found_at = [HOUR if t >= HOUR else 0.0 for t in config.times]
    elif way == "adapters refreshed daily":
        found_at = [t // DAY * DAY for t in config.times]
    else:
        return {}
    paths = list(ms.nn.analog_layers(at(0.0)))
    chosen = paths[-1:] if way == "last layer tuned at 1 h" else paths
    found = {t: corrections(config, at(t), chosen, xs, labels, key=key) for t in sorted(set(found_at)) if t > 0}
    nothing = jax.tree.map(jnp.zeros_like, next(iter(found.values()))) if found else {}
    return jax.tree.map(lambda *each: jnp.stack(each), *(found.get(t, nothing) for t in found_at))


def corrections(config: Config, now: Any, paths: list[str], xs, labels, *, key) -> dict[str, Array]:
    """What digital adds to the layers at `paths`: the whole of a single layer, low rank where there are more.

    Descent on training data, with the chip as it is at that moment in the forward and the backward pass.
    """
    layers = ms.nn.analog_layers(now)
    shapes = {path: (layers[path].weight.inputs, layers[path].weight.outputs) for path in paths}
    if len(paths) == 1:
        factors = {path: (jnp.zeros(shape),) for path, shape in shapes.items()}
    else:
        factors = {
            path: (jr.normal(jr.fold_in(key, i), (rows, config.rank)) / rows**0.5, jnp.zeros((config.rank, columns)))
            for i, (path, (rows, columns)) in enumerate(shapes.items())
        }
    optimizer = optax.adam(optax.cosine_decay_schedule(5e-3, config.updates))

    def loss(factors, batch):
        outputs = jax.vmap(corrected(now, _products(factors)))(xs[batch])
        return jnp.mean(jax.vmap(ms.train.cross_entropy)(outputs, labels[batch]))

    def update(state, key):
        factors, memory = state
        batch = jr.randint(key, (64,), 0, xs.shape[0])
        changes, memory = optimizer.update(jax.grad(loss)(factors, batch), memory)
        return (optax.apply_updates(factors, changes), memory), None

    (found, _), _ = jax.lax.scan(update, (factors, optimizer.init(factors)), jr.split(key, config.updates))
    return _products(found)


def _products(factors: dict[str, tuple[Array, ...]]) -> dict[str, Array]:
    return {path: parts[0] if len(parts) == 1 else parts[0] @ parts[1] for path, parts in factors.items()}


def corrected(now: Any, added: dict[str, Float[Array, "inputs outputs"]]) -> Any:
    """The model with a digital matrix beside some of its arrays."""
    for path, matrix in added.items():
        sums = ms.nn.analog_layers(now)[path].weight.sums
        whole = matrix if sums.of_codes is None else matrix + sums.of_codes
        changed = dataclasses.replace(sums, of_codes=whole)
        now = eqx.tree_at(lambda model, path=path: ms.nn.analog_layers(model)[path].weight.sums, now, changed)
    return now


def labelled(result: xr.Dataset, config: Config, settings: dict[str, Any]) -> xr.Dataset:
    """With units, span and provenance."""
    label(result, {"seed": "1", "chip": "1", "accuracy": ("1", "test accuracy"), "digital_accuracy": "1"})
    label(result, {"time": ("s", "time since programming")})
    attributes = origin(settings, ms.data.spoken_digits(steps=2).test)
    attributes["span"] = str(cell(config, "as measured").span)
    attributes |= {f"assumes ({law})": "; ".join(cell(config, law).assumes) for law in config.laws}
    return result.assign_attrs(attributes)


def report(result: xr.Dataset) -> None:
    """Prints, for each law, the accuracy of each way at each time, with its interval over seeds at the last."""
    digital = 100 * float(result.digital_accuracy.mean())
    columns = ["way", *(f"{time:.3g} s" for time in result.time.values), "95 % over seeds, last"]
    for law in result.law.values:
        rows = []
        for way in result.way.values:
            one = result.accuracy.sel(law=law, way=way)
            last = ms.study.mean_interval(one.isel(time=-1).mean("chip").values)
            rows.append([str(way), *(f"{100 * a:.1f}" for a in one.mean(["seed", "chip"]).values), last.in_percent()])
        title = f"Test accuracy in %, cells that {law} ({digital:.1f} digital)"
        print_table(columns, rows, title=title, width=130)
