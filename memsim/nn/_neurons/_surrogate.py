"""Surrogate gradients: a step forward, a smooth slope backward."""

from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


class AbstractSurrogate(eqx.Module):
    """`surrogate(x)` is 1 where x > 0 and 0 elsewhere; its derivative is that of a smooth `relaxation`."""

    slope: eqx.AbstractVar[float]

    @abstractmethod
    def relaxation(self, x: Float[Array, "*units"]) -> Float[Array, "*units"]:
        """The function whose derivative stands in for that of the step."""

    def __call__(self, x: Float[Array, "*units"]) -> Float[Array, "*units"]:
        return _step(self, x)


@eqx.filter_custom_jvp
def _step(surrogate: AbstractSurrogate, x: Array) -> Array:
    return (x > 0).astype(x.dtype)


@_step.def_jvp
def _step_jvp(primals, tangents):
    surrogate, x = primals
    _, x_dot = tangents
    spikes = (x > 0).astype(x.dtype)
    if x_dot is None:
        return spikes, jnp.zeros_like(x)
    return spikes, jax.jvp(surrogate.relaxation, (x,), (x_dot,))[1]


class SuperSpike(AbstractSurrogate):
    r"""Slope $1 / (1 + k|x|)^2$. Reference: Zenke2018."""

    slope: float = 25.0

    def relaxation(self, x: Float[Array, "*units"]) -> Float[Array, "*units"]:
        return x / (1 + self.slope * jnp.abs(x))


class Arctan(AbstractSurrogate):
    r"""Slope $(k/2) / (1 + (\pi k x / 2)^2)$. Reference: Fang2021."""

    slope: float = 2.0

    def relaxation(self, x: Float[Array, "*units"]) -> Float[Array, "*units"]:
        return jnp.arctan(jnp.pi / 2 * self.slope * x) / jnp.pi


class Sigmoid(AbstractSurrogate):
    r"""Slope $k\,s(kx)(1 - s(kx))$ with the logistic function $s$."""

    slope: float = 25.0

    def relaxation(self, x: Float[Array, "*units"]) -> Float[Array, "*units"]:
        return jax.nn.sigmoid(self.slope * x)


class Triangle(AbstractSurrogate):
    r"""Slope $\max(0, 1 - k|x|)$."""

    slope: float = 1.0

    def relaxation(self, x: Float[Array, "*units"]) -> Float[Array, "*units"]:
        x = jnp.clip(x, -1 / self.slope, 1 / self.slope)
        return x - self.slope * x * jnp.abs(x) / 2


class Boxcar(AbstractSurrogate):
    r"""Slope $k$ where $|x| < 1/(2k)$, zero elsewhere."""

    slope: float = 1.0

    def relaxation(self, x: Float[Array, "*units"]) -> Float[Array, "*units"]:
        return jnp.clip(self.slope * x, -0.5, 0.5)
