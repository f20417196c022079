"""Scales on which a parameter is searched for, so that no trial leaves the values it may have."""

import math
from abc import abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True)
class AbstractScale:
    """A parameter as a function of an unbounded number."""

    start: float

    @abstractmethod
    def value(self, u: float) -> float:
        """The parameter where the search is at `u`."""

    @abstractmethod
    def slope(self, u: float) -> float:
        """How the parameter changes with `u`."""


@dataclass(frozen=True)
class Linear(AbstractScale):
    """The parameter itself."""

    def value(self, u: float) -> float:
        return float(u)

    def slope(self, u: float) -> float:
        return 1.0


@dataclass(frozen=True)
class Logarithmic(AbstractScale):
    """The logarithm of the size of a parameter that keeps its sign."""

    sign: float

    def value(self, u: float) -> float:
        return self.sign * math.exp(min(u, 700.0))

    def slope(self, u: float) -> float:
        return self.value(u)


@dataclass(frozen=True)
class Between(AbstractScale):
    """The logit of where a parameter is between its bounds."""

    low: float
    high: float

    def value(self, u: float) -> float:
        return self.low + (self.high - self.low) * 0.5 * (1 + math.tanh(u / 2))

    def slope(self, u: float) -> float:
        return (self.high - self.low) * 0.25 * (1 - math.tanh(u / 2) ** 2)


def scale_of(name: str, value: float, bounds: tuple[float, float] | None) -> AbstractScale:
    """The scale for a parameter that starts at `value`."""
    if bounds is not None and math.isfinite(bounds[0]) and math.isfinite(bounds[1]):
        low, high = bounds
        if not low < value < high:
            raise ValueError(f"`{name}` must start between its bounds, low < start < high. Got {low}, {value}, {high}.")
        share = (value - low) / (high - low)
        return Between(math.log(share / (1 - share)), low, high)
    if value == 0:
        return Linear(0.0)
    return Logarithmic(math.log(abs(value)), math.copysign(1.0, value))
