"""Axes of times since programming, with ticks at times that people say."""

from typing import TYPE_CHECKING

import numpy as np

from .._checks import checked, whole
from ..study import check_times

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MINUTE, HOUR, DAY, YEAR = 60.0, 3600.0, 86400.0, 365.25 * 86400.0
TICKS = {1e-9: "1 ns", 1e-6: "1 µs", 1e-3: "1 ms", 1.0: "1 s", HOUR: "1 h", DAY: "1 d", 30 * DAY: "1 mo"}
TICKS |= {10.0**n * YEAR: f"{10**n} y" for n in range(5)}
UNITS = {"y": YEAR, "d": DAY, "h": HOUR, "min": MINUTE, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9, "ps": 1e-12}
MOST_TICKS = 6


@checked(most=whole(2))
def label_time(axes: "Axes", times: np.ndarray, *, most: int = 12) -> None:
    """A logarithmic time axis with ticks at times people say, or round ones where those are too few.

    **Arguments:**

    - `axes`: Of matplotlib.
    - `times`: Since programming, in seconds; 0 stands at the left end, see `shown_time`.
    - `most`: So many ticks at most: fewer where panels are narrow.

    >>> import memsim as ms, numpy as np
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> ms.plotting.label_time(axes, np.array([0.0, 3600.0, 86400.0]))
    >>> [tick.get_text() for tick in axes.get_xticklabels()]
    ['1 h', '1 d', '0']
    """
    axes.set_xscale("log")
    shown = shown_time(times)
    ticks = _ticks(shown[np.asarray(times) > 0]) if np.max(times) > 0 else {}
    if np.min(times) == 0:
        ticks[float(shown.min())] = "0"
    apart = -(-len(ticks) // most)
    kept = sorted(ticks)[::apart] if apart > 1 else list(ticks)
    axes.set_xticks(kept, [ticks[each] for each in kept])
    axes.minorticks_off()
    axes.set_xlabel("Time since programming")


@checked()
def shown_time(times: np.ndarray) -> np.ndarray:
    """Times for a logarithmic axis: 0 s stands at 1 s, or a decade before the first positive time.

    >>> import memsim as ms, numpy as np
    >>> ms.plotting.shown_time(np.array([0.0, 100.0])).tolist()
    [1.0, 100.0]
    """
    check_times(times)
    times = np.asarray(times, float)
    positive = times[times > 0]
    first = min(1.0, positive.min() / 10) if positive.size else 1.0
    return np.where(times > 0, times, first)


def _ticks(shown: np.ndarray) -> dict[float, str]:
    """Ticks that tell the scale between the first and the last of some positive times."""
    low, high = float(shown.min()), float(shown.max())
    said = {t: name for t, name in TICKS.items() if 0.99 * low <= t <= 1.01 * high}
    if len(said) > 1:
        early = min(said) > 10 * low  # a line that begins long before the first tick has its beginning told
        return said | ({low: _said(low)} if early else {})
    decades = 10.0 ** np.arange(np.ceil(np.log10(low) - 1e-9), np.floor(np.log10(high) + 1e-9) + 1)
    if len(decades) > 1:
        return {float(t): _said(float(t)) for t in decades[:: -(-len(decades) // MOST_TICKS)]}
    names = {_said(high): high, _said(low): low} | {name: t for t, name in said.items()}
    return {t: name for name, t in names.items()}  # two times that are said alike have one tick


def _said(seconds: float) -> str:
    """A time in the unit in which people say it."""
    round_number = seconds < HOUR or np.log10(seconds) % 1 == 0
    if 1 <= seconds < 1e6 and seconds % 1 == 0 and round_number:
        return f"{seconds:.0f} s"
    name, unit = next(((n, u) for n, u in UNITS.items() if seconds >= 0.999 * u), ("ps", UNITS["ps"]))
    return f"{seconds / unit:.3g} {name}"
