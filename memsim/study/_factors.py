"""What chance decides in a study, and what an interval over some of it therefore holds for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from .._checks import check_finite, checked, described, did_you_mean
from ._right import best_of

if TYPE_CHECKING:
    import xarray as xr

FACTORS = ("seed", "chip", "moment", "read", "recording")  # dimensions whose levels are drawn, not chosen
ONE = {"seed": "one network", "chip": "one chip"}
NAN_FROM = (
    "Where NaN came from says the attribute `not_finite` of a study, and `failed` of a sweep; choose what is there "
    "with `sel`, or `dropna`."
)


def factors(values: "xr.DataArray", over: Sequence[str] | None = None) -> tuple[str, ...]:
    """The dimensions that an interval of the mean of `values` is over: those `over`, or all of `FACTORS` with levels.

    Raises `ValueError` for a name that is none of `FACTORS`, and for a dimension that `values` lack.
    """
    there = tuple(name for name in FACTORS if values.sizes.get(name, 1) > 1)
    if over is None:
        return there
    if isinstance(over, str) or not isinstance(over, (tuple, list)) or not over:
        raise ValueError(f'`over` must be names such as ("seed", "recording"). Got {described(over)}.')
    for name in over:
        if name not in FACTORS:
            raise ValueError(did_you_mean("A name in `over`", name, FACTORS))
        if name not in values.dims:
            raise ValueError(
                f"`over` must name dimensions of the values, which have {', '.join(map(str, values.dims))}. "
                f"Got {name}. For recordings pass `right(result)`, or the result itself."
            )
    return tuple(name for name in there if name in over)


@checked()
def interval_over(values: "xr.DataArray | xr.Dataset", over: Sequence[str] | None = None) -> str:
    """What an interval of `values` is over, in words, and what it holds for: "seed, chip; for this test set".

    Of a result, that of its accuracy.

    >>> import numpy as np, xarray as xr, memsim as ms
    >>> accuracy = xr.DataArray(np.full((3, 10), 0.9), dims=("seed", "chip"))
    >>> ms.study.interval_over(accuracy), ms.study.interval_over(accuracy, over=["chip"])
    ('seed, chip; for this test set', 'chip; for these seeds and this test set')
    """
    values = best_of(values)
    named = factors(values, over)
    held = []
    for name in ("seed", "chip", "recording"):
        if name in named:
            continue
        if name == "recording":
            held.append("this test set")
        elif values.sizes.get(name, 1) > 1:
            held.append(f"these {name}s")
        elif name == "seed" or name in values.dims:
            held.append(ONE[name])
    return "; for ".join(part for part in (", ".join(named), " and ".join(held)) if part)


def chosen(values: Any, over: Sequence[str] | None = None) -> tuple[Float[np.ndarray, "*levels"], tuple[str, ...]]:
    """`values` with one axis for each dimension that an interval is over, and their names; averaged over the others."""
    check_values(values)
    named = factors(values, over)
    kept = values.transpose(*named, ...)
    each = np.asarray(kept, np.float64 if kept.dtype.itemsize > 4 else np.float32)
    each = np.asarray(each.reshape(*each.shape[: len(named)], -1).mean(axis=-1, dtype=float))
    check_finite("values", each, NAN_FROM)
    return each, named


def check_values(values: Any) -> None:
    """Raises `ValueError` for what is no array of numbers over nothing but `FACTORS`."""
    import xarray as xr

    if not isinstance(values, xr.DataArray) or values.size == 0 or values.dtype.kind not in "biuf":
        raise ValueError(
            "`values` must be an `xarray.DataArray` of one number or more, such as `right(result)` or "
            f"`result.accuracy`. Got {described(values)}."
        )
    others = [str(name) for name in values.dims if name not in FACTORS and values.sizes[name] > 1]
    if others:
        raise ValueError(
            f"`values` must vary with nothing but {', '.join(FACTORS)}. Got {', '.join(others)}, too; choose one with "
            "`sel`, or make a table of all with `memsim.study.summary`."
        )
