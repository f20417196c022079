"""A model on a batch of sequences, and how many it names rightly."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key, Num

from ..nn import AbstractNetwork
from ._loss import class_scores


def accuracy(
    model: AbstractNetwork,
    xs: Num[Array, "batch steps *inputs"],
    labels: Array,
    *,
    key: Key[Array, ""] | None = None,
    scores: Callable[[Array], Array] = class_scores,
) -> Float[Array, ""]:
    """Fraction of sequences whose class, that of the largest of the `scores`, is named rightly. Noise needs `key`."""
    outputs = run_batch(model, xs, key=key)
    return jnp.mean(jnp.argmax(jax.vmap(scores)(outputs), axis=-1) == labels, dtype=jnp.result_type(float))


def run_batch(
    model: AbstractNetwork,
    xs: Num[Array, "batch steps *inputs"],
    *,
    key: Key[Array, ""] | None = None,
) -> Float[Array, "batch steps *outputs"]:
    """The model on each sequence, with independent reads."""
    keys = None if key is None else jr.split(key, xs.shape[0])
    return jax.vmap(lambda x, k: model(x, key=k))(as_float(xs), keys)


def as_float(xs: Array) -> Float[Array, "..."]:
    """Counts kept in bytes, as event data may be, as floats; for one batch at a time."""
    return xs if jnp.issubdtype(xs.dtype, jnp.inexact) else xs.astype(jnp.result_type(float))
