"""Electrocardiograms with their beats, and beats as samples of a set."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from .._checks import at_least, check, checked, positive
from ._dataset import Dataset

BEATS = ("normal", "supraventricular", "ventricular", "fusion", "unknown")
VOLTS = at_least(-1.0, "in volts", most=1.0, hint="Millivolts? Multiply by 1e-3.")
SECONDS = positive("in seconds", most=60.0)


@dataclass(frozen=True, eq=False)
class Electrocardiogram:
    """One recording of one heart: voltages, where its beats are, and of which class each is.

    **Arguments:**

    - `signal`: (samples, leads), in volts.
    - `rate`: Samples a second, in hertz.
    - `beats`: The sample of each R wave, rising.
    - `labels`: The class of each beat, an index into ("normal", "supraventricular", "ventricular", "fusion",
      "unknown"), the classes of the AAMI.
    - `patient`: Whose it is.
    - `licence`, `citation`: Terms under which the data may be passed on, and what to cite.

    Raises `ValueError` where shapes or ranges disagree.

    >>> import numpy as np, memsim as ms
    >>> heart = ms.data.Electrocardiogram(np.zeros((720, 2)), 360.0, np.array([300]), np.array([0]))
    >>> heart.seconds
    2.0
    """

    signal: Float[np.ndarray, "samples leads"]
    rate: float
    beats: Int[np.ndarray, " beats"]
    labels: Int[np.ndarray, " beats"]
    patient: str = ""
    licence: str = ""
    citation: str = ""

    def __post_init__(self):
        check(self, signal=VOLTS, rate=positive("in hertz"), beats=at_least(0), labels=at_least(0, most=len(BEATS) - 1))
        if len(self.beats) != len(self.labels):
            raise ValueError(
                f"`labels` must name a class for each of the {len(self.beats)} `beats`. Got {len(self.labels)}."
            )
        if len(self.beats) and (np.any(np.diff(self.beats) <= 0) or self.beats[-1] >= len(self.signal)):
            raise ValueError(
                f"`beats` must rise, and be samples of the {len(self.signal)} of the signal. "
                f"Got {self.beats.min()} to {self.beats.max()}. Seconds? Multiply by the rate."
            )

    @property
    def seconds(self) -> float:
        return len(self.signal) / self.rate


@checked(before=SECONDS, after=SECONDS)
def ecg_beats(
    recordings: Sequence[Electrocardiogram],
    *,
    before: float = 1.0,
    after: float = 0.4,
    classes: Sequence[str] = BEATS[:3],
) -> Dataset:
    """A sample for each beat: the signal from so long `before` its R wave to so long `after` it.

    What comes early is known by the beat before, so that one is within the usual second. Beats of other classes, and
    those whose surroundings were not recorded, are left out.

    **Arguments:**

    - `recordings`: All with one rate and one number of leads. Hold patients out: give the recordings of some at a time.
    - `before`, `after`: In seconds.
    - `classes`: Those that are kept.

    **Returns:** A `Dataset` with inputs (n, samples, leads), in volts.

    Raises `ValueError` for recordings that differ, for unknown classes, and where no beat is left.

    >>> import jax, memsim as ms
    >>> hearts = ms.data.synthetic_ecg(2, seconds=20.0, key=jax.random.key(0))
    >>> ms.data.ecg_beats(hearts).inputs.shape[1:]
    (504, 2)
    """
    kinds = {(each.rate, each.signal.shape[1]) for each in recordings}
    if len(kinds) != 1:
        raise ValueError(f"`recordings` must have one rate and one number of leads. Got {sorted(kinds) or 'none'}.")
    unknown = [name for name in classes if name not in BEATS]
    if unknown or not classes or len(set(classes)) < len(classes):
        unknown = unknown or list(classes)
        raise ValueError(
            f"`classes` must be some of {', '.join(BEATS)}, none twice. Got {', '.join(unknown) or 'none'}."
        )
    rate = recordings[0].rate
    early, late = round(before * rate), round(after * rate)
    windows, labels = [], []
    for each in recordings:
        for place, label in zip(each.beats, each.labels, strict=True):
            if BEATS[label] in classes and early <= place <= len(each.signal) - late:
                windows.append(each.signal[place - early : place + late])
                labels.append(list(classes).index(BEATS[label]))
    if not windows:
        raise ValueError("`recordings` must hold beats of these `classes` with all that is around them. Got none.")
    first = recordings[0]
    origin = {"name": "ecg", "licence": first.licence, "citation": first.citation}
    return Dataset(np.asarray(windows, np.float32), np.asarray(labels), tuple(classes), **origin)
