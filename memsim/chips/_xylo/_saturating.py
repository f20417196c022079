"""Sums of events that saturate after each one, as fast as a product where no rail is near."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import custom_vmap
from jaxtyping import Array, Bool, Float, Int

from ..._checks import is_known
from .._sums._whole import saturate, wrap

BITS = 16
RAIL = (1 << (BITS - 1)) - 1
FAR = 1 << (BITS + 1)  # what changes a current by more has passed a rail, from wherever it started
AT_ONCE = 1024  # currents that are followed side by side, event by event
SPARSE = 16  # sources for each that reaches a current, from which on they are looked up one by one; measured


class Few(NamedTuple):
    """The steps that are not zero, with their sources, of currents that few sources reach."""

    source: Int[Array, "fan_in targets"]
    add: Float[Array, "fan_in targets"]


class Steps(NamedTuple):
    """What one event of each source adds to each current: `size` is the largest of a source."""

    add: Float[Array, "sources targets"]
    size: Float[Array, "sources 1"]
    few: Few | None


def steps(weight: Int[Array, "targets sources"], shift: Int[Array, ""]) -> Steps:
    """Weights of 8 bits, shifted, and wrapped at 16 bits, as floats that hold them exactly."""
    add = wrap(weight << shift, BITS).astype(jnp.float32).T
    return Steps(add, jnp.max(jnp.abs(add), axis=1, keepdims=True), _few(add))


def _few(add: Float[Array, "sources targets"]) -> Few | None:
    """`None` where a product is as fast: for traced weights, many sources, and on accelerators."""
    if not is_known(add) or jax.default_backend() != "cpu":
        return None
    known = np.asarray(add)
    most = int(np.count_nonzero(known, axis=0).max(initial=0))
    if most * SPARSE > known.shape[0]:
        return None
    source = np.argsort(known == 0, axis=0, kind="stable")[:most].astype(np.int32)
    return Few(jnp.asarray(source), jnp.asarray(np.take_along_axis(known, source, axis=0)))


@custom_vmap
def add_one_by_one(
    current: Int[Array, "*batch targets"], events: Int[Array, "*batch sources"], steps: Steps
) -> Int[Array, "*batch targets"]:
    """Currents after all `events`, each of which adds its step and saturates at 16 bits, source after source.

    As long as the events cannot bring any current of the whole batch to a rail, in whatever order, one product is all
    that is computed; otherwise those that they could are followed event by event.
    """
    reach = _product(events, steps.size)
    near = jnp.any((current + reach > RAIL) | (current - reach < -RAIL))
    return jax.lax.cond(near, _carefully, _plainly, current, events, steps)


@add_one_by_one.def_vmap
def _of_a_batch(size: int, batched: Sequence[Any], current: Array, events: Array, steps: Steps) -> tuple[Array, bool]:
    """A batch is judged as a whole; networks of different weights are taken one after the other."""
    given = (current, events, steps)
    each = jax.tree.map(lambda x, has: x if has else jnp.broadcast_to(x, (size, *x.shape)), given, tuple(batched))
    if batched[2].add:
        return jax.lax.map(lambda one: add_one_by_one(*one), each), True
    return add_one_by_one(each[0], each[1], steps), True


def _plainly(current: Array, events: Array, steps: Steps) -> Array:
    return current + (_product(events, steps.add) if steps.few is None else _looked_up(events, steps.few))


def _carefully(
    current: Int[Array, "*batch targets"], events: Int[Array, "*batch sources"], steps: Steps
) -> Int[Array, "*batch targets"]:
    add = steps.add
    up, down = _product(events, jnp.maximum(add, 0.0)), _product(events, jnp.minimum(add, 0.0))
    risky = (current + up > RAIL) | (current + down < -RAIL - 1)
    sources, targets = add.shape
    found = _followed(
        current.reshape(-1, targets), events.reshape(-1, sources), add, jnp.any(risky.reshape(-1, targets), axis=0)
    )
    return jnp.where(risky, found.reshape(current.shape), current + up + down)


def _followed(
    current: Int[Array, "batch targets"],
    events: Int[Array, "batch sources"],
    add: Float[Array, "sources targets"],
    risky: Bool[Array, " targets"],
) -> Int[Array, "batch targets"]:
    """The currents of risky targets after every event in its turn, some targets at once; the others as they were."""
    batch, targets = current.shape
    some = min(targets, max(1, AT_ONCE // batch))
    places = jnp.sort(jnp.where(risky, jnp.arange(targets, dtype=jnp.int32), targets))
    places = jnp.pad(places, (0, -targets % some), constant_values=targets)

    def follow(turn: Array, found: Array) -> Array:
        place = jax.lax.dynamic_slice(places, (turn * some,), (some,))
        weights = add.at[:, place].get(mode="clip").astype(jnp.int32)
        start = current.at[:, place].get(mode="clip")

        def one(i: Array, source: tuple[Array, Array]) -> tuple[Array, None]:
            events, weight = source
            return saturate(i + events[:, None] * weight[None], BITS), None  # as one after the other: all of one sign

        return found.at[:, place].set(jax.lax.scan(one, start, (events.T, weights))[0], mode="drop")

    turns = (jnp.sum(risky, dtype=jnp.int32) + some - 1) // some
    return jax.lax.fori_loop(0, turns, follow, current)


def _product(
    events: Int[Array, "*batch sources"], add: Float[Array, "sources targets"]
) -> Int[Array, "*batch targets"]:
    """Exact up to `FAR`: all terms are multiples of the same power of two, of which float32 counts 2**24.

    That is 8 bits of a weight, 5 of its events, and 2**11 sources.
    """
    found = jnp.matmul(events.astype(jnp.float32), add, precision=jax.lax.Precision.HIGHEST)
    return jnp.clip(found, -FAR, FAR).astype(jnp.int32)


def _looked_up(events: Int[Array, "*batch sources"], few: Few) -> Int[Array, "*batch targets"]:
    """As `_product`, a whole batch for each of the few sources of a current."""
    by_source = events.reshape(-1, events.shape[-1]).astype(jnp.float32).T

    def one(total: Array, each: Few) -> tuple[Array, None]:
        return total + each.add[:, None] * by_source[each.source], None

    start = jnp.zeros((few.source.shape[1], by_source.shape[1]), jnp.float32)
    found = jax.lax.scan(one, start, few)[0].T
    return found.astype(jnp.int32).reshape(*events.shape[:-1], -1)
