"""Stanford-PKU: a filament whose gap grows and shrinks with field and its own heat."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._checks import check, positive
from .._checks._quantities import ELECTRONVOLTS, KELVINS, METRES, NOT_NEGATIVE, VOLTS
from .._sourced import Sourced, describe
from ._interval import AbstractInterval, Walls
from ._memristor import AbstractMemristor, check_order, values

MEMTORCH = "Jiang2016, as coded in MemTorch"
STANFORD_JIANG_2016 = {
    "i_0": Sourced(1e-3, "A", MEMTORCH),
    "g_0": Sourced(0.25e-9, "m", MEMTORCH),
    "v_0": Sourced(0.25, "V", MEMTORCH),
    "speed": Sourced(10.0, "m/s", MEMTORCH),
    "gamma_0": Sourced(16.0, "1", MEMTORCH),
    "beta": Sourced(0.8, "1/nm^3", MEMTORCH),
    "thickness": Sourced(12e-9, "m", MEMTORCH),
    "field_min": Sourced(1.4e9, "V/m", MEMTORCH),
    "energy": Sourced(0.6, "eV", MEMTORCH),
    "hop": Sourced(0.25e-9, "m", MEMTORCH),
    "temperature": Sourced(298.0, "K", MEMTORCH),
    "thermal_resistance": Sourced(2.1e3, "K/W", MEMTORCH),
    "kelvin_per_volt": Sourced(1.6e-19 / 1.3806503e-23, "K/V", f"{MEMTORCH}; q = 1.6e-19 C, k = 1.3806503e-23 J/K"),
    "gap_min": Sourced(2.0008e-10, "m", f"{MEMTORCH}; from 542 ohm at 0.1 V"),
    "gap_max": Sourced(1.7e-9, "m", f"{MEMTORCH}; from 218 586 ohm at 0.1 V"),
    "x_0": Sourced(2.0008e-10, "m", f"{MEMTORCH}, 2e-10 m there, which is below its own smallest gap"),
}


class StanfordPKU(AbstractMemristor):
    r"""Metal-oxide memory with a conducting filament.

    $$I = I_0 e^{-g / g_0} \sinh(V / V_0), \quad T = T_0 + |V I| R_\mathrm{th}, \quad
    \dot g = -v_0\, e^{-q E_a / k T} \sinh\frac{\gamma a_0 q V}{t_\mathrm{ox} k T}$$

    with $\gamma = \gamma_0 - \beta g^3$, $g$ in nanometres, where the field $\gamma |V| / t_\mathrm{ox}$ is at least
    $F_\mathrm{min}$, and 0 where it is not. The state is the gap $g$ in metres. The random motion of the gap, which
    the published code switches off by default, is left out.

    **Arguments:**

    - `i_0`: In amperes. `g_0`: in metres. `v_0`: in volts.
    - `speed`: $v_0$ of the gap, in m/s.
    - `gamma_0`: Field enhancement, a pure number; `beta`: its loss, in 1/nm^3.
    - `thickness`: $t_\mathrm{ox}$, in metres.
    - `field_min`: $F_\mathrm{min}$, in V/m.
    - `energy`: $E_a$, in electronvolts. `hop`: $a_0$, in metres.
    - `temperature`: Of the surroundings, in kelvins. `thermal_resistance`: in K/W.
    - `kelvin_per_volt`: $q / k$, in K/V.
    - `gap_min`, `gap_max`: Where the gap may be, in metres.
    - `x_0`: Initial gap, in metres.
    - `sources`: Where each number was read.

    Reference: Jiang2016.

    >>> import jax.numpy as jnp, device_models as dm
    >>> cell = dm.memristors.stanford_jiang2016()
    >>> print([f"{0.1 / cell.current(jnp.array(gap), jnp.array(0.1)):.0f} ohm" for gap in cell.bounds])
    ['542 ohm', '218586 ohm']
    """

    i_0: float | Float[Array, ""]
    g_0: float | Float[Array, ""]
    v_0: float | Float[Array, ""]
    speed: float | Float[Array, ""]
    gamma_0: float | Float[Array, ""]
    beta: float | Float[Array, ""]
    thickness: float | Float[Array, ""]
    field_min: float | Float[Array, ""]
    energy: float | Float[Array, ""]
    hop: float | Float[Array, ""]
    temperature: float | Float[Array, ""]
    thermal_resistance: float | Float[Array, ""]
    kelvin_per_volt: float | Float[Array, ""]
    gap_min: float | Float[Array, ""]
    gap_max: float | Float[Array, ""]
    x_0: float | Float[Array, ""]
    sources: tuple[str, ...] = eqx.field(static=True, default=())

    def __check_init__(self):
        check(
            self,
            i_0=positive("in amperes"),
            v_0=VOLTS,
            **dict.fromkeys(("g_0", "thickness", "hop", "gap_min", "gap_max"), METRES),
            **dict.fromkeys(("speed", "gamma_0", "kelvin_per_volt"), positive()),
            **dict.fromkeys(("beta", "field_min", "thermal_resistance"), NOT_NEGATIVE),
            energy=ELECTRONVOLTS,
            temperature=KELVINS,
        )
        check_order(self, "gap_min", "gap_max")

    @property
    def interval(self) -> AbstractInterval:
        return Walls(self.gap_min, self.gap_max)

    def current(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return self.i_0 * jnp.exp(-state / self.g_0) * jnp.sinh(v / self.v_0)

    def local_temperature(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        """Temperature of the filament, in kelvins."""
        return self.temperature + self.thermal_resistance * jnp.abs(v * self.current(state, v))

    def flow(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        gamma = self.gamma_0 - self.beta * (state / 1e-9) ** 3
        field = gamma * v / self.thickness
        per_volt = self.kelvin_per_volt / self.local_temperature(state, v)
        # One exponential of the difference: the factors alone leave the float32 range.
        barrier, gain = self.energy * per_volt, self.hop * field * per_volt
        speed = -0.5 * self.speed * (jnp.exp(gain - barrier) - jnp.exp(-gain - barrier))
        return jnp.where(jnp.abs(field) >= self.field_min, speed, 0.0)


def stanford_jiang2016() -> StanfordPKU:
    """Hafnium-oxide memory of 12 nm, 542 ohm to 219 kohm at 0.1 V; moves beyond about 1.05 V.

    Reference: Jiang2016.

    >>> import jax.numpy as jnp, device_models as dm
    >>> cell = dm.memristors.stanford_jiang2016()
    >>> gap = jnp.array(1e-9)
    >>> print([bool(cell.flow(gap, jnp.array(v)) == 0) for v in (0.5, 1.5)])  # it rests below about 1.05 V
    [True, False]
    """
    n = STANFORD_JIANG_2016
    return StanfordPKU(**values(n), sources=tuple(describe(n)))
