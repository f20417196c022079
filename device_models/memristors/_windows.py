"""Windows: how the drift of a boundary slows down where its layer ends."""

from abc import abstractmethod

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._checks import Checked, at_least, check, positive
from ._interval import AbstractInterval, Asymptotes, Walls


class AbstractWindow(Checked):
    """A factor of the flow, for states from 0 to 1.

    >>> import jax.numpy as jnp, device_models as dm
    >>> class Parabola(dm.memristors.AbstractWindow):
    ...     def __call__(self, x, current):
    ...         return 4 * x * (1 - x)
    ...     def interval(self, high):
    ...         return dm.memristors.Asymptotes(0.0, high)
    >>> cell = dm.memristors.hp_strukov2008(window=Parabola())
    >>> float(cell.window(jnp.array(0.5), jnp.array(1.0)))
    1.0
    """

    @abstractmethod
    def __call__(self, x: Float[Array, "*cells"], current: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        """The factor at state `x` for a current of this sign, a pure number."""

    @abstractmethod
    def interval(self, high: float | Float[Array, ""]) -> AbstractInterval:
        """States from 0 to `high`, with the ends that this window makes."""


class NoWindow(AbstractWindow):
    """Full speed everywhere: the state stops at hard walls.

    >>> import jax.numpy as jnp, device_models as dm
    >>> print(dm.memristors.NoWindow()(jnp.array([0.0, 0.5, 1.0]), jnp.ones(3)))
    [1. 1. 1.]
    """

    def __call__(self, x: Float[Array, "*cells"], current: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return jnp.ones_like(x)

    def interval(self, high: float | Float[Array, ""]) -> AbstractInterval:
        return Walls(0.0, high)


class Joglekar(AbstractWindow):
    r"""$f = 1 - (2x - 1)^{2p}$: zero at both ends, whatever the sign of the current.

    A state that comes close to an end needs as long to leave it. Computed as $1 - (1 - 4x(1-x))^p$, which does not
    cancel there.

    **Arguments:**

    - `p`: At least 1; larger is flatter in the middle.

    Reference: Joglekar2009.

    >>> import jax.numpy as jnp, numpy as np, device_models as dm
    >>> window = dm.memristors.Joglekar(1.0)
    >>> print(np.asarray(window(jnp.array([0.0, 0.5, 1.0]), jnp.ones(3))).round(3))
    [0. 1. 0.]
    """

    p: float | Float[Array, ""] = 1.0

    def __check_init__(self):
        check(self, p=at_least(1.0, hint="For no window use `NoWindow()`."))

    def __call__(self, x: Float[Array, "*cells"], current: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return vanishing(4 * x * (1 - x), self.p)

    def interval(self, high: float | Float[Array, ""]) -> AbstractInterval:
        return Asymptotes(0.0, high)


class Biolek(AbstractWindow):
    r"""$f = 1 - (x - \mathrm{step}(-I))^{2p}$: zero only at the end that the current drives the state to.

    A state at an end leaves it at full speed.

    **Arguments:**

    - `p`: At least 1; larger is flatter in the middle.

    Reference: Biolek2009.

    >>> import jax.numpy as jnp, device_models as dm
    >>> window, x = dm.memristors.Biolek(2.0), jnp.array(1.0)
    >>> float(window(x, jnp.array(1.0))), float(window(x, jnp.array(-1.0)))
    (0.0, 1.0)
    """

    p: float | Float[Array, ""] = 1.0

    def __check_init__(self):
        check(self, p=at_least(1.0, hint="For no window use `NoWindow()`."))

    def __call__(self, x: Float[Array, "*cells"], current: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        travelled = jnp.where(current < 0, 1 - x, x)
        return 1 - travelled ** (2 * self.p)

    def interval(self, high: float | Float[Array, ""]) -> AbstractInterval:
        return Walls(0.0, high)


class Prodromakis(AbstractWindow):
    r"""$f = j\,(1 - ((x - 0.5)^2 + 0.75)^p)$: zero at both ends, with a height of its own (equation recalled).

    Computed as $j\,(1 - (1 - x(1-x))^p)$, which does not cancel at the ends.

    **Arguments:**

    - `p`: Positive; larger is flatter and higher.
    - `j`: Positive; scales the height.

    Reference: Prodromakis2011.

    >>> import jax.numpy as jnp, numpy as np, device_models as dm
    >>> window = dm.memristors.Prodromakis(p=1.0, j=2.0)
    >>> print(np.asarray(window(jnp.array([0.0, 0.5, 1.0]), jnp.ones(3))).round(3))
    [0.  0.5 0. ]
    """

    p: float | Float[Array, ""] = 1.0
    j: float | Float[Array, ""] = 1.0

    def __check_init__(self):
        check(self, p=positive(), j=positive())

    def __call__(self, x: Float[Array, "*cells"], current: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return self.j * vanishing(x * (1 - x), self.p)

    def interval(self, high: float | Float[Array, ""]) -> AbstractInterval:
        return Asymptotes(0.0, high)


def vanishing(u: Float[Array, "*cells"], p: float | Float[Array, ""]) -> Float[Array, "*cells"]:
    """1 - (1 - u)^p, exact to rounding also for small `u`."""
    below_one = jnp.minimum(u, 1 - float(jnp.finfo(u.dtype).eps))  # the logarithm of zero has no gradient
    return -jnp.expm1(p * jnp.log1p(-below_one))
