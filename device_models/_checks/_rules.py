"""What a value must be beyond its annotation. A rule is made once, though a class asks for it with each instance."""

import functools
import math
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Hint = str | Callable[[Any], str]
Number = int | float
once = functools.lru_cache(maxsize=4096)


class Must(NamedTuple):
    """A rule for a field or an argument.

    **Arguments:**

    - `what`: Such as "positive and finite, in volts"; where it is empty, what the annotation asks for.
    - `holds`: From numbers to whether each is right; `None` where the annotation says all.
    - `hint`: What to do instead, or a function of the value that says it.
    """

    what: str = ""
    holds: Callable[[np.ndarray], Any] | None = None
    hint: Hint = ""


@once
def positive(unit: str = "", *, most: Number = math.inf, hint: Hint = "") -> Must:
    """Above zero and finite. Beyond `most` it is another unit by mistake. `unit` is such as "in volts"."""
    what = "positive and finite" if most == math.inf else f"positive and at most {most:g}"
    return Must(_with(what, unit), lambda x: np.isfinite(x) & (x > 0) & (x <= most), hint)


@once
def at_least(least: Number, unit: str = "", *, most: Number = math.inf, hint: Hint = "") -> Must:
    """Finite, and from `least` to `most`, both included."""
    what = f"finite and at least {least:g}" if most == math.inf else f"from {least:g} to {most:g}"
    return Must(_with(what, unit), lambda x: np.isfinite(x) & (x >= least) & (x <= most), hint)


@once
def between(low: Number, high: Number, unit: str = "", *, hint: Hint = "") -> Must:
    """From `low` to `high`, neither included."""
    return Must(_with(f"between {low:g} and {high:g}", unit), lambda x: (x > low) & (x < high), hint)


@once
def fraction(*, zero: bool = True, one: bool = True) -> Must:
    """Within [0, 1], or without one of its ends."""
    what = f"a fraction in {'[' if zero else '('}0, 1{']' if one else ')'}"
    above, below = operator.ge if zero else operator.gt, operator.le if one else operator.lt
    return Must(what, lambda x: above(x, 0) & below(x, 1), "Percent? Divide by 100.")


@once
def whole(least: int, *, most: int | None = None, hint: Hint = "") -> Must:
    """A whole number of at least `least`, for annotations of `int`."""
    what = f"a whole number of at least {least}" if most is None else f"a whole number from {least} to {most}"
    top = math.inf if most is None else most
    return Must(what, lambda x: (x == np.trunc(x)) & (x >= least) & (x <= top), hint)


@once
def finite(unit: str = "", *, hint: Hint = "") -> Must:
    """Any finite number, with a `unit` that the message names."""
    return Must(_with("a finite number", unit), np.isfinite, hint)


@once
def not_nan(what: str, least: Number = -math.inf, *, hint: Hint = "") -> Must:
    """At least `least`, and infinite as well."""
    return Must(what, lambda x: x >= least, hint)


def that(what: str, holds: Callable[[np.ndarray], Any], *, hint: Hint = "") -> Must:
    """Numbers for which `holds` gives true, said in words."""
    return Must(what, holds, hint)


def each(rule: Must, what: str) -> Must:
    """A `rule` for each of several numbers, said as `what`."""
    return rule._replace(what=what)


def write(hint: Hint) -> Must:
    """What the annotation says, and what to write instead of a value that is something else."""
    return Must(hint=hint)


def _with(what: str, unit: str) -> str:
    return f"{what}, {unit}" if unit else what
