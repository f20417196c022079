"""JART VCM v1b: hafnium-oxide memory whose disc of oxygen vacancies is written by field and heat."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._checks import check, positive
from .._checks._quantities import ELECTRONVOLTS, KELVINS, METRES, NOT_NEGATIVE, Number
from .._sourced import describe
from ._interval import AbstractInterval, Walls
from ._jart_set import JART_BENGEL_2020
from ._memristor import AbstractMemristor, check_order, values

CHARGES = 2  # of an oxygen vacancy
UNIT = 1e26  # vacancies per cubic metre in a state of one


class JART(AbstractMemristor):
    r"""Valence-change memory, Juelich Aachen model v1b, with the explicit current of Ntinas et al.

    The state is the concentration $N$ of oxygen vacancies in the disc, in $10^{26}$ per cubic metre. Positive voltage
    (RESET and read) lowers it, negative voltage (SET) raises it. It has walls at the bounds between which the fitted
    current was used. With $V_s$ the voltage of lead and oxide in series:

    - current for $V \ge 0$:
      $-g_0 (e^{-g_1 V} - 1) / [1 + (h_0 + h_1 V + h_2 e^{-h_3 V}) (N / N_\mathrm{min})^{-j_0}]^{1/k_0}$,
    - current for $V < 0$: $-\alpha(V) - \beta(V) / [1 + (c(V) / N)^{d(V)}]^{f(V)}$,
    - temperature: $T = T_0 + \kappa R_\mathrm{th0} I (V - V_s) A_0 / A$, with $\kappa = 1$ for $V < 0$,
    - barriers: $W_{f,r} = \Delta W (\sqrt{1 - \gamma^2} \mp \gamma \pi / 2 + \gamma \arcsin \gamma)$ with
      $\gamma = z a E / (\pi \Delta W)$,
    - $\dot N = -\tfrac12 (N_\mathrm{plug} + N)\, a \nu_0 F\, (e^{-q W_f / kT} - e^{-q W_r / kT}) / l_\mathrm{disc}$,
    - $F = 1 - (N / N_\mathrm{max})^{10}$ for $V < 0$, $1 - (N_\mathrm{min} / N)^{10}$ above.

    The field $E$ is $I / (z q \mu A N)$ in SET and $(V - V_s) / l_\mathrm{cell}$ in RESET. Heat has no time constant:
    a SET runs away within one step of most waveforms. The current was fitted for one set of physical parameters: change
    those and it no longer belongs to them.

    **Arguments:**

    - `alpha_0`, `alpha_2`, `alpha_3`, `beta_0`, `beta_1`, `c`, `d`, `f`: Fit of the current in SET.
    - `g`, `h`, `j_0`, `k_0`: Fit of the current in RESET and read.
    - `temperature`: $T_0$, in kelvins. `kelvin_per_volt_inverse`: $k / q$, in V/K. `charge`: $q$, in coulombs.
    - `mobility`: $\mu$, in m^2/(V s).
    - `n_min`, `n_max`, `n_plug`: In $10^{26}$ per cubic metre: no and all vacancies in the disc, and those of the plug.
    - `n_low`, `n_high`: Lowest and highest state, in $10^{26}$ per cubic metre.
    - `hop`: $a$, in metres. `attempts`: $\nu_0$, in hertz. `barrier`: $\Delta W$, in electronvolts.
    - `thermal_resistance`: $R_\mathrm{th0}$, in K/W; `kappa`: its share in RESET.
    - `radius`, `radius_0`: Of the disc, and of the disc for which `thermal_resistance` holds, in metres.
    - `l_cell`, `l_disc`: In metres.
    - `r_oxide`, `r_line`: In ohms. `thermal_line`: in K/W. `alpha_line`: in 1/K.
    - `x_0`: Initial state.
    - `sources`: Where each number was read.

    Reference: Bengel2020, Ntinas2022.

    >>> import jax.numpy as jnp, numpy as np, device_models as dm
    >>> cell = dm.memristors.jart_bengel2020()
    >>> current = cell.current(jnp.array([cell.n_low, cell.n_high]), jnp.array([0.2, 0.2]))
    >>> print(np.asarray(1e6 * current).round())
    [ 19. 112.]
    """

    alpha_0: float | Float[Array, ""]
    alpha_2: float | Float[Array, ""]
    alpha_3: float | Float[Array, ""]
    beta_0: float | Float[Array, ""]
    beta_1: float | Float[Array, ""]
    c: tuple[Number, Number, Number, Number]
    d: tuple[Number, Number, Number, Number]
    f: tuple[Number, Number, Number, Number]
    g: tuple[Number, Number]
    h: tuple[Number, Number, Number, Number]
    j_0: float | Float[Array, ""]
    k_0: float | Float[Array, ""]
    temperature: float | Float[Array, ""]
    kelvin_per_volt_inverse: float | Float[Array, ""]
    charge: float | Float[Array, ""]
    mobility: float | Float[Array, ""]
    n_min: float | Float[Array, ""]
    n_max: float | Float[Array, ""]
    n_plug: float | Float[Array, ""]
    n_low: float | Float[Array, ""]
    n_high: float | Float[Array, ""]
    hop: float | Float[Array, ""]
    attempts: float | Float[Array, ""]
    barrier: float | Float[Array, ""]
    thermal_resistance: float | Float[Array, ""]
    kappa: float | Float[Array, ""]
    radius: float | Float[Array, ""]
    radius_0: float | Float[Array, ""]
    l_cell: float | Float[Array, ""]
    l_disc: float | Float[Array, ""]
    r_oxide: float | Float[Array, ""]
    r_line: float | Float[Array, ""]
    thermal_line: float | Float[Array, ""]
    alpha_line: float | Float[Array, ""]
    x_0: float | Float[Array, ""]
    sources: tuple[str, ...] = eqx.field(static=True, default=())

    def __check_init__(self):
        vacancies = positive("in 1e26 per cubic metre", most=1e3, hint="Per cubic metre? Divide by 1e26.")
        check(
            self,
            **dict.fromkeys(("n_min", "n_max", "n_plug", "n_low", "n_high"), vacancies),
            **dict.fromkeys(("hop", "radius", "radius_0", "l_cell", "l_disc"), METRES),
            **dict.fromkeys(("alpha_3", "j_0", "k_0", "kelvin_per_volt_inverse", "charge", "mobility"), positive()),
            **dict.fromkeys(("attempts", "thermal_resistance", "kappa", "r_oxide", "r_line"), NOT_NEGATIVE),
            thermal_line=NOT_NEGATIVE,
            temperature=KELVINS,
            barrier=ELECTRONVOLTS,
        )
        check_order(self, "n_low", "n_high")

    @property
    def interval(self) -> AbstractInterval:
        return Walls(self.n_low, self.n_high)

    def current(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        # Each branch gets a voltage it was fitted for: the other's would make NaN there, and in gradients.
        reset = self._reset_current(state, jnp.where(v < 0, 0.0, v))
        return jnp.where(v < 0, self._set_current(state, jnp.where(v < 0, v, -1.0)), reset)

    def local_temperature(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        """Temperature of the disc, in kelvins."""
        current = self.current(state, v)
        return self._heated(current, v - self._series_drop(current), v)

    def flow(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        current = self.current(state, v)
        across = v - self._series_drop(current)
        thermal = self.kelvin_per_volt_inverse * self._heated(current, across, v)
        # In this order: charge times mobility alone is below the float32 range.
        carriers = CHARGES * (self.charge * UNIT) * self.mobility * (jnp.pi * self.radius) * self.radius * state
        field = jnp.where(v < 0, current / carriers, across / self.l_cell)
        forward, back = self._barriers(field)
        hops = jnp.exp(-forward / thermal) - jnp.exp(-back / thermal)
        full = jnp.where(v < 0, state / self.n_max, self.n_min / state)
        return -0.5 * (self.n_plug + state) * (self.hop / self.l_disc) * self.attempts * (1 - full**10) * hops

    def _reset_current(self, n: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        shape = self.h[0] + self.h[1] * v + self.h[2] * jnp.exp(-self.h[3] * v)
        divisor = (1 + shape * (n / self.n_min) ** -self.j_0) ** (1 / self.k_0)
        return -self.g[0] * jnp.expm1(-self.g[1] * v) / divisor

    def _set_current(self, n: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        alpha_1 = self.alpha_0 * jnp.exp(-self.alpha_2 / self.alpha_3)
        alpha = (alpha_1 + self.alpha_0) / (1 + jnp.exp(-(v + self.alpha_2) / self.alpha_3)) - self.alpha_0
        beta = -self.beta_1 * jnp.expm1(-v) - self.beta_0 * v
        c = self.c[2] * jnp.exp(-v / self.c[3]) + self.c[1] * v - self.c[0]
        d = self.d[2] * jnp.exp(-v / self.d[3]) + self.d[1] * v - self.d[0]
        f = self.f[0] + (self.f[1] - self.f[0]) / (1 + (-v / self.f[2]) ** self.f[3])
        return -alpha - beta / (1 + (c / n) ** d) ** f

    def _series_drop(self, current: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        heated = 1 + self.r_line * self.alpha_line * self.thermal_line * current**2
        return current * (self.r_oxide + self.r_line * heated)

    def _heated(self, current, across, v) -> Float[Array, "*cells"]:
        share = jnp.where(v < 0, 1.0, self.kappa) * (self.radius_0 / self.radius) ** 2
        return self.temperature + self.thermal_resistance * share * current * across

    def _barriers(self, field: Float[Array, "*cells"]) -> tuple[Float[Array, "*cells"], Float[Array, "*cells"]]:
        # Beyond a gamma of one the field has pulled the barrier to nothing; its slope is infinite there.
        gamma = jnp.clip(CHARGES * self.hop * field / (self.barrier * jnp.pi), -1 + 1e-6, 1 - 1e-6)
        even = jnp.sqrt(1 - gamma**2) + gamma * jnp.arcsin(gamma)
        tilt = gamma * (jnp.pi / 2)
        return self.barrier * (even - tilt), self.barrier * (even + tilt)


def jart_bengel2020() -> JART:
    """JART VCM v1b from 19 to 112 uA at 0.2 V between its working bounds of 0.06 and 1.98975.

    Reference: Bengel2020, Ntinas2022.

    >>> import jax.numpy as jnp, device_models as dm
    >>> cell = dm.memristors.jart_bengel2020()
    >>> state = jnp.array(1.0)
    >>> print([f"{jnp.sign(cell.flow(state, jnp.array(v))):.0f}" for v in (-0.8, 0.8)])  # SET and RESET
    ['1', '-1']
    """
    n = JART_BENGEL_2020
    return JART(**values(n), sources=tuple(describe(n)))
