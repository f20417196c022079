"""Complex matrices as real ones: [[Re, -Im], [Im, Re]]."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from .._checks import as_floats, as_numbers, check_finite


def real_block(w: Complex[Array, "outputs inputs"]) -> Float[Array, "twice_outputs twice_inputs"]:
    """The real matrix that does to `to_real(x)` what `w` does to `x`: four cells, or cell pairs, a weight.

    `to_complex(matrix(to_real(x)))` is `w @ x` where `matrix` is a crossbar with `real_block(w)`.

    >>> import jax.numpy as jnp, memsim as ms
    >>> w, x = jnp.array([[1 + 2j]]), jnp.array([1j])
    >>> print(ms.encoding.to_complex(ms.encoding.real_block(w) @ ms.encoding.to_real(x)), w @ x)
    [-2.+1.j] [-2.+1.j]
    """
    real, imaginary = _parts("w", w)
    if real.ndim != 2:
        raise ValueError(f"`w` must be a matrix of shape (outputs, inputs). Got shape {real.shape}.")
    return jnp.block([[real, -imaginary], [imaginary, real]])


def to_real(x: Complex[Array, "*batch inputs"]) -> Float[Array, "*batch twice_inputs"]:
    """Real parts, then imaginary parts, on the last axis.

    >>> import jax.numpy as jnp, memsim as ms
    >>> print(ms.encoding.to_real(jnp.array([1 + 3j, 2 + 4j])))
    [1. 2. 3. 4.]
    """
    real, imaginary = _parts("x", x)
    if real.ndim == 0:
        raise ValueError("`x` must have an axis of inputs. Got shape ().")
    return jnp.concatenate([real, imaginary], axis=-1)


def to_complex(y: Float[Array, "*batch twice_outputs"]) -> Complex[Array, "*batch outputs"]:
    """The complex numbers whose real parts come first on the last axis; raises `ValueError` for an odd number.

    >>> import jax.numpy as jnp, memsim as ms
    >>> print(ms.encoding.to_complex(jnp.array([1.0, 2.0, 3.0, 4.0])))
    [1.+3.j 2.+4.j]
    """
    y = as_numbers("y", y)
    if y.ndim == 0 or y.shape[-1] % 2:
        raise ValueError(f"The last axis of `y` must hold as many real as imaginary parts. Got shape {y.shape}.")
    real, imaginary = jnp.split(y, 2, axis=-1)
    return jax.lax.complex(real, imaginary)


def _parts(name: str, values: Any) -> tuple[Array, Array]:
    """Real and imaginary parts, of real numbers as well."""
    found = as_floats(values, name)
    real, imaginary = jnp.real(found), jnp.imag(found)
    check_finite(name, real)
    check_finite(name, imaginary)
    return real, imaginary
