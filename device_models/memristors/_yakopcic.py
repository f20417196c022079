"""The generalized memristor of Yakopcic: sinh conduction, thresholds, and motion that fades near the ends."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._checks import between, check, positive, that
from .._checks._quantities import NOT_NEGATIVE, VOLTS
from .._sourced import Sourced, describe
from ._interval import AbstractInterval, Walls
from ._memristor import AbstractMemristor, values

KNOWM = "Yakopcic2011, as set in the SPICE models of Knowm"
YAKOPCIC_2011 = {
    "a_1": Sourced(0.17, "A", KNOWM),
    "a_2": Sourced(0.17, "A", KNOWM),
    "b": Sourced(0.05, "1/V", KNOWM),
    "v_p": Sourced(0.65, "V", f"{KNOWM}; a second published set has 0.16"),
    "v_n": Sourced(0.56, "V", f"{KNOWM}; a second published set has 0.15"),
    "speed_p": Sourced(4000.0, "1/s", KNOWM),
    "speed_n": Sourced(4000.0, "1/s", KNOWM),
    "x_p": Sourced(0.3, "1", KNOWM),
    "x_n": Sourced(0.5, "1", KNOWM),
    "alpha_p": Sourced(1.0, "1", KNOWM),
    "alpha_n": Sourced(5.0, "1", KNOWM),
    "eta": Sourced(1.0, "1", KNOWM),
    "x_0": Sourced(0.11, "1", KNOWM),
}


class Yakopcic(AbstractMemristor):
    r"""$I = a_{1,2}\, x \sinh(b V)$ and $\dot x = \eta\, g(V)\, f(V, x)$, with $a_1$ for $V \ge 0$ and $a_2$ below.

    - $g = A_p (e^V - e^{V_p})$ for $V > V_p$, $-A_n (e^{-V} - e^{V_n})$ for $V < -V_n$, 0 between.
    - Rising ($\eta V \ge 0$) at $x \ge x_p$: $f = e^{-\alpha_p (x - x_p)} ((x_p - x) / (1 - x_p) + 1)$, else 1.
    - Falling at $x \le 1 - x_n$: $f = e^{\alpha_n (x + x_n - 1)}\, x / (1 - x_n)$, else 1.

    The state goes from 0 to 1.

    **Arguments:**

    - `a_1`, `a_2`: Amplitudes of the current, in amperes.
    - `b`: In 1/V.
    - `v_p`, `v_n`: Thresholds, in volts, both positive.
    - `speed_p`, `speed_n`: $A_p$ and $A_n$, in 1/s.
    - `x_p`, `x_n`: Where the motion begins to fade, between 0 and 1.
    - `alpha_p`, `alpha_n`: How fast it fades.
    - `eta`: 1, or -1 for a state that falls with a positive voltage.
    - `x_0`: Initial state.
    - `sources`: Where each number was read.

    Reference: Yakopcic2011.

    >>> import jax.numpy as jnp, device_models as dm
    >>> cell = dm.memristors.yakopcic2011()
    >>> state = jnp.array(0.5)
    >>> print([f"{jnp.sign(cell.flow(state, jnp.array(v))):.0f}" for v in (-0.7, 0.5, 0.7)])
    ['-1', '0', '1']
    """

    a_1: float | Float[Array, ""]
    a_2: float | Float[Array, ""]
    b: float | Float[Array, ""]
    v_p: float | Float[Array, ""]
    v_n: float | Float[Array, ""]
    speed_p: float | Float[Array, ""]
    speed_n: float | Float[Array, ""]
    x_p: float | Float[Array, ""]
    x_n: float | Float[Array, ""]
    alpha_p: float | Float[Array, ""]
    alpha_n: float | Float[Array, ""]
    eta: float | Float[Array, ""]
    x_0: float | Float[Array, ""]
    sources: tuple[str, ...] = eqx.field(static=True, default=())

    def __check_init__(self):
        amperes, within = positive("in amperes"), between(0.0, 1.0)
        check(
            self,
            a_1=amperes,
            a_2=amperes,
            b=positive("in 1/V"),
            v_p=VOLTS,
            v_n=VOLTS,
            speed_p=NOT_NEGATIVE,
            speed_n=NOT_NEGATIVE,
            x_p=within,
            x_n=within,
            alpha_p=NOT_NEGATIVE,
            alpha_n=NOT_NEGATIVE,
            eta=that("1 or -1", lambda x: np.abs(x) == 1),
        )

    @property
    def interval(self) -> AbstractInterval:
        return Walls(0.0, 1.0)

    def current(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return jnp.where(v >= 0, self.a_1, self.a_2) * state * jnp.sinh(self.b * v)

    def flow(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        rise = self.speed_p * (jnp.exp(v) - jnp.exp(self.v_p))
        fall = -self.speed_n * (jnp.exp(-v) - jnp.exp(self.v_n))
        g = jnp.where(v > self.v_p, rise, jnp.where(v < -self.v_n, fall, 0.0))
        return self.eta * g * jnp.where(self.eta * v >= 0, self._up(state), self._down(state))

    def _up(self, x: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        fading = jnp.exp(-self.alpha_p * (x - self.x_p)) * ((self.x_p - x) / (1 - self.x_p) + 1)
        return jnp.where(x >= self.x_p, fading, 1.0)

    def _down(self, x: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        fading = jnp.exp(self.alpha_n * (x + self.x_n - 1)) * x / (1 - self.x_n)
        return jnp.where(x <= 1 - self.x_n, fading, 1.0)


def yakopcic2011() -> Yakopcic:
    """Thresholds of 0.65 and -0.56 V; switches within milliseconds at 0.75 V.

    Reference: Yakopcic2011.

    >>> import device_models as dm
    >>> cell = dm.memristors.yakopcic2011()
    >>> cell.v_p, cell.v_n
    (0.65, 0.56)
    """
    n = YAKOPCIC_2011
    return Yakopcic(**values(n), sources=tuple(describe(n)))
