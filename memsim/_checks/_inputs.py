"""What users pass as signals, as the floats that everything computes with."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array


def as_floats(x: Any, name: str = "x") -> Array:
    """The input of a layer as floats: whole numbers, truth values, NumPy arrays and lists are the numbers they hold."""
    if isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jnp.inexact):
        return x
    found = x if isinstance(x, jax.Array) else _array(x)
    if found is None or not (jnp.issubdtype(found.dtype, jnp.number) or found.dtype == bool):
        came = f"a {type(x).__name__}" + ("" if found is None else f" of {found.dtype}")
        raise ValueError(f"`{name}` must be an array of numbers. Got {came}.")
    return jnp.asarray(found, None if jnp.issubdtype(found.dtype, jnp.inexact) else jnp.result_type(float))


def _array(x: Any) -> np.ndarray | None:
    """`x` as an array; `None` where it cannot be one."""
    if not isinstance(x, np.ndarray | np.generic | list | tuple | int | float | complex):
        return None
    try:
        return np.asarray(x)
    except ValueError:  # rows of different lengths
        return None
