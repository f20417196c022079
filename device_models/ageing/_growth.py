"""A property that grows from nothing while a cell ages, as a table over conductance and age."""

from typing import ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._checks import check, each, is_known, positive
from .._checks._quantities import OLDEST_PLAUSIBLE
from .._roots import root
from ..curves._curves import Table, is_rising, linear_between
from ._histories import AbstractHistory

SECONDS = positive("in seconds", most=OLDEST_PLAUSIBLE)


class Growth(AbstractHistory):
    r"""Zero at the write, then through tables that were measured at a few ages, evenly in log time.

    Between the ages, and from the write to the first of them, the `power` of the property is linear in $u = \ln(1 +
    t / t_\mathrm{on})$, and linear in the conductance that was aimed at. After the last age it goes on as it came
    to it (assumed), and is not negative where `power` is 2.

    **Arguments:**

    - `times`: The ages, in seconds, positive and increasing.
    - `tables`: One for each, of one `at`.
    - `onset`: $t_\mathrm{on}$, in seconds.
    - `power`: 1 for a shift, 2 for a standard deviation, of which the square grows.

    >>> import jax.numpy as jnp, device_models as dm
    >>> tables = (dm.curves.Table((0.0, 1.0), (1e-6, 1e-6)), dm.curves.Table((0.0, 1.0), (2e-6, 2e-6)))
    >>> growth = dm.ageing.Growth((1.0, 100.0), tables, onset=0.01)
    >>> print([f"{1e6 * growth(jnp.array(0.5), jnp.array(t)):.1f}" for t in (0.0, 1.0, 100.0)])
    ['0.0', '1.0', '2.0']
    """

    times: tuple[float, ...]
    tables: tuple[Table, ...]
    onset: float
    power: Literal[1, 2] = eqx.field(static=True, default=1)
    of_target: ClassVar[bool] = True

    def __check_init__(self):
        check(self, times=each(SECONDS, SECONDS.what), onset=SECONDS)
        if len(self.times) != len(self.tables) or not self.times or not is_rising(self.times):
            raise ValueError(
                "`times` must be at least one and increasing, with one of `tables` for each. "
                f"Got times={self.times} and {len(self.tables)} tables."
            )
        places = [table.at for table in self.tables]
        if is_known(*jax.tree.leaves(places)) and any(place != places[0] for place in places):
            raise ValueError(f"All `tables` must be at the same relative conductances. Got {places}.")

    def __call__(self, g: Float[Array, "*cells"], t: Float[Array, ""]) -> Float[Array, "*cells"]:
        rows = jnp.asarray([table.values for table in self.tables], g.dtype) ** self.power
        rows = jnp.concatenate([jnp.zeros_like(rows[:1]), rows])
        u = jnp.log1p(jnp.asarray((0.0, *self.times), g.dtype) / self.onset)
        now = jnp.log1p(jnp.asarray(t, g.dtype) / self.onset)
        shares = jax.vmap(lambda one: jnp.interp(now, u, one))(jnp.eye(len(u), dtype=g.dtype))
        beyond = jnp.maximum(now - u[-1], 0.0) / (u[-1] - u[-2])
        row = shares @ rows + beyond * (rows[-1] - rows[-2])
        value = linear_between(g, jnp.asarray(self.tables[0].at, g.dtype), row)
        return value if self.power == 1 else root(value)
