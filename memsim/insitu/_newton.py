"""Newton's method for circuits of two layers of nodes, many of which may settle side by side."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

STEPS = 200  # of Newton's method, at most


class Slopes(NamedTuple):
    """How the currents out of nodes follow their voltages: those of a hidden node its own and those of the outputs.

    Two hidden nodes do not meet, so what is to be eliminated is no larger than the outputs. Circuits that settle at the
    least of a convex co-content have positive pivots, in any order.
    """

    hidden: Float[Array, " hidden"]
    across: Float[Array, "hidden outputs"]
    outputs: Float[Array, "outputs outputs"]


def newton(
    currents: Callable[..., Array],
    slopes: Callable[[Array], Slopes],
    start: Float[Array, " nodes"],
    parameters: tuple[Any, ...],
    largest: float | Array,
) -> Float[Array, " nodes"]:
    """Where `currents(v, *parameters)` vanish, and one more, differentiable, step of Newton's method.

    No step changes a voltage by more than twice `largest`: the current of a diode grows by e there. NaN where the
    method does not converge.
    """
    start, held = jax.lax.stop_gradient((start, parameters))
    scale = jnp.max(jnp.abs(currents(start, *held)))
    enough = float(jnp.finfo(start.dtype).eps) ** 0.5  # the last step squares it

    def step(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        v, _, number = state
        bounded = jnp.clip(-solved(slopes(v), currents(v, *held)), -2 * largest, 2 * largest)
        return v + bounded, jnp.max(jnp.abs(bounded)), number + 1

    def unfinished(state: tuple[Array, Array, Array]) -> Array:
        v, moved, number = state
        return (moved > enough * jnp.maximum(jnp.max(jnp.abs(v)), largest)) & (number < STEPS)

    begin = (start, jnp.full((), jnp.inf, start.dtype), jnp.zeros((), int))
    root, _, number = jax.lax.while_loop(unfinished, step, begin)
    root = jax.lax.stop_gradient(jnp.where((number < STEPS) & jnp.isfinite(scale), root, jnp.nan))
    return root - solved(jax.lax.stop_gradient(slopes(root)), currents(root, *parameters))


def solved(slopes: Slopes, b: Float[Array, " nodes"]) -> Float[Array, " nodes"]:
    """The voltages that move the currents by `b`: hidden nodes are eliminated first, then the outputs."""
    hidden, across, outputs = slopes
    nodes = len(hidden)
    share = across / jnp.expand_dims(hidden, 1)
    left = outputs - jnp.matmul(across.T, share, precision="highest")
    moved = eliminated(left, b[nodes:] - jnp.matmul(share.T, b[:nodes], precision="highest"))
    return jnp.concatenate([b[:nodes] / hidden - jnp.matmul(share, moved, precision="highest"), moved])


def eliminated(a: Float[Array, "n n"], b: Float[Array, " n"]) -> Float[Array, " n"]:
    """The solution of `a x = b` by elimination without exchanges, for positive definite `a`.

    Factorisations by LAPACK of hundreds of matrices at once, within a loop, were seen to wait for each other for ever
    on two cores (jaxlib 0.10.2). These are sums and products, which run side by side.
    """
    n = len(a)
    rows = jnp.arange(n)

    def eliminate(place: Array, both: Array) -> Array:
        row = both[place] / both[place, place]
        factors = both[:, place] - (rows == place).astype(both.dtype)  # leaves the row itself over its pivot
        return both - jnp.expand_dims(factors, 1) * jnp.expand_dims(row, 0)

    return jax.lax.fori_loop(0, n, eliminate, jnp.concatenate([a, jnp.expand_dims(b, 1)], axis=1))[:, n]
