"""The standard deviation of each thing that chance decides, with its interval."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Num

from .._checks import checked
from ._factors import FACTORS, chosen
from ._right import best_of
from ._variance import CROSSED, Design, Effect, Inside, components, innermost, mean_squares, signs

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

DRAWS = 20_000  # of pivotal quantities: a quantile of 2.5 % is right within 0.1 points of probability


@checked()
def variance_components(
    values: "xr.DataArray | xr.Dataset", over: Sequence[str] | None = None, *, design: Design = "crossed"
) -> "pd.DataFrame":
    r"""What the `values` vary with, and what each of it adds to the uncertainty of their mean, with 95 % intervals.

    $y_{s c r} = \mu + S_s + C_c + R_r + (SC)_{s c} + (SR)_{s r} + (CR)_{c r} + e_{s c r}$, all random and crossed, of
    seed, chip and recording; variances by the method of moments, from the mean squares. One row an effect: `std`, its
    standard deviation (0 where the estimate of the variance is negative), `levels`, `of_mean`, the standard error
    that it alone gives the mean, and `low` and `high`, the interval of `std`. The last row is the residual, where there
    are crossed factors. What is not in `over` is averaged first.

    Intervals are generalised ones: quantiles of $(n_A / n) \sum_B \pm MS_B\, \nu_B / \chi^2_{\nu_B}$ over 20 000 draws,
    below zero cut off. They suppose normal effects and cover 95 % of them, 97.5 % where there is none. Recordings are
    right or wrong, and most are easy for every chip: the degrees of freedom of their mean squares are fewer as the
    squares of single recordings differ, $\nu = 2 R\, \overline{q}^2 / var(q)$. Of what is right or wrong, intervals of
    "recording" and of the residual still cover only about 90 %, those of seeds and chips 95 %.

    **Arguments:**

    - `values`: Such as `right(result).sel(time=0.0)`, a `difference`, or another measure: a number for each of some of
      "seed", "chip", "moment", "read" and "recording", and nothing else. Of a result, its accuracy.
    - `over`: Names of dimensions; all of them by default.
    - `design`: "crossed" where the first chip of every seed is the same chip. "nested" where each seed has chips of its
      own, each chip moments and each moment reads of its own; recordings are crossed with them.

    Reference: Searle1992, Weerahandi1993, BurdickGraybill1992.

    >>> import numpy as np, xarray as xr, memsim as ms
    >>> rng = np.random.default_rng(0)
    >>> values = 0.02 * rng.normal(size=(10, 1)) + 0.01 * rng.normal(size=(10, 50))
    >>> found = ms.study.variance_components(xr.DataArray(values, dims=("seed", "chip")))
    >>> print(found[["std", "levels"]].round(2))
        std  levels
    0  0.02      10
    1  0.00      50
    2  0.01     500
    """
    import pandas as pd

    y, names = chosen(best_of(values), over)
    inside = nesting(names) if design == "nested" else CROSSED
    bounds = component_intervals(y, inside, names.index("recording") if "recording" in names else None)
    rows: list[dict[str, Any]] = []
    for effect, variance in components(y, inside).items():
        levels = int(np.prod([y.shape[axis] for axis in effect]))
        std = max(float(variance), 0.0) ** 0.5
        low, high = bounds[effect]
        name = effect_name(effect, names, inside)
        rows.append({"effect": name, "std": std, "levels": levels, "of_mean": std / levels**0.5})
        rows[-1] |= {"low": low**0.5, "high": high**0.5}
    return pd.DataFrame(rows)


def nesting(names: Sequence[str]) -> Inside:
    """Of axes of these names, in which others each is: reads in moments, these in chips, and these in seeds."""
    order = [name for name in FACTORS if name in names and name != "recording"]
    return {names.index(name): tuple(names.index(outer) for outer in order[:place]) for place, name in enumerate(order)}


def effect_name(effect: Effect, names: Sequence[str], inside: Inside) -> str:
    """Such as "seed x recording", or "chip in seed x recording"; the residual is that of all axes that are crossed."""
    within = innermost(effect, inside)
    if len(effect) == len(names) and len(within) > 1:
        return "residual"
    nested = {axis: inside.get(axis, ())[-1:] for axis in within}
    return " x ".join(names[axis] + "".join(f" in {names[outer]}" for outer in nested[axis]) for axis in within)


def component_intervals(
    y: Num[np.ndarray, "*levels"], inside: Inside, recording: int | None
) -> dict[Effect, tuple[float, float]]:
    """Bounds of the variance of each effect, 2.5 % beyond either."""
    squares = mean_squares(y, inside)
    rng = np.random.default_rng(0)
    pivots = {}
    for effect, (square, freedom) in squares.items():
        known = float(freedom)
        if recording is not None and recording in effect:
            known = min(known, _freedom_of_recordings(y, effect, innermost(effect, inside), recording))
        pivots[effect] = square * known / rng.chisquare(known, DRAWS)
    found = {}
    for effect in squares:
        drawn = sum(sign * pivots[other] for other, sign in signs(effect, squares, inside).items())
        share = np.prod([y.shape[axis] for axis in effect]) / y.size
        low, high = np.clip(np.quantile(drawn, (0.025, 0.975)), 0.0, None) * share
        found[effect] = (float(low), float(high))
    return found


def _freedom_of_recordings(y: np.ndarray, effect: Effect, within: Effect, recording: int) -> float:
    """Twice the squared mean of a mean square over its variance, which the recordings tell, each a draw of it."""
    part = np.asarray(y, float)
    for axis in range(y.ndim):
        if axis not in effect:
            part = part.mean(axis=axis, keepdims=True)
        elif axis in within:
            part = part - part.mean(axis=axis, keepdims=True)
    each = np.sum(np.moveaxis(part, recording, 0).reshape(y.shape[recording], -1) ** 2, axis=1)
    variance = each.var(ddof=1)
    return float(max(2 * each.size * each.mean() ** 2 / variance, 1.0)) if variance > 0 else np.inf
