"""A nose that drifts before a chip that drifts: which of both costs more, and whether one remedy serves both.

Sixteen simulated metal-oxide sensors, whose truth is known, give events of six gases. A spiking network learns them in
the first two months, as floats or for its machine, and is judged later, with sensors that have drifted, a chip that has
aged, or both. Nothing is done, or one factor a tile is found anew, or each sensor's gain from a reference gas, or both
of these; or the outputs are mapped anew, or a digital last layer is fitted, to a few known recordings of the month. A
linear classifier stands beside. Writes results/gas: gas.nc, gas.csv.
"""

import dataclasses
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import jax.random as jr
import numpy as np
import xarray as xr
from jaxtyping import Array, Key

import memsim as ms
from _frame import finish, label, of_a_point, origin, print_table, swept
from _nose import CITATION, DT, GASES, LEARNT_MONTHS, Month, Months, as_events, corrected, dataset, features
from _placed import ARRAYS, CALIBRATION, Task, check_machines, design_of
from _placed import LABELS as OF_A_ROW
from _said import Affine, Said, Written, on_machine, written
from _uses import TRAININGS, Learning, Use

MACHINES = ("systolic", "PCM", "RRAM", "Loihi", "SpiNNaker 2")
CHANGES = ("sensors drift", "chip ages", "both")
MENDED = ("nothing", "factor a tile", "reference gas", "factor and reference", "outputs mapped", "last layer fitted")
MONTH = 365.25 * 86400.0 / 12  # s
YOUNG = 25.0  # s, the youngest age of a chip
LINEAR = ("nothing", "reference gas", "fitted anew")  # what is done about the linear classifier
LABELS = OF_A_ROW | {
    "accuracy": ("1", "share of recordings whose gas is named"),
    "linear": ("1", "the same, of a linear classifier of the signals themselves, in floats"),
    "gain": ("1", "response to the reference gas over that of the learning, mean over sensors"),
    "month": ("month", "of the sensors' life; the chip was written after two"),
    "seed": "1",
}
QUICK = {"machines": ("PCM", "Loihi"), "seeds": 1, "chips": 2, "months": (2.0, 36.0), "hidden": 12, "examples": 60}
QUICK |= {"epochs": 1, "more_epochs": 1, "judged": 12, "known": 1, "priced": 2}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults are larger than those of other use cases, and were not timed."""

    machines: tuple[str, ...] = MACHINES
    trainings: tuple[Literal["as floats", "for the machine"], ...] = TRAININGS
    seeds: int = 3
    """Noses, each with a network of its own."""
    chips: int = 3
    """Arrays made of each network."""
    months: tuple[float, ...] = (2.0, 3.0, 6.0, 12.0, 24.0, 36.0)
    """Of the sensors' life. The network is learnt in the first two, and the chip written at their end."""
    examples: int = 1200
    """Recordings that are learnt from."""
    known: int = 5
    """Recordings of each gas and month whose gas is told, for what is fitted anew."""
    judged: int = 150
    """Recordings of each month that are judged."""
    hidden: int = 63
    epochs: int = 20
    more_epochs: int = 4
    """For the machine, from the network of floats on."""
    batch_size: int = 60
    learning_rate: float = 4e-3
    """Of Adam, with a cosine decay."""
    time: float = 12 * MONTH
    """Seconds after programming at which arrays are that training for the machine samples."""
    priced: int = 8
    """Recordings whose energy is measured."""
    nanometres: int = 28
    """The technology node of digital machines and of what is around arrays."""
    out: Path = Path("results/gas")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self)
        check_machines(self.machines)
        if self.months[0] != LEARNT_MONTHS or min(self.months) < LEARNT_MONTHS:
            raise ValueError(f"`months` must begin with {LEARNT_MONTHS:g}, when all is new. Got {self.months}.")


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    measured = partial(measure, config=of_a_point(config, "seeds", "machines", "trainings"))
    grid = {"seed": range(config.seeds), "training": list(config.trainings), "machine": list(config.machines)}
    result = swept(measured, grid, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    result = result.assign_attrs(origin(config) | {"data": CITATION})
    table = ms.study.summary(result.accuracy)
    finish("gas", result, table, out=config.out, report=lambda: report(result))
    return result


def measure(seed, training, machine, *, key, config: Config) -> xr.Dataset:
    """The network of one nose on one machine, in all months."""
    nose = smelt(seed, config.months, config.examples, config.known, config.judged)
    use = use_of(nose, config)
    learnt = use.trained(seed, training, machine, key=key)
    if learnt.refused:
        raise ValueError(f"{machine} must take the network. It says: {learnt.refused} Leave it out of `machines`.")
    found = np.zeros((len(CHANGES), len(config.months), config.chips, len(MENDED)))
    chips = judged_on(machine, learnt.model, use.data, config.chips, key=jr.fold_in(key, 3))
    seen = {}
    for place in np.ndindex(found.shape[:2]):
        month, age = (place[1] if place[0] != fixed else 0 for fixed in (1, 0))
        if (month, age) not in seen:
            seen[month, age] = chips.worth(nose.later[month], max(YOUNG, (config.months[age] - LEARNT_MONTHS) * MONTH))
        found[place] = seen[month, age]
    coords = {"change": list(CHANGES), "month": list(config.months), "mended": list(MENDED)}
    accuracy = xr.DataArray(found, coords, ("change", "month", "chip", "mended"))
    row = use.placed(learnt, machine, use.data.test, key=key).drop_vars("accuracy")
    beside = {
        "linear": (("month", "remedy"), linear(nose)),
        "gain": ("month", [one.gains.mean() for one in nose.later]),
    }
    return row.squeeze(drop=True).assign(accuracy=accuracy).assign(beside).assign_coords(remedy=list(LINEAR))


@cache
def smelt(*settings: Any) -> Months:
    """Recordings of one nose, once for all points."""
    return Months.recorded(*settings)


def use_of(nose: Months, config: Config) -> Use:
    """Learnt in the first months, and judged, for its price, in the first of the others."""
    signals, gases = nose.learnt
    held = np.arange(len(gases)) % 10 == 0
    parts = (
        (signals[~held], gases[~held]),
        (signals[held], gases[held]),
        (nose.later[0].judged, nose.later[0].judged_gases),
    )
    data = ms.data.Splits(*(dataset(*each) for each in parts))
    task = Task(DT, time=config.time, nanometres=config.nanometres)
    return Use(data, task, Learning.of(config), hidden=config.hidden, priced=config.priced)


class Judged(NamedTuple):
    """The chips of one network, without and with a factor a tile."""

    machine: str
    model: Any
    plain: list[Written]
    factor: list[Written]

    def worth(self, month: Month, age: float) -> list[list[float]]:
        """Accuracy (chips, ways to mend) at an age of the chips; what cannot be mended in a way is NaN."""
        signals = month.known, month.judged, corrected(month.judged, month.gains)
        ends = np.cumsum([len(each) for each in signals])[:-1]
        spikes = [as_events(np.concatenate(signals))]
        given = [on_machine(self.machine, self.model, chips, spikes, age, 1.0) for chips in (self.plain, self.factor)]
        return [mended(*(parts(said, ends) for (said,) in each), month) for each in zip(*given, strict=True)]


def judged_on(machine: str, model: Any, data: ms.data.Splits, chips: int, *, key: Key[Array, ""]) -> Judged:
    """Arrays as they are published, and the same without a factor a tile; other machines have none."""
    if machine not in ARRAYS:
        return Judged(machine, model, [], [])
    design = design_of(machine)
    both = (dataclasses.replace(design, compensation=None), design)
    ranged = [ms.calibrate(model, data.train.inputs[:CALIBRATION], each) for each in both]
    return Judged(machine, model, *(written(model, each, chips, key=key) for each in ranged))


def parts(said: Said, ends: np.ndarray) -> list[Said]:
    """What is said of recordings one after the other, divided."""
    hidden = [None] * (len(ends) + 1) if said.hidden is None else np.split(said.hidden, ends)
    return [Said(*each) for each in zip(np.split(said.outputs, ends), hidden, strict=True)]


def mended(plain: list[Said], factor: list[Said], month: Month) -> list[float]:
    """Accuracy of one chip by way to mend, from what it says of known, judged and corrected recordings."""
    told = np.eye(len(GASES))[month.known_gases]
    scores = [said.outputs.mean(1) for said in (plain[1], factor[1], plain[2], factor[2])]
    scores.append(Affine.fitted(plain[0].outputs.mean(1), told)(scores[0]))
    rows = [right(each, month) for each in scores]
    then, now = (said.hidden for said in plain[:2])
    if then is None or now is None:
        return [*rows, np.nan]
    return [*rows, right(Affine.fitted(then[:, -1], told, ridge=10.0)(now[:, -1]), month)]


def right(scores: np.ndarray, month: Month) -> float:
    return float(np.mean(np.argmax(scores, axis=-1) == month.judged_gases))


def linear(nose: Months) -> np.ndarray:
    """Accuracy (months, remedies) of ridge regression on the signals."""
    known = Affine.fitted(features(nose.learnt[0]), np.eye(len(GASES))[nose.learnt[1]])
    rows = []
    for month in nose.later:
        anew = Affine.fitted(features(month.known), np.eye(len(GASES))[month.known_gases])
        mild = corrected(month.judged, month.gains)
        said = known(features(month.judged)), known(features(mild)), anew(features(month.judged))
        rows.append([right(each, month) for each in said])
    return np.asarray(rows)


def report(result: xr.Dataset) -> None:
    """Prints the linear classifier, accuracy of each way to mend over months, and what each machine takes."""
    mean = result.mean(("seed", "chip"), skipna=False).isel(training=-1)
    print(f"Trained {result.training.values[-1]}")
    months = [f"month {month:g}" for month in result.month.values]
    beside = result.isel(machine=0, training=0).mean("seed")
    rows = [[remedy, *percents(beside.linear.sel(remedy=remedy))] for remedy in LINEAR]
    print_table(["linear, mended", *months], rows, title="Accuracy (%)")
    for change in CHANGES:
        of_it = mean.accuracy.sel(change=change)
        pairs = [(str(machine), way) for machine in mean.machine.values for way in MENDED]
        rows = [[machine, way, *percents(of_it.sel(machine=machine, mended=way))] for machine, way in pairs]
        print_table(["machine", "mended", *months], rows, title=f"Accuracy (%), {change}")
    rows = []
    for machine in mean.machine.values:
        one = mean.sel(machine=machine)
        static, whole = float(one.joules.sel(component="static")), float(one.joules.sum("component", skipna=False))
        rows.append([str(machine), f"{1e6 * (whole - static):.3g}", f"{static:.3g}", f"{1e6 * float(one.answer):.3g}"])
    print_table(["machine", "of events (uJ)", "static (J)", "answer (us)"], rows)


def percents(accuracy: xr.DataArray) -> list[str]:
    return [f"{100 * float(each):.0f}" for each in accuracy]
