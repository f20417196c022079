"""Properties of a cell as functions of its relative conductance and its age."""

from abc import abstractmethod
from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._checks import Checked, between, check, is_known, positive
from .._checks._quantities import AGES
from .._roots import root, root_of_difference, root_of_squares
from ..curves._curves import AbstractCurve, is_rising


class AbstractHistory(Checked):
    """A property that changes as the cell ages.

    `of_target` says of a spread whether its conductance is the one that was aimed at, or the mean at that age.

    >>> import device_models as dm
    >>> device = dm.rram_wan2022()
    >>> isinstance(device.spread, dm.ageing.AbstractHistory)
    True
    """

    of_target: ClassVar[bool] = False

    @abstractmethod
    def __call__(self, g: Float[Array, "*cells"], t: Float[Array, ""]) -> Float[Array, "*cells"]:
        """The property at relative conductance `g`, `t` seconds after programming."""


class Steady(AbstractHistory):
    """The same curve at every age.

    >>> import jax.numpy as jnp, device_models as dm
    >>> history = dm.ageing.Steady(dm.curves.Constant(1e-6))
    >>> print([f"{1e6 * history(jnp.array(0.5), jnp.array(t)):.1f}" for t in (0.0, 1e6)])
    ['1.0', '1.0']
    """

    curve: AbstractCurve

    def __call__(self, g: Float[Array, "*cells"], t: Float[Array, ""]) -> Float[Array, "*cells"]:
        return self.curve(g)


class Snapshots(AbstractHistory):
    """Curves of one kind, measured at a few ages; their parameters are interpolated between, and held outside.

    That they are held is assumed: before the first age and after the last there are no data.

    **Arguments:**

    - `times`: The ages, in seconds, increasing.
    - `curves`: One for each.
    - `scale`: Whether to interpolate linearly in "time" or in its logarithm, "log".

    >>> import jax.numpy as jnp, device_models as dm
    >>> curves = (dm.curves.Constant(1e-6), dm.curves.Constant(3e-6))
    >>> history = dm.ageing.Snapshots((0.0, 86400.0), curves)
    >>> print([f"{1e6 * history(jnp.array(0.5), jnp.array(t)):.1f}" for t in (0.0, 43200.0, 3e5)])
    ['1.0', '2.0', '3.0']
    """

    times: tuple[float, ...]
    curves: tuple[AbstractCurve, ...]
    scale: Literal["time", "log"] = eqx.field(static=True, default="time")

    def __check_init__(self):
        check(self, times=AGES)
        enough = len(self.times) == len(self.curves) >= 2
        log_of_zero = self.scale == "log" and is_known(*self.times[:1]) and any(t < 1e-12 for t in self.times[:1])
        if not enough or not is_rising(self.times) or log_of_zero:
            raise ValueError(
                '`times` must be at least two and increasing, positive for the scale "log", with one of `curves` for '
                f"each. Got times={self.times} and {len(self.curves)} curves, scale={self.scale!r}."
            )
        if len({jax.tree.structure(curve) for curve in self.curves}) > 1:
            kinds = [type(curve).__name__ for curve in self.curves]
            raise ValueError(f"All `curves` must be of one kind. Got {kinds}.")

    def __call__(self, g: Float[Array, "*cells"], t: Float[Array, ""]) -> Float[Array, "*cells"]:
        g = jnp.asarray(g)
        times, now = jnp.asarray(self.times, g.dtype), jnp.asarray(t, g.dtype)
        if self.scale == "log":
            times, now = jnp.log(times), jnp.log(jnp.maximum(now, times[0]))
        shares = jax.vmap(lambda one: jnp.interp(now, times, one))(jnp.eye(len(self.times), dtype=g.dtype))
        parameters = [jnp.stack(_arrays(jax.tree.leaves(curve), g)) for curve in self.curves]
        now_parameters = shares @ jnp.stack(parameters)
        curve = jax.tree.unflatten(jax.tree.structure(self.curves[0]), list(now_parameters))
        return curve(g)


class FromWrite(AbstractHistory):
    r"""A `history` whose data begin at an age `first`; before, the spread grows from that of the write.

    Until then $\sigma(t)^2 = \sigma_0^2 + (\sigma(t_1)^2 - \sigma_0^2)\,u(t) / u(t_1)$ with
    $u = \ln(1 + t / t_\mathrm{on})$, as in a walk in log time.

    **Arguments:**

    - `history`: The spread from `first` on.
    - `first`: $t_1$, in seconds.
    - `start`: $\sigma_0$, at the end of the write.
    - `onset`: $t_\mathrm{on}$, in seconds.

    >>> import jax.numpy as jnp, device_models as dm
    >>> later = dm.ageing.Steady(dm.curves.Constant(2e-6))
    >>> history = dm.ageing.FromWrite(later, first=1.0, start=dm.curves.Constant(0.5e-6), onset=1e-3)
    >>> print([f"{1e6 * history(jnp.array(0.5), jnp.array(t)):.1f}" for t in (0.0, 1.0, 1e4)])
    ['0.5', '2.0', '2.0']
    """

    history: AbstractHistory
    first: float
    start: AbstractCurve
    onset: float

    def __check_init__(self):
        seconds = positive("in seconds", hint="Milliseconds? Multiply by 1e-3.")
        check(self, first=seconds, onset=seconds)

    def __call__(self, g: Float[Array, "*cells"], t: Float[Array, ""]) -> Float[Array, "*cells"]:
        t, first = jnp.asarray(t, g.dtype), jnp.asarray(self.first, g.dtype)
        share = jnp.minimum(jnp.log1p(t / self.onset) / jnp.log1p(first / self.onset), 1.0)
        start, now = self.start(g), self.history(g, jnp.maximum(t, first))
        return root_of_squares(jnp.stack([start, root(share) * root_of_difference(now, start)]))


class LogTime(AbstractHistory):
    r"""$a + b \ln(t / 1\,\mathrm{s})$ from one second on; in the first second it grows from zero to $a$, evenly.

    The fits it stands for begin at one second; how the value grows before is assumed.

    **Arguments:**

    - `offset`: $a$, at one second, in the unit of the property.
    - `slope`: $b$, for each e-fold of time.

    >>> import jax.numpy as jnp, device_models as dm
    >>> history = dm.ageing.LogTime(offset=1e-6, slope=1e-7)
    >>> print([f"{1e6 * history(jnp.array(0.5), jnp.array(t)):.2f}" for t in (0.5, 1.0, 1e4)])
    ['0.50', '1.00', '1.92']
    """

    offset: float | Float[Array, ""]
    slope: float | Float[Array, ""]

    def __call__(self, g: Float[Array, "*cells"], t: Float[Array, ""]) -> Float[Array, "*cells"]:
        g = jnp.asarray(g)
        t = jnp.asarray(t, g.dtype)
        return jnp.full_like(g, jnp.minimum(t, 1.0) * self.offset + self.slope * jnp.log(jnp.maximum(t, 1.0)))


class LogGrowth(AbstractHistory):
    r"""$q(g) \sqrt{\ln((t + t_\mathrm{read}) / (2 t_\mathrm{read}))}$, 1/f noise in a read of $t_\mathrm{read}$.

    Held at its value of one second before: nearer to the write the root is not real, and there are no data.

    **Arguments:**

    - `curve`: $q$.
    - `t_read`: Duration of a read, in seconds, less than one.

    >>> import jax.numpy as jnp, device_models as dm
    >>> history = dm.ageing.LogGrowth(dm.curves.Constant(1e-7), t_read=1e-6)
    >>> print([f"{1e6 * history(jnp.array(0.5), jnp.array(t)):.2f}" for t in (1.0, 1e6)])
    ['0.36', '0.52']
    """

    curve: AbstractCurve
    t_read: float

    def __check_init__(self):
        check(self, t_read=between(0.0, 1.0, "in seconds", hint="Nanoseconds? Multiply by 1e-9."))

    def __call__(self, g: Float[Array, "*cells"], t: Float[Array, ""]) -> Float[Array, "*cells"]:
        g = jnp.asarray(g)
        growth = jnp.log((jnp.maximum(jnp.asarray(t, g.dtype), 1.0) + self.t_read) / (2 * self.t_read))
        return self.curve(g) * jnp.sqrt(growth)


def _arrays(values: list[Any], like: Array) -> list[Array]:
    return [jnp.asarray(value, like.dtype) for value in values]
