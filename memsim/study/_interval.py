"""Intervals of a mean over seeds, chips and recordings alike."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from .._checks import between, checked, whole
from ._bootstrap import resampled, resampled_within
from ._factors import chosen
from ._variance import Spread, spreads

if TYPE_CHECKING:
    import xarray as xr

Method = Literal["mixed model", "bootstrap", "hierarchical bootstrap"]
LEVEL = between(0, 1, hint="Percent? Divide by 100.")


class Interval(NamedTuple):
    """A mean and its confidence interval, of 95 % unless another was asked for; NaN bounds for a single value.

    - `mean`, `low`, `high`: In the units of the values.

    >>> import memsim as ms
    >>> found = ms.study.Interval(mean=0.93, low=0.92, high=0.94)
    >>> ms.study.with_uncertainty(found)
    '0.930 ± 0.010'
    """

    mean: float
    low: float
    high: float

    def in_percent(self, form: str = ".1f", unit: str = "") -> str:
        """Hundredfold and in words: `interval(gain).in_percent("+.2f", " points")` is "+1.20 points [+0.85, +1.55]"."""
        mean, low, high = (format(100 * number, form) for number in self)
        return f"{mean}{unit} [{low}, {high}]"


@checked(another=whole(1), level=LEVEL)
def interval(
    values: "xr.DataArray",
    over: Sequence[str] | None = None,
    *,
    method: Method = "mixed model",
    another: int | None = None,
    level: float = 0.95,
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

    "hierarchical bootstrap": for chips of their own for each seed. Seeds are drawn anew, then chips within each that is
    drawn, moments within these and reads within moments; recordings are crossed with all. Where seeds differ
    most, it covers 54 % with two of them, 74 % with three, 84 % with five, 91 % with ten and 93 % with twenty: use the
    mixed model there.

    **Arguments:**

    - `values`: Such as `right(result).sel(time=0.0)`, or a `difference` of two, paired.
    - `over`: Which of "seed", "chip", "moment", "read" and "recording" the interval is over; all by default. It holds
      for those of the others that are here, over which `values` are averaged. `interval_over` says so in words.
    - `method`: "mixed model", "bootstrap" or "hierarchical bootstrap".
    - `another`: Number of recordings of another test set; the interval is then of the mean on that one.
    - `level`: How often the interval holds the mean, 0.95 by default.

    Reference: Cochran1964, Wilson1927, KornGraubard1998, Owen2007, DavisonHinkley1997.

    >>> import numpy as np, xarray as xr, memsim as ms
    >>> values = 0.9 + 0.01 * np.random.default_rng(0).normal(size=(3, 10))
    >>> found = ms.study.interval(xr.DataArray(values, dims=("seed", "chip")))
    >>> print(f"{found.mean:.3f} from {found.low:.3f} to {found.high:.3f}")
    0.899 from 0.892 to 0.906
    """
    y, names = chosen(values, over)
    if another is not None and (method != "mixed model" or "recording" not in names):
        raise ValueError(
            f"`another` must go with an interval over recordings by the mixed model. Got over={names}, {method=}."
        )
    mean = float(y.mean())
    if not names:
        return Interval(mean, np.nan, np.nan)
    if method != "mixed model":
        nested = len(names) - ("recording" in names)
        means = resampled(y) if method == "bootstrap" else resampled_within(y, nested)
        tails = np.round((0.5 - level / 2, 0.5 + level / 2), 12)  # 0.025 as it is written
        return Interval(mean, *np.quantile(means, tails).tolist())
    place = names.index("recording") if "recording" in names else None
    parts = spreads(y)
    if another is not None and place is not None:
        more = 1 + y.shape[place] / another
        parts = [part._replace(variance=more * part.variance) if part.axis == place else part for part in parts]
    variance, t = variance_and_t(parts, level)
    if values.dtype == bool and place is not None:
        least = y.shape[place] / (1.0 if another is None else 1 + y.shape[place] / another)
        return Interval(mean, *wilson(mean, variance, t, least, level))
    half = t * variance**0.5
    return Interval(mean, mean - half, mean + half)


def variance_and_t(parts: list[Spread], level: float = 0.95) -> tuple[float, float]:
    """Cochran's t for a variance in parts."""
    from scipy.stats import t

    variances = np.array([part.variance for part in parts])
    quantiles = t.ppf(0.5 + level / 2, [part.freedom for part in parts])
    variance = float(variances.sum())
    return variance, float((variances @ quantiles) / variance if variance > 0 else quantiles.max())


def wilson(p: float, variance: float, t: float, least: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a share; `least` is the effective number of recordings where none is told apart."""
    from scipy.stats import norm

    known = p * (1 - p) > 0 and variance > 0
    n = p * (1 - p) / variance if known else least
    t = t if known else 1.96 if level == 0.95 else float(norm.ppf(0.5 + level / 2))
    centre, width = p + t**2 / (2 * n), t * (p * (1 - p) / n + (t / (2 * n)) ** 2) ** 0.5
    low, high = ((centre + side * width) / (1 + t**2 / n) for side in (-1, 1))
    return max(min(low, p), 0.0), min(max(high, p), 1.0)
