"""A day of listening for rare words: what machines take that never rest, that rest in silence, and that are woken.

Spoken digits come as a silicon cochlea gives them: 13 bands, each an integrator of its loudness in decibels beside ON
and OFF events of what changes; silence is no spike but random ones. The levels of the bands follow from the cepstra of
the data, which hold no raw sound. A network
learns the words, as floats and for each machine; a recording of a word and one of silence are priced, and make a day of
more or fewer words. Beside it the same behind a wake-up: one neuron that counts spikes, and calls the machine where
there are as many as nearly all words of the training have. Writes results/keywords: keywords.nc, keywords.csv.
"""

from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import memsim as ms
from _frame import digits, finish, label, of_a_point, origin, print_table, swept
from _placed import LABELS as OF_A_ROW
from _placed import Task, check_machines
from _spikes import at_rates_and_changes
from _uses import TRAININGS, Learning, Use

nn = ms.nn
MACHINES = ("systolic", "event-driven core", "PCM", "RRAM", "Loihi", "SpiNNaker 2")
DAY, WORD = 86400.0, 0.5  # seconds of a day, and of a word, which is assumed
WAYS = ("always on", "woken")
QUIET, RANGE = -40.0, 50.0  # decibels from which on a band makes spikes, and of more for one in each step
MISSED = 0.01  # of the words of the training, by the wake-up
LABELS = OF_A_ROW | {
    "accuracy": ("1", "share of words that are heard rightly, those included that do not wake"),
    "silent": ("J", "energy of as long a silence, without static power"),
    "missed": ("1", "share of words that do not wake"),
    "false_calls": ("1", "share of silences that wake"),
    "counter_word": ("J", "energy of the wake-up in a word"),
    "counter_silent": ("J", "energy of the wake-up in as long a silence"),
    "day": ("J", "energy of a day, static power included"),
    "dynamic": ("J", "energy of a day, without static power"),
    "words": ("1", "words a day"),
    "seed": "1",
}
QUICK = {"machines": ("PCM", "Loihi"), "words": (10.0, 1e4), "seeds": 1, "chips": 2, "hidden": 12, "steps": 10}
QUICK |= {"epochs": 1, "more_epochs": 1, "priced": 2, "recordings": 40}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take some ten minutes on two cores."""

    machines: tuple[str, ...] = MACHINES
    words: tuple[float, ...] = (10.0, 1e2, 1e3, 1e4, 1e5)
    """In a day, at most one each half second."""
    seeds: int = 2
    chips: int = 4
    """Arrays made of each network."""
    steps: int = 40
    """Of a word."""
    threshold: float = 7.5
    """Decibels by which a band changes for an event."""
    noise_rate: float = 1.0
    """Random events of a channel, in Hz."""
    hidden: int = 63
    epochs: int = 30
    more_epochs: int = 6
    """For the machine, from the network of floats on."""
    batch_size: int = 64
    learning_rate: float = 4e-3
    """Of Adam, with a cosine decay."""
    recordings: int = 600
    """Of the test set, at most."""
    time: float = 86400.0
    """Seconds after programming at which arrays are read."""
    priced: int = 16
    """Words, and silences, whose energy is measured."""
    nanometres: int = 28
    """The technology node of digital machines and of what is around arrays."""
    out: Path = Path("results/keywords")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self, batch_size=200 if self.quick else 1800)
        check_machines(self.machines)
        if max(self.words) > DAY / WORD:
            raise ValueError(f"`words` must be at most {DAY / WORD:g} a day, which leave no silence. Got {self.words}.")


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    measured = partial(measure, config=of_a_point(config, "seeds", "machines", "words"))
    grid = {"seed": range(config.seeds), "training": list(TRAININGS), "machine": list(config.machines)}
    result = swept(measured, grid, folder=config.out, key=jr.key(0))
    result = of_a_day(result, config.words)
    label(result, LABELS)
    result = result.assign_attrs(origin(config, digits(config.steps).test))
    table = ms.study.summary(result.accuracy)
    finish("keywords", result, table, out=config.out, report=lambda: report(result))
    return result


def measure(seed, training, machine, *, key, config: Config) -> xr.Dataset:
    """The network on one machine: words, silence, and the wake-up before both."""
    words, silence = heard(config.steps, config.threshold, config.noise_rate, config.recordings, config.quick)
    dt = WORD / config.steps
    task = Task(dt, chips=config.chips, time=config.time, nanometres=config.nanometres)
    use = Use(words, task, Learning.of(config), hidden=config.hidden, priced=config.priced)
    learnt = use.trained(seed, training, machine, key=key)
    if learnt.refused:
        raise ValueError(f"{machine} must take the network. It says: {learnt.refused} Leave it out of `machines`.")
    found = use.placed(learnt, machine, words.test, key=key)
    quiet = use.placed(learnt, machine, silence, key=key).joules
    quiet = quiet.drop_sel(component="static").sum("component").where(quiet.sum(skipna=False).notnull())
    calls = least_of_words(words.train)
    counter = [joules_of_counter(each.inputs[: config.priced], task) for each in (words.test, silence)]
    return found.assign(
        silent=quiet,
        missed=float(np.mean(events(words.test) < calls)),
        false_calls=float(np.mean(events(silence) >= calls)),
        counter_word=counter[0],
        counter_silent=counter[1],
    )


@cache
def heard(
    steps: int, threshold: float, noise_rate: float, recordings: int, quick: bool
) -> tuple[ms.data.Splits, ms.data.Dataset]:
    """Words as spikes, random ones among them, and as many silences; once for all points."""
    data = digits(steps, recordings=recordings, quick=quick, features="bands")
    rng = np.random.default_rng(0)

    def with_noise(found: np.ndarray) -> np.ndarray:
        noise = rng.uniform(size=found.shape) < noise_rate * WORD / steps
        return np.maximum(found, noise.astype(np.float32))

    def spoken(part: ms.data.Dataset) -> ms.data.Dataset:
        loud = jnp.clip((jnp.asarray(part.inputs) - QUIET) / RANGE, 0.0, 1.0)
        return replace(part, inputs=with_noise(np.asarray(as_spikes(loud, threshold / RANGE))))

    words = ms.data.Splits(spoken(data.train), spoken(data.validation), spoken(data.test))
    return words, replace(words.test, inputs=with_noise(np.zeros_like(words.test.inputs)))


@partial(jax.jit, static_argnums=1)
def as_spikes(loud, threshold: float):
    """Of each band its loudness as a rate, and events of what changes."""
    return jax.vmap(lambda x: at_rates_and_changes(x, x, threshold))(loud)


def events(data: ms.data.Dataset) -> np.ndarray:
    """Of each recording."""
    return data.inputs.sum((1, 2))


def least_of_words(data: ms.data.Dataset) -> float:
    """The events that all words but a share of `MISSED` have."""
    return float(np.quantile(events(data), MISSED))


def joules_of_counter(xs: np.ndarray, task: Task) -> float:
    """Of a recording, on an event-driven core: one neuron that all channels reach."""
    counter = nn.SpikingNetwork([nn.Linear(xs.shape[-1], 1, use_bias=False, key=jr.key(0)), nn.LI(1)], chunk=None)
    cost = ms.energy.digital(counter, jnp.asarray(xs), node=task.node, machine=ms.energy.EventDriven())
    return float(cost.joules.sum(("layer", "component")).mean())


def of_a_day(result: xr.Dataset, words: tuple[float, ...]) -> xr.Dataset:
    """With the joules of a day of so many words in both ways; who is woken has no static power asleep."""
    spoken = xr.DataArray(list(words), {"words": list(words)}, "words")
    silences = DAY / WORD - spoken
    static = result.joules.sel(component="static", drop=True)
    word = result.joules.sum("component", skipna=False) - static
    always = spoken * word + silences * result.silent
    called = spoken * (1 - result.missed) * word + silences * result.false_calls * result.silent
    awake = spoken * (1 - result.missed) + silences * result.false_calls
    counter = spoken * result.counter_word + silences * result.counter_silent
    way = xr.IndexVariable("way", list(WAYS))
    dynamic = xr.concat([always, called + counter], way)
    whole = dynamic + xr.concat([static * DAY / WORD + 0 * always, static * awake], way)
    right = xr.concat([result.accuracy, result.accuracy * (1 - result.missed)], way)
    return result.assign(dynamic=dynamic, day=whole, accuracy=right)


def report(result: xr.Dataset) -> None:
    """Prints what each machine takes in a day, trained for it."""
    mean = result.sel(training=TRAININGS[1]).mean(("seed", "chip"), skipna=False)
    missed, called = (f"{100 * float(mean[name][0]):.3g} %" for name in ("missed", "false_calls"))
    print(f"The wake-up misses {missed} of the words, and calls in {called} of silences")
    for way in WAYS:
        rows = []
        for name in mean.machine.values:
            one = mean.sel(machine=name, way=way)
            pairs = zip(one.day.values, one.dynamic.values, strict=True)
            rows.append([str(name), f"{100 * float(one.accuracy):.4g}", *(f"{a:.3g} ({b:.3g})" for a, b in pairs)])
        columns = ["machine", "right (%)", *(f"{each:g} words" for each in mean.words.values)]
        print_table(columns, rows, title=f"Joules a day, {way}; without static power in brackets")
