"""Complex matrices as real ones: [[Re, -Im], [Im, Re]]."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float


def real_block(w: Complex[Array, "outputs inputs"]) -> Float[Array, "twice_outputs twice_inputs"]:
    """The real matrix that does to `to_real(x)` what `w` does to `x`: four cells, or cell pairs, a weight.

    `to_complex(matrix(to_real(x)))` is `w @ x` where `matrix` is a crossbar with `real_block(w)`.
    """
    return jnp.block([[w.real, -w.imag], [w.imag, w.real]])


def to_real(x: Complex[Array, "*batch inputs"]) -> Float[Array, "*batch twice_inputs"]:
    """Real parts, then imaginary parts, on the last axis."""
    return jnp.concatenate([x.real, x.imag], axis=-1)


def to_complex(y: Float[Array, "*batch twice_outputs"]) -> Complex[Array, "*batch outputs"]:
    """The complex numbers whose real parts come first on the last axis; raises `ValueError` for an odd number."""
    if y.shape[-1] % 2:
        raise ValueError(f"The last axis must hold as many real as imaginary parts. Got shape {y.shape}.")
    real, imaginary = jnp.split(y, 2, axis=-1)
    return jax.lax.complex(real, imaginary)
