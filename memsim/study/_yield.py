"""How many chips are good enough: the fraction of them beyond a threshold."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Bool, Float, Num

from .._checks import check_finite, checked, described
from ._bootstrap import resampled, resampled_within
from ._factors import NAN_FROM, interval_over
from ._interval import LEVEL, variance_and_t, wilson
from ._right import best_of
from ._variance import components, spreads

if TYPE_CHECKING:
    import xarray as xr

WHO = ("seed", "chip")  # whose values are judged; over moments, reads and recordings they are averaged
ROUNDING = 4  # units in the last place by which a value may miss a threshold that it equals
YieldMethod = Literal["wilson", "bootstrap", "hierarchical bootstrap"]


@checked(level=LEVEL)
def yield_curve(
    result: "xr.DataArray | xr.Dataset",
    threshold: float | Sequence[float] | Num[np.ndarray, " thresholds"],
    *,
    larger: bool = True,
    method: YieldMethod = "wilson",
    level: float = 0.95,
) -> "xr.Dataset":
    r"""The fraction of chips that are at or beyond each threshold, `fraction`, and its interval from `low` to `high`.

    Over "threshold" and all dimensions of the result but "seed", "chip", "moment", "read" and "recording": the value of
    a chip is its mean over the last three. What was never computed is NaN.

    "wilson": of chips of one network, Wilson's interval. Of several seeds it is that of the effective number of chips
    $p (1 - p) / V$, of the variance V and with Student's t as in `memsim.study.interval`, at most the number there is.
    Where all chips are good, or none is, the number is $\sigma^2 / V$ of the values themselves. It covers 94 % and
    more, but 92 % where one chip in twenty is bad and seeds differ, and 88 % where these differ more than their chips.
    "bootstrap" and "hierarchical bootstrap" are of seeds and chips, as in `memsim.study.interval`: they cover 70 to
    92 % with five seeds, fewer with three, and have no width where all chips are good.

    **Arguments:**

    - `result`: A result of `memsim.study.robustness`, or an array of any measure over "chip" and more.
    - `threshold`: One or several, in the units of the values: 0.9 is an accuracy of 90 %.
    - `larger`: Whether larger values are better; False for an error.
    - `method`: "wilson", "bootstrap" or "hierarchical bootstrap".
    - `level`: How often the interval holds the fraction of all chips.

    Reference: Wilson1927, KornGraubard1998, Owen2007.

    >>> import xarray as xr, memsim as ms
    >>> accuracy = xr.DataArray([0.95, 0.93, 0.91, 0.85], dims="chip")
    >>> found = ms.study.yield_curve(accuracy, [0.9, 0.94])
    >>> found["fraction"].values.tolist()
    [0.75, 0.25]
    """
    import xarray as xr

    values, thresholds = _of_chips(result), _thresholds(threshold)
    others = [str(name) for name in values.dims if name not in WHO]
    found = np.full((3, len(thresholds), *(values.sizes[name] for name in others)), np.nan)
    for index in np.ndindex(found.shape[2:]):
        y = values.isel(dict(zip(others, index, strict=True))).to_numpy()
        if np.isnan(y).all():
            continue
        check_finite("result", y, NAN_FROM)
        for place, limit in enumerate(thresholds):
            room = ROUNDING * np.finfo(values.dtype).eps * max(1.0, abs(limit))
            good = y >= limit - room if larger else y <= limit + room
            found[(slice(None), place, *index)] = good.mean(), *_bounds(good, y.astype(float), method, level)
    dims = ("threshold", *others)
    data = {name: (dims, each, {"units": "1"}) for name, each in zip(("fraction", "low", "high"), found, strict=True)}
    kept = {name: each for name, each in values.coords.items() if not set(each.dims) & set(WHO)}
    over = {"interval_over": interval_over(values, [name for name in WHO if name in values.dims]), "method": method}
    return xr.Dataset(data, kept | {"threshold": thresholds}, over | {"level": level, "larger": int(larger)})


def _of_chips(result: "xr.DataArray | xr.Dataset") -> "xr.DataArray":
    values = best_of(result)
    if "chip" not in values.dims or values.dtype.kind not in "biuf" or values.size == 0:
        raise ValueError(f'`result` must have numbers along "chip". Got {described(result)} over {list(values.dims)}.')
    inner = [name for name in ("moment", "read", "recording") if name in values.dims]
    values = values.mean(inner, dtype=float) if inner else values
    values = values if values.dtype.kind == "f" else values.astype(float)
    return values.transpose(*(name for name in WHO if name in values.dims), ...)


def _thresholds(given: float | Sequence[float] | np.ndarray) -> Float[np.ndarray, " thresholds"]:
    found = np.atleast_1d(np.asarray(given, float))
    check_finite("threshold", found)
    if found.ndim != 1 or not found.size or len(np.unique(found)) < found.size:
        raise ValueError(f"`threshold` must be one number or several that differ. Got {described(given)}.")
    return found


def _bounds(
    good: Bool[np.ndarray, "*levels"], y: Float[np.ndarray, "*levels"], method: YieldMethod, level: float
) -> tuple[float, float]:
    from scipy.stats import norm

    share, passed = float(good.mean()), np.squeeze(good).astype(float)
    if method != "wilson":
        means = resampled(np.atleast_1d(passed)) if method == "bootstrap" else resampled_within(passed, passed.ndim)
        low, high = np.quantile(means, np.round((0.5 - level / 2, 0.5 + level / 2), 12))
        return float(low), float(high)
    single = share * (1 - share) / good.size
    if passed.ndim < 2:
        return wilson(share, single, float(norm.ppf(0.5 + level / 2)), float(good.size), level)
    variance, t = variance_and_t(spreads(passed), level)
    return wilson(share, max(variance, single), t, _effective(np.squeeze(y)), level)


def _effective(y: Float[np.ndarray, "seeds chips"]) -> float:
    """To how many independent chips the mean of values amounts: at least that of seeds, or of chips if fewer."""
    variance = sum(part.variance for part in spreads(y))
    total = sum(max(each, 0.0) for each in components(y).values())
    return float(np.clip(total / variance if variance > 0 else 0.0, min(y.shape), y.size))
