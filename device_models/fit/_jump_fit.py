"""The numbers of `Jumps` from standardised deviations, by the moments that each band of conductance shows."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ..ageing._jumps import Jumps
from ..curves._curves import Table
from ._jump_moments import JumpLaw, moments

# No law of five numbers is right to less: a moment counts as known to this, however many cells there are.
FLOOR_OF_CORRELATION, FLOOR_OF_SKEWNESS, FLOOR_OF_LOG_KURTOSIS = 0.02, 0.3, 0.2
COMMON, OF_BAND = ("onset", "healing", "unevenness"), ("rate", "own", "lean")
START = (np.log(1e-2), 0.02, 1.0), (0.2, 0.15, 0.0)
LOWEST = (np.log(1e-9), 0.0, 0.0), (0.01, 0.0, -0.95)
HIGHEST = (np.log(1e9), 1.0, 6.0), (0.3, 0.95, 0.95)  # a rate that `MOST_JUMPS` serve for seven decades


@dataclass(frozen=True)
class Statistics:
    """Correlations of pairs of ages, skewness and log kurtosis of one band, and how each of its cells moves them."""

    values: Float[np.ndarray, " statistics"]
    influence: Float[np.ndarray, "cells statistics"]
    pairs: int

    @property
    def error(self) -> Float[np.ndarray, " statistics"]:
        return np.sqrt(np.sum(self.influence**2, axis=0))

    @property
    def tolerance(self) -> Float[np.ndarray, " statistics"]:
        """Standard error, and not less than what the law can be asked for."""
        ages = (len(self.values) - self.pairs) // 2
        floors = (FLOOR_OF_CORRELATION, self.pairs), (FLOOR_OF_SKEWNESS, ages), (FLOOR_OF_LOG_KURTOSIS, ages)
        return np.hypot(self.error, np.concatenate([np.full(n, floor) for floor, n in floors]))


@dataclass(frozen=True)
class JumpFit:
    """Fitted `Jumps`, and what they say of the correlations."""

    names: list[str]
    values: Float[np.ndarray, " parameters"]
    influence: Float[np.ndarray, "cells parameters"]
    centres: Float[np.ndarray, " bands"]
    band: Int[np.ndarray, " cells"]
    correlations: list[Float[np.ndarray, "times times"]]
    measured: Float[np.ndarray, " pairs"]
    modelled: Float[np.ndarray, " pairs"]
    residual: Float[np.ndarray, " pairs"]
    p_correlation: float
    p_tails: float

    @property
    def onset(self) -> float:
        return float(self.values[0])

    def path(self) -> Jumps:
        """The fitted path: what differs between bands is a table over conductance."""
        at = tuple(float(g) for g in self.centres)
        onset, healing, unevenness = (float(value) for value in self.values[:3])
        rows = self.values[3:].reshape(3, -1).tolist()
        rate, own, lean = (Table(at, tuple(row)) if len(at) > 1 else row[0] for row in rows)
        return Jumps(onset, rate, unevenness, healing, own, lean)


def fit_jumps(
    times: Float[np.ndarray, " times"],
    z: Float[np.ndarray, "cells times"],
    g: Float[np.ndarray, " cells"],
    bands: int,
) -> JumpFit:
    """Minimum distance of the moments, each in units of its tolerance; and how each cell moves the result."""
    order = np.argsort(np.argsort(g, kind="stable"))
    band = order * bands // len(g)
    found = [statistics(z[band == b]) for b in range(bands)]
    search = _search(times, found)
    x, moving = search.x, search.moving
    influence, at = np.zeros((len(g), len(x))), 0
    for b, s in enumerate(found):
        influence[band == b] = s.influence @ moving[:, at : at + len(s.values)].T
        at += len(s.values)
    influence[:, 0] *= np.exp(x[0])
    covariance, off = _left_free(search, found), search.off
    of_pairs = np.concatenate([np.arange(len(s.values)) < s.pairs for s in found])
    measured = np.concatenate([s.values for s in found])
    return JumpFit(
        names=[*COMMON, *(f"{name}[{b}]" for name in OF_BAND for b in range(bands))],
        values=np.array([np.exp(x[0]), *x[1:]]),
        influence=influence,
        centres=np.array([g[band == b].mean() for b in range(bands)]),
        band=band,
        correlations=[moments(law, times).correlation for law in _laws(x, bands)],
        measured=measured[of_pairs],
        modelled=(measured + off)[of_pairs],
        residual=-(off / np.concatenate([s.error for s in found]))[of_pairs],
        p_correlation=_probability(off[of_pairs], covariance[np.ix_(of_pairs, of_pairs)]),
        p_tails=_probability(off[~of_pairs], covariance[np.ix_(~of_pairs, ~of_pairs)]),
    )


class Search(NamedTuple):
    """Where the distance is least: parameters, how far off the statistics are, and how they and the parameters move."""

    x: Float[np.ndarray, " parameters"]
    off: Float[np.ndarray, " statistics"]
    slope: Float[np.ndarray, "statistics parameters"]
    moving: Float[np.ndarray, "parameters statistics"]


def _search(times: Float[np.ndarray, " times"], found: list[Statistics]) -> Search:
    from scipy.optimize import least_squares

    bands = len(found)
    target = np.concatenate([s.values for s in found])
    tolerance = np.concatenate([s.tolerance for s in found])

    def distance(x: Float[np.ndarray, " parameters"]) -> Float[np.ndarray, " statistics"]:
        return (np.concatenate([_expected(law, times) for law in _laws(x, bands)]) - target) / tolerance

    start, low, high = (
        np.concatenate([common, np.repeat(of_band, bands)]) for common, of_band in (START, LOWEST, HIGHEST)
    )
    result = least_squares(distance, start, bounds=(low, high), x_scale="jac")
    if not result.success:
        raise ValueError(f"The jumps must be found. The search ended with: {result.message} Choose fewer bands.")
    moving = np.linalg.pinv(result.jac, rcond=1e-6) / tolerance
    return Search(result.x, result.fun * tolerance, result.jac * tolerance[:, None], moving)


def _left_free(search: Search, found: list[Statistics]) -> Float[np.ndarray, "statistics statistics"]:
    """Covariance of how far off the statistics are, once the parameters have followed them."""
    from scipy.linalg import block_diag

    left = np.eye(len(search.off)) - search.slope @ search.moving
    return left @ np.asarray(block_diag(*(s.influence.T @ s.influence for s in found))) @ left.T


def statistics(z: Float[np.ndarray, "cells times"]) -> Statistics:
    """The moments of one band; reads that are missing, NaN, are left out one by one."""
    ages = z.shape[1]
    centred = z - np.nanmean(z, axis=0)
    centred = centred / np.sqrt(np.nanmean(centred**2, axis=0))
    values, influence = [], []
    for i in range(ages):
        for j in range(i + 1, ages):
            a, b = centred[:, i], centred[:, j]
            both = ~np.isnan(a * b)
            std = np.sqrt(np.mean(a[both] ** 2)), np.sqrt(np.mean(b[both] ** 2))
            a, b = np.where(both, a, 0.0) / std[0], np.where(both, b, 0.0) / std[1]
            r = np.sum(a * b) / both.sum()
            values.append(r)
            influence.append(both * (a * b - 0.5 * r * (a**2 + b**2)) / both.sum())
    skewness, kurtosis = np.nanmean(centred**3, axis=0), np.nanmean(centred**4, axis=0)
    read = ~np.isnan(centred)
    full, count = np.where(read, centred, 0.0), read.sum(0)
    of_skewness = read * (full**3 - skewness - 3 * full - 1.5 * skewness * (full**2 - 1)) / count
    of_kurtosis = read * (full**4 - kurtosis - 4 * skewness * full - 2 * kurtosis * (full**2 - 1)) / count
    return Statistics(
        np.concatenate([values, skewness, np.log(kurtosis)]),
        np.concatenate([np.stack(influence, axis=1), of_skewness, of_kurtosis / kurtosis], axis=1),
        len(values),
    )


def _laws(x: Float[np.ndarray, " parameters"], bands: int) -> list[JumpLaw]:
    """That of each band."""
    onset, healing, unevenness = np.exp(x[0]), x[1], x[2]
    return [JumpLaw(onset, healing, unevenness, *x[3 + b :: bands][:3]) for b in range(bands)]


def _expected(law: JumpLaw, times: Float[np.ndarray, " times"]) -> Float[np.ndarray, " statistics"]:
    found = moments(law, times)
    pairs = found.correlation[np.triu_indices(len(times), 1)]
    return np.concatenate([pairs, found.skewness, np.log(found.kurtosis)])


def _probability(
    off: Float[np.ndarray, " statistics"], covariance: Float[np.ndarray, "statistics statistics"]
) -> float:
    """Of residuals as far off as these, in the directions that the fit leaves free."""
    from scipy.stats import chi2

    size = np.sqrt(np.diag(covariance))
    size = np.where(size > 0, size, 1.0)
    variance, directions = np.linalg.eigh(covariance / np.outer(size, size))
    free = variance > 1e-3 * variance.max()
    along = directions[:, free].T @ (off / size)
    return float(chi2.sf(np.sum(along**2 / variance[free]), free.sum()))
