"""What users hand to the stages of an array: weights, times, inputs and keys, judged, and made arrays."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Key, Shaped

from device_models._checks import Must, judge
from device_models._checks._quantities import OLDEST_PLAUSIBLE as LONGEST_TIME

from ._finite import check_finite
from ._inputs import as_floats

# What is made an array of floats: an array of JAX or NumPy, or nested lists.
Weights = Shaped[ArrayLike, "outputs inputs"] | Sequence[Sequence[float]]
Inputs = Shaped[ArrayLike, "*batch inputs"] | Sequence[Any]

ONE_KEY = Key[Array, ""]
TIME = Must(
    "one time of at least 0 seconds after the end of programming, and at most 1e12",
    lambda t: (t >= 0) & (t <= LONGEST_TIME),
    "Write seconds: an hour is 3600.0. Several times? Use jax.vmap.",
)


def as_numbers(name: str, values: Any) -> Array:
    """An array, or nested lists of numbers, as an array of floats; complex numbers are refused."""
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused as such
        found = as_floats(values, name)
    if jnp.issubdtype(found.dtype, jnp.complexfloating):
        raise ValueError(
            f"`{name}` must be real. Got {found.dtype}. Program `real_block(w)` of `memsim.encoding`, and wrap its "
            "reads in `to_complex(matrix(to_real(x)))`."
        )
    return found


def as_weights(w: Any) -> Float[Array, "outputs inputs"]:
    """The matrix that an array is to hold. Traced ones are judged by shape and dtype only."""
    found = as_numbers("w", w)
    if found.ndim != 2 or found.size == 0:
        raise ValueError(
            f"`w` must be a matrix of shape (outputs, inputs) with no empty axis. Got shape {found.shape}."
        )
    check_finite("w", found, "Did the training diverge?")
    return found


def as_conductances(w: Float[Array, "outputs inputs"]) -> Float[Array, "outputs inputs"]:
    """Weights in the precision of the cells, float32 at least: siemens are too small for 16 bits."""
    return w.astype(jnp.float32) if jnp.finfo(w.dtype).bits < 32 else w


def as_inputs(x: Any, word_lines: int) -> Float[Array, "*batch inputs"]:
    """What is to be read, one number a word line. Traced inputs are judged by shape and dtype only."""
    found = as_numbers("x", x)
    if found.ndim == 0 or found.shape[-1] != word_lines:
        raise ValueError(
            f"The last axis of `x` must have {word_lines} entries, one a word line. Got shape {found.shape}."
        )
    check_finite("x", found)
    return found


def as_data(x: Any) -> Float[Array, "..."]:
    """What a converter is to cover: any finite numbers. An infinite or missing one would decide the range alone."""
    found = as_numbers("x", x)
    check_finite("x", found)
    return found


def check_time(t: Any) -> None:
    """Raises `ValueError` for what is not one time, in seconds, at which a chip can be looked at."""
    judge("t", t, float, TIME)


def as_time(t: Any) -> Float[Array, ""]:
    """`t` as a float array. A traced negative time cannot be refused, and becomes NaN."""
    check_time(t)
    t = jnp.asarray(t, jnp.result_type(float))
    return jnp.where(t >= 0, t, jnp.nan)


def check_key(key: Any) -> None:
    """Raises `ValueError` for what is not one key of `jax.random`."""
    judge("key", key, ONE_KEY)


def check_optional_key(key: Any) -> None:
    """As `check_key`, where no key may do as well."""
    if key is not None:
        check_key(key)
