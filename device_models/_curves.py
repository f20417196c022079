"""Curves of the relative conductance g = G / g_max, the shapes published fits come in."""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float


class AbstractCurve(eqx.Module):
    """A property of a cell as a function of its relative conductance."""

    @abstractmethod
    def __call__(self, g: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        """The property at relative conductance `g` in [0, 1]."""


class Polynomial(AbstractCurve):
    r"""$\sum_i c_i g^i$, coefficients in ascending order."""

    coefficients: tuple[float, ...]

    def __call__(self, g: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        total = jnp.full_like(g, self.coefficients[-1])
        for coefficient in reversed(self.coefficients[:-1]):
            total = total * g + coefficient
        return total


class ClippedLog(AbstractCurve):
    r"""$\mathrm{clip}(a \ln g + b,\ low,\ high)$."""

    slope: float
    offset: float
    low: float
    high: float

    def __call__(self, g: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        # The floor keeps value and gradient finite at g = 0, where the clip holds anyway.
        return jnp.clip(self.slope * jnp.log(jnp.maximum(g, 1e-7)) + self.offset, self.low, self.high)


class InversePower(AbstractCurve):
    r"""$\min(a\, g^{-p},\ high)$."""

    factor: float
    power: float
    high: float

    def __call__(self, g: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        reached = (self.factor / self.high) ** (1 / self.power)  # below it the curve is flat
        return self.factor * jnp.maximum(g, reached) ** -self.power


class Branches(AbstractCurve):
    """One curve below `at`, another from `at` on."""

    at: float
    below: AbstractCurve
    above: AbstractCurve

    def __call__(self, g: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return jnp.where(g < self.at, self.below(g), self.above(g))
