"""Checks of measured arrays before they are fitted."""

import numpy as np
from jaxtyping import Array, Float, Real

from .._device import LARGEST_PLAUSIBLE_CONDUCTANCE

Measured = Array | np.ndarray


def finite(name: str, data: Real[Measured, "..."]) -> Float[np.ndarray, "..."]:
    """`data` in double precision; `ValueError` where it is empty or not finite."""
    array = np.asarray(data, np.float64)
    bad = np.argwhere(~np.isfinite(array))
    if array.size == 0 or len(bad):
        where = f"{len(bad)} of {array.size} are not, the first at {tuple(map(int, bad[0]))}" if len(bad) else "none"
        raise ValueError(f"`{name}` must hold finite numbers. Got {where}. Leave those rows out.")
    return array


def in_siemens(name: str, data: Real[Measured, "..."]) -> Float[np.ndarray, "..."]:
    """The same for conductances in siemens, of plausible size."""
    array = finite(name, data)
    if (largest := float(array.max())) > LARGEST_PLAUSIBLE_CONDUCTANCE:
        raise ValueError(
            f"`{name}` must be in siemens, at most {LARGEST_PLAUSIBLE_CONDUCTANCE} S. Got up to {largest:.4g}. "
            "Micro-siemens? Multiply by 1e-6."
        )
    return array


def enough(n: int, least: int, *, of: str, why: str) -> None:
    """Raises `ValueError` for fewer than `least` of something."""
    if n < least:
        raise ValueError(f"At least {least} {of} are needed {why}. Got {n}. Measure more or fit fewer parameters.")


def degree_at_least_0(name: str, degree: int) -> int:
    """`degree`, or `ValueError`."""
    if degree < 0:
        raise ValueError(f"`{name}` must be 0 or more, the degree of a polynomial. Got {degree}.")
    return degree


def powers(g: Float[np.ndarray, "*cells"], degree: int) -> Float[np.ndarray, "*cells powers"]:
    """1, g, g^2, ... up to `degree`."""
    return np.power(g[..., None], np.arange(degree + 1))


def top(g_max: float | None, data: Float[np.ndarray, "..."]) -> float:
    """`g_max`, or the largest conductance of `data`; positive."""
    largest = float(data.max()) if g_max is None else float(g_max)
    if not largest > 0:
        raise ValueError(f"`g_max` must be positive, in siemens. Got {largest}. Are the conductances all zero?")
    return largest
