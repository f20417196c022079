"""What encoders ask of their settings and values. Traced values cannot be looked at, and pass."""

from typing import Any

import numpy as np
from jax.core import Tracer
from jaxtyping import Array


def check_values(name: str, x: Array, low: float, high: float, remedy: str) -> None:
    """Raises `ValueError` for NaN, infinite values, and values outside [low, high]."""
    if isinstance(x, Tracer):
        return
    found = np.asarray(x)
    bad = found[~(np.isfinite(found) & (found >= low) & (found <= high))]
    if bad.size:
        raise ValueError(
            f"`{name}` must be finite and in [{low:g}, {high:g}]. Got {bad.size} of {found.size} that are not, such as "
            f"{bad[0]}. {remedy}"
        )


def check_steps(name: str, steps: int, least: int = 1) -> None:
    """Raises `ValueError` for a number of steps, neurons or events that is not whole, or below `least`."""
    if steps != int(steps) or steps < least:
        raise ValueError(f"`{name}` must be a whole number of at least {least}. Got {steps}.")


def check_length(spikes: Array, steps: int) -> None:
    """Raises `ValueError` for a spike train that the encoder has not made."""
    if spikes.ndim == 0 or spikes.shape[0] != steps:
        raise ValueError(
            f"Spikes must have the {steps} steps of the encoder on their first axis. Got shape {spikes.shape}."
        )


def check_positive(name: str, x: Any, unit: str) -> None:
    """Raises `ValueError` for a setting that is not positive and finite; arrays are checked as a whole."""
    if not isinstance(x, Tracer) and not (np.isfinite(x) & (np.asarray(x) > 0)).all():
        raise ValueError(f"`{name}` must be positive and finite, {unit}. Got {x}.")


def check_tau(tau: Any, dt: Any) -> None:
    """Raises `ValueError` for times that are not positive, and for a step longer than the time constant."""
    check_positive("dt", dt, "in seconds")
    check_positive("tau", tau, "in seconds")
    if not isinstance(tau, Tracer) and not isinstance(dt, Tracer) and not np.asarray(dt <= tau).all():
        raise ValueError(
            "`dt` must be no longer than `tau`, both in seconds. "
            f"Got dt={dt} and tau={tau}. Milliseconds? Multiply by 1e-3."
        )


def whole_steps(refractory: float, dt: float) -> int:
    """Steps of a refractory period; raises `ValueError` unless they are whole and not negative."""
    steps = refractory / dt
    if not 0 <= steps < float("inf") or abs(steps - round(steps)) > 1e-6 * max(1.0, steps):
        raise ValueError(
            "`refractory` must be a whole number of steps of `dt`, at least 0, both in seconds. "
            f"Got {refractory} with dt={dt}, which is {steps:.6g} steps."
        )
    return round(steps)
