"""Where the variance of a mean comes from: a crossed random-effects model, by the method of moments."""

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Num

from .._checks import checked
from ._factors import chosen

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Effect = tuple[int, ...]  # axes


class Spread(NamedTuple):
    """One part of the variance of a mean: all that varies with a factor, and with no rarer one."""

    axis: int
    variance: float
    freedom: int


def mean_squares(y: Num[np.ndarray, "*levels"]) -> dict[Effect, tuple[float, int]]:
    """Mean square and degrees of freedom of every effect of crossed factors, one axis each, and of their interactions.

    The last one, of all axes together, is the residual.
    """
    y = np.asarray(y, float) - np.mean(y)
    axes = range(y.ndim)
    effects = [effect for size in axes for effect in combinations(axes, size + 1)]

    def uncorrected(effect: Effect) -> float:
        means = y.mean(axis=tuple(axis for axis in axes if axis not in effect))
        return float(np.sum(means**2)) * y.size / means.size

    sums = {effect: uncorrected(effect) for effect in effects}
    found = {}
    for effect in effects:
        within = [part for part in effects if set(part) <= set(effect)]
        of_squares = sum((-1) ** (len(effect) - len(part)) * sums[part] for part in within)
        freedom = int(np.prod([y.shape[axis] - 1 for axis in effect]))
        found[effect] = (max(of_squares, 0.0) / freedom, freedom)
    return found


def components(y: Num[np.ndarray, "*levels"]) -> dict[Effect, float]:
    r"""Variance of each effect, unbiased, so that some may be negative.

    With $n_A$ levels of an effect and $n$ values, $\sigma_A^2 = (n_A / n) \sum_{B \supseteq A} (-1)^{|B| - |A|} MS_B$.
    """
    squares = mean_squares(y)
    found = {}
    for effect in squares:
        around = [other for other in squares if set(effect) <= set(other)]
        total = sum((-1) ** (len(other) - len(effect)) * squares[other][0] for other in around)
        found[effect] = total * np.prod([y.shape[axis] for axis in effect]) / y.size
    return found


def spreads(y: Num[np.ndarray, "*levels"]) -> list[Spread]:
    r"""The variance of the mean of `y`, in parts: each $\sigma_A^2 / n_A$ goes to that factor of A with fewest levels.

    Of two factors these are $MS_1 / n$ and $(MS_2 - MS_{12}) / n$, not below zero.
    """
    found = components(y)
    rarity = sorted(range(y.ndim), key=lambda axis: y.shape[axis])
    parts = []
    for place, axis in enumerate(rarity):
        own = [effect for effect in found if axis in effect and not set(effect) & set(rarity[:place])]
        variance = sum(found[effect] / np.prod([y.shape[a] for a in effect]) for effect in own)
        parts.append(Spread(axis, max(float(variance), 0.0), y.shape[axis] - 1))
    return parts


@checked()
def variance_components(values: "xr.DataArray", over: Sequence[str] | None = None) -> "pd.DataFrame":
    r"""What the `values` vary with, and what each of it adds to the uncertainty of their mean.

    $y_{s c r} = \mu + S_s + C_c + R_r + (SC)_{s c} + (SR)_{s r} + (CR)_{c r} + e_{s c r}$, all random and crossed, of
    seed, chip and recording; variances by the method of moments, from the mean squares. One row an effect: `std`, its
    standard deviation (0 where the estimate of the variance is negative), `levels`, and `of_mean`, the standard error
    that it alone gives the mean. The last row is the residual. What is not in `over` is averaged first.

    **Arguments:**

    - `values`: Such as `right(result).sel(time=0.0)`, or a `difference`: right or wrong for each of some of "seed",
      "chip", "moment", "read" and "recording", and nothing else.
    - `over`: Names of dimensions; all of them by default.

    Reference: Searle1992.
    """
    import pandas as pd

    y, names = chosen(values, over)
    rows: list[dict[str, Any]] = []
    for effect, variance in components(y).items():
        levels = int(np.prod([y.shape[axis] for axis in effect]))
        std = max(float(variance), 0.0) ** 0.5
        residual = len(effect) == y.ndim > 1
        name = "residual" if residual else " x ".join(names[axis] for axis in effect)
        rows.append({"effect": name, "std": std, "levels": levels, "of_mean": std / levels**0.5})
    return pd.DataFrame(rows)
