"""Where a matrix larger than one array is cut into tiles."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, PyTree, Shaped

LOOPED = 20  # equal tiles from which a loop takes no longer than one by one, where both cores share a product

LARGE = 128 * 128  # cells of a tile behind wires: 64 such together take twice the time and 30 times the memory


def cuts(length: int, tile: int) -> list[slice]:
    """Slices of at most `tile` lines that cover `length` lines; the last may be smaller."""
    return [slice(start, min(start + tile, length)) for start in range(0, length, tile)]


def tile_mean(
    values: Float[Array, "row_tiles columns"], columns: int, reduce: Callable[..., Array] = jnp.mean
) -> Float[Array, "row_tiles columns"]:
    """`values` with every column replaced by the mean (or `reduce`) of the columns of its tile."""
    if many_equal(values.shape[1], columns):
        each = values.reshape(values.shape[0], -1, columns)
        return jnp.broadcast_to(reduce(each, axis=2, keepdims=True), each.shape).reshape(values.shape)
    parts = [
        jnp.broadcast_to(reduce(values[:, cut], axis=1, keepdims=True), values[:, cut].shape)
        for cut in cuts(values.shape[1], columns)
    ]
    return jnp.concatenate(parts, axis=1)


def largest_in_tiles(w: Float[Array, "rows columns"], tile: int) -> Float[Array, "row_tiles columns"]:
    """The largest magnitude on each bit line of each row tile."""
    if many_equal(w.shape[0], tile):
        return jnp.max(jnp.abs(w.reshape(-1, tile, w.shape[1])), axis=1)
    return jnp.stack([jnp.max(jnp.abs(w[cut]), axis=0) for cut in cuts(w.shape[0], tile)])


def are_many(tiles: int) -> bool:
    """Whether what so many tiles share is written once for all of them; few ones are compiled one by one."""
    return tiles >= LOOPED


def many_equal(length: int, tile: int) -> bool:
    """Whether `length` lines are many tiles of one size."""
    return length % tile == 0 and are_many(length // tile)


def map_tiles(
    function: Callable[[Array], PyTree], planes: Float[Array, "planes rows columns"], tile: tuple[int, int]
) -> PyTree[Float[Array, "planes rows columns"]]:
    """`function` of each tile of each plane; that of tiles of one size compiles once.

    It may give several arrays of the tile's shape.
    """
    rows, columns = cuts(planes.shape[1], tile[0]), cuts(planes.shape[2], tile[1])
    parts = {(i, j): planes[:, r, c] for i, r in enumerate(rows) for j, c in enumerate(columns)}
    by_shape: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for place, part in parts.items():
        by_shape.setdefault(part.shape, []).append(place)
    for places in by_shape.values():
        together = jnp.concatenate([parts[place] for place in places])
        mapped = _each(function, together)
        for place, start in zip(places, range(0, together.shape[0], planes.shape[0]), strict=True):
            own = slice(start, start + planes.shape[0])
            parts[place] = jax.tree.map(lambda a, own=own: a[own], mapped)
    lines = [
        jax.tree.map(lambda *a: jnp.concatenate(a, 2), *(parts[i, j] for j in range(len(columns))))
        for i in range(len(rows))
    ]
    return jax.tree.map(lambda *a: jnp.concatenate(a, 1), *lines)


def _each(function: Callable[[Array], PyTree], tiles: Float[Array, "tiles rows columns"]) -> PyTree:
    """`function` of each of the `tiles`; large ones are in a processor's cache one after the other only."""
    in_turn = jax.default_backend() == "cpu" and tiles.shape[1] * tiles.shape[2] >= LARGE
    return jax.lax.map(function, tiles) if in_turn else jax.vmap(function)(tiles)


def each_row_tile(
    function: Callable[[Any, Any, Array | None], Array],
    drive: Any,
    cells: Any,
    tiles: list[slice],
    keys: Key[Array, " tiles"] | None,
) -> list[Array]:
    """`function` of each row tile's part of `drive` and `cells`, and of its key, if any; many equal tiles compile once.

    Word lines, each with as many neighbours as it has terms, are on the last axis of what is in `drive`, and on the
    last but one of what is in `cells`.
    """
    if len(tiles) == 1:
        return [function(drive, cells, None if keys is None else keys[0])]
    size, inputs = tiles[0].stop, tiles[-1].stop
    looped = inputs // size if are_many(inputs // size) else 0

    def part(axis: int, tile: slice) -> Callable[[Array], Array]:
        def of(values: Array) -> Array:
            terms = values.shape[axis] // inputs
            return jax.lax.slice_in_dim(values, tile.start * terms, tile.stop * terms, axis=axis)

        return of

    found: list[Array] = []
    if looped:
        whole = slice(0, looped * size)
        lines, rows = jax.tree.map(part(-1, whole), drive), jax.tree.map(part(-2, whole), cells)
        equal = _stacked(lines, looped, -1), _stacked(rows, looped, -2), None if keys is None else keys[:looped]
        found = list(jax.lax.map(lambda each: function(*each), equal))
    for k in range(looped, len(tiles)):
        own_drive, own_cells = jax.tree.map(part(-1, tiles[k]), drive), jax.tree.map(part(-2, tiles[k]), cells)
        found.append(function(own_drive, own_cells, None if keys is None else keys[k]))
    return found


def _stacked(values: PyTree, tiles: int, axis: int) -> PyTree:
    """Arrays with equal `tiles` side by side on a (negative) `axis`, as arrays with the tiles on a first axis."""

    def of(one: Array) -> Array:
        place = one.ndim + axis
        shape = (*one.shape[:place], tiles, one.shape[place] // tiles, *one.shape[place + 1 :])
        return jnp.moveaxis(one.reshape(shape), place, 0)

    return jax.tree.map(of, values)


def spread_rows(values: Shaped[Array, "row_tiles columns"], rows: int, tile: int) -> Shaped[Array, "rows columns"]:
    """One value a row tile, repeated for each of its `rows`."""
    return jnp.repeat(
        values, jnp.asarray([cut.stop - cut.start for cut in cuts(rows, tile)]), 0, total_repeat_length=rows
    )


def times(tile: slice, factor: int) -> slice:
    """Rows of a tile in a matrix with `factor` rows for each word line."""
    return tile if tile == slice(None) else slice(tile.start * factor, tile.stop * factor)
