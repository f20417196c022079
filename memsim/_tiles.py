"""Where a matrix larger than one array is cut into tiles."""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float


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
    function: Callable[[Array], Array], matrix: Float[Array, "rows columns"], tile: tuple[int, int]
) -> Float[Array, "rows columns"]:
    """`function` applied to each tile of `matrix`."""
    rows, columns = cuts(matrix.shape[0], tile[0]), cuts(matrix.shape[1], tile[1])
    if len(rows) == len(columns) == 1:
        return function(matrix)
    return jnp.block([[function(matrix[r, c]) for c in columns] for r in rows])


def spread_rows(values: Float[Array, "row_tiles columns"], rows: int, tile: int) -> Float[Array, "rows columns"]:
    """One value a row tile, repeated for each of its `rows`."""
    return jnp.repeat(
        values, jnp.asarray([cut.stop - cut.start for cut in cuts(rows, tile)]), 0, total_repeat_length=rows
    )
