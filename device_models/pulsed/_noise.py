"""Noise of a step from pulse to pulse."""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._checks import at_least, check, judge
from .._checks._quantities import NOT_NEGATIVE


class AbstractPulseNoise(eqx.Module):
    """Normal noise of the step that one pulse makes, independent for every pulse.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> class Relative(dm.pulsed.AbstractPulseNoise):
    ...     std: float = 0.1
    ...     def deviation(self, step, size, w):
    ...         return self.std * jnp.abs(w)
    >>> device = dm.pulsed.ConstantStep(dm.pulsed.Steps(0.01, noise=Relative()))
    >>> array = dm.pulsed.PulsedArray.fabricate(device, jnp.full(5000, 0.5), key=jr.key(0))
    >>> print(f"{array.pulse(jnp.ones(5000, int), key=jr.key(1)).shown.std():.2f}")  # 0.1 * 0.5
    0.05
    """

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
    r"""$\Delta w\,(1 + \sigma\xi)$: in proportion to the step that the rule makes at this weight.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> steps = dm.pulsed.Steps(0.01, noise=dm.pulsed.MultiplicativeNoise(0.3))
    >>> array = dm.pulsed.PulsedArray.fabricate(dm.pulsed.ConstantStep(steps), (5000,), key=jr.key(0))
    >>> print(f"{array.pulse(jnp.ones(5000, int), key=jr.key(1)).shown.std():.3f}")  # 0.3 * 0.01
    0.003
    """

    std: float | Float[Array, ""] = 0.0

    def deviation(
        self, step: Float[Array, "*cells"], size: Float[Array, "*cells"], w: Float[Array, "*cells"]
    ) -> Float[Array, "*cells"]:
        return self.std * jnp.abs(step)


class AdditiveNoise(AbstractPulseNoise):
    r"""$\Delta w + \sigma s\,\xi$: in proportion to the unshaped step $s$, so that a saturated device stays noisy.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> steps = dm.pulsed.Steps(0.01, noise=dm.pulsed.AdditiveNoise(0.5))
    >>> array = dm.pulsed.PulsedArray.fabricate(dm.pulsed.ConstantStep(steps), (5000,), key=jr.key(0))
    >>> print(f"{array.pulse(jnp.ones(5000, int), key=jr.key(1)).shown.std():.3f}")  # 0.5 * 0.01
    0.005
    """

    std: float | Float[Array, ""] = 0.0

    def deviation(
        self, step: Float[Array, "*cells"], size: Float[Array, "*cells"], w: Float[Array, "*cells"]
    ) -> Float[Array, "*cells"]:
        return self.std * size


class AbsoluteNoise(AbstractPulseNoise):
    r"""$\Delta w + \sigma\,\xi$: $\sigma$ in units of the weight, whatever the step.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> steps = dm.pulsed.Steps(0.01, noise=dm.pulsed.AbsoluteNoise(0.02))
    >>> array = dm.pulsed.PulsedArray.fabricate(dm.pulsed.ConstantStep(steps), (5000,), key=jr.key(0))
    >>> print(f"{array.pulse(jnp.ones(5000, int), key=jr.key(1)).shown.std():.3f}")
    0.020
    """

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

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> steps = dm.pulsed.Steps(0.01, noise=dm.pulsed.ComplexNoise(0.5, added=0.01))
    >>> array = dm.pulsed.PulsedArray.fabricate(dm.pulsed.ConstantStep(steps), (5000,), key=jr.key(0))
    >>> print(f"{array.pulse(jnp.ones(5000, int), key=jr.key(1)).shown.std():.3f}")  # 0.5 * (0.01 + 0.01)
    0.010
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
