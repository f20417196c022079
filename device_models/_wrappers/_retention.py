"""A device that loses its state some time after it was written."""

import dataclasses
import math
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from .._device import AbstractDevice, check_effect, in_order
from ._wrapper import AbstractWrapper

ROOM = 298.0  # kelvin, the reference temperature of the equation


class Retention(AbstractWrapper):
    r"""`device` whose resistance changes by a power law once it is older than `onset`.

    $G(t) = G_\mathrm{device}(t)\,(\max(t, t_\mathrm{on}) / t_\mathrm{on})^{-p}$. `retention_lammie2021` gives onset and
    exponent for a temperature and a size of the cell. The exponent is the same for all cells: what differs between them
    is the device's.

    **Arguments:**

    - `device`: The cell.
    - `onset`: Age at which it begins to fail, in seconds, positive.
    - `exponent`: Of the resistance, not negative; a negative one would be a cell that gains conductance without end.
    """

    device: AbstractDevice
    onset: float | Float[Array, ""]
    exponent: float | Float[Array, ""]

    def __check_init__(self):
        if isinstance(self.onset, int | float) and not 0 < self.onset < math.inf:
            raise ValueError(f"`onset` must be positive and finite, in seconds. Got onset={self.onset}.")
        if isinstance(self.exponent, int | float) and not 0 <= self.exponent < math.inf:
            raise ValueError(f"`exponent` must be finite and at least 0. Got exponent={self.exponent}.")

    @property
    def effects(self) -> tuple[str, ...]:
        return in_order("drift", *self.device.effects)

    def without(self, effect: str) -> AbstractDevice:
        check_effect(effect)
        device = self.device.without(effect)
        return device if effect == "drift" else dataclasses.replace(self, device=device)

    def program(self, target: Float[Array, "*cells"], *, key: Key[Array, ""]) -> Any:
        return self.device.program(target, key=key)

    def conductance(self, cells: Any, t: Float[Array, ""]) -> Float[Array, "*cells"]:
        return self.device.conductance(cells, t) * self._left(t)

    def read_noise(self, cells: Any, t: Float[Array, ""]) -> Float[Array, "*cells"] | None:
        std = self.device.read_noise(cells, t)
        return None if std is None else std * self._left(t)  # noise relative to the conductance (assumed)

    def _left(self, t: Float[Array, ""]) -> Float[Array, ""]:
        return jnp.exp(-self.exponent * jnp.log(jnp.maximum(t / self.onset, 1.0)))


def retention_lammie2021(
    device: AbstractDevice, p: tuple[float, float, float, float], *, temperature: float = ROOM, cell_size: float = 10e-9
) -> Retention:
    r"""`device` with the empirical retention of metal-oxide cells of Lammie et al.

    With $T' = \min(298\,\mathrm{K} / T, 1)$, the size $c$ in nanometres and $s = p_1 c + p_2 T'$, resistance stays
    until $t_\mathrm{on} = p_0 e^{s}$ and then grows as $(t / t_\mathrm{on})^{p_3 s}$.

    **Arguments:**

    - `device`: The cell.
    - `p`: $p_0$ in seconds, $p_1$ per nanometre, $p_2$ and $p_3$, fitted to the process; none are published with the
      equation.
    - `temperature`: In kelvin.
    - `cell_size`: In metres.

    Reference: Lammie2021.
    """
    if not 0 < temperature < math.inf:
        raise ValueError(f"`temperature` must be positive, in kelvin. Got temperature={temperature}.")
    if not 0 < cell_size < 1e-3:
        raise ValueError(f"`cell_size` must be in metres. Got cell_size={cell_size}. Nanometres? Multiply by 1e-9.")
    s = p[1] * cell_size * 1e9 + p[2] * min(ROOM / temperature, 1.0)
    return Retention(device=device, onset=p[0] * math.exp(s), exponent=p[3] * s)  # pyright: ignore[reportCallIssue]
