"""Checks of measured arrays before they are fitted."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Real

from .._checks import at_least, judge, positive, whole
from .._checks._messages import described
from .._checks._quantities import LARGEST_PLAUSIBLE_CONDUCTANCE, SIEMENS

Measured = Array | np.ndarray
SECONDS, DEGREE = positive("in seconds"), whole(0)
SETTINGS = {
    "t_0": (float, SECONDS),
    "t_read": (float, SECONDS),
    "interval": (float | None, SECONDS),
    "age": (float, at_least(0.0, "in seconds")),
    "degree": (int, DEGREE),
    "spread_degree": (int, DEGREE),
    "noise_degree": (int, DEGREE),
    "white_degree": (int, DEGREE),
    "offset_degree": (int | None, DEGREE),
    "g_min": (float | None, SIEMENS),
    "g_max": (float | None, SIEMENS),
}


def check_settings(**given: Any) -> None:
    """Raises `ValueError` for an argument of a fit, beside the data, that is not what `SETTINGS` says."""
    for name, value in given.items():
        judge(name, value, *SETTINGS[name])


def finite(name: str, data: Real[Measured, "..."]) -> Float[np.ndarray, "..."]:
    """`data` in double precision; `ValueError` where it is empty or not finite."""
    array = real(name, data).astype(np.float64)
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


def check_cells_at_times(g: Float[np.ndarray, "..."], times: Float[np.ndarray, "..."]) -> None:
    """Raises `ValueError` for conductances that are not those of cells at `times`."""
    if g.ndim != 2 or g.shape[1:] != times.shape:
        raise ValueError(f"`conductances` must be (cells, times). Got {g.shape} for {times.shape} times. Transpose?")


def aims(targets: Any, first: Float[np.ndarray, " cells"]) -> Float[np.ndarray, " cells"]:
    """What each cell was aimed at: its target, or if there are none what it showed `first`."""
    if targets is None:
        return first
    aimed = in_siemens("targets", targets)
    if aimed.shape != first.shape:
        raise ValueError(f"`targets` must be one for each cell. Got {aimed.shape} for {len(first)} cells.")
    return aimed


def enough(n: int, least: int, *, of: str, why: str) -> None:
    """Raises `ValueError` for fewer than `least` of something."""
    if n < least:
        raise ValueError(f"At least {least} {of} are needed {why}. Got {n}. Measure more or fit fewer parameters.")


def powers(g: Float[np.ndarray, "*cells"], degree: int) -> Float[np.ndarray, "*cells powers"]:
    """1, g, g^2, ... up to `degree`."""
    return np.power(g[..., None], np.arange(degree + 1))


def ends(data: Measured | Sequence[float]) -> tuple[float, float]:
    """The lowest and the highest of what was measured."""
    return float(np.min(data)), float(np.max(data))


def span(g_min: float | None, g_max: float | None, data: Float[np.ndarray, "..."]) -> tuple[float, float]:
    """The range of the device: what is given, or the smallest and the largest conductance of `data`."""
    low = float(data.min()) if g_min is None else float(g_min)
    high = float(data.max()) if g_max is None else float(g_max)
    if not high > 0:
        raise ValueError(f"`g_max` must be positive, in siemens. Got g_max={high}. Are the conductances all zero?")
    if not low < high and (g_min is not None or g_max is not None):
        raise ValueError(
            "`g_min` and `g_max` must satisfy g_min < g_max, in siemens; left out, they are the ends of the data. "
            f"Got g_min={low}, g_max={high}. Pass both."
        )
    return low, high


def real(name: str, data: Any) -> np.ndarray:
    """`data` as an array of real numbers, whatever it is written as."""
    try:
        array = np.asarray(data)
    except ValueError:  # rows of different lengths
        array = np.asarray(None)
    if not jnp.issubdtype(array.dtype, np.integer) and not jnp.issubdtype(array.dtype, np.floating):
        raise ValueError(f"`{name}` must be an array of real numbers. Got {described(data)}.")
    return array
