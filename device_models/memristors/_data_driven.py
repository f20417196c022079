"""Data-driven models of titanium-oxide memory: a resistance that moves towards a limit set by the voltage."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._checks import is_known, positive, that
from .._checks._quantities import VOLTS, negative
from .._sourced import Sourced, describe
from ._interval import AbstractInterval, Walls
from ._memristor import AbstractMemristor, check_resistances, values

OLDER = "Messaris2017, eprints.soton.ac.uk 411693, as coded in MemTorch"
DATA_DRIVEN_2017 = {
    "r_on": Sourced(1280.0, "ohm", OLDER),
    "r_off": Sourced(17e3, "ohm", OLDER),
    "speed_p": Sourced(743.47, "ohm/s", OLDER),
    "speed_n": Sourced(-68012.28374, "ohm/s", OLDER),
    "t_p": Sourced(6.51, "1/V", OLDER),
    "t_n": Sourced(0.31645, "1/V", OLDER),
    "k_p": Sourced(5.11e-4, "1/ohm", OLDER),
    "k_n": Sourced(1.17e-3, "1/ohm", OLDER),
    "limit_p": Sourced((16719.0, 0.0), "ohm, ohm/V", f"{OLDER}; polynomial in V"),
    "limit_n": Sourced((29304.82557, 23692.77225), "ohm, ohm/V", f"{OLDER}; polynomial in V"),
    "a": Sourced(0.24, "V", f"{OLDER}; the same for both polarities"),
    "b": Sourced(3.0, "1/V", f"{OLDER}; the same for both polarities"),
    "x_0": Sourced(5000.0, "ohm", "assumed: within the range"),
}

NEWER = "Messaris2021, arXiv:2012.02267, as coded in MemTorch"
DATA_DRIVEN_2021 = {
    "r_on": Sourced(1600.0, "ohm", NEWER),
    "r_off": Sourced(3000.0, "ohm", NEWER),
    "speed_p": Sourced(600.10075, "1/(ohm s)", NEWER),
    "speed_n": Sourced(-34.5988399, "1/(ohm s)", NEWER),
    "t_p": Sourced(-0.0212028, "V", NEWER),
    "t_n": Sourced(-0.05343997, "V", NEWER),
    "limit_p": Sourced((2699.2336, -672.930205), "ohm, ohm/V", f"{NEWER}; polynomial in V"),
    "limit_n": Sourced((649.413746, -1474.32358), "ohm, ohm/V", f"{NEWER}; polynomial in V"),
    "a": Sourced(0.32046175, "V", NEWER),
    "b": Sourced(2.71689828, "1/V", NEWER),
    "x_0": Sourced(2600.0, "ohm", "assumed: within the range"),
}


class DataDriven2017(AbstractMemristor):
    r"""$I = a \sinh(b V) / R$, and a resistance that runs to a limit faster than exponentially.

    $$\dot R = \begin{cases} A_p (e^{t_p |V|} - 1)(e^{k_p (r_p(V) - R)} - 1) & V > 0,\ R < r_p(V) \\
    A_n (e^{t_n |V|} - 1)(e^{k_n (R - r_n(V))} - 1) & V < 0,\ R > r_n(V) \\ 0 & \text{otherwise} \end{cases}$$

    with $A_p > 0 > A_n$ and $r(V) = r_0 + r_1 V$: the case of the published switching direction +1. The state is $R$ in
    ohms. At small voltages the conductance is $a b / R$, not $1 / R$.

    **Arguments:**

    - `r_on`, `r_off`: Lowest and highest state, in ohms.
    - `speed_p`, `speed_n`: $A_p$ and $A_n$, in ohm/s.
    - `t_p`, `t_n`: In 1/V. `k_p`, `k_n`: in 1/ohm.
    - `limit_p`, `limit_n`: $(r_0, r_1)$ for each polarity, in ohms and ohm/V.
    - `a`: In volts. `b`: in 1/V.
    - `x_0`: Initial state, in ohms.
    - `sources`: Where each number was read.

    Reference: Messaris2017.

    >>> import jax.numpy as jnp, device_models as dm
    >>> cell = dm.memristors.data_driven2017()
    >>> print([f"{jnp.sign(cell.flow(jnp.array(8e3), jnp.array(v))):.0f}" for v in (1.5, -1.5)])  # up and down
    ['1', '-1']
    """

    r_on: float | Float[Array, ""]
    r_off: float | Float[Array, ""]
    speed_p: float | Float[Array, ""]
    speed_n: float | Float[Array, ""]
    t_p: float | Float[Array, ""]
    t_n: float | Float[Array, ""]
    k_p: float | Float[Array, ""]
    k_n: float | Float[Array, ""]
    limit_p: tuple[float | Float[Array, ""], float | Float[Array, ""]]
    limit_n: tuple[float | Float[Array, ""], float | Float[Array, ""]]
    a: float | Float[Array, ""]
    b: float | Float[Array, ""]
    x_0: float | Float[Array, ""]
    sources: tuple[str, ...] = eqx.field(static=True, default=())

    def __check_init__(self):
        per_volt, per_ohm = positive("in 1/V"), positive("in 1/ohm")
        check_resistances(
            self,
            speed_p=positive("in ohm/s"),
            speed_n=negative("in ohm/s"),
            t_p=per_volt,
            t_n=per_volt,
            k_p=per_ohm,
            k_n=per_ohm,
            a=VOLTS,
            b=per_volt,
        )

    @property
    def interval(self) -> AbstractInterval:
        return Walls(self.r_on, self.r_off)

    def current(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return self.a * jnp.sinh(self.b * v) / state

    def flow(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        # A distance of zero is no motion, and keeps the exponential of the other branch small.
        rise = jnp.where(v > 0, jnp.maximum(line(self.limit_p, v) - state, 0.0), 0.0)
        fall = jnp.where(v < 0, jnp.maximum(state - line(self.limit_n, v), 0.0), 0.0)
        up = self.speed_p * jnp.expm1(self.t_p * jnp.abs(v)) * jnp.expm1(self.k_p * rise)
        return up + self.speed_n * jnp.expm1(self.t_n * jnp.abs(v)) * jnp.expm1(self.k_n * fall)


class DataDriven2021(AbstractMemristor):
    r"""$I = a \sinh(b V) / R$, and a resistance whose distance to a limit falls like one over time.

    $$\dot R = s(V)\,(r(V) - R)^2, \quad s = A\,(e^{|V| / t} - 1), \quad r = r_0 + r_1 V$$

    with one set of $A$, $t$, $r$ for each polarity: $R$ falls to $r_p$ for $V > 0$ and rises to $r_n$ for $V < 0$, and
    rests where it is already beyond. The published $t$ are negative, so that $s$ saturates at $-A$. The state is $R$ in
    ohms. At small voltages the conductance is $a b / R$, not $1 / R$.

    **Arguments:**

    - `r_on`, `r_off`: Lowest and highest state, in ohms.
    - `speed_p`, `speed_n`: $A$, in 1/(ohm s).
    - `t_p`, `t_n`: In volts.
    - `limit_p`, `limit_n`: $(r_0, r_1)$ for each polarity, in ohms and ohm/V.
    - `a`: In volts. `b`: in 1/V.
    - `x_0`: Initial state, in ohms.
    - `sources`: Where each number was read.

    Reference: Messaris2021.

    >>> import jax.numpy as jnp, device_models as dm
    >>> cell = dm.memristors.data_driven2021()
    >>> g = cell.current(jnp.array(cell.x_0), jnp.array(0.01)) / 0.01
    >>> print(f"{g * cell.x_0 / (cell.a * cell.b):.2f}")  # conductance of small voltages is a b / R
    1.00
    """

    r_on: float | Float[Array, ""]
    r_off: float | Float[Array, ""]
    speed_p: float | Float[Array, ""]
    speed_n: float | Float[Array, ""]
    t_p: float | Float[Array, ""]
    t_n: float | Float[Array, ""]
    limit_p: tuple[float | Float[Array, ""], float | Float[Array, ""]]
    limit_n: tuple[float | Float[Array, ""], float | Float[Array, ""]]
    a: float | Float[Array, ""]
    b: float | Float[Array, ""]
    x_0: float | Float[Array, ""]
    sources: tuple[str, ...] = eqx.field(static=True, default=())

    def __check_init__(self):
        volts = that("finite and not 0, in volts", lambda t: np.isfinite(t) & (t != 0))
        check_resistances(self, t_p=volts, t_n=volts, a=VOLTS, b=positive("in 1/V"))
        for speed, t, way in (("speed_p", "t_p", -1), ("speed_n", "t_n", 1)):
            found = getattr(self, speed), getattr(self, t)
            if is_known(*found) and not way * float(found[0]) * float(found[1]) >= 0:
                raise ValueError(
                    f"`{speed}` and `{t}` must have {'the same sign' if way > 0 else 'opposite signs'}, or the state "
                    f"would run away from its limit. Got {speed}={found[0]}, {t}={found[1]}."
                )

    @property
    def interval(self) -> AbstractInterval:
        return Walls(self.r_on, self.r_off)

    def current(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return self.a * jnp.sinh(self.b * v) / state

    def flow(self, state: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        fall = jnp.where(v > 0, jnp.maximum(state - line(self.limit_p, v), 0.0), 0.0)
        rise = jnp.where(v < 0, jnp.maximum(line(self.limit_n, v) - state, 0.0), 0.0)
        down = self.speed_p * jnp.expm1(jnp.abs(v) / self.t_p) * fall**2
        return down + self.speed_n * jnp.expm1(jnp.abs(v) / self.t_n) * rise**2


def line(coefficients: tuple, v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
    """A polynomial of first degree, the constant first."""
    return coefficients[0] + coefficients[1] * v


def data_driven2017() -> DataDriven2017:
    """Titanium oxide of 1.28 to 17 kohm; a positive voltage raises the resistance.

    Reference: Messaris2017.

    >>> import device_models as dm
    >>> cell = dm.memristors.data_driven2017()
    >>> print(f"{1e-3 * cell.r_on:.2f} to {1e-3 * cell.r_off:.0f} kohm")
    1.28 to 17 kohm
    """
    return DataDriven2017(**values(DATA_DRIVEN_2017), sources=tuple(describe(DATA_DRIVEN_2017)))


def data_driven2021() -> DataDriven2021:
    """Titanium oxide of 1.6 to 3 kohm; a positive voltage lowers the resistance.

    Reference: Messaris2021.

    >>> import jax.numpy as jnp, device_models as dm
    >>> cell = dm.memristors.data_driven2021()
    >>> state = jnp.array(2500.0)
    >>> print(jnp.sign(cell.flow(state, jnp.array(1.0))))  # a positive voltage lowers the resistance
    -1.0
    """
    return DataDriven2021(**values(DATA_DRIVEN_2021), sources=tuple(describe(DATA_DRIVEN_2021)))
