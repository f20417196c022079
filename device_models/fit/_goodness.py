"""Tests that see where a fitted model leaves a pattern in its residuals."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

MOST_GROUPS = 10
FEWEST_IN_A_GROUP = 8


def groups(x: Float[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """At most ten groups of neighbours in `x`, equal values together, each of at least eight; 0 for the first."""
    _, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    wanted = max(1, min(MOST_GROUPS, len(x) // FEWEST_IN_A_GROUP))
    before = np.cumsum(counts) - counts / 2  # where the middle of each level lies in the order of all
    level_group = np.minimum((before * wanted / len(x)).astype(int), wanted - 1)
    return np.unique(level_group, return_inverse=True)[1][inverse]


def pattern(values: Float[np.ndarray, " n"], x: Float[np.ndarray, " n"], parameters: int) -> float | None:
    """Probability that group means of `values`, of mean zero in theory, differ from zero this much.

    `parameters` of the model were fitted to the same values and take as many degrees of freedom. `None` where too few
    groups are left.
    """
    from scipy.stats import chi2

    group = groups(x)
    n = np.bincount(group)
    freedom = len(n) - parameters
    if freedom < 1:
        return None
    mean = np.bincount(group, values) / n
    return float(chi2.sf(np.sum(n * mean**2) / np.var(values), freedom))


def normality(z: Float[np.ndarray, " n"]) -> float | None:
    """D'Agostino and Pearson's probability of skewness and kurtosis this far from a normal's; `None` below 20."""
    from scipy.stats import normaltest

    return float(normaltest(z).pvalue) if len(z) >= 20 else None


def kept(**tests: float | None) -> dict[str, float]:
    """The tests that could be made."""
    return {name.replace("_", " "): p for name, p in tests.items() if p is not None}


def explained(data: Float[np.ndarray, "..."], model: Float[np.ndarray, "..."]) -> float:
    """R2: the fraction of the variance of `data` that `model` explains."""
    total = np.sum((data - data.mean()) ** 2)
    return float(1 - np.sum((data - model) ** 2) / total) if total > 0 else float("nan")


def positive_over(curve: Callable[[np.ndarray], np.ndarray], low: float, high: float, *, name: str) -> None:
    """Raises `ValueError` unless `curve` is positive from `low` to `high`, in relative conductance."""
    g = np.linspace(low, high, 1001)
    value = curve(g)
    if not np.all(value > 0):
        at = float(g[np.argmin(value)])
        raise ValueError(
            f"`{name}` must be positive over the whole range of the device. Got {float(value.min()):.3g} at "
            f"g = {at:.3g}. Choose a lower `degree`, or let `g_min` and `g_max` end where you measured."
        )


def alike(ratio: Float[np.ndarray, "cells values"], parameters: int) -> float | None:
    """Probability that cells of one noise have means of `ratio` that differ this much; `None` for too few cells."""
    from scipy.stats import chi2

    cells, n = ratio.shape
    if cells <= parameters or n < FEWEST_IN_A_GROUP:
        return None
    return float(chi2.sf(n * np.sum((ratio.mean(1) - 1) ** 2) / np.var(ratio), cells - parameters))


def exponential(ratio: Float[np.ndarray, " n"]) -> float:
    """Kolmogorov and Smirnov's probability for values of an exponential distribution of mean 1."""
    from scipy.stats import kstest

    return float(kstest(ratio, "expon").pvalue)


def uncorrelated(z: Float[np.ndarray, "cells values"]) -> float:
    """Probability of neighbours in a row of standard normals that are correlated this much."""
    from scipy.stats import norm

    product = z[:, 1:] * z[:, :-1]
    return float(2 * norm.sf(abs(product.sum()) / np.sqrt(np.sum(product**2))))


def alternating(z: Float[np.ndarray, "cells values"], taken: Float[np.ndarray, "k values"]) -> float | None:
    """Probability that neighbours in the rows of `z` are correlated this much, if all were independent and normal.

    `taken` are orthonormal vectors of what a fit took out of each row, which correlates what is left. `None` where too
    little is left to tell.
    """
    from scipy.stats import norm

    left, size = z.shape[1] - len(taken), np.sum(z**2, axis=1)
    if left < 2 or not np.all(size > 0):
        return None
    # A row of unit length is anywhere on its sphere alike: the mean of its products is that of the projection.
    found = np.sum(z[:, 1:] * z[:, :-1], axis=1) / size
    expected = -np.sum(taken[:, 1:] * taken[:, :-1]) / left
    off = found - expected
    return float(2 * norm.sf(abs(off.sum()) / np.sqrt(np.sum(off**2))))
