"""Products with inputs that bfloat16 holds exactly, at the accuracy of float32."""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

THREE_PRODUCTS = lax.DotAlgorithmPreset.BF16_BF16_F32_X3  # a CPU does it in float32


@jax.custom_jvp
def exact_input_product(
    x: Float[Array, "*batch inputs"], w: Float[Array, "outputs inputs"]
) -> Float[Array, "*batch outputs"]:
    """`x @ w.T` with `x` as it is in bfloat16, `w` in two bfloat16 terms, and sums in float32.

    Two terms keep 16 bits of a weight. The derivatives, whose factors are not exact, split both of them: three bfloat16
    products instead of two.
    """
    exact = x.astype(jnp.bfloat16)
    # `reduce_precision` keeps compilers from seeing float32 -> bfloat16 -> float32 as nothing at all.
    large = lax.reduce_precision(w, exponent_bits=8, mantissa_bits=7)
    small = w - large
    return (_dot(exact, small.astype(jnp.bfloat16)) + _dot(exact, large.astype(jnp.bfloat16))).astype(w.dtype)


@exact_input_product.defjvp
def _exact_input_product_jvp(primals, tangents):
    (x, w), (x_dot, w_dot) = primals, tangents
    single = [a.astype(jnp.float32) for a in (x, w, x_dot, w_dot)]
    by_input = _dot(single[2], single[1], THREE_PRODUCTS)
    by_weight = _dot(single[0], single[3], THREE_PRODUCTS)
    return exact_input_product(x, w), (by_input + by_weight).astype(w.dtype)


def _dot(a: Array, b: Array, precision: lax.DotAlgorithmPreset | None = None) -> Array:
    dimensions = (((a.ndim - 1,), (1,)), ((), ()))
    return lax.dot_general(a, b, dimensions, precision=precision, preferred_element_type=jnp.float32)
