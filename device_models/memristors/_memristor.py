"""What every compact memristor promises: a current and a flow of its state."""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Float

from .._checks import Must, check, is_known
from .._checks._quantities import OHMS, exceeds
from .._default import default
from .._sourced import Sourced
from ._interval import AbstractInterval


class AbstractMemristor(eqx.Module):
    r"""A cell with one state variable: $I = I(x, V)$ and $\dot x = \mathrm{flow}(x, V)$.

    Every method works element by element on arrays of any shape. A Python float among the fields is a constant, an
    array a parameter with a gradient. `x_0` is the state at rest, in the unit that the class names, `interval` where
    the state may be.

    >>> import device_models as dm
    >>> cell = dm.memristors.vteam_kvatinsky2015()
    >>> isinstance(cell, dm.memristors.AbstractMemristor), cell.bounds
    (True, (0.0, 3e-09))
    """

    x_0: eqx.AbstractVar[float | Float[Array, ""]]

    @default
    def sources(self) -> tuple[str, ...]:
        """Where each number of a published set was read."""
        return ()

    def __check_init__(self):
        check(self)
        check_state("x_0", self.x_0, self.interval)

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


def check_state(name: str, state: float | Float[Array, ""], interval: AbstractInterval) -> None:
    """Raises `ValueError` where a state that is known is none of the `interval`'s."""
    if not is_known(state, interval.low, interval.high):
        return
    with jax.ensure_compile_time_eval():  # known numbers stay known while something else is traced
        if interval.holds(state):
            return
        excluded = "" if interval.holds(interval.low) else ", both excluded"
    raise ValueError(
        f"`{name}` must lie within {interval.low} and {interval.high}{excluded}. Got {name}={state}. "
        "Another unit? See the class."
    )


def check_order(memristor: AbstractMemristor, low: str, high: str) -> None:
    """Raises `ValueError` where the field named `low` is known to be above that named `high`."""
    ends = getattr(memristor, low), getattr(memristor, high)
    if exceeds(*ends):
        raise ValueError(f"`{low}` must be at most `{high}`. Got {low}={ends[0]}, {high}={ends[1]}. Swap them.")


def check_resistances(memristor: AbstractMemristor, **rules: Must) -> None:
    """Checks `r_on`, `r_off`, their order, and all other fields by these `rules`."""
    check(memristor, r_on=OHMS, r_off=OHMS, **rules)
    check_order(memristor, "r_on", "r_off")
