"""Means with intervals, and spreads that are not mistaken for them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._checks import check_finite, described

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


class Interval(NamedTuple):
    """A mean and its 95 % confidence interval; the bounds are NaN for a single value."""

    mean: float
    low: float
    high: float


def mean_interval(values: np.ndarray | Sequence[float]) -> Interval:
    """Mean of independent `values` and its 95 % interval by Student's t. Raises `ValueError` for none, and for NaN."""
    from scipy.stats import t

    values = _numbers(values)
    mean = float(values.mean())
    if values.size < 2:
        return Interval(mean, np.nan, np.nan)
    half = float(t.ppf(0.975, values.size - 1) * values.std(ddof=1) / values.size**0.5)
    return Interval(mean, mean - half, mean + half)


def summary(accuracy: "xr.DataArray") -> "pd.DataFrame":
    """One row for each combination of all dimensions but `seed` and `chip`.

    `mean`, `p5` and `p95` are over all chips and seeds. The interval of the mean is over seeds where there are several,
    each seed one value, because chips of one network say nothing about how a training method varies; with one seed it
    is over chips and holds for that one network. `interval_over` says which. A row that was never computed is NaN;
    where only some of it is, `ValueError` is raised.
    """
    import pandas as pd
    import xarray as xr

    if not isinstance(accuracy, xr.DataArray) or accuracy.size == 0:
        raise ValueError(
            f"`accuracy` must be an `xarray.DataArray` of one value or more, such as `result.accuracy`. "
            f"Got {described(accuracy)}."
        )

    seeds = accuracy.sizes.get("seed", 1)
    others = [name for name in accuracy.dims if name not in ("seed", "chip")]
    rows = []
    for index in np.ndindex(*(accuracy.sizes[name] for name in others)):
        cell = accuracy.isel(dict(zip(others, index, strict=True)))
        values = np.asarray(cell.mean("chip") if seeds > 1 else cell)
        interval = Interval(np.nan, np.nan, np.nan) if np.isnan(cell).all() else mean_interval(values)
        labels = {str(name): cell.coords[name].item() for name in others}
        p5, p95 = np.percentile(np.asarray(cell), [5, 95])
        numbers = {"mean": interval.mean, "low": interval.low, "high": interval.high, "p5": p5, "p95": p95}
        rows.append(labels | numbers | {"interval_over": "seeds" if seeds > 1 else "chips of one network"})
    return pd.DataFrame(rows)


def _numbers(values: Any) -> np.ndarray:
    found = np.asarray(values)
    if found.size and found.dtype.kind not in "biuf":
        raise ValueError(f"`values` must be numbers. Got {described(values)}.")
    found = found.astype(float).ravel()
    if not found.size:
        raise ValueError("`values` must be one number or more. Got none.")
    check_finite("values", found, "Of a study, its attribute `not_finite` says where NaN came from.")
    return found
