"""Several methods against one another: differences in pairs, with intervals and p-values that hold together."""

from collections.abc import Hashable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float

from .._checks import checked, described, did_you_mean
from ._factors import FACTORS, chosen, interval_over
from ._interval import LEVEL, variance_and_t
from ._right import best_of, difference
from ._variance import Spread, spreads

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Correction = Literal["holm", "bonferroni", "none"]


@checked(level=LEVEL)
def compare(
    result: "xr.DataArray | xr.Dataset",
    along: str = "training",
    baseline: Any = None,
    over: Sequence[str] | None = None,
    *,
    correction: Correction = "holm",
    level: float = 0.95,
) -> "pd.DataFrame":
    r"""Differences between the values of a dimension, in pairs of the same seeds, chips and recordings.

    A row for each pair, `first` less `second`: `mean`, its interval from `low` to `high`, `p` of no difference, and
    `p_adjusted` for the number m of pairs. Means and intervals are those of `memsim.study.interval` for the
    `difference`, p that level at which the interval would end at zero.

    "holm": the i-th smallest p of m is multiplied by $m - i + 1$, and is not below those before it. Where all is equal,
    a p below 0.05 is found in at most 5 % of studies, however methods are correlated. "bonferroni": each p times m.
    Intervals of both are of the level $1 - 0.05 / m$: all of them hold together as often as `level` says. "none": each
    pair by itself. p is NaN where a difference is the same for every seed, chip and recording, and not zero.

    **Arguments:**

    - `result`: A result of an experiment, such as of "training", or an array of any measure: besides `along`, it has
      none but "seed", "chip", "moment", "read" and "recording".
    - `along`: The dimension.
    - `baseline`: One of its values, which all others are compared with; by default all pairs are.
    - `over`: As of `memsim.study.interval`.
    - `correction`: "holm", "bonferroni" or "none".
    - `level`: Of all intervals together, 0.95 by default.

    Reference: Holm1979, Cochran1964.

    >>> import numpy as np, xarray as xr, memsim as ms
    >>> rng = np.random.default_rng(0)
    >>> chips = 0.01 * rng.normal(size=(20, 1)) + np.array([0.92, 0.9]) + 0.001 * rng.normal(size=(20, 2))
    >>> accuracy = xr.DataArray(chips, {"chip": range(20), "training": ["noisy", "digital"]})
    >>> found = ms.study.compare(accuracy)
    >>> print(found["first"][0], "-", found["second"][0], f"= {found['mean'][0]:.3f}", found["p"][0] < 0.001)
    noisy - digital = 0.020 True
    """
    import pandas as pd

    values = best_of(result)
    pairs = _pairs(values, along, baseline)
    each = level if correction == "none" else 1 - (1 - level) / len(pairs)
    labels = _labels(values, along)
    rows: list[dict[str, Any]] = []
    for one, other in pairs:
        change = difference(*(values.isel({along: place}).drop_vars(along, errors="ignore") for place in (one, other)))
        y, names = chosen(change, over)
        if not names:
            raise ValueError(f"`result` must have several seeds, chips or recordings. Got sizes {dict(values.sizes)}.")
        parts, mean = spreads(y), float(y.mean())
        variance, t = variance_and_t(parts, each)
        half = t * variance**0.5
        row = {"first": labels[one], "second": labels[other], "mean": mean, "low": mean - half, "high": mean + half}
        rows.append(row | {"p": _p_value(mean, parts), "interval_over": interval_over(change, over)})
    table = pd.DataFrame(rows)
    table.insert(6, "p_adjusted", adjusted(table["p"].to_numpy(float), correction))
    return table


def _labels(values: "xr.DataArray", along: str) -> list[Hashable]:
    return values[along].to_numpy().tolist() if along in values.coords else list(range(values.sizes[along]))


def _pairs(values: "xr.DataArray", along: str, baseline: Any) -> list[tuple[int, int]]:
    """Places of the first and the second of each pair."""
    others = [str(name) for name in values.dims if name not in FACTORS]
    if along not in values.dims:
        raise ValueError(did_you_mean("The dimension `along`", along, others or [str(name) for name in values.dims]))
    labels = _labels(values, along)
    if len(labels) < 2:
        raise ValueError(f"`along` must name a dimension of two values or more. Got {along} with {labels}.")
    if baseline is None:
        return list(combinations(range(len(labels)), 2))
    if baseline not in labels:
        if isinstance(baseline, str):
            raise ValueError(did_you_mean("`baseline`", baseline, [str(label) for label in labels]))
        raise ValueError(f"`baseline` must be a value of {along}: {labels}. Got {described(baseline)}.")
    return [(place, labels.index(baseline)) for place, label in enumerate(labels) if label != baseline]


def _p_value(mean: float, parts: list[Spread]) -> float:
    """The chance outside the interval that ends at zero: Cochran's t as a quantile of it, turned round."""
    from scipy.optimize import brentq
    from scipy.stats import t

    variances = np.array([part.variance for part in parts])
    if variances.sum() == 0:
        return 1.0 if mean == 0 else np.nan
    freedom = np.array([part.freedom for part in parts])[variances > 0]
    weights = variances[variances > 0] / variances.sum()
    ratio = abs(mean) / variances.sum() ** 0.5
    alone = 2 * t.sf(ratio, freedom)  # of each part by itself: the p is between the smallest and the largest
    low, high = np.log(np.maximum([alone.min(), alone.max()], 1e-300))
    if high - low < 1e-9:
        return float(np.exp(high))

    def off(at: float) -> float:
        return float(weights @ t.isf(np.exp(at) / 2, freedom)) - ratio

    crossed = off(low) * off(high) < 0
    return float(np.exp(float(brentq(off, low, high)) if crossed else high))  # pyright: ignore[reportArgumentType]


def adjusted(p: Float[np.ndarray, " pairs"], correction: Correction) -> Float[np.ndarray, " pairs"]:
    """p-values for all of them together; NaN are counted, and stay."""
    if correction == "none":
        return p
    if correction == "bonferroni":
        return np.minimum(p * len(p), 1.0)
    order = np.argsort(p)  # NaN last
    found = np.empty_like(p)
    found[order] = np.fmax.accumulate(np.minimum(p[order] * np.arange(len(p), 0, -1), 1.0))
    return np.where(np.isnan(p), np.nan, found)
