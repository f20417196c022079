"""A cell that keeps what is written."""

import dataclasses

import equinox as eqx
from jaxtyping import Array, Float, Key

from .._device import AbstractDevice, ages, check_effect, writes
from .._span import ALWAYS, Span
from ..iv._iv import AbstractIV, Ohmic


class Ideal(AbstractDevice):
    """Exact writes, no ageing, no read noise: the reference every other device is compared with.

    **Arguments:**

    - `g_min`, `g_max`: The range a target may have, in siemens.
    - `iv`: Current-voltage relation.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.Ideal(g_max=25e-6)
    >>> cells = device.program(jnp.array([5e-6]), key=jr.key(0))
    >>> print(1e6 * device.conductance(cells, jnp.array(3.15e7)))
    [5.]
    """

    g_min: float = 0.0
    g_max: float = 25e-6
    iv: AbstractIV = Ohmic()
    sources: tuple[str, ...] = eqx.field(static=True, default=())

    @property
    def span(self) -> Span:
        return Span(time=ALWAYS)

    @property
    def effects(self) -> tuple[str, ...]:
        return () if isinstance(self.iv, Ohmic) else ("I-V",)

    def without(self, effect: str) -> AbstractDevice:
        check_effect(effect)
        return dataclasses.replace(self, iv=Ohmic()) if effect == "I-V" else self

    @writes
    def program(self, target: Float[Array, "*cells"], *, key: Key[Array, ""]) -> Float[Array, "*cells"]:
        return target

    def holding(self, g: Float[Array, "*cells"], *, key: Key[Array, ""]) -> Float[Array, "*cells"]:
        return g

    @ages
    def conductance(self, cells: Float[Array, "*cells"], t: Float[Array, ""]) -> Float[Array, "*cells"]:
        return cells

    @ages
    def read_noise(self, cells: Float[Array, "*cells"], t: Float[Array, ""]) -> None:
        return None
