"""Beats of an electrocardiogram, patients held out: what a spiking network is worth, takes and waits on each machine.

Level crossings of two leads, with a coarse and a fine threshold each, reach a recurrent network that tells normal,
supraventricular and ventricular beats apart. Patients are drawn, their beats known; or those of the MIT-BIH database,
where its files are in a folder, in the usual two halves. Learnt as floats and for the machine; judged on patients that
were not learnt from. Writes results/ecg: ecg.nc, ecg.csv.
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
from _frame import finish, label, of_a_point, origin, swept
from _placed import LABELS as OF_A_ROW
from _placed import Task, check_machines
from _uses import TRAININGS, Learning, Use, report, table_of

MACHINES = ("systolic", "PCM", "RRAM", "Loihi", "SpiNNaker 2")
THRESHOLDS = (0.1e-3, 0.3e-3)  # volts
GROUPED = 6  # samples of 360 Hz that are one step
DT = GROUPED / 360.0
LABELS = OF_A_ROW | {
    "balanced_accuracy": ("1", "mean over classes of the share found"),
    "accuracy": ("1", "test accuracy"),
    "f1": ("1", "mean over classes"),
    "supraventricular_found": ("1", "share of supraventricular beats"),
    "ventricular_found": ("1", "share of ventricular beats"),
    "seed": "1",
}
QUICK = {"machines": ("PCM", "Loihi"), "seeds": 1, "chips": 2, "patients": 3, "seconds": 40.0, "hidden": 12}
QUICK |= {"epochs": 1, "more_epochs": 1, "priced": 2, "beats": 60}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take some ten minutes on two cores."""

    machines: tuple[str, ...] = MACHINES
    seeds: int = 2
    chips: int = 5
    """Arrays made of each network."""
    patients: int = 40
    """Drawn ones to learn from; half as many are judged on, and a sixth validate."""
    seconds: float = 120.0
    """Of each drawn recording."""
    people: int = 2
    """Which patients are drawn, the same for all seeds. Settings were chosen on those of 1."""
    disturbance: float = 1.0
    """Multiple of what disturbs drawn recordings."""
    mitbih: Path | None = None
    """A folder with the files of the MIT-BIH arrhythmia database, in the place of drawn patients."""
    beats: int = 2000
    """To learn from at most, no more normal ones than others; a third as many, as they come, are judged."""
    hidden: int = 63
    epochs: int = 40
    more_epochs: int = 5
    """For the machine, from the network of floats on."""
    batch_size: int = 64
    learning_rate: float = 4e-3
    """Of Adam, with a cosine decay."""
    time: float = 86400.0
    """Seconds after programming at which arrays are read."""
    priced: int = 32
    """Beats whose energy is measured."""
    nanometres: int = 28
    """The technology node of digital machines and of what is around arrays."""
    out: Path = Path("results/ecg")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self)
        check_machines(self.machines)


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    measured = partial(measure, config=of_a_point(config, "seeds", "machines"))
    grid = {"seed": range(config.seeds), "training": list(TRAININGS), "machine": list(config.machines)}
    result = swept(measured, grid, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    result = result.assign_attrs(origin(config, beats(config).test))
    table = table_of(result, "balanced_accuracy")
    finish("ecg", result, table, out=config.out, report=lambda: report(table))
    return result


def measure(seed, training, machine, *, key, config: Config) -> xr.Dataset:
    """The network, trained in one way, on one machine."""
    found = ("balanced_accuracy", "accuracy", "f1", supraventricular_found, ventricular_found)
    task = Task(DT, found, chips=config.chips, time=config.time, nanometres=config.nanometres)
    use = Use(beats(config), task, Learning.of(config), hidden=config.hidden, priced=config.priced)
    return use.row(seed, training, machine, key=key)


def supraventricular_found(scores, labels):
    """Share of supraventricular beats that are called so."""
    return found(scores, labels, 1)


def ventricular_found(scores, labels):
    """Share of ventricular beats that are called so."""
    return found(scores, labels, 2)


def found(scores, labels, kind: int):
    of_it = labels == kind
    hit = jnp.sum(of_it & (jnp.argmax(scores, axis=-1) == kind))
    return hit.astype(scores.dtype) / jnp.maximum(jnp.sum(of_it), 1).astype(scores.dtype)


def beats(config: Config) -> ms.data.Splits:
    """Spikes of beats, no patient in two sets."""
    return recorded(config.people, config.patients, config.seconds, config.disturbance, config.mitbih, config.beats)


@cache
def recorded(
    people: int, patients: int, seconds: float, disturbance: float, mitbih: Path | None, most: int
) -> ms.data.Splits:
    """Of a configuration, once for all points."""
    if mitbih is None:
        held = max(1, patients // 2), max(1, patients // 6)
        hearts = ms.data.synthetic_ecg(patients + sum(held), seconds=seconds, noise=disturbance, key=jr.key(people))
        test, validation, train = hearts[: held[0]], hearts[held[0] : sum(held)], hearts[sum(held) :]
    else:
        learnt = ms.data.mitbih(mitbih, "DS1")
        train, validation, test = learnt[4:], learnt[:4], ms.data.mitbih(mitbih, "DS2")
    sets = [ms.data.ecg_beats(each) for each in (train, validation, test)]
    sizes = most, max(1, most // 4), max(1, most // 3)
    parts = [chosen(each, size, balanced=each is sets[0]) for each, size in zip(sets, sizes, strict=True)]
    return ms.data.Splits(*parts)


def chosen(data: ms.data.Dataset, most: int, *, balanced: bool) -> ms.data.Dataset:
    """As spikes, `most` beats at random, where `balanced` with no more normal ones than others."""
    order = np.random.default_rng(0).permutation(len(data))
    if balanced:
        normal = data.labels[order] == 0
        few = max(1, int(np.sum(~normal)))
        order = np.random.default_rng(1).permutation(order[~normal | (np.cumsum(normal) <= few)])
    some = data.take(order[:most])
    return replace(some, inputs=np.asarray(as_spikes(jnp.asarray(some.inputs))), name="ecg")


@jax.jit
def as_spikes(signals):
    """Two thresholds a lead, ON and OFF: 0 or 1 in each step of `GROUPED` samples."""
    both = [jax.vmap(ms.encoding.DeltaModulator(each, max_events=1))(signals) for each in THRESHOLDS]
    events = jnp.stack(both, axis=-1)
    steps = events.shape[1] // GROUPED
    grouped = events[:, : steps * GROUPED].reshape(events.shape[0], steps, GROUPED, -1)
    return jnp.minimum(jnp.sum(grouped, axis=2), 1.0)
