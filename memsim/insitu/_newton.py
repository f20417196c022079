"""Newton's method for the nodes of small circuits, many of which may settle side by side."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

STEPS = 200  # of Newton's method, at most


def newton(
    residual: Callable[..., Array], start: Float[Array, " n"], parameters: tuple[Any, ...], largest: float | Array
) -> Float[Array, " n"]:
    """The root of `residual(v, *parameters)`, and one more, differentiable, step of Newton's method.

    No step changes a voltage by more than twice `largest`: the current of a diode grows by e there. NaN where the
    method does not converge.
    """
    held = jax.lax.stop_gradient(parameters)
    scale = jnp.max(jnp.abs(residual(start, *held)))
    enough = float(jnp.finfo(start.dtype).eps) ** 0.5  # the last step squares it

    def step(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        v, _, number = state
        missing = jnp.expand_dims(residual(v, *held), 1)
        change = -solved(jax.jacfwd(residual)(v, *held), missing)[:, 0]
        bounded = jnp.clip(change, -2 * largest, 2 * largest)
        return v + bounded, jnp.max(jnp.abs(bounded)), number + 1

    def unfinished(state: tuple[Array, Array, Array]) -> Array:
        v, moved, number = state
        return (moved > enough * jnp.maximum(jnp.max(jnp.abs(v)), largest)) & (number < STEPS)

    begin = (start, jnp.full((), jnp.inf, start.dtype), jnp.zeros((), int))
    root, _, number = jax.lax.while_loop(unfinished, step, begin)
    root = jax.lax.stop_gradient(jnp.where((number < STEPS) & jnp.isfinite(scale), root, jnp.nan))
    slope = jax.lax.stop_gradient(jax.jacfwd(residual)(root, *held))
    inverse = jax.lax.stop_gradient(solved(slope, jnp.eye(len(start), dtype=start.dtype)))
    return root - inverse @ residual(root, *parameters)


def solved(a: Float[Array, "n n"], b: Float[Array, "n k"]) -> Float[Array, "n k"]:
    """The solution of `a x = b` by elimination with pivots, without a library.

    Factorisations of hundreds of matrices at once, within a loop, were seen to wait for each other for ever on two
    cores (jaxlib 0.10.2). These are sums and products, which run side by side.
    """
    n = len(a)
    rows = jnp.arange(n)

    def eliminated(place: Array, both: Array) -> Array:
        column = jnp.abs(jax.lax.dynamic_index_in_dim(both, place, 1, keepdims=False))
        pivot = jnp.argmax(jnp.where(rows >= place, column, -1.0))
        order = jnp.where(rows == place, pivot, jnp.where(rows == pivot, place, rows))
        both = both[order]
        row = both[place] / both[place, place]
        factors = jnp.expand_dims(both[:, place], 1)
        return jnp.where(jnp.expand_dims(rows == place, 1), row[None], both - factors * row[None])

    return jax.lax.fori_loop(0, n, eliminated, jnp.concatenate([a, b], axis=1))[:, n:]
