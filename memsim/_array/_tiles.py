"""Where a matrix larger than one array is cut into tiles."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree, Shaped


def cuts(length: int, tile: int) -> list[slice]:
    """Slices of at most `tile` lines that cover `length` lines; the last may be smaller."""
    return [slice(start, min(start + tile, length)) for start in range(0, length, tile)]


def tile_mean(
    values: Float[Array, "row_tiles columns"], columns: int, reduce: Callable[..., Array] = jnp.mean
) -> Float[Array, "row_tiles columns"]:
    """`values` with every column replaced by the mean (or `reduce`) of the columns of its tile."""
    parts = [
        jnp.broadcast_to(reduce(values[:, cut], axis=1, keepdims=True), values[:, cut].shape)
        for cut in cuts(values.shape[1], columns)
    ]
    return jnp.concatenate(parts, axis=1)


def map_tiles(
    function: Callable[[Array], PyTree], planes: Float[Array, "planes rows columns"], tile: tuple[int, int]
) -> PyTree[Float[Array, "planes rows columns"]]:
    """`function` of each tile of each plane; tiles of one size are mapped together, so that it compiles once.

    It may give several arrays of the tile's shape.
    """
    rows, columns = cuts(planes.shape[1], tile[0]), cuts(planes.shape[2], tile[1])
    parts = {(i, j): planes[:, r, c] for i, r in enumerate(rows) for j, c in enumerate(columns)}
    by_shape: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for place, part in parts.items():
        by_shape.setdefault(part.shape, []).append(place)
    for places in by_shape.values():
        together = jnp.concatenate([parts[place] for place in places])
        mapped = jax.vmap(function)(together)
        for place, start in zip(places, range(0, together.shape[0], planes.shape[0]), strict=True):
            own = slice(start, start + planes.shape[0])
            parts[place] = jax.tree.map(lambda a, own=own: a[own], mapped)
    lines = [
        jax.tree.map(lambda *a: jnp.concatenate(a, 2), *(parts[i, j] for j in range(len(columns))))
        for i in range(len(rows))
    ]
    return jax.tree.map(lambda *a: jnp.concatenate(a, 1), *lines)


def spread_rows(values: Shaped[Array, "row_tiles columns"], rows: int, tile: int) -> Shaped[Array, "rows columns"]:
    """One value a row tile, repeated for each of its `rows`."""
    return jnp.repeat(
        values, jnp.asarray([cut.stop - cut.start for cut in cuts(rows, tile)]), 0, total_repeat_length=rows
    )
