"""Matrices in digital beside the arrays of a chip, learnt with the chip as it is."""

import dataclasses
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Float

import memsim as ms


def in_time(correction: Callable[[float], dict[str, Array]], found_at: list[float]) -> dict[str, Array]:
    """What digital adds: (times, inputs, outputs), for each time the `correction` found then, zero if that is at 0."""
    found = {t: correction(t) for t in sorted(set(found_at)) if t > 0}
    nothing = jax.tree.map(jnp.zeros_like, next(iter(found.values()))) if found else {}
    return jax.tree.map(lambda *each: jnp.stack(each), *(found.get(t, nothing) for t in found_at))


def corrections(now: Any, paths: list[str], xs, labels, *, rank: int, updates: int, key) -> dict[str, Array]:
    """What digital adds to the layers at `paths`: the whole of a single layer, of low `rank` where there are more.

    Descent on training data, with the chip as it is at that moment, `now`, in the forward and the backward pass.
    """
    layers = ms.nn.analog_layers(now)
    shapes = {path: (layers[path].weight.inputs, layers[path].weight.outputs) for path in paths}
    if len(paths) == 1:
        factors = {path: (jnp.zeros(shape),) for path, shape in shapes.items()}
    else:
        factors = {
            path: (jr.normal(jr.fold_in(key, i), (rows, rank)) / rows**0.5, jnp.zeros((rank, columns)))
            for i, (path, (rows, columns)) in enumerate(shapes.items())
        }
    optimizer = optax.adam(optax.cosine_decay_schedule(5e-3, updates))

    def loss(factors, batch):
        outputs = jax.vmap(corrected(now, _products(factors)))(xs[batch])
        return jnp.mean(jax.vmap(ms.train.cross_entropy)(outputs, labels[batch]))

    def update(state, key):
        factors, memory = state
        batch = jr.randint(key, (64,), 0, xs.shape[0])
        slopes = jax.grad(loss)(factors, batch)
        with jax.numpy_dtype_promotion("standard"):  # optax multiplies floats by counts of steps
            changes, memory = optimizer.update(slopes, memory)
        return (optax.apply_updates(factors, changes), memory), None

    (found, _), _ = jax.lax.scan(update, (factors, optimizer.init(factors)), jr.split(key, updates))
    return _products(found)


def _products(factors: dict[str, tuple[Array, ...]]) -> dict[str, Array]:
    return {path: parts[0] if len(parts) == 1 else parts[0] @ parts[1] for path, parts in factors.items()}


def corrected(now: Any, added: dict[str, Float[Array, "inputs outputs"]]) -> Any:
    """The model with a digital matrix beside some of its arrays."""
    for path, matrix in added.items():
        sums = ms.nn.analog_layers(now)[path].weight.sums
        whole = matrix if sums.of_codes is None else matrix + sums.of_codes
        changed = dataclasses.replace(sums, of_codes=whole)
        now = eqx.tree_at(lambda model, path=path: ms.nn.analog_layers(model)[path].weight.sums, now, changed)
    return now
