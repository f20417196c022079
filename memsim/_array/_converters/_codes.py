"""Codes of a signed converter: whole, symmetric, saturating, straight through in the gradient."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


def largest_code(bits: int | None) -> int:
    """Codes run from minus to plus this; without rounding the range itself is the unit."""
    return 1 if bits is None else 2 ** (int(bits) - 1) - 1


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def to_codes(scaled: Float[Array, "*batch"], bits: int | None) -> Float[Array, "*batch"]:
    """Clips to the code range and rounds half to even; the gradient is one inside the range and zero outside."""
    clipped = jnp.clip(scaled, -largest_code(bits), largest_code(bits))
    return clipped if bits is None else jnp.round(clipped)


@to_codes.defjvp
def _to_codes_jvp(bits, primals, tangents):
    # By hand, so that the backward pass keeps one comparison instead of those of clip, minimum and maximum.
    inside = jnp.abs(primals[0]) <= largest_code(bits)
    return to_codes(primals[0], bits), jnp.where(inside, tangents[0], jnp.zeros_like(tangents[0]))


@partial(jax.custom_jvp, nondiff_argnums=(2,))
def straight_through(
    scaled: Float[Array, "*batch"], codes: Float[Array, "*batch"], bits: int
) -> Float[Array, "*batch"]:
    """The `codes` that a converter gave for `scaled`, with the gradient of `to_codes`."""
    return codes


@straight_through.defjvp
def _straight_through_jvp(bits, primals, tangents):
    inside = jnp.abs(primals[0]) <= largest_code(bits)
    return primals[1], jnp.where(inside, tangents[0], jnp.zeros_like(tangents[0]))


def half_code(bits: int | None) -> float:
    """What is nearer to a code than this becomes it; zero without rounding."""
    return 0.0 if bits is None else 0.5


def is_clipped(
    scaled: Float[Array, "*batch"], bits: int | None, half: float | Float[Array, ""]
) -> Bool[Array, "*batch"]:
    """Which values, in units of one code, lie outside the code range, where they are rounded by `half` at most."""
    return jnp.abs(scaled) > largest_code(bits) + half
