"""What every memory cell promises: program, conductance, read_noise, and its current-voltage relation."""

from abc import abstractmethod
from typing import Any

import equinox as eqx
from jaxtyping import Array, Float, Key

from ._iv import AbstractIV
from ._names import nearest

# A selected memristive cell conducts far less than this; a larger number is micro-siemens by mistake.
LARGEST_PLAUSIBLE_CONDUCTANCE = 0.1
EFFECTS = ("write noise", "drift", "read noise", "levels", "stuck cells", "I-V")


class AbstractDevice(eqx.Module):
    """One kind of memory cell.

    `program` writes an array of independent cells and returns their state, a pytree that holds everything chance
    decided: the state never changes afterwards, so ageing it twice gives one history. Times are seconds since the end
    of programming, conductances siemens. `iv` is the current-voltage relation of a cell, `sources` says where each
    number of a published set was read.
    """

    g_min: eqx.AbstractVar[float]
    g_max: eqx.AbstractVar[float]
    iv: eqx.AbstractVar[AbstractIV]
    sources: eqx.AbstractVar[tuple[str, ...]]

    @abstractmethod
    def program(self, target: Float[Array, "*cells"], *, key: Key[Array, ""]) -> Any:
        """Writes each cell once towards its `target`, in siemens."""

    @abstractmethod
    def conductance(self, cells: Any, t: Float[Array, ""]) -> Float[Array, "*cells"]:
        """Mean conductance at `t` seconds after programming, in siemens."""

    @abstractmethod
    def read_noise(self, cells: Any, t: Float[Array, ""]) -> Float[Array, "*cells"] | None:
        """Standard deviation of one read at `t`, in siemens; `None` for a cell whose reads are exact."""

    @property
    @abstractmethod
    def effects(self) -> tuple[str, ...]:
        """Those of `EFFECTS` that the device shows."""

    @abstractmethod
    def without(self, effect: str) -> "AbstractDevice":
        """The same device without one of `EFFECTS`; what chance decides of the others stays as it is for each key."""

    def current(self, g: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        """Current through cells of conductance `g` at voltage `v`, in amperes."""
        return self.iv.current(g, v)


def check_effect(effect: str) -> None:
    """Raises `ValueError` for what is not one of `EFFECTS`, with the nearest of them."""
    if effect not in EFFECTS:
        near = nearest(effect, EFFECTS)
        raise ValueError(f"An effect must be a known one. Got {effect!r}. Did you mean {near}?")


def in_order(*effects: str) -> tuple[str, ...]:
    """Those of `EFFECTS` that are named, each once."""
    return tuple(effect for effect in EFFECTS if effect in effects)


def check_conductance_range(g_min: float, g_max: float) -> None:
    """Raises `ValueError` unless 0 <= g_min < g_max and both are plausible in siemens."""
    if not 0 <= g_min < g_max:
        raise ValueError(
            "`g_min` and `g_max` must satisfy 0 <= g_min < g_max, in siemens. "
            f"Got g_min={g_min}, g_max={g_max}. Swap or correct them."
        )
    if g_max > LARGEST_PLAUSIBLE_CONDUCTANCE:
        raise ValueError(
            f"`g_max` must be in siemens, at most {LARGEST_PLAUSIBLE_CONDUCTANCE} S. Got g_max={g_max}. "
            "Micro-siemens? Multiply by 1e-6."
        )
