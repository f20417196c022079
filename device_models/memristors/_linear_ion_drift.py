"""HP linear ion drift: a doped layer that widens with the charge that passed."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._checks import at_least, checked, positive
from .._checks._quantities import LARGEST_PLAUSIBLE_VOLTAGE, METRES, MILLIVOLTS
from .._sourced import Sourced, describe
from ._interval import AbstractInterval
from ._memristor import AbstractMemristor, check_resistances, values
from ._windows import AbstractWindow, Biolek, Joglekar, NoWindow

MEMTORCH = "Strukov2008, 10.1038/nature06932, as coded in MemTorch"
HP_STRUKOV_2008 = {
    "r_on": Sourced(100.0, "ohm", MEMTORCH),
    "r_off": Sourced(16e3, "ohm", MEMTORCH),
    "thickness": Sourced(10e-9, "m", MEMTORCH),
    "mobility": Sourced(1e-14, "m^2/(V s)", MEMTORCH),
    "x_0": Sourced(0.5, "1", "assumed: the middle"),
}
HP_JOGLEKAR_2009 = {
    "r_on": Sourced(100.0, "ohm", "Joglekar2009, window (recalled), as set in the SPICE models of Knowm"),
    "r_off": Sourced(10e3, "ohm", "Joglekar2009, as set in the SPICE models of Knowm"),
    "thickness": Sourced(12e-9, "m", "Joglekar2009, as set in the SPICE models of Knowm"),
    "mobility": Sourced(50e-15, "m^2/(V s)", "Joglekar2009, as set in the SPICE models of Knowm"),
    "p": Sourced(7.0, "1", "Joglekar2009, as set in the SPICE models of Knowm"),
    "x_0": Sourced(0.56, "1", "Joglekar2009, as set in the SPICE models of Knowm"),
}
HP_BIOLEK_2009 = {
    "r_on": Sourced(100.0, "ohm", "Biolek2009, window (recalled), as set in the SPICE models of Knowm"),
    "r_off": Sourced(1e3, "ohm", "Biolek2009, as set in the SPICE models of Knowm"),
    "thickness": Sourced(16e-9, "m", "Biolek2009, as set in the SPICE models of Knowm"),
    "mobility": Sourced(40e-15, "m^2/(V s)", "Biolek2009, as set in the SPICE models of Knowm"),
    "p": Sourced(7.0, "1", "Biolek2009, as set in the SPICE models of Knowm"),
    "x_0": Sourced(0.076, "1", "Biolek2009, as set in the SPICE models of Knowm"),
}


class LinearIonDrift(AbstractMemristor):
    r"""Linear drift of dopants in a layer of two resistances in series.

    $$R = R_\mathrm{on} x + R_\mathrm{off} (1 - x), \quad \dot x = \frac{\mu R_\mathrm{on}}{D^2}\, I\, f(x, I)$$

    The state is the doped share of the layer, from 0 to 1; a positive voltage raises it.

    **Arguments:**

    - `r_on`, `r_off`: Resistance of a layer that is doped throughout or not at all, in ohms.
    - `thickness`: $D$, in metres.
    - `mobility`: $\mu$ of the dopants, in m^2/(V s).
    - `x_0`: Initial state.
    - `window`: $f$.
    - `v_threshold`: The state rests at voltages up to this, in volts. The paper has none; MemTorch uses 0.55 V.
    - `sources`: Where each number was read.

    Reference: Strukov2008.

    >>> import jax.numpy as jnp, device_models as dm
    >>> cell = dm.memristors.LinearIonDrift(r_on=100.0, r_off=16e3, thickness=10e-9, mobility=1e-14)
    >>> print(f"{0.1 / cell.current(jnp.array(0.5), jnp.array(0.1)):.0f} ohm")  # 100 / 2 + 16000 / 2
    8050 ohm
    """

    r_on: float | Float[Array, ""]
    r_off: float | Float[Array, ""]
    thickness: float | Float[Array, ""]
    mobility: float | Float[Array, ""]
    x_0: float | Float[Array, ""] = 0.5
    window: AbstractWindow = NoWindow()
    v_threshold: float | Float[Array, ""] = 0.0
    sources: tuple[str, ...] = eqx.field(static=True, default=())

    def __check_init__(self):
        threshold = at_least(0.0, "in volts", most=LARGEST_PLAUSIBLE_VOLTAGE, hint=MILLIVOLTS)
        check_resistances(self, thickness=METRES, mobility=positive("in m^2/(V s)"), v_threshold=threshold)

    @property
    def interval(self) -> AbstractInterval:
        return self.window.interval(1.0)

    def current(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return v / (self.r_on * state + self.r_off * (1 - state))

    def flow(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        current = self.current(state, v)
        # In this order: the square of a thickness alone, 1e-16, times the mobility is below the float32 range.
        speed = self.mobility / self.thickness * (self.r_on / self.thickness) * current
        return jnp.where(jnp.abs(v) >= self.v_threshold, speed * self.window(state, current), 0.0)


@checked()
def hp_strukov2008(*, window: AbstractWindow = Joglekar(1.0)) -> LinearIonDrift:  # noqa: B008
    """Titanium dioxide of 10 nm, 100 ohm to 16 kohm, with a window of your choice.

    Reference: Strukov2008.

    >>> import numpy as np, device_models as dm
    >>> time = np.linspace(0.0, 1.0, 101)
    >>> trace = dm.memristors.simulate(dm.memristors.hp_strukov2008(), time, np.sin(2 * np.pi * time))
    >>> print(f"{trace.state.min():.2f} to {trace.state.max():.2f}, back at {trace.state[-1]:.2f}")
    0.50 to 1.00, back at 0.50
    """
    return _made(HP_STRUKOV_2008, window)


def hp_joglekar2009() -> LinearIonDrift:
    """Linear drift with Joglekar's window of p = 7, 100 ohm to 10 kohm.

    Reference: Joglekar2009.

    >>> import device_models as dm
    >>> cell = dm.memristors.hp_joglekar2009()
    >>> cell.r_on, cell.r_off, cell.window.p
    (100.0, 10000.0, 7.0)
    """
    return _made(HP_JOGLEKAR_2009, Joglekar(float(HP_JOGLEKAR_2009["p"])))


def hp_biolek2009() -> LinearIonDrift:
    """Linear drift with Biolek's window of p = 7, 100 ohm to 1 kohm.

    Reference: Biolek2009.

    >>> import device_models as dm
    >>> cell = dm.memristors.hp_biolek2009()
    >>> cell.r_on, cell.r_off, cell.window.p
    (100.0, 1000.0, 7.0)
    """
    return _made(HP_BIOLEK_2009, Biolek(float(HP_BIOLEK_2009["p"])))


def _made(table: dict[str, Sourced], window: AbstractWindow) -> LinearIonDrift:
    numbers = values(table)
    numbers.pop("p", None)  # of the window
    return LinearIonDrift(**numbers, window=window, sources=tuple(describe(table)))
