"""What encoders ask of their settings and values beyond one number. Traced values cannot be looked at, and pass."""

from typing import Any

import numpy as np
from jaxtyping import Array

from .._checks import at_least, is_known, positive, that, whole

SECONDS = positive("in seconds", hint="Milliseconds? Multiply by 1e-3.")
DURATION = at_least(0.0, "in seconds", hint="Milliseconds? Multiply by 1e-3.")
STEPS = whole(1)
SIGNAL = that("an array of numbers", np.isreal)  # finite and within which range, `check_values` says
SPIKES = that("an array of finite numbers, time first", np.isfinite)


def check_values(name: str, x: Array, low: float, high: float, remedy: str) -> None:
    """Raises `ValueError` for NaN, infinite values, and values outside [low, high]."""
    if not is_known(x):
        return
    found = np.asarray(x)
    bad = found[~(np.isfinite(found) & (found >= low) & (found <= high))]
    if bad.size:
        raise ValueError(
            f"`{name}` must be finite and in [{low:g}, {high:g}]. Got {bad.size} of {found.size} that are not, such as "
            f"{bad[0]}. {remedy}"
        )


def check_length(spikes: Array, steps: int) -> None:
    """Raises `ValueError` for a spike train that the encoder has not made."""
    if spikes.ndim == 0 or spikes.shape[0] != steps:
        raise ValueError(
            f"`spikes` must have the {steps} steps of the encoder on their first axis. Got shape {spikes.shape}."
        )


def check_tau(tau: Any, dt: Any) -> None:
    """Raises `ValueError` for a step longer than the time constant."""
    if is_known(tau) and is_known(dt) and not np.all(np.asarray(dt) <= np.asarray(tau)):
        raise ValueError(
            "`dt` must be no longer than `tau`, both in seconds. "
            f"Got dt={dt} and tau={tau}. Milliseconds? Multiply by 1e-3."
        )


def whole_steps(refractory: float, dt: float) -> int:
    """Steps of a refractory period; raises `ValueError` unless they are whole and not negative."""
    steps = float(refractory / dt)
    if not 0 <= steps < float("inf") or abs(steps - round(steps)) > 1e-6 * max(1.0, steps):
        raise ValueError(
            "`refractory` must be a whole number of steps of `dt`, at least 0, both in seconds. "
            f"Got {refractory} with dt={dt}, which is {steps:.6g} steps."
        )
    return round(steps)
