"""Charge-trap flash (SONOS) of 40 nm, as two papers measured it over five days."""
# ruff: noqa: RUF005 - two sums of short tuples, or the formatter gives each number a line

from .._checks._quantities import Number
from .._sourced import Sourced, describe
from .._span import Span
from ..ageing._histories import Snapshots, Steady
from ..curves._curves import Saturating, Table, as_chebyshev
from ._gaussian import Gaussian

DAY = 86400.0
V_READ = 0.1  # the fits are in currents: 1600 nA are 16 uS
AGRAWAL = "Agrawal2022, as fitted in CrossSim"
XIAO = "Xiao2022, 10.1109/TCSI.2021.3134313, as fitted in CrossSim"

SONOS_AGRAWAL_2022 = {
    "g_max": Sourced(16e-6, "S", f"{AGRAWAL}; suggested range, 1600 nA at 0.1 V"),
    "days": Sourced((0.0, 1.0, 2.0, 3.0, 4.0, 5.0), "day", AGRAWAL),
    "A": Sourced((19.88665, 25.59102, 28.72753, 31.04318, 33.76214, 34.57909), "nA", f"{AGRAWAL}; A (1 - exp(-I/B))"),
    "B": Sourced((176.3115, 186.85544, 193.56834, 198.90332, 204.77023, 207.34309), "nA", AGRAWAL),
    "read": Sourced((12.58037, 215.36557), "nA", f"{AGRAWAL}; A and B of the read noise"),
    "shift_day1": Sourced(
        (1.72684e-01, 5.72552e-02, -6.85715e-04, 3.50271e-06, -9.37682e-09, 1.40575e-11)
        + (-1.19803e-14, 5.41293e-18, -8.85448e-22, -1.66869e-25, 5.95180e-29),
        "nA",
        f"{AGRAWAL}; polynomial in I / nA",
    ),
    "shift_day2": Sourced(
        (2.50712e-01, 6.62195e-02, -6.83218e-04, 2.99442e-06, -6.78255e-09, 7.70482e-12)
        + (-3.04983e-15, -2.15919e-18, 2.94617e-21, -1.23359e-24, 1.85329e-28),
        "nA",
        f"{AGRAWAL}; polynomial in I / nA",
    ),
    "shift_day3": Sourced(
        (-1.75300e-02, 9.76883e-02, -9.63791e-04, 4.55551e-06, -1.22391e-08, 1.93786e-11)
        + (-1.85899e-14, 1.07659e-17, -3.58211e-21, 5.96785e-25, -3.30410e-29),
        "nA",
        f"{AGRAWAL}; polynomial in I / nA",
    ),
    "shift_day4": Sourced(
        (4.03338e-02, 1.03111e-01, -1.04740e-03, 4.83961e-06, -1.28132e-08, 1.99484e-11)
        + (-1.85139e-14, 1.00008e-17, -2.84944e-21, 3.01008e-25, 1.18747e-29),
        "nA",
        f"{AGRAWAL}; polynomial in I / nA",
    ),
    "shift_day5": Sourced(
        (3.19927e-01, 1.06596e-01, -1.04054e-03, 4.50290e-06, -1.10352e-08, 1.56477e-11)
        + (-1.27592e-14, 5.45513e-18, -7.26841e-22, -2.43893e-25, 7.14608e-29),
        "nA",
        f"{AGRAWAL}; polynomial in I / nA",
    ),
}

SONOS_XIAO_2022 = {
    "g_max": Sourced(16e-6, "S", f"{XIAO}; 1600 nA at 0.1 V"),
    "days": Sourced((0.0, 1.0, 2.0, 5.0), "day", XIAO),
    "A": Sourced((0.00188704, 0.00203079, 0.00205587, 0.00217328), "1/nA", f"{XIAO}; B (1 - exp(-A I))"),
    "B": Sourced((39.5656, 46.1065, 50.3982, 53.4358), "nA", XIAO),
    "mean_day0": Sourced(
        (52.36, 101.54, 151.1, 202.17, 254.18, 305.76, 361.97, 408.88)
        + (512.92, 607.13, 721.61, 825.66, 930.48, 1034.71, 1303.16, 1585.32),
        "nA",
        f"{XIAO}; measured",
    ),
    "mean_day1": Sourced(
        (54.94, 103.82, 155.11, 206.69, 259.1, 308.48, 363.51, 411.18)
        + (512.22, 601.67, 711.76, 817.82, 917.37, 1019.99, 1281.87, 1553.01),
        "nA",
        f"{XIAO}; measured",
    ),
    "mean_day2": Sourced(
        (56.51, 105.8, 157.73, 210.48, 262.89, 312.24, 369.76, 417.15)
        + (519.34, 604.93, 715.29, 814.42, 918.3, 1019.02, 1278.3, 1550.17),
        "nA",
        f"{XIAO}; measured",
    ),
    "mean_day5": Sourced(
        (58.44, 110.93, 162.27, 213.43, 273.47, 319.09, 377.16, 421.33)
        + (524.99, 608.45, 717.14, 819.56, 918.27, 1023.06, 1278.56, 1543.26),
        "nA",
        f"{XIAO}; measured",
    ),
}


def sonos_agrawal2022(
    *, write_noise_scale: Number = 1.0, drift_scale: Number = 1.0, read_noise_scale: Number = 1.0
) -> Gaussian:
    """SONOS of 128 thousand cells, 0 to 16 uS: mean and spread by day up to five, and read noise.

    Between the days all parameters are interpolated linearly; after five days they are held (assumed). The spread
    at an age contains the write error. That a cell keeps its rank is assumed.

    - `write_noise_scale`, `drift_scale`, `read_noise_scale`: As of `Gaussian`; 1 is the published cell.

    Reference: Agrawal2022.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.sonos_agrawal2022()
    >>> cells = device.program(jnp.full(2000, 8e-6), key=jr.key(0))
    >>> for day in (0.0, 5.0):
    ...     g = 1e6 * device.conductance(cells, jnp.array(86400.0 * day))
    ...     print(f"day {day:.0f}: {g.mean():.1f} +- {g.std():.1f} uS")
    day 0: 8.0 +- 0.2 uS
    day 5: 7.8 +- 0.3 uS
    """
    n = SONOS_AGRAWAL_2022
    g_max, full = float(n["g_max"]), float(n["g_max"]) * V_READ * 1e9  # full scale in nA
    still = as_chebyshev((0.0,) * 11, full)
    moved = (as_chebyshev(tuple(map(_siemens, n[f"shift_day{day}"].coefficients)), full) for day in range(1, 6))
    heights, widths = n["A"].coefficients, n["B"].coefficients
    return Gaussian(
        g_min=0.0,
        g_max=g_max,
        shift=Snapshots(_seconds(n), (still, *moved)),
        spread=Snapshots(
            _seconds(n), tuple(Saturating(_siemens(a), b / full) for a, b in zip(heights, widths, strict=True))
        ),
        noise=Steady(Saturating(_siemens(n["read"].coefficients[0]), n["read"].coefficients[1] / full)),
        write_noise_scale=write_noise_scale,
        drift_scale=drift_scale,
        read_noise_scale=read_noise_scale,
        span=Span(time=(0.0, _seconds(n)[-1]), voltage=(V_READ, V_READ), conductance=(0.0, g_max)),
        sources=tuple(describe(n)),
    )


def sonos_xiao2022(*, write_noise_scale: Number = 1.0, drift_scale: Number = 1.0) -> Gaussian:
    """SONOS of an earlier measurement, 0 to 16 uS: means by day from a table, and the spread. No read noise.

    Means are interpolated in conductance and in time; below 52 nA and above 1585 nA the shift is held, as are all
    parameters after five days; that a cell keeps its rank is assumed, too.

    - `write_noise_scale`, `drift_scale`: As of `Gaussian`; 1 is the published cell.

    Reference: Xiao2022.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.sonos_xiao2022()
    >>> cells = device.program(jnp.full(2000, 1e-6), key=jr.key(0))
    >>> for day in (0.0, 5.0):
    ...     g = 1e6 * device.conductance(cells, jnp.array(86400.0 * day))
    ...     print(f"day {day:.0f}: {g.mean():.1f} +- {g.std():.2f} uS")
    day 0: 1.0 +- 0.07 uS
    day 5: 1.1 +- 0.12 uS
    """
    n = SONOS_XIAO_2022
    g_max, full = float(n["g_max"]), float(n["g_max"]) * V_READ * 1e9
    start = n["mean_day0"].coefficients
    at = tuple(current / full for current in start)

    def moved(day: int) -> Table:
        means = n[f"mean_day{day}"].coefficients
        return Table(at, tuple(_siemens(now - then) for now, then in zip(means, start, strict=True)))

    rates, heights = n["A"].coefficients, n["B"].coefficients
    return Gaussian(
        g_min=0.0,
        g_max=g_max,
        shift=Snapshots(_seconds(n), tuple(moved(day) for day in (0, 1, 2, 5))),
        spread=Snapshots(
            _seconds(n), tuple(Saturating(_siemens(b), 1 / (a * full)) for a, b in zip(rates, heights, strict=True))
        ),
        write_noise_scale=write_noise_scale,
        drift_scale=drift_scale,
        span=Span(time=(0.0, _seconds(n)[-1]), voltage=(V_READ, V_READ), conductance=(0.0, g_max)),
        sources=tuple(describe(n)),
    )


def _siemens(nanoamperes: float) -> float:
    return nanoamperes * 1e-9 / V_READ


def _seconds(n: dict[str, Sourced]) -> tuple[float, ...]:
    return tuple(day * DAY for day in n["days"].coefficients)
