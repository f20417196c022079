"""Oxide memory whose relaxation was measured cell by cell, from milliseconds to a day, and after bakes."""

from typing import Literal

import numpy as np
from jaxtyping import Float

from .._checks import checked, judge
from .._checks._quantities import Number
from .._sourced import Sourced, describe
from .._span import Span
from ..ageing._growth import Growth
from ..ageing._jumps import Jumps
from ..curves._curves import Constant, Table
from ._gaussian import Gaussian
from ._relaxing_sets import RRAM_BAKED_A, RRAM_RELAXING_A, RRAM_RELAXING_B, RRAM_RELAXING_C

SETS = {"A": RRAM_RELAXING_A, "B": RRAM_RELAXING_B, "C": RRAM_RELAXING_C}
ROOM = 300.0  # kelvins, assumed: the publisher's figures of technology A say "Room Temp"
KELVINS = "Degrees Celsius? Add 273.15."


@checked()
def rram_relaxing(
    technology: Literal["A", "B", "C"] = "C",
    *,
    temperature: float | None = None,
    write_noise_scale: Number = 1.0,
    drift_scale: Number = 1.0,
) -> Gaussian:
    """Oxide cells whose deviation jumps in log time, fitted by us to public raw data of 16 thousand cells each.

    Their publisher calls them technologies A, B and C and does not say which chips these are. C, 0.6 to 40 uS, from
    10 ms to 1e5 s, has the spread of the NeuRRAM fits (`rram_wan2022`). B, 2 to 128 uS, is fitted from 10 ms to 1e3
    s: at 1e4 s its spread has gone on but single cells no longer lie where they lay (correlation 0.16 with 1e3 s
    where 0.8 came before), which no walk does. Of A, 3.75 to 240 uS, from 0.1 to 1e5 s, mean and spread at five
    levels are read from the publisher's figures, and how single cells move is assumed to be as in C.

    Mean and spread at each age, what the deviation of a cell at one age says of it at another, and the tails are
    those of the data; see `Jumps` and `fit.fit_relaxation`. Write noise is where the first reads lie within one of
    32 levels, which was measured uniform. Noise of a read is in what the cell draws anew at each age.

    **Arguments:**

    - `technology`: "A", "B" or "C".
    - `temperature`: Of a bake that begins at the write, in kelvins from 373.15 to 533.15, for technology A only; room
      temperature if left out. Mean and variance as read after one to two hours are interpolated linearly in the inverse
      temperature; that they come to it evenly in log time is assumed. At 533 K half of the cells lose their state: the
      device then has the mean and the spread of the data but not their two humps.
    - `write_noise_scale`, `drift_scale`: As in `Gaussian`.

    **Raises:** `ValueError` for another technology, and for a temperature that was not measured.

    Reference: Levy2024.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.rram_relaxing("C")
    >>> cells = device.program(jnp.full(2000, 20e-6), key=jr.key(0))
    >>> print([f"{1e6 * device.conductance(cells, jnp.array(t)).std():.1f} uS" for t in (0.0, 1.0, 1e5)])
    ['0.4 uS', '2.3 uS', '3.8 uS']
    """
    n = SETS[technology]
    ends = float(n["g_min"]), float(n["g_max"])
    shift, spread = _relaxed(n)
    room = (ROOM, ROOM) if technology == "A" else None
    span = Span(time=(shift.times[0], shift.times[-1]), temperature=room, conductance=ends)
    if temperature is not None:
        shift, spread = _baked(technology, float(temperature), float(n["onset"]))
        age = shift.times[0]
        span = Span(time=(age, age), temperature=(temperature, temperature), conductance=ends)
        n = n | RRAM_BAKED_A
    written = n["write_noise"]
    return Gaussian(
        g_min=ends[0],
        g_max=ends[1],
        write_noise=Constant(float(written)) if isinstance(written.value, float) else _table(n, "at", "write_noise"),
        shift=shift,
        spread=spread,
        write_noise_scale=write_noise_scale,
        drift_scale=drift_scale,
        path=Jumps(
            float(n["onset"]),
            _table(n, "bands", "rate"),
            float(n["unevenness"]),
            float(n["healing"]),
            _table(n, "bands", "own"),
            _table(n, "bands", "lean"),
        ),
        span=span,
        sources=tuple(describe(n)),
    )


def _table(n: dict[str, Sourced], at: str, name: str) -> Table:
    return Table(n[at].coefficients, n[name].coefficients)


def _relaxed(n: dict[str, Sourced]) -> tuple[Growth, Growth]:
    """Mean and standard deviation of what time adds, at room temperature."""
    times, onset = n["times"].coefficients, float(n["onset"])
    shift, spread = (tuple(_table(n, "at", f"{name}_{i}") for i in range(len(times))) for name in ("shift", "spread"))
    return Growth(times, shift, onset), Growth(times, spread, onset, power=2)


def _baked(technology: str, temperature: float, onset: float) -> tuple[Growth, Growth]:
    """The same after a bake, between the temperatures that were measured."""
    n = RRAM_BAKED_A
    measured = np.array(n["temperatures"].coefficients)
    judge("temperature", temperature, float)
    if technology != "A" or not measured[0] <= temperature <= measured[-1]:
        raise ValueError(
            f"`temperature` must be from {measured[0]} to {measured[-1]}, in kelvins, and is for technology A: nothing "
            f"else was baked in the data. Got {temperature} for technology {technology}. {KELVINS}"
        )

    def between(values: Float[np.ndarray, "temperatures *g"]) -> Float[np.ndarray, "*g"]:
        shares = [np.interp(-1 / temperature, -1 / measured, one) for one in np.eye(len(measured))]
        return np.tensordot(shares, values, axes=1)

    shift, spread = (
        np.array([n[f"bake_{name}_{i}"].coefficients for i in range(len(measured))]) for name in ("shift", "spread")
    )
    age, at = float(between(np.array(n["ages"].coefficients))), n["bake_at"].coefficients
    shifted = Table(at, tuple(map(float, between(shift))))
    spread_out = Table(at, tuple(map(float, np.sqrt(between(spread**2)))))
    return Growth((age,), (shifted,), onset), Growth((age,), (spread_out,), onset, power=2)
