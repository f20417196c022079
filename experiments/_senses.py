"""Digits that are heard and seen at once, as spikes, and what can happen to one of both senses.

A spoken digit and an image of the same digit, drawn anew for each, last as long as each other. Each channel of both is
an integrator: of a coefficient of the sound, whose mean is known, and of a pixel that stays as it is.
"""

from dataclasses import replace
from functools import cache

import jax.numpy as jnp
import numpy as np

import memsim as ms
from _frame import digits
from _spikes import as_spikes

OFFSET, GAIN = 0.3, 0.2  # spikes a step of a coefficient, at the mean and for each standard deviation
BRIGHT = 0.5  # spikes a step of the darkest ink
CHANNELS = {"sound": slice(0, 13), "image": slice(13, 13 + 64)}
SENSES = ("both", "both, one dropped", *(f"{sense} only" for sense in CHANNELS))
HARMS = ("dead", "fades", "noise")
FAILING = ("nothing", *(f"{sense} {harm}" for sense in CHANNELS for harm in HARMS))
SHARE = 0.5  # of the spikes that are lost where a sense fades, and of the steps that are noise


@cache
def pairs(steps: int, recordings: int, quick: bool) -> ms.data.Splits:
    """Sound beside image, once for all points."""
    heard = as_spikes(digits(steps, recordings=recordings, quick=quick), OFFSET, GAIN)
    drawn = ms.data.written_digits()
    still = [_still(part, steps) for part in (drawn.train, drawn.validation, drawn.test)]
    seen = as_spikes(ms.data.Splits(*still), 0.0, BRIGHT)
    both = zip((heard.train, heard.validation, heard.test), (seen.train, seen.validation, seen.test), strict=True)
    return ms.data.Splits(*(_beside(*each) for each in both))


def _still(data: ms.data.Dataset, steps: int) -> ms.data.Dataset:
    """Images that stay for so many steps, from 0 to 1."""
    pixels = data.inputs.reshape(len(data), 1, -1).astype(np.float32) / 16
    return replace(data, inputs=np.repeat(pixels, steps, axis=1))


def _beside(sound: ms.data.Dataset, image: ms.data.Dataset) -> ms.data.Dataset:
    """Each sound with an image of the same digit at random."""
    rng = np.random.default_rng(0)
    mates = np.array([rng.choice(np.flatnonzero(image.labels == digit)) for digit in sound.labels])
    citation = f"{sound.citation} {image.citation}"
    licence = f"{sound.licence}; {image.licence}."
    inputs = np.concatenate([sound.inputs, image.inputs[mates]], axis=-1)
    return replace(sound, inputs=inputs, name="digits heard and seen", licence=licence, citation=citation)


def as_learnt(data: ms.data.Dataset, senses: str) -> ms.data.Dataset:
    """The same pairs as one of `SENSES` learns them.

    Where one is dropped, a quarter has no sound, and another no image; what learns a single sense never has the other.
    """
    rng = np.random.default_rng(1)
    state = {
        SENSES[0]: np.full(len(data), len(CHANNELS)),
        SENSES[1]: rng.integers(0, 2 * len(CHANNELS), len(data)),
        **{f"{sense} only": np.full(len(data), 1 - place) for place, sense in enumerate(CHANNELS)},
    }[senses]
    inputs = data.inputs.copy()
    for lost, channels in enumerate(CHANNELS.values()):
        inputs[state == lost, :, channels] = 0.0
    return replace(data, inputs=inputs)


def failed(data: ms.data.Dataset, failing: str) -> ms.data.Dataset:
    """The same pairs with one of `FAILING`.

    A sense that is dead gives no spike; of one that fades each spike is lost with the chance `SHARE`; of one with noise
    each step is with this chance a random spike or none, as often as the channel fires on average.
    """
    if failing == FAILING[0]:
        return data
    sense, harm = failing.split()
    rng, inputs = np.random.default_rng(2), data.inputs.copy()
    part = inputs[:, :, CHANNELS[sense]]
    hit = rng.uniform(size=part.shape) < (1.0 if harm == "dead" else SHARE)
    random = rng.uniform(size=part.shape) < part.mean((0, 1))
    inputs[:, :, CHANNELS[sense]] = np.where(hit, random if harm == "noise" else 0.0, part)
    return replace(data, inputs=inputs)


def together(data: ms.data.Dataset, senses: str) -> ms.data.Dataset:
    """The pairs in all ways to fail, one after the other; what has learnt a single sense is not given the other."""
    parts = [failed(data, failing) for failing in FAILING]
    if senses not in SENSES[:2]:
        parts = [as_learnt(part, senses) for part in parts]
    every = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ("inputs", "labels", "frames")}
    return replace(data, **every)


def right_of(number: int):
    """The metric of one of `FAILING`, by its number, of pairs that are `together`."""

    def right(scores, labels):
        size = len(labels) // len(FAILING)
        part = slice(number * size, (number + 1) * size)
        return jnp.mean((jnp.argmax(scores[part], axis=-1) == labels[part]).astype(scores.dtype))

    right.__name__ = f"failing {number}"
    return right


RIGHT = tuple(map(right_of, range(len(FAILING))))
