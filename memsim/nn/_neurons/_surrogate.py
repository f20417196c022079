"""Surrogate gradients: a step forward, a smooth slope backward."""

from abc import abstractmethod
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..._checks import at_least, check, positive


class AbstractSurrogate(eqx.Module):
    """`surrogate(x)` is 1 where x > 0 and 0 elsewhere; its derivative is that of a smooth `relaxation`.

    With `at_zero`, it is 1 at exactly zero, too. It is NaN where x is.

    >>> import jax, jax.numpy as jnp, memsim as ms
    >>> class Ramp(ms.nn.AbstractSurrogate):
    ...     slope: float = 1.0
    ...     def relaxation(self, x):
    ...         return jnp.clip(x + 0.5, 0.0, 1.0)
    >>> float(Ramp()(jnp.array(0.2))), float(jax.grad(Ramp())(jnp.array(0.2)))
    (1.0, 1.0)
    """

    slope: eqx.AbstractVar[float]

    def __check_init__(self):
        check(self, slope=positive())

    @abstractmethod
    def relaxation(self, x: Float[Array, "*units"]) -> Float[Array, "*units"]:
        """The function whose derivative stands in for that of the step."""

    def __call__(self, x: Float[Array, "*units"], *, at_zero: bool = False) -> Float[Array, "*units"]:
        return _step(self, x, at_zero, _nan_where_nan)


def spikes_of(surrogate: AbstractSurrogate, over: Float[Array, "*units"], *, at_zero: bool) -> Float[Array, "*units"]:
    """The spikes of membranes `over` their threshold, and NaN for those that are not finite: no spike hides a mistake.

    This is where all spikes are made.
    """
    return _step(surrogate, over, at_zero, _nan_where_not_finite)


@eqx.filter_custom_jvp
def _step(surrogate: AbstractSurrogate, x: Array, at_zero: bool, checked: Callable[[Array, Array], Array]) -> Array:
    above = x >= 0 if at_zero else x > 0
    return checked(above.astype(x.dtype), x)


@_step.def_jvp
def _step_jvp(primals, tangents):
    surrogate, x, at_zero, checked = primals
    x_dot = tangents[1]
    spikes = _step(surrogate, x, at_zero, checked)
    if x_dot is None:
        return spikes, jnp.zeros_like(x)
    # One number a membrane: what the relaxation is made of would be kept for the backward pass, in several arrays.
    slope = jax.jvp(surrogate.relaxation, (x,), (jnp.ones_like(x),))[1]
    return spikes, slope * x_dot


def _nan_where_nan(spikes: Array, x: Array) -> Array:
    return jnp.where(jnp.isnan(x), x, spikes)


def _nan_where_not_finite(spikes: Array, x: Array) -> Array:
    return spikes + 0 * x  # which compilers join with what is before and after it


class SuperSpike(AbstractSurrogate):
    r"""Slope $1 / (1 + k|x|)^2$.

    $k$ is the slope of snnTorch's and jaxpike's fast sigmoid and Spyx's `superspike` (25 in all). norse 1.1.0 has
    $k = 1$ whatever its alpha; snnax's "superspike" is another, $1 / (1 + k|x|)$.

    Reference: Zenke2018.

    >>> import jax, jax.numpy as jnp, memsim as ms
    >>> surrogate, x = ms.nn.SuperSpike(10.0), jnp.array(0.1)
    >>> float(surrogate(x)), float(jax.grad(surrogate)(x))  # 1 / (1 + 1)^2
    (1.0, 0.25)
    """

    slope: float = 25.0

    def relaxation(self, x: Float[Array, "*units"]) -> Float[Array, "*units"]:
        return x / (1 + self.slope * jnp.abs(x))


class Arctan(AbstractSurrogate):
    r"""Slope $(k/2) / (1 + (\pi k x / 2)^2)$.

    $k$ is the alpha of snnTorch, SpikingJelly and jaxpike (2 in all). Spyx's `arctan(k)` is this with twice its $k$,
    divided by $\pi k$.

    Reference: Fang2021.

    >>> import jax, jax.numpy as jnp, memsim as ms
    >>> float(jax.grad(ms.nn.Arctan(2.0))(jnp.array(0.0)))
    1.0
    """

    slope: float = 2.0

    def relaxation(self, x: Float[Array, "*units"]) -> Float[Array, "*units"]:
        return jnp.arctan(jnp.pi / 2 * self.slope * x) / jnp.pi


class Sigmoid(AbstractSurrogate):
    r"""Slope $k\,s(kx)(1 - s(kx))$ with the logistic function $s$.

    $k$ is the slope of snnTorch (25) and the alpha of SpikingJelly (4). Spyx's `tanh(k)` is this with twice its $k$,
    times $2 / k$.

    >>> import jax, jax.numpy as jnp, memsim as ms
    >>> print(f"{jax.grad(ms.nn.Sigmoid(4.0))(jnp.array(0.0)):.2f}")  # 4 / 4
    1.00
    """

    slope: float = 25.0

    def relaxation(self, x: Float[Array, "*units"]) -> Float[Array, "*units"]:
        return jax.nn.sigmoid(self.slope * x)


class Triangle(AbstractSurrogate):
    r"""Slope $\max(0, 1 - k|x|)$.

    $k$ is that of Spyx (2). jaxpike's triangle of some width is this with $k$ = 1 / width, divided by the width;
    norse's is alpha times this with $k = 1$. snnTorch's `triangular` is another function.

    >>> import jax, jax.numpy as jnp, memsim as ms
    >>> slope = jax.grad(ms.nn.Triangle(1.0))
    >>> float(slope(jnp.array(0.25))), float(slope(jnp.array(2.0)))
    (0.75, 0.0)
    """

    slope: float = 1.0

    def relaxation(self, x: Float[Array, "*units"]) -> Float[Array, "*units"]:
        x = jnp.clip(x, -1 / self.slope, 1 / self.slope)
        return x - self.slope * x * jnp.abs(x) / 2


class Boxcar(AbstractSurrogate):
    r"""Slope $k$ where $|x| < 1/(2k)$, zero elsewhere.

    jaxpike's box has the width $1/k$; Spyx's width and height are two numbers, the default being $k = 0.5$.

    >>> import jax, jax.numpy as jnp, memsim as ms
    >>> slope = jax.grad(ms.nn.Boxcar(1.0))
    >>> float(slope(jnp.array(0.4))), float(slope(jnp.array(0.6)))
    (1.0, 0.0)
    """

    slope: float = 1.0

    def relaxation(self, x: Float[Array, "*units"]) -> Float[Array, "*units"]:
        return jnp.clip(self.slope * x, -0.5, 0.5)


class StraightThrough(AbstractSurrogate):
    r"""Slope $k$ everywhere, as with snnTorch's `straight_through_estimator` ($k = 1$).

    >>> import jax, jax.numpy as jnp, memsim as ms
    >>> surrogate, x = ms.nn.StraightThrough(), jnp.array(-3.0)
    >>> float(surrogate(x)), float(jax.grad(surrogate)(x))
    (0.0, 1.0)
    """

    slope: float = 1.0

    def relaxation(self, x: Float[Array, "*units"]) -> Float[Array, "*units"]:
        return self.slope * x


class Gaussian(AbstractSurrogate):
    r"""Slope $(k / \sqrt{\pi})\,e^{-k^2 x^2}$, from the error function.

    $k$ is SpikingJelly's alpha of `Erf`, and $1 / (\sigma \sqrt 2)$ of sinabs' `Gaussian`. norse's "heavi_erfc" is
    this times $2/k$.

    >>> import jax, jax.numpy as jnp, memsim as ms
    >>> print(f"{jax.grad(ms.nn.Gaussian(2.0))(jnp.array(0.0)):.3f}")  # 2 / sqrt(pi)
    1.128
    """

    slope: float = 2.0

    def relaxation(self, x: Float[Array, "*units"]) -> Float[Array, "*units"]:
        return jax.lax.erf(self.slope * x) / 2


class MultiGaussian(AbstractSurrogate):
    r"""Slope $(1 + h)\,N(x; 0, \sigma) - h\,N(x; \sigma, w\sigma) - h\,N(x; -\sigma, w\sigma)$, negative far from 0.

    $N(x; \mu, \sigma)$ is the normal density and $\sigma = 1 / (k \sqrt 2)$, so that $h = 0$ is `Gaussian`. The same as
    sinabs' `MultiGaussian`, whose $\sigma = 0.5$ is the default; $w$ is its s.

    **Arguments:**

    - `slope`: $k$.
    - `lobes`: $h$, the height of the side lobes.
    - `width`: $w$, how much wider they are.

    Reference: Yin2021.

    >>> import jax, jax.numpy as jnp, memsim as ms
    >>> slope = jax.grad(ms.nn.MultiGaussian())
    >>> print(f"{slope(jnp.array(0.0)):.2f}, {slope(jnp.array(2.0)):.2f}")
    0.88, -0.03
    """

    slope: float = 2**0.5
    lobes: float = 0.15
    width: float = 6.0

    def __check_init__(self):
        check(self, lobes=at_least(0.0), width=positive())

    def relaxation(self, x: Float[Array, "*units"]) -> Float[Array, "*units"]:
        shift, wide = 0.5**0.5 / self.slope, self.slope / self.width
        sides = jax.lax.erf(wide * (x - shift)) + jax.lax.erf(wide * (x + shift))
        return ((1 + self.lobes) * jax.lax.erf(self.slope * x) - self.lobes * sides) / 2


class Slayer(AbstractSurrogate):
    r"""Slope $c\,k\,e^{-k|x|}$, an exponential to both sides.

    lava-dl's tau is $1/k$ and its scale is $c$; sinabs' `SingleExponential` has $k$ = 1 / (threshold grad_width) and
    $c$ = grad_scale.

    **Arguments:**

    - `slope`: $k$.
    - `scale`: $c$.

    Reference: Shrestha2018.

    >>> import jax, jax.numpy as jnp, memsim as ms
    >>> print(f"{jax.grad(ms.nn.Slayer(1.0, scale=2.0))(jnp.array(1.0)):.3f}")  # 2 / e
    0.736
    """

    slope: float = 1.0
    scale: float = 1.0

    def __check_init__(self):
        check(self, scale=positive())

    def relaxation(self, x: Float[Array, "*units"]) -> Float[Array, "*units"]:
        # Two one-sided parts: the product of sign(x) and |x| would have no slope at zero.
        above, below = jnp.maximum(x, 0.0), jnp.minimum(x, 0.0)
        return self.scale * (jnp.expm1(self.slope * below) - jnp.expm1(-self.slope * above))
