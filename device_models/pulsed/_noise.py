"""Noise of a step from pulse to pulse."""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._checks import at_least, check, judge
from .._checks._quantities import NOT_NEGATIVE


class AbstractPulseNoise(eqx.Module):
    """Normal noise of the step that one pulse makes, independent for every pulse."""

    std: eqx.AbstractVar[float | Float[Array, ""]]

    @abstractmethod
    def deviation(
        self, step: Float[Array, "*cells"], size: Float[Array, "*cells"], w: Float[Array, "*cells"]
    ) -> Float[Array, "*cells"]:
        """Standard deviation of a `step` from `w` on a device whose unshaped step has this `size`."""

    def __check_init__(self):
        check(self)
        judge("std", self.std, float | Float[Array, ""], NOT_NEGATIVE)


class MultiplicativeNoise(AbstractPulseNoise):
    r"""$\Delta w\,(1 + \sigma\xi)$: in proportion to the step that the rule makes at this weight."""

    std: float | Float[Array, ""] = 0.0

    def deviation(
        self, step: Float[Array, "*cells"], size: Float[Array, "*cells"], w: Float[Array, "*cells"]
    ) -> Float[Array, "*cells"]:
        return self.std * jnp.abs(step)


class AdditiveNoise(AbstractPulseNoise):
    r"""$\Delta w + \sigma s\,\xi$: in proportion to the unshaped step $s$, so that a saturated device stays noisy."""

    std: float | Float[Array, ""] = 0.0

    def deviation(
        self, step: Float[Array, "*cells"], size: Float[Array, "*cells"], w: Float[Array, "*cells"]
    ) -> Float[Array, "*cells"]:
        return self.std * size


class AbsoluteNoise(AbstractPulseNoise):
    r"""$\Delta w + \sigma\,\xi$: $\sigma$ in units of the weight, whatever the step."""

    std: float | Float[Array, ""] = 0.0

    def deviation(
        self, step: Float[Array, "*cells"], size: Float[Array, "*cells"], w: Float[Array, "*cells"]
    ) -> Float[Array, "*cells"]:
        return jnp.full_like(step, self.std)


class ComplexNoise(AbstractPulseNoise):
    r"""$\Delta w + \sigma\,(|\Delta w| + a + b\,|w|)\,\xi$.

    **Arguments:**

    - `std`: $\sigma$, a pure number.
    - `added`: $a$, in units of the weight.
    - `slope`: $b$, a pure number.
    """

    std: float | Float[Array, ""]
    added: float | Float[Array, ""] = 0.0
    slope: float | Float[Array, ""] = 0.0

    def __check_init__(self):
        check(self, added=at_least(0.0, "in units of the weight"), slope=NOT_NEGATIVE)

    def deviation(
        self, step: Float[Array, "*cells"], size: Float[Array, "*cells"], w: Float[Array, "*cells"]
    ) -> Float[Array, "*cells"]:
        return self.std * (jnp.abs(step) + self.added + self.slope * jnp.abs(w))
