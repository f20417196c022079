"""A cell that keeps what is written."""

import equinox as eqx
from jaxtyping import Array, Float, Key

from ._device import AbstractDevice, check_conductance_range


class Ideal(AbstractDevice):
    """Exact writes, no ageing, no read noise, ohmic: the reference every other device is compared with.

    **Arguments:**

    - `g_min`, `g_max`: The range a target may have, in siemens.
    """

    g_min: float = 0.0
    g_max: float = 25e-6
    sources: tuple[str, ...] = eqx.field(static=True, default=())

    def __check_init__(self):
        check_conductance_range(self.g_min, self.g_max)

    def program(self, target: Float[Array, "*cells"], *, key: Key[Array, ""]) -> Float[Array, "*cells"]:
        return target

    def conductance(self, cells: Float[Array, "*cells"], t: Float[Array, ""]) -> Float[Array, "*cells"]:
        return cells

    def read_noise(self, cells: Float[Array, "*cells"], t: Float[Array, ""]) -> None:
        return None

    def current(self, g: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return g * v
