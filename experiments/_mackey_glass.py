"""The Mackey-Glass series of NeuroBench's benchmark of chaotic functions, and how predictions of them are judged.

The published files (Yik2025) cannot be made again point by point, says their code: the integrator decides, since
neighbours part by a factor of e in a Lyapunov time. These are of the same delays, first values and spacing, by the
method of steps: each interval of one delay is an ordinary equation that is driven by the solution before it.
"""

from typing import Any, NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

BETA, GAMMA, POWER = 0.2, 0.1, 10.0  # MackeyGlass1977, as NeuroBench sets them
POINTS = 75  # of a Lyapunov time
DIFFERS = 0.4  # of the standard deviation: a prediction that is further off has ended, as is usual


class Series(NamedTuple):
    """One series of the benchmark: its Lyapunov time in units of the equation, and the constant past."""

    lyapunov: float
    past: float


# NeuroBench 2.3.0, mackey_glass_parameters.csv, by delay
SERIES = {
    17: Series(197.0, 0.7206597),
    18: Series(138.0, 0.7744313),
    19: Series(315.0, 0.7783468),
    20: Series(131.0, 0.9225991),
    21: Series(191.0, 0.9479431),
    22: Series(119.0, 0.5455960),
    23: Series(106.0, 0.8622247),
    24: Series(97.0, 0.3259660),
    25: Series(98.0, 0.8297825),
    26: Series(104.0, 1.0033490),
    27: Series(112.0, 0.6491406),
    28: Series(119.0, 1.0957495),
    29: Series(131.0, 0.9256179),
    30: Series(139.0, 0.2713639),
}


def mackey_glass(delay: int, points: int, *, first: int = 0, tolerance: float = 1e-10) -> np.ndarray:
    """The values at `points` times, 75 a Lyapunov time, from point `first` on; the series begins one delay after 0.

    `tolerance` is relative, of a step of the integrator.
    """
    series = SERIES[delay]
    at = delay + (first + np.arange(points)) * series.lyapunov / POINTS
    intervals = 64 * -(-int(at[-1] / delay + 2) // 64)  # few sizes, so that few are compiled
    with jax.enable_x64(True):
        found = _solved(jnp.asarray(float(delay)), jnp.asarray(series.past), jnp.asarray(at), intervals, tolerance)
        return np.asarray(found)


@eqx.filter_jit
def _solved(
    delay: Float[Array, ""], past: Float[Array, ""], at: Float[Array, " points"], intervals: int, tolerance: float
) -> Float[Array, " points"]:
    def interval(before: Any, _: None) -> tuple[Any, Any]:
        start = before.evaluate(jnp.ones_like(delay))
        now = _dense(_slope, delay, start, (before, delay), tolerance)
        return now, now

    constant = _dense(lambda t, y, args: jnp.zeros_like(y), delay, past, None, tolerance)
    _, pieces = jax.lax.scan(interval, constant, None, length=intervals)

    def value(t: Array) -> Array:
        place = jnp.clip((t // delay).astype(int), 0, intervals - 1)
        return jax.tree.map(lambda leaf: leaf[place], pieces).evaluate(t / delay - place.astype(t.dtype))

    return jax.lax.map(value, at)


def _slope(t: Array, y: Array, args: Any) -> Array:
    before, delay = args
    delayed = before.evaluate(t)
    return delay * (BETA * delayed / (1 + delayed**POWER) - GAMMA * y)  # time in delays


def _dense(slope: Any, delay: Array, start: Array, args: Any, tolerance: float) -> Any:
    """The solution over one delay, as a function of time in delays."""
    solved = diffrax.diffeqsolve(
        diffrax.ODETerm(slope),
        diffrax.Dopri5(),
        t0=jnp.zeros_like(delay),
        t1=jnp.ones_like(delay),
        dt0=jnp.full_like(delay, 0.02),
        y0=start,
        args=args,
        saveat=diffrax.SaveAt(dense=True),
        stepsize_controller=diffrax.PIDController(rtol=tolerance, atol=tolerance),
        max_steps=512,
    )
    return solved.interpolation


def smape(predicted: np.ndarray, true: np.ndarray) -> float:
    """NeuroBench's symmetric mean absolute percentage error, from 0 to 200; what is not a number counts as 200."""
    with np.errstate(all="ignore"):
        found = 200 * np.mean(np.abs(predicted - true) / (np.abs(predicted) + np.abs(true)))
    return float(np.nan_to_num(found, nan=200.0))


def horizon(predicted: np.ndarray, true: np.ndarray) -> float:
    """Lyapunov times until a prediction is 0.4 standard deviations off for the first time."""
    off = ~(np.abs(predicted - true) < DIFFERS * np.std(true))
    return float(np.argmax(off) if off.any() else len(off)) / POINTS
