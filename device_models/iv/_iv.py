"""How the current through a cell depends on its voltage."""

from abc import abstractmethod

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float

from .._checks import Checked, at_least, check, checked, positive
from .._sourced import Sourced

MILO = "Milo2021, Fig. 1, as fitted in CrossSim"
MILO_2021 = {
    "quadratic": Sourced((7.063e-3, 5.711e-3, 1.541e-3, 1.388e-4), "A/V^2", f"{MILO}; polynomial in log10(G / S)"),
    "cubic": Sourced((1.2968e-3, 6.7919e-4, 8.8710e-5), "A/V^3", f"{MILO}; polynomial in log10(G / S)"),
    "g_low": Sourced(50e-6, "S", f"{MILO}; lower end of the fit"),
    "g_high": Sourced(225e-6, "S", f"{MILO}; upper end of the fit"),
    "v_max": Sourced(0.5, "V", f"{MILO}; range of the fit"),
}


class AbstractIV(Checked):
    r"""A current-voltage relation in separable form, $I(g, v) = \sum_k T_k(g)\, B_k(v)$.

    Separable, so that an array of such cells on ideal wires is still read by matrix products: one a term.

    >>> import jax.numpy as jnp, device_models as dm
    >>> class Quadratic(dm.iv.AbstractIV):
    ...     def terms(self, g):
    ...         return (g,)
    ...     def basis(self, v):
    ...         return (v * jnp.abs(v),)
    >>> print(Quadratic().current(jnp.array(2.0), jnp.array(-0.5)))
    -0.5
    """

    @abstractmethod
    def terms(self, g: Float[Array, "*cells"]) -> tuple[Float[Array, "*cells"], ...]:
        """The $T_k$ of cells of conductance `g`, in siemens."""

    @abstractmethod
    def basis(self, v: Float[Array, "*v"]) -> tuple[Float[Array, "*v"], ...]:
        """The $B_k$ at voltage `v`, in volts; the first is close to `v` at small voltages."""

    @checked()
    def current(self, g: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        """Current through cells of conductance `g` at voltage `v`, in amperes."""
        return sum((t * b for t, b in zip(self.terms(g), self.basis(v), strict=True)), jnp.zeros_like(g))

    @checked()
    def conductance(self, g: Float[Array, "*cells"], v: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        """Differential conductance, the derivative of the current with respect to `v`, in siemens."""
        self.basis(v)  # checks a concrete voltage, which is traced below
        return jax.jvp(lambda v: self.current(g, v), (v,), (jnp.ones_like(v),))[1]


class Ohmic(AbstractIV):
    """Current proportional to voltage.

    >>> import jax.numpy as jnp, device_models as dm
    >>> print(f"{1e6 * dm.iv.Ohmic().current(jnp.array(10e-6), jnp.array(0.2)):.1f} uA")
    2.0 uA
    """

    def terms(self, g: Float[Array, "*cells"]) -> tuple[Float[Array, "*cells"], ...]:
        return (g,)

    def basis(self, v: Float[Array, "*v"]) -> tuple[Float[Array, "*v"], ...]:
        return (v,)


class Sinh(AbstractIV):
    r"""$I = g \sinh(\kappa v) / \kappa$; `g` is the conductance at small voltages.

    The excess over an ohmic cell is about $(\kappa v)^2 / 6$: 5 % at 0.2 V for the $\kappa$ of 2 to 3 per volt that
    published compact models use.

    **Arguments:**

    - `kappa`: In 1/V, positive.

    >>> import jax.numpy as jnp, device_models as dm
    >>> print(f"{1e6 * dm.iv.Sinh(kappa=3.0).current(jnp.array(10e-6), jnp.array(0.2)):.2f} uA")  # 2 of an ohmic cell
    2.12 uA
    """

    kappa: float | Float[Array, ""]

    def __check_init__(self):
        check(self, kappa=positive("in 1/V", hint="For ohmic cells use `Ohmic()`."))

    def terms(self, g: Float[Array, "*cells"]) -> tuple[Float[Array, "*cells"], ...]:
        return (g,)

    def basis(self, v: Float[Array, "*v"]) -> tuple[Float[Array, "*v"], ...]:
        return (jnp.sinh(self.kappa * v) / self.kappa,)


class Cubic(AbstractIV):
    """$I = g (v + a v^3)$; `g` is the conductance at small voltages.

    **Arguments:**

    - `a`: In 1/V^2, not negative, so that the current rises with the voltage.

    >>> import jax.numpy as jnp, device_models as dm
    >>> print(f"{dm.iv.Cubic(a=5.0).current(jnp.array(10e-6), jnp.array(0.2)) * 1e6:.2f} uA")  # 10 (0.2 + 5 * 0.2^3)
    2.40 uA
    """

    a: float | Float[Array, ""]

    def __check_init__(self):
        check(self, a=at_least(0.0, "in 1/V^2"))

    def terms(self, g: Float[Array, "*cells"]) -> tuple[Float[Array, "*cells"], ...]:
        return (g,)

    def basis(self, v: Float[Array, "*v"]) -> tuple[Float[Array, "*v"], ...]:
        return (v + self.a * v**3,)


class MiloPolynomial(AbstractIV):
    r"""RRAM of Milo et al., $I = g v + N_2(g)\, v^2 + N_3(g)\, v^3$ for voltages up to 0.5 V of either sign.

    $N_2$ and $N_3$ are polynomials in $\log_{10} g$ from 50 to 225 uS. Measured at 62.5, 76.2, 93.9 and 110 uS only;
    that cells at 225 uS are ohmic was assumed by those who fitted it. Outside, $N_k / g$ is held at the end of the
    range (assumed): the polynomials themselves make currents fall with the voltage below 38 uS. The even term is as
    published: current at -v is not that at v with its sign changed. A concrete voltage beyond the range is an error, a
    traced one makes NaN.

    Reference: Milo2021.

    >>> import jax.numpy as jnp, numpy as np, device_models as dm
    >>> current = dm.iv.MiloPolynomial().current(jnp.array([100e-6, 100e-6]), jnp.array([0.1, 0.5]))
    >>> print(np.asarray(1e6 * current).round(1))  # of an ohmic cell 10 and 50 uA
    [ 9.9 47.9]
    """

    def terms(self, g: Float[Array, "*cells"]) -> tuple[Float[Array, "*cells"], ...]:
        within = jnp.clip(g, float(MILO_2021["g_low"]), float(MILO_2021["g_high"]))

        def polynomial(name):
            coefficients = jnp.asarray(MILO_2021[name].coefficients[::-1], g.dtype)
            return jnp.polyval(coefficients, jnp.log10(within)) * (g / within)

        return (g, polynomial("quadratic"), polynomial("cubic"))

    def basis(self, v: Float[Array, "*v"]) -> tuple[Float[Array, "*v"], ...]:
        v_max = float(MILO_2021["v_max"])
        if not isinstance(v, Tracer) and not (np.abs(np.asarray(v)) <= v_max).all():
            raise ValueError(
                f"The voltage must be within the fitted range of {v_max} V. Got up to {np.abs(np.asarray(v)).max()} V. "
                "Choose a smaller `v_read` or another I-V."
            )
        v = jnp.where(jnp.abs(v) <= v_max, v, jnp.nan)
        return (v, v**2, v**3)
