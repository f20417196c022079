"""How often what is said with some confidence is right."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Array, Float, Int

from .._checks import Must, check_finite, checked, whole

if TYPE_CHECKING:
    import xarray as xr

SHARES = Must(
    "probabilities, from 0 to 1, one row a sample", lambda p: (p >= 0) & (p <= 1), "Take the softmax of scores."
)


@checked(probabilities=SHARES, bins=whole(1))
def reliability(
    probabilities: Float[Array | np.ndarray, "samples classes"],
    labels: Int[Array | np.ndarray, " samples"],
    *,
    bins: int = 10,
) -> "xr.Dataset":
    r"""How sure a model is and how often it is right: samples sorted by the probability of the class they are named.

    A model is calibrated where of samples that are named with a probability of 0.8 as many are right. The calibration
    error is $\sum_b \frac{n_b}{n} |\mathrm{right}_b - \mathrm{confidence}_b|$ over bins of equal width.

    **Arguments:**

    - `probabilities`: Of each class, such as the softmax of scores.
    - `labels`: The class of each sample.
    - `bins`: Number of bins between 0 and 1.

    Returns an `xarray.Dataset` over "bin": `number` of samples, their mean `confidence`, the share that is `right`,
    NaN in an empty bin, and `calibration_error`, of all.

    **Raises:** `ValueError` for what are no probabilities, or labels that are no classes.

    >>> import memsim as ms, numpy as np
    >>> sure = np.array([[0.75, 0.25]] * 4)
    >>> found = ms.study.reliability(sure, np.array([0, 0, 1, 1]))
    >>> float(found.calibration_error), float(found.right.sel(bin=0.75))
    (0.25, 0.5)

    Reference: Guo2017.
    """
    import xarray as xr

    shares, named = np.asarray(probabilities, float), np.asarray(labels)
    check_finite("probabilities", shares)
    if shares.shape[0] == 0 or named.min() < 0 or named.max() >= shares.shape[1]:
        raise ValueError(
            f"`labels` must be classes from 0 to {shares.shape[1] - 1}, one or more. Got {named[:5].tolist()}."
        )
    sure, right = shares.max(1), shares.argmax(1) == named
    place = np.minimum((sure * bins).astype(int), bins - 1)
    number = np.bincount(place, minlength=bins)
    some = np.where(number > 0, number, np.nan)
    confidence, good = (np.bincount(place, each, bins) / some for each in (sure, right.astype(float)))
    error = float(np.nansum(number * np.abs(good - confidence)) / number.sum())
    edges = np.linspace(0, 1, bins + 1)
    return xr.Dataset(
        {
            "number": ("bin", number, {"units": "1", "long_name": "samples"}),
            "confidence": ("bin", confidence, {"units": "1", "long_name": "mean probability of the named class"}),
            "right": ("bin", good, {"units": "1", "long_name": "share of samples named rightly"}),
            "calibration_error": ((), error, {"units": "1"}),
        },
        {"bin": ("bin", (edges[1:] + edges[:-1]) / 2, {"units": "1", "long_name": "middle of the confidences"})},
    )
