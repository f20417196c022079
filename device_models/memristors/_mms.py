"""The mean metastable switch: many switches that flip at rates set by voltage and temperature."""

import equinox as eqx
import jax
from jaxtyping import Array, Float

from .._checks import checked, positive
from .._checks._quantities import KELVINS, VOLTS
from .._sourced import Sourced, describe
from ._interval import AbstractInterval, Walls
from ._memristor import AbstractMemristor, check_resistances, values

BOLTZMANN = 1.380649e-23  # J/K
CHARGE = 1.602176634e-19  # C
KNOWM = "Molter2016, as set in the SPICE models of Knowm"
MMS_MOLTER_2016 = {
    "r_on": Sourced(500.0, "ohm", KNOWM),
    "r_off": Sourced(1500.0, "ohm", KNOWM),
    "v_on": Sourced(0.27, "V", KNOWM),
    "v_off": Sourced(0.27, "V", KNOWM),
    "tau": Sourced(1e-4, "s", KNOWM),
    "temperature": Sourced(298.5, "K", KNOWM),
    "x_0": Sourced(0.0, "1", KNOWM),
}


class MMS(AbstractMemristor):
    r"""Mean metastable switch.

    $$I = V \left(\frac{x}{R_\mathrm{on}} + \frac{1 - x}{R_\mathrm{off}}\right), \quad \dot x = \frac1\tau
    \left[\sigma(V - V_\mathrm{on})(1 - x) - (1 - \sigma(V + V_\mathrm{off}))\,x\right], \quad
    \sigma(v) = \frac{1}{1 + e^{-v q / (k T)}}$$

    The state is the share of switches that are on, from 0 to 1. Smooth in everything, temperature included; at a
    constant voltage it relaxes exponentially. The Schottky path of the generalised model is left out.

    **Arguments:**

    - `r_on`, `r_off`: Resistances with all switches on or off, in ohms.
    - `v_on`, `v_off`: Thresholds, in volts; both positive.
    - `tau`: Time constant far beyond a threshold, in seconds.
    - `temperature`: $T$, in kelvins.
    - `x_0`: Initial state.
    - `sources`: Where each number was read.

    Reference: Molter2016.

    >>> import jax.numpy as jnp, device_models as dm
    >>> cell = dm.memristors.mms_molter2016()
    >>> print(f"{0.1 / cell.current(jnp.array(0.5), jnp.array(0.1)):.0f} ohm")  # halves of 500 and of 1500 ohm
    750 ohm
    """

    r_on: float | Float[Array, ""]
    r_off: float | Float[Array, ""]
    v_on: float | Float[Array, ""]
    v_off: float | Float[Array, ""]
    tau: float | Float[Array, ""]
    temperature: float | Float[Array, ""]
    x_0: float | Float[Array, ""] = 0.0
    sources: tuple[str, ...] = eqx.field(static=True, default=())

    def __check_init__(self):
        check_resistances(self, v_on=VOLTS, v_off=VOLTS, tau=positive("in seconds"), temperature=KELVINS)

    @property
    def interval(self) -> AbstractInterval:
        return Walls(0.0, 1.0)

    def current(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return v * (state / self.r_on + (1 - state) / self.r_off)

    def flow(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        per_volt = CHARGE / BOLTZMANN / self.temperature
        on = jax.nn.sigmoid((v - self.v_on) * per_volt)
        off = jax.nn.sigmoid(-(v + self.v_off) * per_volt)
        return (on * (1 - state) - off * state) / self.tau


@checked(temperature=KELVINS)
def mms_molter2016(*, temperature: float | Float[Array, ""] = float(MMS_MOLTER_2016["temperature"])) -> MMS:
    """Thresholds of 0.27 V of either sign, 500 to 1500 ohm, 0.1 ms; at a temperature of your choice, in kelvins.

    Reference: Molter2016.

    >>> import device_models as dm
    >>> cell = dm.memristors.mms_molter2016()
    >>> cell.r_on, cell.r_off, cell.v_on
    (500.0, 1500.0, 0.27)
    """
    n = MMS_MOLTER_2016
    return MMS(**values(n) | {"temperature": temperature}, sources=tuple(describe(n)))
