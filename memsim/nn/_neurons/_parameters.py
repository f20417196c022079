"""Parameters of neurons: a float is a constant, an array is trained, and what must be positive stays positive."""

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Real

from ..._checks import Must, judge


class Positive(eqx.Module):
    """A trained parameter that no gradient step can make negative: its logarithm is what is stored and trained.

    **Arguments:**

    - `log`: Natural logarithm of the value.

    >>> import jax.numpy as jnp, numpy as np, memsim as ms
    >>> neuron = ms.nn.LIF(2, tau_mem=jnp.array([0.01, 0.02]))
    >>> print(type(neuron.tau_mem).__name__, np.asarray(jnp.exp(neuron.tau_mem.log)).round(3))
    Positive [0.01 0.02]
    """

    log: Float[Array, "*units"]

    @property
    def value(self) -> Float[Array, "*units"]:
        return jnp.exp(self.log)


Parameter = float | Float[Array, "*units"]
PositiveParameter = float | Positive

GIVEN, LOGARITHMS = float | Real[Array, "..."], Float[Array, "..."]
ANY_SIGN = Must("finite: a number, or an array of them", np.isfinite)
ABOVE_ZERO = Must("positive and finite, in SI units", lambda x: np.isfinite(x) & (x > 0))
ALL_ABOVE_ZERO = ABOVE_ZERO._replace(what="positive, in SI units, and finite for every neuron")


class Converter(NamedTuple):
    """Converter of the field `name`: a number is a constant, an array is trained, both judged by their values."""

    name: str
    positive: bool

    def __call__(self, x: float | Array | np.ndarray | Positive) -> Any:
        if isinstance(x, Positive):
            judge(self.name, x.log if self.positive else x, LOGARITHMS)
            return x
        rule = ANY_SIGN if not self.positive else ALL_ABOVE_ZERO if np.ndim(x) > 0 else ABOVE_ZERO
        judge(self.name, x, GIVEN, rule)
        if isinstance(x, int | float | np.generic):
            return float(x)
        values = jnp.asarray(x, jnp.result_type(float))
        return Positive(jnp.log(values)) if self.positive else values


def positive(name: str) -> Converter:
    """Converter of a field that must be positive: an array becomes a trained `Positive`."""
    return Converter(name, positive=True)


def parameter(name: str) -> Converter:
    """Converter of a field that may have any sign."""
    return Converter(name, positive=False)


def value(x: Any) -> Float[Array, "*units"]:
    """What a parameter stands for, as an array."""
    return x.value if isinstance(x, Positive) else jnp.asarray(x, jnp.result_type(float))


def check_shape(name: str, x: Any, shape: tuple[int, ...]) -> None:
    """Raises `ValueError` for a parameter that is neither one for all neurons nor fits their `shape`."""
    found = np.shape(x.log if isinstance(x, Positive) else x)
    if found != () and (len(found) != len(shape) or any(f not in (1, s) for f, s in zip(found, shape, strict=True))):
        raise ValueError(f"`{name}` must be one value, or one a neuron of shape {shape}. Got shape {found}.")
