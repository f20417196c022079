"""A number from the literature, with its unit and the place it was read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ._checks import check, checked


@dataclass(frozen=True)
class Sourced:
    """A published number.

    **Arguments:**

    - `value`: The number, or a tuple of polynomial coefficients, in `unit`.
    - `unit`: SI unit; "1" for a pure number.
    - `where`: Paper and place, and whether it is measured, fitted by us or assumed.

    >>> import device_models as dm
    >>> number = dm.Sourced(25e-6, "S", "Joshi2020, Methods")
    >>> float(number), number.unit
    (2.5e-05, 'S')
    """

    value: float | tuple[float, ...]
    unit: str
    where: str

    def __post_init__(self):
        check(self)

    def __float__(self) -> float:
        if isinstance(self.value, tuple):
            raise TypeError(f"This sourced number holds {len(self.value)} coefficients; use `.value`.")
        return self.value

    @property
    def coefficients(self) -> tuple[float, ...]:
        """The numbers as a tuple, also where there is one."""
        return self.value if isinstance(self.value, tuple) else (self.value,)


@checked()
def describe(table: Mapping[str, Sourced]) -> Iterable[str]:
    """One line for each number of a published set: name, value, unit, source.

    >>> import device_models as dm
    >>> table = {"g_max": dm.Sourced(25e-6, "S", "Joshi2020, Methods")}
    >>> print(*dm.describe(table))
    g_max = 2.5e-05 S (Joshi2020, Methods)
    """
    for name, number in table.items():
        yield f"{name} = {number.value} {number.unit} ({number.where})"
