"""Weights of any size from a binary crossbar: each neuron has four values, and an input several axons of several types.

An input drives the same types of axon for all neurons; whether a neuron hears an axon is a bit of the crossbar. So the
weight from an input to a neuron is a sum of some of that neuron's four values, those of the axons that it hears. The
values are found neuron by neuron: sums are assigned to weights, values fitted to them by least squares, and so on, from
several starts.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ._rule import TYPES

ROUNDS = 10
MOST_AXONS = 6  # an input; more were not found to bring weights nearer


class Levels(NamedTuple):
    """The values of each neuron, and how many axons of each type it hears of each input."""

    values: Float[Array, "neurons types"]
    taps: Int[Array, "neurons inputs types"]


def types_of(axons: int) -> Int[np.ndarray, "groups types"]:
    """How many axons of each type an input has, for `axons` an input; input i is of group i modulo their number.

    Fewer than three axons an input leave types for other inputs.
    """
    if axons == 1:
        return np.eye(TYPES, dtype=np.int32)
    if axons == 2:
        return np.array([[1, 1, 0, 0], [0, 0, 1, 1]], np.int32)
    return np.array([[axons // TYPES + (place < axons % TYPES) for place in range(TYPES)]], np.int32)


def codebook(axons: int) -> Int[np.ndarray, "groups levels types"]:
    """All that a neuron may hear of an input, by group."""
    return np.stack([np.indices(most + 1).reshape(TYPES, -1).T for most in types_of(axons)]).astype(np.int32)


@partial(jax.jit, static_argnums=1)
def fitted(weight: Float[Array, "neurons inputs"], axons: int) -> Levels:
    """The best values and taps that were found for `weight` with `axons` axons an input."""
    return Levels(*jax.vmap(lambda row: _of_a_neuron(row, codebook(axons), _starts(axons)))(weight))


@partial(jax.jit, static_argnums=2)
def taps_of(
    weight: Float[Array, "neurons inputs"], values: Float[Array, "neurons types"], axons: int
) -> Int[Array, "neurons inputs types"]:
    """What each neuron is to hear, given its values."""
    return jax.vmap(lambda row, own: _nearest(row, own, codebook(axons)))(weight, values)


def effective(values: Array, taps: Int[Array, "neurons inputs types"]) -> Array:
    """The weights that values and taps make."""
    return jnp.sum(jnp.expand_dims(values, 1) * taps.astype(values.dtype), axis=-1)


def _of_a_neuron(
    row: Float[Array, " inputs"], book: np.ndarray, starts: np.ndarray
) -> tuple[Float[Array, " types"], Int[Array, "inputs types"]]:
    tops = jnp.stack([jnp.max(row), -jnp.min(row)])
    reach = jnp.asarray(np.stack([np.maximum(starts, 0).sum(1), np.maximum(-starts, 0).sum(1)]), row.dtype)
    units = jnp.max(jnp.where(reach > 0, jnp.expand_dims(tops, 1) / jnp.maximum(reach, 1.0), 0.0), axis=0)

    def attempt(
        values: Float[Array, " types"],
    ) -> tuple[Float[Array, " types"], Int[Array, "inputs types"], Float[Array, ""]]:
        values, _ = jax.lax.scan(lambda own, _: (_refitted(row, own, book), None), values, None, length=ROUNDS)
        taps = _nearest(row, values, book)
        return values, taps, jnp.sum((row - taps.astype(row.dtype) @ values) ** 2)

    values, taps, errors = jax.vmap(attempt)(jnp.asarray(starts, row.dtype) * jnp.expand_dims(units, 1))
    best = jnp.argmin(errors)
    return values[best], taps[best]


def _refitted(row: Float[Array, " inputs"], values: Float[Array, " types"], book: np.ndarray) -> Float[Array, " types"]:
    """Least squares, with what no input tells left as it is."""
    taps = _nearest(row, values, book).astype(row.dtype)
    ridge = jnp.eye(TYPES, dtype=row.dtype) * 1e-4
    return jnp.linalg.solve(taps.T @ taps + ridge, taps.T @ row + ridge @ values)


def _nearest(
    row: Float[Array, " inputs"], values: Float[Array, " types"], book: np.ndarray
) -> Int[Array, "inputs types"]:
    group = np.arange(row.size) % len(book)
    levels = jnp.asarray(book, row.dtype) @ values  # (groups, levels)
    chosen = jnp.argmin(jnp.abs(jnp.expand_dims(row, 1) - levels[group]), axis=1)
    return jnp.asarray(book)[group, chosen]


def _starts(axons: int) -> Float[np.ndarray, "starts types"]:
    """Values whose sums are evenly spaced, with all signs, at the size that holds all weights and at a smaller one."""
    steps = np.ones(TYPES)
    for group in types_of(axons):
        step = 1.0
        for place in np.flatnonzero(group):
            steps[place] = step
            step *= group[place] + 1
    signs = 1.0 - 2.0 * np.indices((2,) * TYPES).reshape(TYPES, -1).T
    return np.concatenate([size * signs * steps for size in (1.0, 0.7)])
