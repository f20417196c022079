"""Means with intervals, and spreads that are not mistaken for them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._checks import check_finite, checked, described
from ._factors import FACTORS, NAN_FROM, interval_over
from ._interval import Interval, Method, interval
from ._right import packed_names, unpacked

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


def mean_interval(values: np.ndarray | Sequence[float]) -> Interval:
    """Mean of independent `values` and its 95 % interval by Student's t. Raises `ValueError` for none, and for NaN.

    It is over what the values are of: accuracies of several seeds tell other seeds, on the same recordings.
    `memsim.study.interval` is over recordings as well.

    >>> import memsim as ms
    >>> found = ms.study.mean_interval([0.91, 0.93, 0.92])
    >>> print(f"{found.mean:.2f} from {found.low:.3f} to {found.high:.3f}")
    0.92 from 0.895 to 0.945
    """
    from scipy.stats import t

    values = _numbers(values)
    mean = float(values.mean())
    if values.size < 2:
        return Interval(mean, np.nan, np.nan)
    half = float(t.ppf(0.975, values.size - 1) * values.std(ddof=1) / values.size**0.5)
    return Interval(mean, mean - half, mean + half)


@checked()
def summary(
    accuracy: "xr.DataArray | xr.Dataset", over: Sequence[str] | None = None, *, method: Method = "mixed model"
) -> "pd.DataFrame":
    """One row for each combination of all dimensions but "seed", "chip", "moment", "read" and "recording".

    `mean`, `p5` and `p95` are over all chips and seeds. The interval of the mean is that of `memsim.study.interval`,
    over all of these dimensions, and `interval_over` names them. A row that was never computed is NaN; where only some
    of it is, `ValueError` is raised. `measured` says whether cells of that age were, where the result does.

    **Arguments:**

    - `accuracy`: A result of `memsim.study.robustness` or of an experiment, or its `accuracy`: that alone tells nothing
      of recordings, so its intervals are for this test set.
    - `over`, `method`: As of `memsim.study.interval`.

    >>> import numpy as np, xarray as xr, memsim as ms
    >>> values = np.linspace(0.8, 0.9, 6).reshape(3, 2)
    >>> accuracy = xr.DataArray(values, {"chip": range(3), "time": [0.0, 3600.0]}, name="accuracy")
    >>> print(ms.study.summary(accuracy)[["time", "mean"]].to_string(index=False))
      time  mean
       0.0  0.84
    3600.0  0.86
    """
    import pandas as pd

    shares, values = _shares(accuracy)
    others = [name for name in values.dims if name not in FACTORS]
    rows = []
    for index in np.ndindex(*(values.sizes[name] for name in others)):
        place = dict(zip(others, index, strict=True))
        cell, share = values.isel(place), np.asarray(shares.isel(place))
        found = Interval(np.nan, np.nan, np.nan)
        if not np.isnan(share).all():
            check_finite("values", share, NAN_FROM)
            found = interval(cell, over, method=method)
        labels: dict[str, Any] = {str(name): cell.coords[name].item() for name in others}
        if "measured" in cell.coords:
            labels["measured"] = bool(cell.coords["measured"])
        p5, p95 = np.percentile(share, [5, 95])
        numbers = {"mean": found.mean, "low": found.low, "high": found.high, "p5": p5, "p95": p95}
        rows.append(labels | numbers | {"interval_over": interval_over(cell, over)})
    return pd.DataFrame(rows)


def _shares(given: Any) -> tuple["xr.DataArray", "xr.DataArray"]:
    """Accuracy, and the best there is of it: which recordings are right, if that was kept."""
    import xarray as xr

    values: Any = given
    if isinstance(given, xr.Dataset) and "accuracy" in given:
        values = unpacked(given) if "right" in packed_names(given) else given.accuracy
    if not isinstance(values, xr.DataArray) or values.size == 0:
        raise ValueError(
            "`accuracy` must be a result with accuracies, or an `xarray.DataArray` of one value or more, such as "
            f"`result.accuracy`. Got {described(given)}."
        )
    whole = given.accuracy if isinstance(given, xr.Dataset) else values
    shares = whole.mean("recording") if "recording" in whole.dims else whole
    order = [name for name in values.dims if name != "recording"]
    return shares.transpose(*order), values.transpose(*order, ...)


def _numbers(values: Any) -> np.ndarray:
    found = np.asarray(values)
    if found.size and found.dtype.kind not in "biuf":
        raise ValueError(f"`values` must be numbers. Got {described(values)}.")
    found = found.astype(float).ravel()
    if not found.size:
        raise ValueError("`values` must be one number or more. Got none.")
    check_finite("values", found, NAN_FROM)
    return found
