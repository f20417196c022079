"""What is made once and kept, where XLA would make it anew for each of its uses."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp


def held(function: Callable[..., Any], *arguments: Any) -> Any:
    """`function` of `arguments`: arrays that exist once they are made.

    On a CPU XLA draws and computes anew within whatever uses a result, unless that comes from a branch. That this one
    is taken is hidden behind a barrier until branches are no longer looked at.
    """
    if jax.default_backend() != "cpu":
        return function(*arguments)
    given, rest = eqx.partition(arguments, eqx.is_array)

    def taken(given: Any) -> Any:
        return function(*eqx.combine(given, rest))

    made = jax.eval_shape(taken, given)

    def never(_: Any) -> Any:
        return jax.tree.map(lambda one: jnp.zeros(one.shape, one.dtype), made)

    return jax.lax.cond(jax.lax.optimization_barrier(jnp.asarray(True)), taken, never, given)
