"""The velocity of a hand from a simulated population of neurons, with known truth, and linear decoders in closed form.

Each neuron fires as a Poisson process whose rate is a cosine of the direction of the velocity, and grows with its
speed, as Georgopoulos1982 and Moran1999 describe motor cortex. With days the preferred directions wander, as is seen
in implants. The velocity is an autoregressive process, of which the Kalman filter knows everything.
"""

from typing import NamedTuple

import numpy as np

DT = 0.01  # s of a bin
BASELINE, DEPTH = 15.0, 12.0  # spikes a second, at rest and more at unit speed in the preferred direction
MEMORY = np.exp(-DT / 0.3)  # of the velocity: movements last some 300 ms
WANDER = np.deg2rad(12.0)  # spread of preferred directions after a day; it grows as the root of days
LAGS = 30  # bins that the Wiener filter sees
SECOND = round(1 / DT)  # steps
SETTLED = SECOND // 2  # steps of a trial that are not judged


class Population(NamedTuple):
    """Preferred directions (neurons,) in radians, and rates at rest (neurons,) in hertz."""

    directions: np.ndarray
    rates: np.ndarray

    @classmethod
    def drawn(cls, neurons: int, rng: np.random.Generator) -> "Population":
        return cls(rng.uniform(-np.pi, np.pi, neurons), BASELINE * rng.uniform(0.6, 1.4, neurons))

    def after(self, days: float, rng: np.random.Generator) -> "Population":
        """The same neurons later."""
        return self._replace(directions=self.directions + WANDER * np.sqrt(days) * rng.standard_normal(len(self.rates)))

    @property
    def tuning(self) -> np.ndarray:
        """Spikes a second (neurons, 2) for each unit of velocity."""
        return DEPTH * np.stack([np.cos(self.directions), np.sin(self.directions)], axis=1)

    def fire(self, velocity: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Spikes (trials, steps, neurons) at a `velocity` (trials, steps, 2); more than one a bin is one."""
        rates = np.maximum(self.rates + velocity @ self.tuning.T, 0.0)
        return (rng.poisson(DT * rates) > 0).astype(np.float32)


def moved(trials: int, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Velocities (trials, steps, 2) of unit variance."""
    velocity = np.zeros((trials, steps, 2))
    velocity[:, 0] = rng.standard_normal((trials, 2))
    pushes = np.sqrt(1 - MEMORY**2) * rng.standard_normal((trials, steps, 2))
    for step in range(1, steps):
        velocity[:, step] = MEMORY * velocity[:, step - 1] + pushes[:, step]
    return velocity.astype(np.float32)


class Kalman(NamedTuple):
    """The filter of a linear model of spikes: y = C v + d + noise, v autoregressive.

    Reference: Wu2006.
    """

    tuning: np.ndarray
    offset: np.ndarray
    noise: np.ndarray

    @classmethod
    def fitted(cls, spikes: np.ndarray, velocity: np.ndarray) -> "Kalman":
        """By least squares on trials of which the velocity is known."""
        seen = np.concatenate([velocity.reshape(-1, 2), np.ones((velocity[..., 0].size, 1))], axis=1).astype(float)
        fired = spikes.reshape(len(seen), -1).astype(float)
        found = np.linalg.lstsq(seen, fired, rcond=None)[0]
        return cls(found[:2].T, found[2], np.mean((fired - seen @ found) ** 2, axis=0))

    def decoded(self, spikes: np.ndarray) -> np.ndarray:
        """Velocities (trials, steps, 2), each from the spikes until then."""
        informed = self.tuning.T / self.noise
        known = informed @ self.tuning
        variance, mean = np.eye(2), np.zeros((len(spikes), 2))
        found = np.zeros((*spikes.shape[:2], 2))
        for step in range(spikes.shape[1]):
            mean = MEMORY * mean
            variance = np.linalg.inv(np.linalg.inv(MEMORY**2 * variance + (1 - MEMORY**2) * np.eye(2)) + known)
            surprise = spikes[:, step] - self.offset - mean @ self.tuning.T
            mean = mean + surprise @ informed.T @ variance.T
            found[:, step] = mean
        return found


class Wiener(NamedTuple):
    """A linear filter of the last bins, fitted by ridge regression."""

    weights: np.ndarray

    @classmethod
    def fitted(cls, spikes: np.ndarray, velocity: np.ndarray) -> "Wiener":
        seen = lagged(spikes).reshape(-1, LAGS * spikes.shape[2] + 1)
        square = seen.T @ seen + 1.0 * np.eye(seen.shape[1], dtype=seen.dtype)
        return cls(np.linalg.solve(square.astype(float), (seen.T @ velocity.reshape(-1, 2)).astype(float)))

    def decoded(self, spikes: np.ndarray) -> np.ndarray:
        return lagged(spikes) @ self.weights


def lagged(spikes: np.ndarray) -> np.ndarray:
    """Of each step the spikes of the last bins, and one: (trials, steps, bins * neurons + 1)."""
    padded = np.pad(spikes, [(0, 0), (LAGS - 1, 0), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, LAGS, axis=1)
    flat = windows.reshape(*spikes.shape[:2], -1)
    return np.concatenate([flat, np.ones((*flat.shape[:2], 1), flat.dtype)], axis=2)


def r2(decoded: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Explained share of the variance, of each trial: both directions together, about its zero mean."""
    return 1 - np.sum((decoded - true) ** 2, axis=(-1, -2)) / np.sum(true**2, axis=(-1, -2))


def settled_r2(decoded: np.ndarray, true: np.ndarray) -> float:
    """The mean over trials, after the first half second."""
    return float(np.mean(r2(decoded[:, SETTLED:], true[:, SETTLED:])))


class Days(NamedTuple):
    """Recordings of one population: what is learnt from, and of each day some that are known and some to judge.

    **Arguments:**

    - `learnt`: Spikes (trials, steps, neurons) and velocities (trials, steps, 2).
    - `known`, `judged`: Spikes of each day; the movements are the same on every day.
    """

    learnt: tuple[np.ndarray, np.ndarray]
    known: list[np.ndarray]
    judged: list[np.ndarray]
    known_velocity: np.ndarray
    judged_velocity: np.ndarray

    @classmethod
    def recorded(cls, seed: int, days: tuple[float, ...], neurons: int, learnt: int, known: int, judged: int) -> "Days":
        """Trials of one second to learn from and that are known, of five seconds to judge."""
        rng = np.random.default_rng(seed)
        first = Population.drawn(neurons, rng)
        velocities = [moved(*each, rng) for each in ((learnt, SECOND), (known, SECOND), (judged, 5 * SECOND))]
        spikes = first.fire(velocities[0], rng)
        later = [first.after(day, np.random.default_rng([seed, 1])) for day in days]  # one way, further on each day
        fired = [[each.fire(velocity, rng) for each in later] for velocity in velocities[1:]]
        return cls((spikes, velocities[0]), *fired, *velocities[1:])

    def linear(self) -> dict[str, list[float]]:
        """What the linear decoders are worth on each day; the Kalman filter also if it is fitted again."""
        kalman, wiener = Kalman.fitted(*self.learnt), Wiener.fitted(*(each[:256] for each in self.learnt))
        again = [Kalman.fitted(each, self.known_velocity) for each in self.known]
        found = {
            "kalman": [kalman.decoded(each) for each in self.judged],
            "kalman_again": [each.decoded(spikes) for each, spikes in zip(again, self.judged, strict=True)],
            "wiener": [wiener.decoded(each) for each in self.judged],
        }
        return {name: [settled_r2(each, self.judged_velocity) for each in of_days] for name, of_days in found.items()}
