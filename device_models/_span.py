"""Within which ages, temperatures, voltages and conductances a cell was measured."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

from ._checks import check
from ._checks._quantities import OLDEST_PLAUSIBLE

UNITS = {"time": "s", "temperature": "K", "voltage": "V", "conductance": "S"}
Ends = tuple[float, float] | None
JUST_WRITTEN = (0.0, 0.0)  # seconds: where only the write was measured
ALWAYS = (0.0, OLDEST_PLAUSIBLE)


@dataclass(frozen=True)
class Span:
    """Lowest and highest value at which a cell was measured; `None` where its source does not say.

    A query outside is answered by the device's equations, continued as their docstrings say, and marked in results.

    **Arguments:**

    - `time`: Seconds since the end of programming.
    - `temperature`: Kelvins.
    - `voltage`: Volts of a read.
    - `conductance`: Siemens.

    >>> import device_models as dm
    >>> dm.rram_wan2022().span.holds(172800.0), dm.rram_wan2022().span.holds(3.2e8)
    (True, False)
    """

    time: Ends = None
    temperature: Ends = None
    voltage: Ends = None
    conductance: Ends = None

    def __post_init__(self):
        check(self)
        for field in fields(self):
            ends = getattr(self, field.name)
            if ends is not None and not 0 <= ends[0] <= ends[1]:
                raise ValueError(f"`{field.name}` must be (low, high) with 0 <= low <= high. Got {ends}. Swap them.")

    def holds(self, time: float) -> bool | None:
        """Whether cells of this age were measured; `None` where the source does not say. Ages round as float32 do."""
        if self.time is None:
            return None
        low, high = self.time
        return low * (1 - 1e-6) <= time <= high * (1 + 1e-6)

    def __and__(self, other: "Span") -> "Span":
        """Where both were measured."""
        return Span(*(_common(getattr(self, field.name), getattr(other, field.name)) for field in fields(self)))

    def __str__(self) -> str:
        stated = [(field.name, getattr(self, field.name)) for field in fields(self)]
        said = [f"{name} {_words(ends, UNITS[name])}" for name, ends in stated if ends is not None]
        return "; ".join(said) if said else "not stated"


def common(spans: Iterable[Span]) -> Span:
    """Where all were measured; an end that one does not state is that of the others."""
    whole = Span()
    for span in spans:
        whole = whole & span
    return whole


def _common(a: Ends, b: Ends) -> Ends:
    if a is None or b is None:
        return b if a is None else a
    low, high = max(a[0], b[0]), min(a[1], b[1])
    return (low, high) if low <= high else (low, low)


def _words(ends: tuple[float, float], unit: str) -> str:
    low, high = ends
    if ends == ALWAYS:
        return "any"
    return f"{low:g} {unit}" if low == high else f"{low:g} to {high:g} {unit}"
