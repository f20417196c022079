"""What quantities must be in SI units, and the sizes at which they are in another unit by mistake."""

import math

import numpy as np
from jaxtyping import Array, Float

from ._known import is_known
from ._rules import Must, at_least, positive, that

Number = float | Float[Array, ""]  # a constant, or a parameter with a gradient

# A selected memristive cell conducts far less than this; a larger number is micro-siemens by mistake.
LARGEST_PLAUSIBLE_CONDUCTANCE = 0.1
LARGEST_PLAUSIBLE_VOLTAGE = 50.0  # compact models are fitted within a few volts; more is millivolts by mistake
LARGEST_PLAUSIBLE_LENGTH = 1e-3  # of a layer, a filament or a hop
OLDEST_PLAUSIBLE = 1e12  # seconds, some 30 000 years: until then the time laws of all cells are finite in float32
FLOAT32 = 1e-6  # relative rounding, with room
COLDEST_PLAUSIBLE = 200.0  # kelvin; what is below was read in degrees Celsius

MICRO_SIEMENS = "Micro-siemens? Multiply by 1e-6."
MILLIVOLTS = "Millivolts? Multiply by 1e-3."

SIEMENS = at_least(0.0, "in siemens", most=LARGEST_PLAUSIBLE_CONDUCTANCE, hint=MICRO_SIEMENS)
OHMS = at_least(1 / LARGEST_PLAUSIBLE_CONDUCTANCE, "in ohms", hint="Kilo-ohms? Multiply by 1e3.")
VOLTS = positive("in volts", most=LARGEST_PLAUSIBLE_VOLTAGE, hint=MILLIVOLTS)
METRES = positive("in metres", most=LARGEST_PLAUSIBLE_LENGTH, hint="Nanometres? Multiply by 1e-9.")
KELVINS = at_least(COLDEST_PLAUSIBLE, "in kelvins", hint="Degrees Celsius? Add 273.15.")
ELECTRONVOLTS = at_least(1e-3, "in electronvolts", most=100.0, hint="Joules? Divide by 1.602e-19.")
AGES = at_least(0.0, "in seconds since the end of programming", most=OLDEST_PLAUSIBLE)
NOT_NEGATIVE = at_least(0.0)


def negative(unit: str, *, least: float = -math.inf, hint: str = "") -> Must:
    """Below zero and finite. Below `least` it is another unit by mistake."""
    what = "negative and finite" if least == -math.inf else f"negative and at least {least:g}"
    return that(f"{what}, {unit}", lambda x: np.isfinite(x) & (x < 0) & (x >= least), hint=hint)


def exceeds(a: Number, b: Number) -> bool:
    """Whether two known numbers are in the wrong order for `a` <= `b`, by more than float32 rounds."""
    return is_known(a, b) and float(a) > float(b) + FLOAT32 * abs(float(b))
