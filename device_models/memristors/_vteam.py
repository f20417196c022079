"""VTEAM: a state that moves only beyond a threshold voltage."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._checks import at_least, positive
from .._checks._quantities import LARGEST_PLAUSIBLE_VOLTAGE, METRES, VOLTS, negative
from .._sourced import Sourced, describe
from ._interval import AbstractInterval
from ._memristor import AbstractMemristor, check_resistances, values
from ._windows import AbstractWindow, NoWindow

MEMTORCH = "Kvatinsky2015, 10.1109/TCSII.2015.2433536, as coded in MemTorch"
VTEAM_KVATINSKY_2015 = {
    "r_on": Sourced(50.0, "ohm", MEMTORCH),
    "r_off": Sourced(1000.0, "ohm", MEMTORCH),
    "thickness": Sourced(3e-9, "m", MEMTORCH),
    "k_on": Sourced(-10.0, "m/s", MEMTORCH),
    "k_off": Sourced(5e-4, "m/s", MEMTORCH),
    "alpha_on": Sourced(3.0, "1", MEMTORCH),
    "alpha_off": Sourced(1.0, "1", MEMTORCH),
    "v_on": Sourced(-0.2, "V", MEMTORCH),
    "v_off": Sourced(0.02, "V", MEMTORCH),
    "x_0": Sourced(1.5e-9, "m", "assumed: the middle"),
}


class VTEAM(AbstractMemristor):
    r"""Threshold-adaptive memristor under a voltage.

    $$\dot w = \begin{cases} k_\mathrm{off} (V / v_\mathrm{off} - 1)^{\alpha_\mathrm{off}} f & V > v_\mathrm{off} \\
    k_\mathrm{on} (V / v_\mathrm{on} - 1)^{\alpha_\mathrm{on}} f & V < v_\mathrm{on} \\ 0 & \text{between}
    \end{cases} \qquad I = \frac{V}{R_\mathrm{off} w / D + R_\mathrm{on} (1 - w / D)}$$

    The state is $w$ in metres, from 0 (on) to `thickness` (off).

    **Arguments:**

    - `r_on`, `r_off`: Resistances at the ends, in ohms.
    - `thickness`: $D$, in metres.
    - `k_on`, `k_off`: Speeds, in m/s; `k_on` negative, `k_off` positive.
    - `alpha_on`, `alpha_off`: Powers of the overdrive, at least 1.
    - `v_on`, `v_off`: Thresholds, in volts; `v_on` negative, `v_off` positive.
    - `x_0`: Initial state, in metres.
    - `window`: $f$, of $w / D$.
    - `sources`: Where each number was read.

    Reference: Kvatinsky2015.

    >>> import jax.numpy as jnp, device_models as dm
    >>> cell = dm.memristors.vteam_kvatinsky2015()
    >>> state = jnp.array(1.5e-9)
    >>> print([f"{jnp.sign(cell.flow(state, jnp.array(v))):.0f}" for v in (-1.0, 0.0, 1.0)])  # on, rest, off
    ['-1', '0', '1']
    """

    r_on: float | Float[Array, ""]
    r_off: float | Float[Array, ""]
    thickness: float | Float[Array, ""]
    k_on: float | Float[Array, ""]
    k_off: float | Float[Array, ""]
    alpha_on: float | Float[Array, ""]
    alpha_off: float | Float[Array, ""]
    v_on: float | Float[Array, ""]
    v_off: float | Float[Array, ""]
    x_0: float | Float[Array, ""]
    window: AbstractWindow = NoWindow()
    sources: tuple[str, ...] = eqx.field(static=True, default=())

    def __check_init__(self):
        power, way = at_least(1.0), "In this model a negative voltage switches on."
        check_resistances(
            self,
            thickness=METRES,
            k_on=negative("in m/s", hint=way),
            k_off=positive("in m/s", hint=way),
            alpha_on=power,
            alpha_off=power,
            v_on=negative("in volts", least=-LARGEST_PLAUSIBLE_VOLTAGE, hint=way),
            v_off=VOLTS,
        )

    @property
    def interval(self) -> AbstractInterval:
        return self.window.interval(self.thickness)

    def current(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        off = state / self.thickness
        return v / (self.r_off * off + self.r_on * (1 - off))

    def flow(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        over_off = jnp.where(v > self.v_off, v / self.v_off - 1, 0.0)
        over_on = jnp.where(v < self.v_on, v / self.v_on - 1, 0.0)
        speed = self.k_off * over_off**self.alpha_off + self.k_on * over_on**self.alpha_on
        return speed * self.window(state / self.thickness, v)


def vteam_kvatinsky2015() -> VTEAM:
    """VTEAM of 3 nm, 50 to 1000 ohm; on within nanoseconds below -0.2 V, off above 0.02 V.

    Reference: Kvatinsky2015.

    >>> import device_models as dm
    >>> cell = dm.memristors.vteam_kvatinsky2015()
    >>> cell.r_on, cell.r_off, cell.v_on, cell.v_off
    (50.0, 1000.0, -0.2, 0.02)
    """
    n = VTEAM_KVATINSKY_2015
    return VTEAM(**values(n), sources=tuple(describe(n)))
