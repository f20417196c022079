"""A study that goes on until its interval is narrow enough, and whose interval holds though it looked on the way."""

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from .._checks import Checked, check, checked, described, did_you_mean, positive, whole
from ._factors import FACTORS
from ._interval import Interval, interval
from ._needed import WITHOUT_END, pilot_of
from ._right import best_of

if TYPE_CHECKING:
    import xarray as xr

# Of 1 / (n - 1): so much wider than it looks must an interval be taken, since a study stops where its spread happens to
# look small. By simulation: without it, skewed values are covered 92 % after a pilot of 20 chips, 88 % after one of 10.
EXTRA = 4.0
POINTS = 0.1  # a width of so much of a fraction is meant in points

Reason = Literal["too few chips", "too wide", "narrow enough", "all chips", "chips alone cannot"]


class Look(NamedTuple):
    """What the values so far say.

    - `go_on`: Whether more chips are wanted.
    - `chips`: How many there are.
    - `interval`: The one to state: its mean, and the width that was asked for or, if that was not reached, what there
      is. Of several times, that of the widest.
    - `reason`: "too few chips" and "too wide" go on; "narrow enough"; "all chips", where the most there may be did not
      do; "chips alone cannot", where seeds or recordings leave more than the width.

    >>> import numpy as np, xarray as xr, memsim as ms
    >>> rule = ms.study.IntervalWidth(0.004, least=20)
    >>> look = rule.look(xr.DataArray(np.full(5, 0.9), dims="chip"))
    >>> look.go_on, look.chips, look.reason
    (True, 5, 'too few chips')
    """

    go_on: bool
    chips: int
    interval: Interval
    reason: Reason


class IntervalWidth(Checked):
    r"""Go on, a block of chips at a time, until the 95 % interval of the mean is no wider than `width` at any time.

    The rule of Chow and Robbins with a pilot: stop at the first look at which the interval of n chips, widened by
    $1 + 4 / (n - 1)$, is no wider than `width`. Looking again and again stops where the spread happens to look small;
    for that the pilot and the widening make up. The interval to state is the mean ± `width` / 2 (`look(...).interval`),
    not the narrower one of the chips at hand: it covers 94 % or more, in simulations of chips with normal values and of
    chips of which most are near the best and few far below (a skewness of -1.4), in blocks of 1 to 10.

    **Arguments:**

    - `width`: From `low` to `high`, in the units of the values; of accuracies a fraction: 0.002 is 0.2 points.
    - `over`: What the interval is over, as of `memsim.study.interval`; "chip" among them.
    - `least`: Chips of the pilot, before the first look. Fewer than 20 cover less where values are skewed.
    - `most`: Chips at which it stops whatever the width.
    - `of`: "fractions", of which a width of 0.1 or more is refused, since 0.2 would be meant in points; or "numbers".

    Reference: ChowRobbins1965, Woodroofe1977.

    >>> import numpy as np, xarray as xr, memsim as ms
    >>> rule = ms.study.IntervalWidth(0.004, least=20)
    >>> values = 0.9 + 0.001 * np.random.default_rng(0).normal(size=30)
    >>> rule.look(xr.DataArray(values, dims="chip")).reason
    'narrow enough'
    """

    width: float
    over: tuple[str, ...] = ("chip",)
    least: int = 20
    most: int = 1000
    of: Literal["fractions", "numbers"] = "fractions"

    def __check_init__(self):
        check(self, width=positive(), least=whole(5), most=whole(5))
        for name in self.over:
            if name not in FACTORS:
                raise ValueError(did_you_mean("A name in `over`", name, FACTORS))
        if "chip" not in self.over:
            raise ValueError(f'`over` must name "chip", of which there come more. Got over={self.over}.')
        if self.of == "fractions" and self.width >= POINTS:
            raise ValueError(
                f"`width` must be a fraction below {POINTS}: 0.002 is 0.2 points. Got width={self.width}. Points? "
                'Divide by 100. Of what is no fraction, or for a width of 10 points and more, say of="numbers".'
            )
        if self.least > self.most:
            raise ValueError(f"`least` must not exceed `most`. Got least={self.least}, most={self.most}.")

    @checked()
    def goes_on(self, values: "xr.DataArray | xr.Dataset") -> bool:
        """Whether more chips are wanted, as `look`."""
        return self.look(values).go_on

    @checked()
    def look(self, values: "xr.DataArray | xr.Dataset") -> Look:
        """What the values of all chips so far say.

        **Arguments:**

        - `values`: A result, of which this is the accuracy, or an array over "chip" and more; of dimensions that chance
          does not decide, such as "time", each value must be narrow enough.
        """
        found = best_of(values)
        if "chip" not in found.dims:
            raise ValueError(f'`values` must have a dimension "chip". Got {described(values)} over {list(found.dims)}.')
        others = [name for name in found.dims if name not in FACTORS]
        places = np.ndindex(*(found.sizes[name] for name in others))
        cells = [found.isel(dict(zip(others, place, strict=True))) for place in places]
        chips = found.sizes["chip"]
        intervals = [interval(cell, self.over) for cell in cells] if chips > 1 else [Interval(*[float("nan")] * 3)]
        widest = max(intervals, key=lambda each: each.high - each.low)
        reason = self._reason(cells, chips, widest.high - widest.low)
        return Look(reason in ("too few chips", "too wide"), chips, self._stated(widest), reason)

    def _reason(self, cells: "list[xr.DataArray]", chips: int, width: float) -> Reason:
        if chips < self.least:
            return "too few chips"
        if width * (1 + EXTRA / (chips - 1)) <= self.width:
            return "narrow enough"
        if chips >= self.most:
            return "all chips"
        for cell in cells:
            pilot, levels = pilot_of(cell, self.over, 0.95)
            if 2 * pilot.half_width(levels | {"chip": WITHOUT_END}) > self.width:
                return "chips alone cannot"
        return "too wide"

    def _stated(self, found: Interval) -> Interval:
        narrower = found.high - found.low < self.width
        return Interval(found.mean, found.mean - self.width / 2, found.mean + self.width / 2) if narrower else found
