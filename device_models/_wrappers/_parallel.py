"""Several cells in parallel that act as one."""

import dataclasses
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from .._checks import check, plain, whole
from .._device import AbstractDevice, ages, writes
from .._roots import root_of_squares
from .._span import Span
from ._wrapper import AbstractWrapper


class Parallel(AbstractWrapper):
    r"""`n` cells of `device` between the same two lines, each written to one `n`-th of the target.

    Their independent errors average: relative to the range, write and read noise are $\sqrt n$ times less.

    **Arguments:**

    - `device`: One of the cells.
    - `n`: How many, at least 1. The range of targets is `n` times that of one.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> one = dm.Gaussian(0.0, 25e-6, write_noise=dm.curves.Constant(1e-6))
    >>> four = dm.Parallel(one, 4)
    >>> cells = four.program(jnp.full(2000, 40e-6), key=jr.key(0))
    >>> print(f"{1e6 * four.g_max:.0f} +- {1e6 * four.conductance(cells, jnp.array(0.0)).std():.0f} uS")
    100 +- 2 uS
    """

    device: AbstractDevice
    n: int = eqx.field(static=True, converter=plain)

    def __check_init__(self):
        check(self, n=whole(1))

    @property
    def g_min(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.n * self.device.g_min

    @property
    def g_max(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.n * self.device.g_max

    @property
    def span(self) -> Span:
        one = self.device.span
        ends = one.conductance
        return dataclasses.replace(one, conductance=None if ends is None else (self.n * ends[0], self.n * ends[1]))

    @writes
    def program(self, target: Float[Array, "*cells"], *, key: Key[Array, ""]) -> Any:
        return self.device.program(jnp.broadcast_to(target[None] / self.n, (self.n, *target.shape)), key=key)

    def holding(self, g: Float[Array, "*cells"], *, key: Key[Array, ""]) -> Any:
        """Cells that share `g` evenly (assumed: their sum was measured)."""
        return self.device.holding(jnp.broadcast_to(g[None] / self.n, (self.n, *g.shape)), key=key)

    @ages
    def conductance(self, cells: Any, t: Float[Array, ""]) -> Float[Array, "*cells"]:
        return jnp.sum(self.device.conductance(cells, t), axis=0)

    @ages
    def read_noise(self, cells: Any, t: Float[Array, ""]) -> Float[Array, "*cells"] | None:
        std = self.device.read_noise(cells, t)
        return None if std is None else root_of_squares(std)
