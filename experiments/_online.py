"""A network of two layers that learns recording by recording: many of them side by side, by any optimizer."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Float, Int, Key

import memsim as ms

Recordings = tuple[Float[Array, "recordings 1 inputs"], Int[Array, " recordings"]]


class Plan(NamedTuple):
    """How large the network is, and how long it learns."""

    hidden: int
    epochs: int
    batch_size: int


class Learnt(NamedTuple):
    """Of each network: mean training loss and test accuracy in every epoch.

    And, where that is counted, the share of its weights that is written in a step; NaN elsewhere.
    """

    loss: Float[Array, "*networks epochs"]
    accuracy: Float[Array, "*networks epochs"]
    written: Float[Array, "*networks"]


@eqx.filter_jit
def learnt(
    optimizer: Callable[..., optax.GradientTransformation],
    plan: Plan,
    train: Recordings,
    test: Recordings,
    *,
    rates: Float[Array, " networks"],
    keys: Key[Array, " networks"],
) -> Learnt:
    """As many networks as there are `rates` and `keys`, each trained by `optimizer(rate, key=key)`.

    An optimizer for cells is a `jax.tree_util.Partial` that holds the numbers of its device as arrays: all devices of
    one kind then share what is compiled.
    """
    return jax.vmap(lambda rate, key: _learnt(optimizer, plan, train, test, rate, key=key))(rates, keys)


def sgd(rate: Float[Array, ""], *, key: Key[Array, ""]) -> optax.GradientTransformation:
    """The digital optimizer."""
    return optax.sgd(rate)


def network(hidden: int, inputs: int, *, key: Key[Array, ""]) -> ms.nn.SpikingNetwork:
    """Of tanh units, for ten classes."""
    first, second = jr.split(key)
    layers = [ms.nn.Linear(inputs, hidden, key=first), eqx.nn.Lambda(jnp.tanh), ms.nn.Linear(hidden, 10, key=second)]
    return ms.nn.SpikingNetwork(layers)


def _learnt(
    optimizer: Callable[..., optax.GradientTransformation],
    plan: Plan,
    train: Recordings,
    test: Recordings,
    rate: Float[Array, ""],
    *,
    key: Key[Array, ""],
) -> Learnt:
    model_key, device_key, batch_key = jr.split(key, 3)
    model = network(plan.hidden, train[0].shape[-1], key=model_key)
    params, static = eqx.partition(model, eqx.is_inexact_array)
    chosen = optimizer(rate, key=device_key)
    differentiate = eqx.filter_value_and_grad if optimizer is sgd else ms.insitu.value_and_outer

    def loss(params: Any, xs: Array, labels: Array) -> Array:
        return jnp.mean(jax.vmap(ms.train.cross_entropy)(jax.vmap(eqx.combine(params, static))(xs), labels))

    def step(carry: Any, batch: Array) -> tuple[Any, Array]:
        params, state = carry
        value, gradients = differentiate(loss)(params, train[0][batch], train[1][batch])
        updates, state = chosen.update(gradients, state, params)
        return (optax.apply_updates(params, updates), state), value

    def epoch(carry: Any, key: Array) -> tuple[Any, tuple[Array, Array]]:
        order = jr.permutation(key, train[0].shape[0])
        batches = order[: order.shape[0] // plan.batch_size * plan.batch_size].reshape(-1, plan.batch_size)
        carry, losses = jax.lax.scan(step, carry, batches)
        return carry, (jnp.mean(losses), ms.train.accuracy(eqx.combine(carry[0], static), *test))

    start = (params, chosen.init(params))
    (_, state), found = jax.lax.scan(epoch, start, jr.split(batch_key, plan.epochs))
    return Learnt(*found, _written_share(state))


def _written_share(state: Any) -> Float[Array, ""]:
    """Of all weights in a step."""
    arrays = list(state.arrays.values()) if isinstance(state, ms.insitu.InSituState) else []
    if not arrays or not all(hasattr(array, "writes") for array in arrays):
        return jnp.asarray(jnp.nan)
    cells = sum(array.array.shown.size for array in arrays)
    return sum(array.writes for array in arrays) / (state.count * cells)
