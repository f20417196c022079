"""Intervals of a mean over seeds, chips and recordings alike."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from .._checks import checked, whole
from ._factors import chosen
from ._variance import Spread, spreads

if TYPE_CHECKING:
    import xarray as xr

Method = Literal["mixed model", "bootstrap"]
DRAWS = 2000
AT_ONCE = 2**22  # numbers of a step of the bootstrap


class Interval(NamedTuple):
    """A mean and its 95 % confidence interval; the bounds are NaN for a single value."""

    mean: float
    low: float
    high: float

    def in_percent(self, form: str = ".1f", unit: str = "") -> str:
        """Hundredfold and in words: `interval(gain).in_percent("+.2f", " points")` is "+1.20 points [+0.85, +1.55]"."""
        mean, low, high = (format(100 * number, form) for number in self)
        return f"{mean}{unit} [{low}, {high}]"


@checked(another=whole(1))
def interval(
    values: "xr.DataArray",
    over: Sequence[str] | None = None,
    *,
    method: Method = "mixed model",
    another: int | None = None,
) -> Interval:
    r"""Mean of `values` and its 95 % interval, over all that chance decided: other seeds, chips and recordings.

    "mixed model": the variance of the mean is the sum of those of a crossed random-effects model, as in
    `variance_components`, $V = \sum_i V_i$, with $V_i$ of the $n_i$ levels of factor i and of its interactions with
    factors of more levels. Student's t is the mean of those of $n_i - 1$ degrees of freedom, weighted by $V_i$: never
    too small, where Satterthwaite's is for two or three seeds. Of what is right or wrong (booleans) the interval is
    Wilson's with the effective number $p (1 - p) / V$ of recordings, as of a survey; of anything else $\pm t \sqrt V$.

    "bootstrap": the pigeonhole bootstrap, which draws levels of every factor anew, 2.5th to 97.5th percentile of 2000
    means. It is too wide where residuals dominate and, as all bootstraps, too narrow for fewer than about ten seeds
    that differ.

    **Arguments:**

    - `values`: Such as `right(result).sel(time=0.0)`, or a `difference` of two, paired.
    - `over`: Which of "seed", "chip", "moment", "read" and "recording" the interval is over; all by default. It holds
      for those of the others that are here, over which `values` are averaged. `interval_over` says so in words.
    - `method`: "mixed model" or "bootstrap".
    - `another`: Number of recordings of another test set; the interval is then of the mean on that one.

    Reference: Cochran1964, Wilson1927, KornGraubard1998, Owen2007.
    """
    y, names = chosen(values, over)
    if another is not None and (method == "bootstrap" or "recording" not in names):
        raise ValueError(
            f"`another` must go with an interval over recordings by the mixed model. Got over={names}, {method=}."
        )
    mean = float(y.mean())
    if not names:
        return Interval(mean, np.nan, np.nan)
    if method == "bootstrap":
        return Interval(mean, *np.quantile(resampled(y), (0.025, 0.975)).tolist())
    place = names.index("recording") if "recording" in names else None
    parts = spreads(y)
    if another is not None and place is not None:
        more = 1 + y.shape[place] / another
        parts = [part._replace(variance=more * part.variance) if part.axis == place else part for part in parts]
    variance, t = _variance_and_t(parts)
    if values.dtype == bool and place is not None:
        least = y.shape[place] / (1.0 if another is None else 1 + y.shape[place] / another)
        return Interval(mean, *_wilson(mean, variance, t, least))
    half = t * variance**0.5
    return Interval(mean, mean - half, mean + half)


def _variance_and_t(parts: list[Spread]) -> tuple[float, float]:
    """Cochran's t for a variance in parts."""
    from scipy.stats import t

    variances = np.array([part.variance for part in parts])
    quantiles = t.ppf(0.975, [part.freedom for part in parts])
    variance = float(variances.sum())
    return variance, float((variances @ quantiles) / variance if variance > 0 else quantiles.max())


def _wilson(p: float, variance: float, t: float, least: float) -> tuple[float, float]:
    """Wilson's interval of a share; `least` is the effective number of recordings where none is told apart."""
    known = p * (1 - p) > 0 and variance > 0
    n = p * (1 - p) / variance if known else least
    t = t if known else 1.96
    centre, width = p + t**2 / (2 * n), t * (p * (1 - p) / n + (t / (2 * n)) ** 2) ** 0.5
    low, high = ((centre + side * width) / (1 + t**2 / n) for side in (-1, 1))
    return max(min(low, p), 0.0), min(max(high, p), 1.0)


def resampled(y: Float[np.ndarray, "*levels"], draws: int = DRAWS, seed: int = 0) -> Float[np.ndarray, " draws"]:
    """Means of `y` with the levels of each axis drawn anew, with replacement."""
    rng = np.random.default_rng(seed)
    counts = [rng.multinomial(n, np.full(n, 1 / n), draws).astype(float) / n for n in y.shape]
    means = []
    step = max(1, AT_ONCE * y.shape[0] // y.size)
    for start in range(0, draws, step):
        chosen = [count[start : start + step] for count in counts]
        found = np.tensordot(chosen[0], y, axes=1)  # draws, and the axes that are left
        for count in chosen[1:]:
            found = np.einsum("bn,bn...->b...", count, found)
        means.append(found)
    return np.concatenate(means)
