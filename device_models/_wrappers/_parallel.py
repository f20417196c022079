"""Several cells in parallel that act as one."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from .._checks import check, plain, whole
from .._device import AbstractDevice, ages, check_effect, writes
from .._iv import AbstractIV


class Parallel(AbstractDevice):
    r"""`n` cells of `device` between the same two lines, each written to one `n`-th of the target.

    Their independent errors average: relative to the range, write and read noise are $\sqrt n$ times less.

    **Arguments:**

    - `device`: One of the cells.
    - `n`: How many, at least 1. The range of targets is `n` times that of one.
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
    def iv(self) -> AbstractIV:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.device.iv

    @property
    def sources(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.device.sources

    @property
    def effects(self) -> tuple[str, ...]:
        return self.device.effects

    def without(self, effect: str) -> AbstractDevice:
        check_effect(effect)
        return dataclasses.replace(self, device=self.device.without(effect))

    @writes
    def program(self, target: Float[Array, "*cells"], *, key: Key[Array, ""]) -> Any:
        return self.device.program(jnp.broadcast_to(target[None] / self.n, (self.n, *target.shape)), key=key)

    @ages
    def conductance(self, cells: Any, t: Float[Array, ""]) -> Float[Array, "*cells"]:
        return jnp.sum(self.device.conductance(cells, t), axis=0)

    @ages
    def read_noise(self, cells: Any, t: Float[Array, ""]) -> Float[Array, "*cells"] | None:
        std = self.device.read_noise(cells, t)
        return None if std is None else root_of_squares(std)


def root_of_squares(std: Float[Array, "n *cells"]) -> Float[Array, "*cells"]:
    """Standard deviation of the sum of independent parts; differentiable where all are zero."""
    largest = jax.lax.stop_gradient(jnp.max(std, axis=0))  # it only scales: the result does not depend on it
    scale = jnp.where(largest > 0, largest, 1.0)  # squares of siemens are below the smallest float32
    total = jnp.sum((std / scale[None]) ** 2, axis=0)
    return scale * jnp.where(largest > 0, jnp.sqrt(jnp.where(largest > 0, total, 1.0)), 0.0)
