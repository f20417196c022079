"""A voltage waveform in, current and state out."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Real

from .._checks import Checked, checked, is_known, that
from .._checks._quantities import LARGEST_PLAUSIBLE_VOLTAGE, MILLIVOLTS
from ._memristor import AbstractMemristor, check_state
from ._steps import AbstractSteps, FixedSteps

Waveform = Array | np.ndarray
VOLTAGE = that(
    f"finite and within {LARGEST_PLAUSIBLE_VOLTAGE} V",
    lambda v: np.abs(v) <= LARGEST_PLAUSIBLE_VOLTAGE,
    hint=MILLIVOLTS,
)
FAULTS = (
    "`time` must increase from sample to sample, in seconds. It does not, or it is not finite. Sort it, drop repeats.",
    "`voltage` must be finite at every sample. It is not. Drop or interpolate what was not measured.",
    f"`voltage` must be within {LARGEST_PLAUSIBLE_VOLTAGE} V. It is not. {MILLIVOLTS}",
    "`state` must be one that the memristor may have, see its `bounds`. It is not. Another unit? See the class.",
)


class Trace(Checked):
    """What a memristor did: `time` (s), `voltage` (V), `current` (A) and `state` at the same samples.

    >>> import numpy as np, device_models as dm
    >>> time = np.linspace(0.0, 1.0, 101)
    >>> trace = dm.memristors.simulate(dm.memristors.hp_strukov2008(), time, np.sin(2 * np.pi * time))
    >>> trace.current.shape, trace.state.shape
    ((101,), (101,))
    """

    time: Real[Waveform, " n"]
    voltage: Float[Array, " n"]
    current: Float[Array, " n"]
    state: Float[Array, " n"]


@checked(voltage=VOLTAGE)
def simulate(
    memristor: AbstractMemristor,
    time: Real[Waveform, " n"],
    voltage: Real[Waveform, " n"],
    *,
    state: float | Float[Array, ""] | None = None,
    steps: AbstractSteps = FixedSteps(),  # noqa: B008
) -> Trace:
    r"""Drives one memristor with a voltage that is linear between its samples.

    The equation $\dot x = \mathrm{flow}(x, V(t))$ is integrated with Diffrax in the coordinate of
    `memristor.interval`, so that the state never leaves its bounds. Differentiable in every array of the memristor and
    in `voltage`, with fixed steps backwards and forwards, with adaptive ones backwards. Many memristors are
    `jax.vmap(lambda memristor: simulate(memristor, time, voltage))(memristors)`.

    **Arguments:**

    - `memristor`: The cell.
    - `time`: Of each sample, in seconds, at least two and increasing; spacing may vary. Late in a long record a short
      pulse needs the double precision of NumPy's arrays: known times are subtracted in it, and only then have the
      voltage's. A JAX array has the precision it was made with, seven digits unless 64-bit floats are enabled.
    - `voltage`: At each sample, in volts.
    - `state`: At the first sample, in the unit of the memristor; `memristor.x_0` where absent.
    - `steps`: `FixedSteps` or `AdaptiveSteps`.

    **Returns:** A `Trace` at the samples.

    **Raises:** `ValueError` for shapes that do not belong together, a time that does not increase, a voltage that is
    not finite or not plausible, a state out of bounds; an error at run time where those are traced, and for steps too
    long for the cell.

    >>> import numpy as np, device_models as dm
    >>> time = np.linspace(0.0, 1.0, 101)
    >>> trace = dm.memristors.simulate(dm.memristors.hp_strukov2008(), time, np.sin(2 * np.pi * time))
    >>> print(f"{1e6 * trace.current[5]:.0f} uA on the way up, {1e6 * trace.current[45]:.0f} on the way down")
    39 uA on the way up, 3090 on the way down
    """
    from ._integrate import integrate  # Diffrax is heavy

    if time.ndim != 1 or time.shape != voltage.shape or time.size < 2:
        raise ValueError(
            "`time` and `voltage` must be one-dimensional and of the same length, at least 2. "
            f"Got shapes {time.shape} and {voltage.shape}. For several waveforms use `jax.vmap`."
        )
    voltage = jnp.asarray(voltage, jnp.result_type(float) if jnp.issubdtype(voltage.dtype, jnp.integer) else None)
    between = intervals(time)
    if is_known(between) and not (np.asarray(between) > 0).all():
        raise ValueError("`time` must increase from sample to sample, in seconds. It does not. Sort it, drop repeats.")
    if state is not None:
        check_state("state", state, memristor.interval)
    steps_of_time = jnp.asarray(between, voltage.dtype)
    start = jnp.asarray(memristor.x_0 if state is None else state, voltage.dtype)
    start = faultless(memristor, steps_of_time, voltage, start)
    states = integrate(memristor, steps_of_time, voltage, start, steps)
    return Trace(time, voltage, memristor.current(states, voltage), states)


def intervals(time: Real[Waveform, " n"]) -> Float[Waveform, " n_minus_1"]:
    """Seconds from sample to sample: in double precision where the times are known, else in their own."""
    return np.diff(np.asarray(time, np.float64)) if is_known(time) else jnp.diff(time)


def faultless(memristor, steps_of_time, voltage, start) -> Float[Array, ""]:
    """`start`, with an error at run time for each of `FAULTS`."""
    faults = jnp.stack(
        [
            ~jnp.all((steps_of_time > 0) & (steps_of_time < jnp.inf)),
            ~jnp.all(jnp.isfinite(voltage)),
            jnp.any(jnp.abs(voltage) > LARGEST_PLAUSIBLE_VOLTAGE),
            ~jnp.asarray(memristor.interval.holds(start)),
        ]
    )
    return eqx.branched_error_if(start, jnp.any(faults), jnp.argmax(faults), FAULTS)
