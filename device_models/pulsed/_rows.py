"""A burst on an array of which few rows get pulses, at the cost of these rows."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from equinox.internal import unvmap_max
from jaxtyping import Array, Float, Int

from ._coincidence import Trains
from ._hash import index_of

BLOCK = 32  # rows that are updated at a time
Sides = tuple[Any, ...]  # `PulsedArray`s of one shape: one, or the two of a pair
State = tuple[tuple[Float[Array, "rows columns"], Float[Array, "rows columns"]], ...]  # hidden and shown of each
Burst = Callable[..., Sides]  # (sides, counts, index) -> sides after these pulses


def by_rows(burst: Burst, sides: Sides, trains: Trains) -> Sides:
    """The arrays after a burst where `trains` coincide, the same whether all rows or few of them are touched.

    Half of the rows or more are updated as a whole array, fewer in blocks: cells are copied out, updated and copied
    back. On accelerators, where a loop over rows costs more than an array, all arrays are updated as a whole.
    """
    rows = sides[0].hidden.shape[0]

    def whole(state: State) -> State:
        counts = trains.coincidences()
        return _state(burst(_holding(sides, state), counts, index_of(counts.shape)))

    if rows < 4 * BLOCK or jax.default_backend() != "cpu" or not all(map(_all_per_cell, sides)):
        return _holding(sides, whole(_state(sides)))
    pulsing = trains.pulsing()
    # Of a batch under vmap the largest number, so that the choices below stay choices.
    number = unvmap_max(jnp.sum(pulsing))
    many = number > rows // 2
    # A block is filled up with a row that gets no pulse: there is one, and it stays as it is.
    blocks = -(-(rows // 2) // BLOCK)
    chosen = jnp.nonzero(pulsing, size=blocks * BLOCK, fill_value=jnp.argmin(pulsing))[0].reshape(blocks, BLOCK)

    def body(block: Int[Array, ""], state: State) -> State:
        moved = partial(_moved, burst, sides, trains, chosen[block])
        return jax.lax.cond(~many & (block * BLOCK < number), moved, lambda state: state, state)

    # One choice after the other, each with nothing to do on one side: XLA copies no array then.
    state = jax.lax.cond(many, whole, lambda state: state, _state(sides))
    return _holding(sides, jax.lax.fori_loop(0, blocks, body, state))


def _moved(burst: Burst, sides: Sides, trains: Trains, rows: Int[Array, " some"], state: State) -> State:
    """The state after the pulses of some rows."""
    columns = sides[0].hidden.shape[1]
    held = zip(sides, state, strict=True)
    taken = [jax.tree.map(lambda cells: cells[rows], (side.cells, *own)) for side, own in held]
    some = tuple(
        dataclasses.replace(side, cells=cells, hidden=hidden, shown=shown)
        for side, (cells, hidden, shown) in zip(sides, taken, strict=True)
    )
    index = rows.astype(jnp.uint32)[:, None] * jnp.uint32(columns) + jnp.arange(columns, dtype=jnp.uint32)[None]
    after = _state(burst(some, trains.of_rows(rows).coincidences(), index))

    def put(place: Int[Array, ""], state: State) -> State:
        start = rows[place], jnp.zeros_like(rows[place])
        return jax.tree.map(
            lambda whole, own: jax.lax.dynamic_update_slice(whole, own[place][None], start), state, after
        )

    # Row by row: a scatter would take several times as long.
    return jax.lax.fori_loop(0, rows.shape[0], put, state)


def _state(sides: Sides) -> State:
    return tuple((side.hidden, side.shown) for side in sides)


def _holding(sides: Sides, state: State) -> Sides:
    return tuple(
        dataclasses.replace(side, hidden=hidden, shown=shown)
        for side, (hidden, shown) in zip(sides, state, strict=True)
    )


def _all_per_cell(side: Any) -> bool:
    """Whether all numbers of a device are its own: a rule may keep others in `shape`."""
    return all(jnp.shape(leaf) == side.hidden.shape for leaf in jax.tree.leaves(side.cells))
