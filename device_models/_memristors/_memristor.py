"""What every compact memristor promises: a current and a flow of its state."""

from abc import abstractmethod
from typing import Any

import equinox as eqx
from jaxtyping import Array, Float

from .._sourced import Sourced
from ._interval import AbstractInterval


class AbstractMemristor(eqx.Module):
    r"""A cell with one state variable: $I = I(x, V)$ and $\dot x = \mathrm{flow}(x, V)$.

    Every method works element by element on arrays of any shape. A Python float among the fields is a constant, an
    array a parameter with a gradient. `x_0` is the state at rest, in the unit that the class names, `interval` where
    the state may be, `sources` says where each number of a published set was read.
    """

    x_0: eqx.AbstractVar[float | Float[Array, ""]]
    sources: eqx.AbstractVar[tuple[str, ...]]

    def __check_init__(self):
        interval = self.interval
        if is_number(interval.low, interval.high) and not interval.low < interval.high:
            raise ValueError(
                "The state of a memristor needs room, low < high. "
                f"Got {interval.low} and {interval.high} for {type(self).__name__}. Swap or correct them."
            )
        if is_number(self.x_0, interval.low, interval.high) and not interval.holds(self.x_0):
            raise ValueError(
                f"`x_0` must lie within {describe_ends(interval)}. Got x_0={self.x_0}. Another unit? See the class."
            )

    @property
    @abstractmethod
    def interval(self) -> AbstractInterval:
        """Where the state may be, and how it meets the ends."""

    @property
    def bounds(self) -> tuple[float | Float[Array, ""], float | Float[Array, ""]]:
        """Lowest and highest state."""
        return self.interval.low, self.interval.high

    @abstractmethod
    def current(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        """Current through cells in `state` at voltage `v`, in amperes."""

    @abstractmethod
    def flow(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        """How fast the state moves at voltage `v`, in its unit per second."""


def values(table: dict[str, Sourced]) -> dict[str, Any]:
    """The numbers of a published set by the names of the fields."""
    return {name: number.value for name, number in table.items()}


def is_number(*values) -> bool:
    """Whether all are Python numbers, so that they can be checked now."""
    return all(isinstance(value, int | float) for value in values)


def describe_ends(interval: AbstractInterval) -> str:
    """The interval in words."""
    between = f"{interval.low} and {interval.high}"
    return between if interval.holds(interval.low) else f"{between}, both excluded"


def check_positive(memristor: AbstractMemristor, unit: str, *names: str) -> None:
    """Raises `ValueError` unless each field of these `names` is positive and finite, or an array."""
    for name in names:
        value = getattr(memristor, name)
        if is_number(value) and not 0 < value < float("inf"):
            raise ValueError(f"`{name}` must be positive and finite, in {unit}. Got {name}={value}. Correct it.")
