"""Numbers that are known before anything is traced."""

from collections.abc import Iterator, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer


def is_known(*values: Any) -> bool:
    """Whether the numbers of all these arrays and scalars can be looked at here."""
    return not any(
        isinstance(value, Tracer) or (isinstance(value, jax.Array) and not value.is_fully_addressable)
        for value in values
    )


def is_zero(value: Any) -> bool:
    """Whether `value` is known beforehand to be zero, as the number that a design was written with."""
    return isinstance(value, int | float | np.number) and value == 0


def plain(value: Any) -> Any:
    """Converter of a static field: a number of NumPy or JAX, or each in a tuple, as the one of Python."""
    if type(value) is tuple:
        return tuple(map(plain, value))
    single = isinstance(value, jax.Array | np.ndarray | np.generic) and value.ndim == 0 and is_known(value)
    return value.item() if single else value


def numbers(value: Any) -> Iterator[Any]:
    """The known numbers in `value`: a scalar, an array, or a tuple, list or mapping of them."""
    if value is None or isinstance(value, bool | str | eqx.Module):
        return
    if isinstance(value, int | float | complex):
        yield as_scalar(value)
    elif isinstance(value, tuple | list):
        for element in value:
            yield from numbers(element)
    elif isinstance(value, jax.Array | np.ndarray | np.generic):
        if is_known(value) and not jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
            found = np.asarray(value)
            if jnp.issubdtype(found.dtype, np.number):
                yield found
    elif isinstance(value, Mapping):
        yield from numbers(tuple(value.values()))


def as_scalar(value: int | float | complex) -> Any:
    """A plain number as one of NumPy's, which rules are far quicker about."""
    try:
        return np.complex128(value) if isinstance(value, complex) else np.float64(value)
    except OverflowError:  # a whole number that no float can hold
        return np.float64("inf")
