"""Whether the numbers of a curve can be what a cell shows: conductances in siemens, and sizes that are not negative."""

from typing import Any

import numpy as np

from ._checks import is_known, numbers
from ._checks._quantities import MICRO_SIEMENS
from .ageing._growth import Growth
from .ageing._histories import FromWrite, LogGrowth, LogTime, Snapshots, Steady
from .curves._curves import (
    Branches,
    Chebyshev,
    Constant,
    InversePower,
    InverseProportional,
    Polynomial,
    Proportional,
    Saturating,
    Table,
)

PLAUSIBLE = 10.0  # in units of `g_max`: a write error or a shift is at most about one, in microsiemens a million
SAMPLES = np.array([0.0, 0.5, 1.0])  # relative conductances at which a polynomial is looked at


def check_siemens(name: str, curve: Any, g_max: float) -> None:
    """Raises `ValueError` for a `curve`, or a history, whose known values are too large beside `g_max`."""
    if not is_known(g_max):
        return
    most = PLAUSIBLE * float(g_max)
    for part in _parts(curve):
        for found in numbers(_values(part)):
            if np.any(np.abs(found) > most):
                raise ValueError(
                    f"`{name}` must be in siemens, at most {PLAUSIBLE:g} `g_max` = {most:g}. "
                    f"Got {name}=a {type(part).__name__} with {np.max(np.abs(found)):g}. {MICRO_SIEMENS}"
                )


def check_not_negative(name: str, curve: Any) -> None:
    """Raises `ValueError` for a `curve`, or a history, that is negative; a fitted polynomial may be, here and there."""
    for part in _parts(curve):
        if isinstance(part, Constant | Proportional | InverseProportional | Saturating | Table):
            for found in numbers(_values(part)):
                if np.any(found < 0):
                    raise ValueError(
                        f"`{name}` must be at least 0 everywhere. Got {name}=a {type(part).__name__} with "
                        f"{np.min(found):g}. It is a standard deviation; what shifts the mean is `shift`."
                    )


def _parts(curve: Any) -> tuple[Any, ...]:
    """The curves that a curve or a history is made of; one that a user wrote is not looked into."""
    if isinstance(curve, Branches):
        return (*_parts(curve.below), *_parts(curve.above))
    if isinstance(curve, Steady | LogGrowth):
        return _parts(curve.curve)
    if isinstance(curve, Snapshots):
        return tuple(part for one in curve.curves for part in _parts(one))
    if isinstance(curve, Growth):
        return curve.tables
    if isinstance(curve, FromWrite):
        return (*_parts(curve.history), *_parts(curve.start))
    return (curve,)


def _values(part: Any) -> tuple[Any, ...]:
    """The numbers of a curve, or of `LogTime`, that have its own unit; of a polynomial, values."""
    if isinstance(part, Polynomial) and is_known(*part.coefficients):
        return (np.polynomial.polynomial.polyval(SAMPLES, np.array(part.coefficients, float)),)
    if isinstance(part, Chebyshev) and is_known(*part.coefficients):
        return (np.polynomial.chebyshev.chebval(2 * SAMPLES - 1, np.array(part.coefficients, float)),)
    if isinstance(part, Constant):
        return (part.value,)
    if isinstance(part, Proportional | InverseProportional | InversePower):
        return (part.factor,)
    if isinstance(part, Saturating):
        return (part.height,)
    if isinstance(part, Table):
        return part.values
    return (part.offset, part.slope) if isinstance(part, LogTime) else ()
