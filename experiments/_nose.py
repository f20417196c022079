"""Sixteen metal-oxide sensors before six gases, whose baseline and sensitivities drift over months; the truth is known.

A sensor of conductance B meets a concentration c, and goes to B + A c^b exponentially in time, and back when the gas
has gone. B and A drift with months: what poisons a sensor takes the same share of A for all gases each month, and both
walk at random, A for each gas apart as well. The form is known, its numbers are assumed, except where they say whence
they are. The network is given ln(G / G in clean air before) as events: a step up or down of `THRESHOLD`.
"""

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

import memsim as ms

GASES = ("ammonia", "acetaldehyde", "acetone", "ethylene", "ethanol", "toluene")
# ppm, of the drift set of Vergara2012 as its description in the repository has them, read second-hand.
RANGES = np.array([[50.0, 1000.0], [5.0, 500.0], [12.0, 1000.0], [10.0, 300.0], [10.0, 600.0], [10.0, 100.0]])
TYPES, SENSORS = 4, 16  # four sensors of each of four types, as of Vergara2012, recalled
REFERENCE = GASES.index("ethanol")  # a bottle of it, at the middle of its range, tells how sensors have changed
DT, STEPS, EXPOSED = 1.0, 40, 20  # s of a step; steps of a recording, and with gas
THRESHOLD = 0.1  # of ln G, for an event
NOISE = 0.02  # of ln G, at each step
REPEATED = 0.2  # of the logarithm of a response: how it differs from one time to the next, of each sensor
LEARNT_MONTHS = 2.0  # the first batch, as of Vergara2012, recalled
LOSS, LOSS_SPREAD = 0.015, 0.01  # of the sensitivity a month; mean and spread over sensors
WALKS = {"baseline": 0.15, "sensitivity": 0.15, "each gas": 0.1}  # of the logarithm, for the root of a month
CITATION = "Simulated: power law and drift of metal-oxide sensors, drawn by memsim."


class Nose(NamedTuple):
    """At a moment: baseline (sensors,); response at mid range over baseline, exponent, seconds (sensors, gases).

    `loss` (sensors,) is the share of the sensitivity that goes each month.
    """

    baseline: np.ndarray
    response: np.ndarray
    exponent: np.ndarray
    rise: np.ndarray
    fall: np.ndarray
    loss: np.ndarray

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Nose":
        """Sensors of a type are alike but for 20 %."""
        of_type, shape = np.repeat(np.arange(TYPES), SENSORS // TYPES), (TYPES, len(GASES))
        alike = np.exp(0.2 * rng.standard_normal((SENSORS, len(GASES))))
        response = 2.0 * np.exp(0.4 * rng.standard_normal(shape))[of_type] * alike
        exponent, rise = rng.uniform(0.3, 0.8, shape)[of_type], rng.uniform(2.0, 8.0, shape)[of_type]
        loss = np.clip(rng.normal(LOSS, LOSS_SPREAD, SENSORS), 0.0, None)
        return cls(np.ones(SENSORS), response, exponent, rise, 1.5 * rise, loss)

    def after(self, months: float, rng: np.random.Generator) -> "Nose":
        """The same sensors later: by the law of the walk over all these months, not by a path through each of them."""
        root = np.sqrt(months)
        baseline = np.exp(root * WALKS["baseline"] * rng.standard_normal(SENSORS))
        own = root * WALKS["sensitivity"] * rng.standard_normal((SENSORS, 1))
        each = root * WALKS["each gas"] * rng.standard_normal((SENSORS, len(GASES)))
        lost = months * np.log1p(-self.loss)[:, None]
        return self._replace(baseline=self.baseline * baseline, response=self.response * np.exp(own + each + lost))

    def smells(
        self, gas: np.ndarray, ppm: np.ndarray, rng: np.random.Generator, noise: float = 1.0
    ) -> Float[np.ndarray, "n steps sensors"]:
        """ln(G / B) while each gas (n,) at so many ppm (n,) comes and goes; `noise` is a multiple of the usual one."""
        middle = np.sqrt(RANGES[:, 0] * RANGES[:, 1])
        size = self.response[:, gas].T * (ppm / middle[gas])[:, None] ** self.exponent[:, gas].T
        size = (size / self.baseline * np.exp(noise * REPEATED * rng.standard_normal(size.shape)))[:, None]
        t = DT * np.arange(1, STEPS + 1)[:, None]
        rise, fall = self.rise[:, gas].T[:, None], self.fall[:, gas].T[:, None]
        gone = np.maximum(t - DT * EXPOSED, 0.0)
        share = (1 - np.exp(-np.minimum(t, DT * EXPOSED) / rise)) * np.exp(-gone / fall)
        return np.log1p(size * share) + noise * NOISE * rng.standard_normal(
            np.broadcast_shapes(size.shape, share.shape)
        )


class Month(NamedTuple):
    """What is smelt in a month: signals (n, steps, sensors) with the gas of each (n,), known ones and those judged.

    `gains` (sensors,) is the response to the reference over that of the months of learning.
    """

    known: np.ndarray
    known_gases: np.ndarray
    judged: np.ndarray
    judged_gases: np.ndarray
    gains: np.ndarray


class Months(NamedTuple):
    """Recordings of one nose: signals and gases to learn from, and of each later month."""

    learnt: tuple[np.ndarray, np.ndarray]
    later: list[Month]

    @classmethod
    def recorded(cls, seed: int, months: tuple[float, ...], learnt: int, known: int, judged: int) -> "Months":
        """`learnt` and `judged` recordings, `known` ones of each gas and month."""
        rng = np.random.default_rng((seed, 0))
        new = Nose.drawn(rng)
        first = [new.after(age, rng) for age in np.linspace(0.0, LEARNT_MONTHS, 6)]
        parts = [smelt(each, learnt // 6, rng) for each in first]
        base = reference(first[-1], rng)
        later = []
        for month in months:
            nose = first[-1].after(month - LEARNT_MONTHS, np.random.default_rng((seed, 1)))
            own = np.random.default_rng((seed, 2))
            few = smelt(nose, known * len(GASES), own, np.arange(known * len(GASES)) % len(GASES))
            later.append(Month(*few, *smelt(nose, judged, own), reference(nose, own) / base))
        return cls((np.concatenate([x for x, _ in parts]), np.concatenate([gas for _, gas in parts])), later)


def smelt(
    nose: Nose, count: int, rng: np.random.Generator, gas: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Signals of so many recordings and their gases, concentrations even in the logarithm."""
    gas = rng.integers(0, len(GASES), count) if gas is None else gas
    low, high = np.log(RANGES[gas]).T
    return nose.smells(gas, np.exp(rng.uniform(low, high)), rng), gas


def reference(nose: Nose, rng: np.random.Generator, times: int = 5) -> Float[np.ndarray, " sensors"]:
    """G / B - 1 of each sensor at the end of the bottled gas, mean of some times."""
    gas = np.full(times, REFERENCE)
    ppm = np.full(times, np.sqrt(np.prod(RANGES[REFERENCE])))
    return np.expm1(nose.smells(gas, ppm, rng)[:, EXPOSED - 1]).mean(0)


def corrected(signals: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Signals of sensors whose response, G / B - 1, has changed by `gains`, as they were before."""
    return np.log(np.maximum(1 + np.expm1(signals) / gains, 1e-3))


def as_events(signals: Float[np.ndarray, "n steps sensors"]) -> Float[np.ndarray, "n steps channels"]:
    """ON and OFF events of each sensor, 0 or 1 a step."""
    modulator = ms.encoding.DeltaModulator(THRESHOLD, max_events=1)
    return np.asarray(jax.vmap(modulator)(jnp.asarray(signals, jnp.float32))).reshape(*signals.shape[:2], -1)


def dataset(signals: np.ndarray, gases: np.ndarray) -> ms.data.Dataset:
    """As events."""
    data = ms.data.Dataset(as_events(signals), gases, GASES, name="simulated nose", licence="public domain")
    return replace(data, citation=CITATION)


def features(signals: Float[np.ndarray, "n steps sensors"]) -> Float[np.ndarray, "n features"]:
    """What a linear classifier is given: ln(G / B) at the end of the gas and halfway, of each sensor."""
    return np.concatenate([signals[:, EXPOSED - 1], signals[:, EXPOSED // 4]], axis=1)
