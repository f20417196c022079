"""A device that loses its state some time after it was written."""

import dataclasses
import math
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from .._checks import check, checked, positive
from .._checks._quantities import KELVINS, METRES, NOT_NEGATIVE
from .._device import AbstractDevice, ages, check_effect, in_order, writes
from ._wrapper import AbstractWrapper

LARGEST_EXPONENT = 80.0  # e^80 seconds is beyond all ages, and e^88 beyond float32
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

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.Retention(dm.Ideal(), onset=1e4, exponent=0.5)
    >>> cells = device.program(jnp.array([20e-6]), key=jr.key(0))
    >>> print([f"{1e6 * device.conductance(cells, jnp.array(t)).item():.1f} uS" for t in (1e4, 1e6)])
    ['20.0 uS', '2.0 uS']
    """

    device: AbstractDevice
    onset: float | Float[Array, ""]
    exponent: float | Float[Array, ""]

    def __check_init__(self):
        check(self, onset=positive("in seconds"), exponent=NOT_NEGATIVE)

    @property
    def effects(self) -> tuple[str, ...]:
        return in_order("drift", *self.device.effects)

    def without(self, effect: str) -> AbstractDevice:
        check_effect(effect)
        device = self.device.without(effect)
        return device if effect == "drift" else dataclasses.replace(self, device=device)

    @writes
    def program(self, target: Float[Array, "*cells"], *, key: Key[Array, ""]) -> Any:
        return self.device.program(target, key=key)

    def holding(self, g: Float[Array, "*cells"], *, key: Key[Array, ""]) -> Any:
        return self.device.holding(g, key=key)

    @ages
    def conductance(self, cells: Any, t: Float[Array, ""]) -> Float[Array, "*cells"]:
        return self.device.conductance(cells, t) * self._left(t)

    @ages
    def read_noise(self, cells: Any, t: Float[Array, ""]) -> Float[Array, "*cells"] | None:
        std = self.device.read_noise(cells, t)
        return None if std is None else std * self._left(t)  # noise relative to the conductance (assumed)

    def _left(self, t: Float[Array, ""]) -> Float[Array, ""]:
        return jnp.exp(-self.exponent * jnp.log(jnp.maximum(t / self.onset, 1.0)))


@checked(temperature=KELVINS, cell_size=METRES)
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

    >>> import device_models as dm
    >>> device = dm.retention_lammie2021(dm.Ideal(), (1.0, 0.1, 10.0, 0.001), temperature=298.0)
    >>> print(f"{device.onset:.0f} s, {device.exponent:.3f}")  # exp(11), 0.001 * 11
    59874 s, 0.011
    """
    s = p[1] * cell_size * 1e9 + p[2] * min(ROOM / temperature, 1.0)
    if not (p[0] > 0 and p[3] * s >= 0 and abs(s) < LARGEST_EXPONENT):
        raise ValueError(
            "`p` must give a positive onset p[0] exp(s), an exponent p[3] s of at least 0, and an s of size "
            f"{LARGEST_EXPONENT:g} at most. Got p={p}, hence s={s:g}. p[1] is per nanometre."
        )
    return Retention(device=device, onset=p[0] * math.exp(s), exponent=p[3] * s)  # pyright: ignore[reportCallIssue]
