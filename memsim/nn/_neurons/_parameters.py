"""Parameters of neurons: a float is a constant, an array is trained, and what must be positive stays positive."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float


class Positive(eqx.Module):
    """A trained parameter that no gradient step can make negative: its logarithm is what is stored and trained.

    **Arguments:**

    - `log`: Natural logarithm of the value.
    """

    log: Float[Array, "*units"]

    @property
    def value(self) -> Float[Array, "*units"]:
        return jnp.exp(self.log)


Parameter = float | Float[Array, "*units"]
PositiveParameter = float | Positive


def positive(x: float | Array | np.ndarray | Positive) -> float | Positive:
    """Converter of a field: a number is a constant, an array becomes a trained `Positive`."""
    if isinstance(x, Positive):
        return x
    if isinstance(x, int | float):
        if not 0 < x < float("inf"):
            raise ValueError(f"Time constants and thresholds must be positive and finite, in SI units. Got {x}.")
        return float(x)
    if not isinstance(x, Tracer) and not (np.asarray(x) > 0).all():
        raise ValueError(
            f"Time constants and thresholds must be positive, in SI units. Got values down to {np.min(np.asarray(x))}."
        )
    return Positive(jnp.log(jnp.asarray(x, jnp.result_type(float))))


def parameter(x: float | Array | np.ndarray) -> float | Array:
    """Converter of a field that may have any sign: a number is a constant, an array is trained."""
    return float(x) if isinstance(x, int | float) else jnp.asarray(x, jnp.result_type(float))


def value(x: Any) -> Float[Array, "*units"]:
    """What a parameter stands for, as an array."""
    return x.value if isinstance(x, Positive) else jnp.asarray(x, jnp.result_type(float))


def check_shape(name: str, x: Any, shape: tuple[int, ...]) -> None:
    """Raises `ValueError` for a parameter that is neither one for all neurons nor fits their `shape`."""
    found = value(x).shape
    if found != () and (len(found) != len(shape) or any(f not in (1, s) for f, s in zip(found, shape, strict=True))):
        raise ValueError(f"`{name}` must be one value, or one a neuron of shape {shape}. Got shape {found}.")
