"""Where a matrix larger than one array is cut into tiles."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree, Shaped

TileNumber = int | Int[Array, ""]

LOOPED = 16  # equal tiles from which a loop takes less time than one by one, with a draw for each

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


def spread_rows(values: Shaped[Array, "row_tiles columns"], rows: int, tile: int) -> Shaped[Array, "rows columns"]:
    """One value a row tile, repeated for each of its `rows`."""
    return jnp.repeat(
        values, jnp.asarray([cut.stop - cut.start for cut in cuts(rows, tile)]), 0, total_repeat_length=rows
    )
