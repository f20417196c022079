"""How many chips an interval of a given width takes, as a pilot study tells."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .._checks import checked, positive, whole
from ._factors import chosen
from ._interval import LEVEL, variance_and_t, wilson
from ._right import best_of
from ._variance import Effect, Spread, components, spreads_of

if TYPE_CHECKING:
    import xarray as xr

WITHOUT_END = 10**15
MOST = 100_000


class ChipsNeeded(NamedTuple):
    """What an interval of a given half width takes.

    - `chips`: That number of chips; `None` where chips alone cannot reach it.
    - `half_width`: To expect of so many chips, or of chips without end.
    - `floor`: That of chips without end.
    - `leaves`: What it is made of: the half width that each other factor would leave alone.
    - `instead`: Where chips alone cannot reach it, what would: from the name of another factor to how many of it, and
      how many chips with them, those of the smallest product. Without the factors of which no number would.

    >>> import numpy as np, xarray as xr, memsim as ms
    >>> values = 0.9 + 0.01 * np.random.default_rng(0).normal(size=10)
    >>> found = ms.study.chips_needed(xr.DataArray(values, dims="chip"), 0.002)
    >>> found.chips, found.half_width <= 0.002, found.floor < 1e-6  # more chips alone reach any width
    (62, True, True)
    """

    chips: int | None
    half_width: float
    floor: float
    leaves: dict[str, float]
    instead: dict[str, tuple[int, int]]

    def in_words(self) -> str:
        """Such as "42 chips, for ± 0.0020", or what chips alone leave, and what would reach more."""
        if self.chips is not None:
            return f"{self.chips} chips, for ± {self.half_width:.2g}"
        left = ", ".join(f"± {width:.2g} by {name}s" for name, width in self.leaves.items())
        others = " or ".join(f"{n} {name}s with {chips} chips" for name, (n, chips) in self.instead.items())
        would = f"{others} would do" if others else "no number of one other factor would do"
        return f"chips alone reach no less than ± {self.floor:.2g} ({left}); {would}"


class Pilot(NamedTuple):
    """Variances of a pilot study, and how its intervals are made of them."""

    found: Mapping[Effect, float]
    names: tuple[str, ...]
    share: float | None  # of what is right or wrong
    level: float

    def half_width(self, levels: Mapping[str, int]) -> float:
        """To expect of so many levels of each factor."""
        variance, t = variance_and_t(self.parts(levels), self.level)
        if self.share is None:
            return t * variance**0.5
        low, high = wilson(self.share, variance, t, float(levels["recording"]), self.level)
        return (high - low) / 2

    def parts(self, levels: Mapping[str, int]) -> list[Spread]:
        """The variance of the mean in parts, of so many levels of each factor."""
        return spreads_of(self.found, [levels[name] for name in self.names])

    def leaves(self, levels: Mapping[str, int]) -> dict[str, float]:
        """The half width by each factor alone, but for chips."""
        alone = [(self.names[part.axis], variance_and_t([part], self.level)) for part in self.parts(levels)]
        return {name: t * variance**0.5 for name, (variance, t) in alone if name != "chip"}


def pilot_of(values: "xr.DataArray", over: Sequence[str] | None, level: float) -> tuple[Pilot, dict[str, int]]:
    """Variances of a pilot study, and how many there are of each factor."""
    y, names = chosen(values, over)
    found = {effect: max(float(each), 0.0) for effect, each in components(y).items()}
    share = float(y.mean()) if values.dtype == bool and "recording" in names else None
    return Pilot(found, names, share, level), dict(zip(names, y.shape, strict=True))


@checked(half_width=positive(), seeds=whole(2), recordings=whole(2), level=LEVEL)
def chips_needed(
    result: "xr.DataArray | xr.Dataset",
    half_width: float,
    over: Sequence[str] | None = None,
    *,
    seeds: int | None = None,
    recordings: int | None = None,
    level: float = 0.95,
) -> ChipsNeeded:
    r"""How many chips the interval of a mean needs to be no wider than ± `half_width`, as a pilot study tells.

    The interval is that of `memsim.study.interval`, of the variances of the pilot over other numbers of chips, negative
    ones taken as zero. Chips do not lower what seeds and recordings leave: where that alone is wider, what would
    reach it is said instead. The number is as good as the pilot: by one of 10 chips it may be a third or double of what
    is needed, by one of 25 half or two thirds more (`memsim.study.variance_components` has the intervals), so look
    again on the way (`memsim.study.IntervalWidth`).

    **Arguments:**

    - `result`: A pilot study: an array over "chip" and more, as of `memsim.study.interval`, or a result at one time.
    - `half_width`: In the units of the values: 0.002 is 0.2 points of accuracy.
    - `over`: As of `memsim.study.interval`; "chip" among them.
    - `seeds`, `recordings`: How many of them the study has; those of the pilot by default.
    - `level`: Of the interval, 0.95 by default.

    Reference: Searle1992, Cochran1964.

    >>> import numpy as np, xarray as xr, memsim as ms
    >>> values = 0.9 + 0.01 * np.random.default_rng(0).normal(size=10)
    >>> pilot = xr.DataArray(values, dims="chip")
    >>> ms.study.chips_needed(pilot, 0.004).chips, ms.study.chips_needed(pilot, 0.002).chips
    (18, 62)
    """
    pilot, levels = pilot_of(best_of(result), over, level)
    if "chip" not in levels:
        raise ValueError(f"`result` must have several chips, and `over` name them. Got an interval over {pilot.names}.")
    for name, number in (("seed", seeds), ("recording", recordings)):
        if number is not None and name not in levels:
            raise ValueError(f"`{name}s` must go with a pilot of several, over which the interval is. Got {number}.")
        levels |= {} if number is None else {name: number}
    if not any(pilot.found.values()):
        raise ValueError("`result` must have values that differ, to tell how much. Got one number for all.")
    endless = levels | {"chip": WITHOUT_END}
    floor, leaves = pilot.half_width(endless), pilot.leaves(endless)
    chips = _least(lambda n: pilot.half_width(levels | {"chip": n}), half_width)
    if chips is not None:
        return ChipsNeeded(chips, pilot.half_width(levels | {"chip": chips}), floor, leaves, {})
    others = [name for name in pilot.names if name != "chip"]
    ways = {name: _cheapest(pilot, levels, name, half_width) for name in others}
    return ChipsNeeded(None, floor, floor, leaves, {name: way for name, way in ways.items() if way is not None})


def _least(width: Callable[[int], float], half_width: float, start: int = 2) -> int | None:
    """The smallest number from `start` to `MOST` of which the width is no more; `None` where none is."""
    if width(start) <= half_width:
        return start
    low, high = start, 2 * start
    while width(high) > half_width:
        if high >= MOST:
            return None
        low, high = high, min(2 * high, MOST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if width(middle) <= half_width else (middle, high)
    return high


def _cheapest(pilot: Pilot, levels: Mapping[str, int], name: str, half_width: float) -> tuple[int, int] | None:
    """How many of a factor, and of chips, reach a half width with the smallest product."""
    least = _least(lambda n: pilot.half_width({**levels, name: n, "chip": WITHOUT_END}), half_width, levels[name])
    if least is None:
        return None
    ways = []
    for n in np.unique(np.ceil(least * np.geomspace(1.0, 8.0, 25)).astype(int)).tolist():
        chips = _least(lambda m, n=n: pilot.half_width({**levels, name: n, "chip": m}), half_width)
        ways += [] if chips is None else [(n, chips)]
    return min(ways, key=lambda way: way[0] * way[1], default=None)
