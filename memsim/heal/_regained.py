"""What was lost on chips, and the share of it that mending brings back."""

from typing import TYPE_CHECKING, Literal

import numpy as np

from .._checks import checked, did_you_mean
from ..study import Interval, difference, interval, right

if TYPE_CHECKING:
    import xarray as xr

By = Literal["accuracy", "loss"]
ROUNDING = 1e-6  # of the mean: single precision makes losses of the same outputs differ by less


@checked()
def regained(result: "xr.Dataset", by: By = "accuracy") -> Interval:
    """The share of what was lost that comes back, with its 95 % interval, a ratio of means to first order about them.

    1 is the digital model, 0 the chips as they are. NaN where there is nothing to regain, which `memsim.heal.lost`
    tells apart: its mean is 0, but for rounding, where nothing was lost, below where chips are better than the digital
    model. The interval is that of `memsim.study.interval` over all seeds, chips and recordings of `result`. By the loss
    it is narrower: a recording that is just named wrongly and one that just is not differ little.

    **Arguments:**

    - `result`: Of `compare`, at one remedy and time; several with different networks side by side along "seed".
    - `by`: Of the "accuracy", or of the "loss", the mean cross-entropy.

    **Raises:** `ValueError` for a `result` without what `compare` says of each recording.

    >>> import numpy as np, memsim as ms, xarray as xr
    >>> losses = {"digital_loss": 0.1, "before_loss": 0.5, "loss": 0.2}
    >>> ones = xr.DataArray(np.ones((3, 4)), dims=["chip", "recording"])
    >>> shares = ms.heal.regained(xr.Dataset({name: loss * ones for name, loss in losses.items()}), "loss")
    >>> round(shares.mean, 3)
    0.75
    """
    digital, before, after = (_better(result, name, by) for name in ("digital_", "before_", ""))
    missing, gained = difference(digital, before), difference(after, before)
    whole = float(missing.mean())
    if not whole > ROUNDING * abs(float(before.mean())):
        return Interval(np.nan, np.nan, np.nan)
    ratio = float(gained.mean()) / whole
    return interval(ratio + (gained - ratio * missing) / whole)


@checked()
def lost(result: "xr.Dataset", by: By = "accuracy") -> Interval:
    """How much worse chips are than the digital model before they are mended, with its 95 % interval.

    A fraction of the recordings, or nats of the mean cross-entropy. 0 where nothing was lost, below 0 where the chips
    are better. Over what the interval is, and the arguments, are those of `regained`.

    **Arguments:**

    - `result`: Of `compare`, at one time.
    - `by`: Of the "accuracy", or of the "loss".

    **Raises:** `ValueError` for a `result` without what `compare` says of each recording.

    >>> import numpy as np, memsim as ms, xarray as xr
    >>> ones = xr.DataArray(np.ones((3, 4)), dims=["chip", "recording"])
    >>> found = ms.heal.lost(xr.Dataset({"digital_loss": 0.1 * ones, "before_loss": 0.5 * ones}), "loss")
    >>> round(found.mean, 3)
    0.4
    """
    return interval(difference(*(_better(result, name, by) for name in ("digital_", "before_"))))


def _better(result: "xr.Dataset", name: str, by: By) -> "xr.DataArray":
    """Of each recording, what is larger where a model is better."""
    if by == "accuracy":
        return right(result, f"{name}right")
    if f"{name}loss" not in result:
        raise ValueError(did_you_mean("A loss of `result`", f"{name}loss", [str(each) for each in result.data_vars]))
    return -result[f"{name}loss"].astype(float)
