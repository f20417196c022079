"""`matrix @ x`: one read a column of `x`, of a matrix that needs no key."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._checks import as_numbers


def of_columns(matrix: Any, x: Any) -> Float[Array, "*batch outputs_n"]:
    """As NumPy's `@`: vectors of shape (inputs,), or columns of shape (*batch, inputs, n), each a read."""
    adc = matrix.adc
    if matrix.draws or (adc is not None and adc.needs_key):
        raise ValueError(
            "`matrix @ x` must be of a matrix whose reads draw nothing, since it has no place for a key. Got one with "
            "noise. Write `matrix(x, key=key)`, or give `memsim.solve.LinearOperator(matrix, key=key)` to a solver."
        )
    found = as_numbers("x", x)
    if found.ndim < 2:
        return matrix(found)
    return jnp.swapaxes(matrix(jnp.swapaxes(found, -1, -2)), -1, -2)
