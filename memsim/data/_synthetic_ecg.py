"""Electrocardiograms of drawn patients, whose beats are known: Gaussian waves, rhythm, ectopic beats, noise."""

from typing import NamedTuple

import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from device_models import Sourced

from .._checks import at_least, checked, fraction, whole
from ._ecg import Electrocardiogram

MCSHARRY = "McSharry2003, Table I, recalled"
ANGLES = Sourced((-np.pi / 3, -np.pi / 12, 0.0, np.pi / 12, np.pi / 2), "rad", f"{MCSHARRY}: of P, Q, R, S, T")
WIDTHS = Sourced((0.25, 0.1, 0.1, 0.1, 0.4), "rad", f"{MCSHARRY}: standard deviations")
STRENGTHS = Sourced(
    (1.2, -5.0, 30.0, -7.5, 0.75), "1", f"{MCSHARRY}: a wave is as high as this times its width squared"
)
MILLIVOLT = 1e-3
NORMAL, SUPRAVENTRICULAR, VENTRICULAR = 0, 1, 2
LEADS = 2
CITATION = "Simulated: sum of Gaussian waves as of McSharry et al. (2003), patients and ectopic beats drawn by memsim."


class Patient(NamedTuple):
    """What one heart keeps for life. Heights (waves, leads) in volts, moments and widths in seconds, of P to T."""

    interval: float  # between beats, in seconds
    modulation: tuple[float, float]  # of the interval, slow and by breathing
    breath: float  # in hertz
    chance: tuple[float, float]  # of a supraventricular and of a ventricular beat
    normal: tuple[np.ndarray, np.ndarray, np.ndarray]
    early: tuple[np.ndarray, np.ndarray, np.ndarray]
    wide: tuple[np.ndarray, np.ndarray, np.ndarray]


@checked(
    patients=whole(1, most=10_000),
    seconds=at_least(1.0, "in seconds", most=1e6),
    rate=at_least(100.0, "in hertz"),
    supraventricular=fraction(one=False),
    ventricular=fraction(one=False),
    noise=at_least(0.0, "in multiples of the usual one"),
)
def synthetic_ecg(
    patients: int,
    *,
    seconds: float = 120.0,
    rate: float = 360.0,
    supraventricular: float = 0.06,
    ventricular: float = 0.08,
    noise: float = 1.0,
    key: Key[Array, ""],
) -> tuple[Electrocardiogram, ...]:
    r"""Electrocardiograms of so many patients, two leads each, with the truth: where each beat is, and of which class.

    A beat is $\sum_i h_i \exp(-(t - t_R - \tau_i)^2 / 2 \sigma_i^2)$ over the waves P, Q, R, S, T, whose moments and
    widths grow as the root of the interval, as in McSharry2003. A patient has a rate of 50 to 110 beats a minute that
    breathing and a slow wave modulate, and heights, moments and widths of their own on both leads. A supraventricular
    beat comes early with another P wave, and resets the rhythm; a ventricular one comes early, wide, without P and
    with a T wave against it, one shape a patient, and a pause follows it. The signal has wander of the baseline,
    respiration, bursts of muscles, mains and white noise. All these ranges are assumed: published ones of populations
    would be wider, so that what is found here is easier than in a clinic.

    **Arguments:**

    - `seconds`: Of each recording, at least one.
    - `rate`: Samples a second, in hertz.
    - `supraventricular`, `ventricular`: Shares of beats, the mean over patients, of which many have few.
    - `noise`: Multiple of all that disturbs.
    - `key`: For all of it; patients are drawn one after the other, so that more of them leave the first as they are.

    Reference: McSharry2003.

    >>> import jax, memsim as ms
    >>> heart, = ms.data.synthetic_ecg(1, seconds=10.0, key=jax.random.key(0))
    >>> heart.signal.shape, heart.rate
    ((3600, 2), 360.0)
    """
    shares = supraventricular, ventricular
    return tuple(
        _recorded(number, shares, seconds, rate, noise, np.random.default_rng(np.asarray(jr.key_data(each))))
        for number, each in enumerate(jr.fold_in(key, number) for number in range(patients))
    )


def _recorded(number: int, shares, seconds: float, rate: float, noise: float, rng) -> Electrocardiogram:
    patient = _patient(shares, rng)
    moments, labels = _rhythm(patient, seconds, rng)
    t = np.arange(round(seconds * rate)) / rate
    signal = np.zeros((len(t), LEADS))
    for moment, label in zip(moments, labels, strict=True):
        heights, places, widths = (patient.normal, patient.early, patient.wide)[label]
        lo, hi = np.searchsorted(t, (moment - 0.6, moment + 0.8))
        from_wave = t[lo:hi, None] - moment - places
        signal[lo:hi] += np.exp(-0.5 * (from_wave / widths) ** 2) @ (heights * rng.lognormal(0.0, 0.03, heights.shape))
    signal += noise * _disturbances(t, rate, patient.breath, rng)
    signal *= 1 + noise * 0.05 * np.sin(2 * np.pi * patient.breath * t)[:, None]
    beats = np.round(moments * rate).astype(int)
    inside = (beats >= 0) & (beats < len(t))
    return Electrocardiogram(
        signal, rate, beats[inside], labels[inside], f"synthetic {number}", "public domain", CITATION
    )


def _patient(shares: tuple[float, float], rng) -> Patient:
    interval = 60.0 / np.clip(rng.normal(75.0, 12.0), 50.0, 110.0)
    angles, widths, strengths = (np.asarray(each.coefficients) for each in (ANGLES, WIDTHS, STRENGTHS))
    scale = np.sqrt(interval) / (2 * np.pi)  # of a phase in seconds, with the root of the interval
    sizes = strengths * widths**2
    sizes = sizes / sizes.max() * rng.uniform(0.7, 1.8) * MILLIVOLT * rng.lognormal(0.0, 0.25, 5)
    view = np.stack([np.ones(5), rng.normal(0.5, 0.4, 5)], axis=1)
    heights = sizes[:, None] * view
    places, deviations = angles * scale * rng.normal(1.0, 0.05, 5), widths * scale * rng.lognormal(0.0, 0.1, 5)
    early = heights.copy(), places.copy(), deviations.copy()
    early[0][0] *= rng.uniform(-0.8, 0.6)
    early[1][0] += rng.uniform(-0.03, 0.03)
    early[2][1:4] *= rng.uniform(1.0, 1.15)
    return Patient(
        interval,
        (rng.uniform(0.01, 0.05), rng.uniform(0.01, 0.05)),
        rng.uniform(0.2, 0.35),
        (float(rng.gamma(0.7) / 0.7 * shares[0]), float(rng.gamma(0.7) / 0.7 * shares[1])),
        (heights, places, deviations),
        early,
        _ventricular(sizes[2], deviations[2], scale, rng),
    )


def _ventricular(height: float, width: float, scale: float, rng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """No P; a wide wave of either sign, another against it, and a T wave against the first."""
    main = rng.uniform(0.8, 1.6) * height * rng.choice([-1.0, 1.0], LEADS, p=[0.4, 0.6])
    heights = np.stack([0 * main, 0 * main, main, -rng.uniform(0.2, 0.6) * main, -rng.uniform(0.25, 0.5) * main])
    wide = width * rng.uniform(2.0, 3.0)
    places = np.array([0.0, 0.0, 0.0, 2.2 * wide, 1.75 * scale * rng.normal(1.0, 0.05)])
    return heights, places, np.array([wide, wide, wide, wide, 0.5 * scale])


def _rhythm(patient: Patient, seconds: float, rng) -> tuple[np.ndarray, np.ndarray]:
    """The moments and the classes of all beats."""
    slow, breathing = patient.modulation
    moments, labels, pause = [rng.uniform(0.0, patient.interval)], [NORMAL], 1.0
    while moments[-1] < seconds:
        t = moments[-1]
        swing = slow * np.sin(2 * np.pi * 0.1 * t) + breathing * np.sin(2 * np.pi * patient.breath * t)
        usual = patient.interval * (1 + swing + 0.01 * rng.standard_normal())
        drawn = rng.uniform()
        chance = np.minimum(patient.chance, 0.3)
        if labels[-1] == NORMAL and drawn < chance[0]:
            label, share, after = SUPRAVENTRICULAR, rng.uniform(0.6, 0.8), rng.uniform(1.0, 1.15)
        elif labels[-1] == NORMAL and drawn < chance.sum():
            share = rng.uniform(0.55, 0.75)
            label, after = VENTRICULAR, 2.0 - share  # the next normal beat comes when it would have come
        else:
            label, share, after = NORMAL, pause, 1.0
        moments.append(t + share * usual)
        labels.append(label)
        pause = after
    return np.asarray(moments), np.asarray(labels)


def _disturbances(t: np.ndarray, rate: float, breath: float, rng) -> Float[np.ndarray, "samples leads"]:
    """Wander of the baseline, muscles in bursts, mains, white noise; in volts."""
    total = 0.01 * rng.standard_normal((len(t), LEADS))
    for frequency in (breath, *rng.uniform(0.05, 0.3, 2)):
        sizes, phase = rng.uniform(0.02, 0.15, LEADS), rng.uniform(0.0, 2 * np.pi)
        total += sizes * np.sin(2 * np.pi * frequency * t + phase)[:, None]
    total += 0.005 * np.sin(2 * np.pi * 50.0 * t + rng.uniform(0.0, 2 * np.pi))[:, None]
    muscles = np.diff(rng.standard_normal((len(t) + 1, LEADS)), axis=0) / np.sqrt(2)  # less of the low frequencies
    second = np.repeat(rng.uniform(size=len(t) // max(1, round(rate)) + 1) < 0.2, max(1, round(rate)))[: len(t)]
    return MILLIVOLT * (total + rng.uniform(0.02, 0.08) * muscles * second[:, None])
