"""A cell that can only be asked for a few levels."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from .._checks import check, plain, whole
from .._device import AbstractDevice, ages, check_effect, in_order, writes
from ._wrapper import AbstractWrapper


class Levels(AbstractWrapper):
    """`device` with targets rounded to `n` equally spaced levels from `g_min` to `g_max`.

    The gradient passes the rounding as if it were not there (straight through).

    **Arguments:**

    - `device`: The cell that is written.
    - `n`: Number of levels, at least 2.

    >>> import jax.numpy as jnp, jax.random as jr, numpy as np, device_models as dm
    >>> device = dm.Levels(dm.Ideal(g_max=30e-6), 4)
    >>> cells = device.program(jnp.array([4e-6, 16e-6]), key=jr.key(0))
    >>> print(np.asarray(1e6 * device.conductance(cells, jnp.array(0.0))).round(1))
    [ 0. 20.]
    """

    device: AbstractDevice
    n: int = eqx.field(static=True, converter=plain)

    def __check_init__(self):
        check(self, n=whole(2, hint="For a continuous cell leave `Levels` out."))
        if self.device.levels is not None and (self.device.levels - 1) % (self.n - 1):
            raise ValueError(
                f"`n` levels must be some of those that `device` has, equally spaced. Got n={self.n} for "
                f"{self.device.levels} levels: {self.device.levels - 1} steps do not divide into {self.n - 1}."
            )

    @property
    def levels(self) -> int | None:
        return self.n

    @property
    def effects(self) -> tuple[str, ...]:
        return in_order("levels", *self.device.effects)

    def without(self, effect: str) -> AbstractDevice:
        check_effect(effect)
        device = self.device.without(effect)
        return device if effect == "levels" else dataclasses.replace(self, device=device)

    @writes
    def program(self, target: Float[Array, "*cells"], *, key: Key[Array, ""]) -> Any:
        step = (self.g_max - self.g_min) / (self.n - 1)
        level = self.g_min + step * jnp.round((target - self.g_min) / step)
        return self.device.program(target + jax.lax.stop_gradient(level - target), key=key)

    def holding(self, g: Float[Array, "*cells"], *, key: Key[Array, ""]) -> Any:
        return self.device.holding(g, key=key)

    @ages
    def conductance(self, cells: Any, t: Float[Array, ""]) -> Float[Array, "*cells"]:
        return self.device.conductance(cells, t)

    @ages
    def read_noise(self, cells: Any, t: Float[Array, ""]) -> Float[Array, "*cells"] | None:
        return self.device.read_noise(cells, t)
