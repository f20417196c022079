"""Curves of the relative conductance g = G / g_max, the shapes published fits come in."""

import itertools
from abc import abstractmethod

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._checks import Checked, check, is_known, not_nan, positive, that
from .._checks._quantities import FLOAT32, exceeds

FEW = 32  # knots of a table that are worth a ramp each
PER_G_MAX = "Conductances in siemens? Divide by `g_max`."
RELATIVE = that("a relative conductance in [0, 1]", lambda g: (g >= 0) & (g <= 1 + FLOAT32), hint=PER_G_MAX)
ABOVE_ZERO = that("a relative conductance in (0, 1]", lambda g: (g > 0) & (g <= 1), hint=PER_G_MAX)


class AbstractCurve(Checked):
    """A property of a cell as a function of its relative conductance.

    >>> import jax.numpy as jnp, device_models as dm
    >>> class Root(dm.curves.AbstractCurve):
    ...     def __call__(self, g):
    ...         return 1e-6 * jnp.sqrt(g)
    >>> device = dm.Gaussian(0.0, 25e-6, write_noise=Root())
    >>> print(f"{1e6 * device.write_noise(jnp.array(0.25)):.2f} uS")
    0.50 uS
    """

    @abstractmethod
    def __call__(self, g: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        """The property at relative conductance `g` in [0, 1]."""


class Polynomial(AbstractCurve):
    r"""$\sum_i c_i g^i$, coefficients in ascending order.

    >>> import jax.numpy as jnp, device_models as dm
    >>> print(dm.curves.Polynomial((1.0, 0.0, 4.0))(jnp.array([0.0, 0.5, 1.0])))
    [1. 2. 5.]
    """

    coefficients: tuple[float, ...]

    def __check_init__(self):
        check_coefficients(self, self.coefficients, 1)

    def __call__(self, g: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        total = jnp.full_like(g, self.coefficients[-1])
        for coefficient in reversed(self.coefficients[:-1]):
            total = total * g + coefficient
        return total


class ClippedLog(AbstractCurve):
    r"""$\mathrm{clip}(a \ln g + b,\ low,\ high)$; `low` and `high` may be infinite.

    **Arguments:**

    - `slope`, `offset`: $a$ and $b$, in the unit of the property.
    - `low`, `high`: Its ends.

    >>> import jax.numpy as jnp, numpy as np, device_models as dm
    >>> curve = dm.curves.ClippedLog(slope=-0.01, offset=0.05, low=0.05, high=0.1)
    >>> print(np.asarray(curve(jnp.array([1e-4, 0.1, 1.0]))).round(3))
    [0.1   0.073 0.05 ]
    """

    slope: float
    offset: float
    low: float
    high: float

    def __check_init__(self):
        check(self, low=not_nan("a number"), high=not_nan("a number"))
        if exceeds(self.low, self.high):
            raise ValueError(f"`low` must be at most `high`. Got low={self.low}, high={self.high}. Swap them.")

    def __call__(self, g: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        # The floor keeps value and gradient finite at g = 0, where the clip holds anyway.
        return jnp.clip(self.slope * jnp.log(jnp.maximum(g, 1e-7)) + self.offset, self.low, self.high)


class InversePower(AbstractCurve):
    r"""$\min(a\, g^{-p},\ high)$ with positive `factor` $a$, `power` $p$ and `high`, which may be infinite.

    >>> import jax.numpy as jnp, device_models as dm
    >>> print(dm.curves.InversePower(1.0, power=2.0, high=5.0)(jnp.array([0.1, 0.5, 1.0])))
    [5. 4. 1.]
    """

    factor: float
    power: float
    high: float

    def __check_init__(self):
        check(self, factor=positive(), power=positive(), high=that("a positive number", lambda high: high > 0))

    def __call__(self, g: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        reached = (self.factor / self.high) ** (1 / self.power)  # below it the curve is flat
        # Twice as fast on a CPU as a power, and its gradient needs no second one; they agree to 5e-7.
        return self.factor * jnp.exp(-self.power * jnp.log(jnp.maximum(g, reached)))


class Branches(AbstractCurve):
    """One curve below `at`, another from `at` on.

    **Arguments:**

    - `at`: A relative conductance.
    - `below`, `above`: The curves.

    >>> import jax.numpy as jnp, device_models as dm
    >>> curve = dm.curves.Branches(0.5, dm.curves.Constant(1.0), dm.curves.Constant(2.0))
    >>> print(curve(jnp.array([0.4, 0.5])))
    [1. 2.]
    """

    at: float
    below: AbstractCurve
    above: AbstractCurve

    def __check_init__(self):
        check(self, at=RELATIVE)

    def __call__(self, g: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return jnp.where(g < self.at, self.below(g), self.above(g))


class Constant(AbstractCurve):
    """The same for every conductance.

    >>> import jax.numpy as jnp, device_models as dm
    >>> print(dm.curves.Constant(2.0)(jnp.array([0.1, 1.0])))
    [2. 2.]
    """

    value: float | Float[Array, ""]

    def __call__(self, g: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return jnp.full_like(g, self.value)


class Proportional(AbstractCurve):
    r"""$a\, g$.

    >>> import jax.numpy as jnp, device_models as dm
    >>> print(dm.curves.Proportional(2.0)(jnp.array([0.0, 0.5, 1.0])))
    [0. 1. 2.]
    """

    factor: float | Float[Array, ""]

    def __call__(self, g: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return self.factor * g


class InverseProportional(AbstractCurve):
    r"""$a / \max(g, g_\mathrm{low})$: without the floor, a cell at zero would be anywhere.

    **Arguments:**

    - `factor`: $a$, in the unit of the property.
    - `low`: $g_\mathrm{low}$, a relative conductance.

    >>> import jax.numpy as jnp, device_models as dm
    >>> print(dm.curves.InverseProportional(1.0, low=0.25)(jnp.array([0.0, 0.5, 1.0])))
    [4. 2. 1.]
    """

    factor: float | Float[Array, ""]
    low: float = 0.01

    def __check_init__(self):
        check(self, low=ABOVE_ZERO)

    def __call__(self, g: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return self.factor / jnp.maximum(g, self.low)


class Saturating(AbstractCurve):
    r"""$a\,(1 - e^{-g / b})$ with `height` $a$ and a positive `scale` $b$.

    >>> import jax.numpy as jnp, numpy as np, device_models as dm
    >>> print(np.asarray(dm.curves.Saturating(2.0, scale=0.5)(jnp.array([0.0, 0.5]))).round(3))  # 2 (1 - 1 / e)
    [0.    1.264]
    """

    height: float | Float[Array, ""]
    scale: float | Float[Array, ""]

    def __check_init__(self):
        check(self, scale=positive("a relative conductance"))

    def __call__(self, g: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return -self.height * jnp.expm1(-g / self.scale)


class Chebyshev(AbstractCurve):
    r"""$\sum_k c_k T_k(2 g - 1)$: a polynomial of high degree that float32 can evaluate.

    In powers of `g` the terms of a tenth-degree fit are thousands of times their sum; here they are of its size.

    >>> import jax.numpy as jnp, device_models as dm
    >>> print(dm.curves.Chebyshev((1.0, 2.0))(jnp.array([0.0, 0.5, 1.0])))  # 1 + 2 (2 g - 1)
    [-1.  1.  3.]
    """

    coefficients: tuple[float, ...]

    def __check_init__(self):
        check_coefficients(self, self.coefficients, 2)

    def __call__(self, g: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        x = 2 * g - 1
        last, before = jnp.full_like(g, self.coefficients[-1]), jnp.zeros_like(g)
        for coefficient in reversed(self.coefficients[1:-1]):  # Clenshaw's recurrence
            last, before = coefficient + 2 * x * last - before, last
        return self.coefficients[0] + x * last - before


class Table(AbstractCurve):
    """Linear between the entries of a table, held at its ends.

    **Arguments:**

    - `at`: Relative conductances, increasing.
    - `values`: The property there.

    >>> import jax.numpy as jnp, device_models as dm
    >>> print(dm.curves.Table((0.0, 1.0), (1.0, 3.0))(jnp.array([0.0, 0.5, 2.0])))
    [1. 2. 3.]
    """

    at: tuple[float, ...]
    values: tuple[float, ...]

    def __check_init__(self):
        check(self, at=RELATIVE)
        if len(self.at) != len(self.values) or len(self.at) < 2 or not is_rising(self.at):
            raise ValueError(
                "A table must have at least two increasing relative conductances `at` and one of `values` for each. "
                f"Got at={self.at}, values={self.values}."
            )

    def __call__(self, g: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        g = jnp.asarray(g)
        at, values = (jnp.asarray(numbers, g.dtype) for numbers in (self.at, self.values))
        return linear_between(g, at, values)


def linear_between(
    g: Float[Array, "*cells"], at: Float[Array, " knots"], values: Float[Array, " knots"]
) -> Float[Array, "*cells"]:
    """As `jnp.interp`, which looks each cell's place up at a hundred times the cost of a few ramps."""
    if at.shape[0] > FEW:
        return jnp.interp(g, at, values)
    slopes = jnp.diff(values) / jnp.diff(at)
    x = jnp.clip(g, at[0], at[-1])
    total = values[0] + slopes[0] * (x - at[0])
    for knot in range(1, at.shape[0] - 1):
        total = total + (slopes[knot] - slopes[knot - 1]) * jnp.maximum(x - at[knot], 0.0)
    return total


def check_coefficients(curve: AbstractCurve, coefficients: tuple[float, ...], least: int) -> None:
    """Raises `ValueError` unless the `coefficients` of a `curve` are numbers, at least this many."""
    check(curve)
    if (n := len(coefficients)) < least:
        raise ValueError(f"`coefficients` must be at least {least} numbers. Got {n}. For one number use `Constant`.")


def is_rising(values: tuple[float, ...]) -> bool:
    """Whether each of the numbers that are known is greater than the one before."""
    return all(float(a) < float(b) for a, b in itertools.pairwise(values) if is_known(a, b))


def as_chebyshev(coefficients: tuple[float, ...], g_max: float) -> Chebyshev:
    """The polynomial with ascending `coefficients` in G, as one in G / `g_max` from 0 to 1."""
    fitted = np.polynomial.Polynomial(coefficients, domain=(0, g_max), window=(0, g_max))
    found = fitted.convert(kind=np.polynomial.Chebyshev, domain=(0, g_max))
    missing = len(coefficients) - len(found.coef)  # trailing zeros, which numpy leaves out
    return Chebyshev((*(float(c) for c in found.coef), *(0.0,) * missing))
