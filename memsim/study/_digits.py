"""A number with its uncertainty, in as many digits as it is known to."""

import math
from typing import Literal

import numpy as np

from .._checks import checked, described, that, whole
from ._interval import Interval

Form = Literal["plus-minus", "brackets"]
Markup = Literal["text", "latex", "markdown"]
MISSING = {"text": "–", "markdown": "–", "latex": "--"}
ALONE = 4  # digits of a number without an interval
FIXED = (-3, 6)  # powers of ten that are written without an exponent


@checked(found=that("finite numbers, or NaN", lambda x: ~np.isinf(x)), digits=whole(1, most=15))
def with_uncertainty(
    found: Interval | tuple[float, float, float],
    *,
    form: Form = "plus-minus",
    percent: bool = False,
    digits: int | None = None,
    markup: Markup = "text",
) -> str:
    r"""A mean and its interval in the right digits: "93.41 ± 0.23" or "93.4 [93.1, 93.7]".

    >>> import memsim as ms
    >>> ms.study.with_uncertainty((0.93412, 0.9318, 0.9364), percent=True)
    '93.41 ± 0.23'

    The half width has two significant digits, and the mean as many decimals. In brackets, where two bounds say more
    than one number, the half width would have one, and two if it began with 1 or 2. A mean that is NaN is a dash, and
    one without bounds has four digits. Below 0.001 and from a million on there is an exponent.

    **Arguments:**

    - `found`: Mean, lower and upper bound, such as an `Interval`; NaN for what there is not.
    - `form`: "plus-minus", of an interval that is not symmetric with the longer side; or "brackets".
    - `percent`: Whether to write a hundredfold, without a sign.
    - `digits`: Significant digits of the half width, instead.
    - `markup`: "text", "markdown", or "latex" for siunitx: `\num{93.41 +- 0.23}`, which prints 93.41(23) unless
      `separate-uncertainty` is set.
    """
    mean, low, high = (float(number) * (100 if percent else 1) for number in found)
    if math.isnan(mean):
        return MISSING[markup]
    if math.isnan(low) and math.isnan(high):
        return _number(mean, _power(mean) - ALONE + 1 if mean else 0, _shift(mean), markup)
    room = 1e-9 * max(abs(mean), high - low)
    if not low - room <= mean <= high + room:
        raise ValueError(f"`found` must be a mean between its bounds. Got {described(tuple(found))}.")
    return _with_bounds(mean, low, high, form, digits, markup)


def _with_bounds(mean: float, low: float, high: float, form: Form, digits: int | None, markup: Markup) -> str:
    half = max(high - mean, mean - low) if form == "plus-minus" else (high - low) / 2
    if digits is None:
        digits = 2 if form == "plus-minus" or f"{half:e}"[0] in "12" else 1
    # The last digit that is written, as a power of ten; rounding may carry the half width into the next one.
    last = _power(float(f"{half:.{digits - 1}e}")) - digits + 1 if half > 0 else _power(mean) - ALONE + 1
    shift = _shift(max(abs(mean), half))
    if form == "brackets":
        written = [_number(each, last, shift, markup) for each in (mean, low, high)]
        return f"{written[0]} [{written[1]}, {written[2]}]"
    number, error = _rounded(mean, last, shift), _rounded(half, last, shift)
    if markup == "latex":
        return rf"\num{{{number} +- {error}{f' e{shift}' if shift else ''}}}"
    return f"({number} ± {error})e{shift}" if shift else f"{number} ± {error}"


def _power(number: float) -> int:
    return math.floor(math.log10(abs(number))) if number else 0


def _shift(size: float) -> int:
    """The exponent with which a number of this size is written, or 0."""
    return 0 if size == 0 or FIXED[0] <= _power(size) < FIXED[1] else _power(size)


def _rounded(number: float, last: int, shift: int) -> str:
    """A number over a power of ten, up to the digit whose power of ten is `last`."""
    scaled = round(number, -last) if last > 0 else number
    text = f"{scaled / 10.0**shift:.{max(shift - last, 0)}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def _number(number: float, last: int, shift: int, markup: Markup) -> str:
    text = _rounded(number, last, shift) + (f"e{shift}" if shift else "")
    return rf"\num{{{text}}}" if markup == "latex" else text
