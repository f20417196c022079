"""What row tiles give one by one or added up; many equal ones in a loop, which compiles one of them."""

import operator
from collections.abc import Callable
from functools import partial, reduce
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key, PyTree

from ._tiles import are_many
from ._word_lines import RowsProduct, rows_alone

OfTile = Callable[..., Array]  # (product, drive, cells, number, key): of one row tile
Parts = tuple[Any, Any, Any, Any]  # of the drive and of the cells, number and key of a tile; or of several, stacked


def each_row_tile(
    of_tile: OfTile,
    product: RowsProduct,
    drive: PyTree[Array],
    cells: PyTree[Array],
    tiles: list[slice],
    keys: Key[Array, " tiles"] | None,
    looped: bool = True,
) -> list[Array]:
    """`of_tile` of each row tile's part of `drive` and `cells`, its number and its key, if any.

    Word lines, each with as many neighbours as it has terms, are on the last axis of what is in `drive`, and on the
    last but one of what is in `cells`. Of the patches of an image `product` finds the rows of a tile itself.
    """
    if product is not rows_alone:
        return _of_patches(of_tile, product, drive, cells, tiles, keys)
    count = _looped(tiles, keys) if looped else 0
    found: list[Array] = []
    if count:
        found = list(jax.lax.map(lambda one: of_tile(jnp.matmul, *one), _stacked(drive, cells, tiles, keys, count)))
    for k in range(count, len(tiles)):
        found.append(of_tile(jnp.matmul, *_part(drive, cells, tiles, keys, k)))
    return found


def sum_of_row_tiles(
    of_tile: OfTile,
    product: RowsProduct,
    drive: PyTree[Array],
    cells: PyTree[Array],
    tiles: list[slice],
    keys: Key[Array, " tiles"] | None,
    looped: bool = True,
) -> Array:
    """The sum of `each_row_tile`, in the order of the tiles; in a loop none but the sum is kept."""
    count = _looped(tiles, keys) if looped and product is rows_alone else 0
    if not count:
        return reduce(operator.add, each_row_tile(of_tile, product, drive, cells, tiles, keys, looped=False))

    def add(total: Array, one: Parts) -> tuple[Array, None]:
        return total + of_tile(jnp.matmul, *one), None

    first = jax.eval_shape(partial(of_tile, jnp.matmul), *_part(drive, cells, tiles, keys, 0))
    start = jnp.zeros(first.shape, first.dtype)
    total, _ = jax.lax.scan(add, start, _stacked(drive, cells, tiles, keys, count))
    for k in range(count, len(tiles)):
        total = total + of_tile(jnp.matmul, *_part(drive, cells, tiles, keys, k))
    return total


def _of_patches(
    of_tile: OfTile, product: RowsProduct, drive: Any, cells: Any, tiles: list[slice], keys: Array | None
) -> list[Array]:
    of_rows = [partial(product, rows=tile) for tile in tiles]
    return [of_tile(one, drive, cells, k, None if keys is None else keys[k]) for k, one in enumerate(of_rows)]


def _looped(tiles: list[slice], keys: Array | None) -> int:
    """How many tiles, the first ones, are equal and many; half as many are where nothing is drawn."""
    if len(tiles) == 1:
        return 0
    equal = tiles[-1].stop // tiles[0].stop
    return equal if are_many(2 * equal if keys is None else equal) else 0


def _part(drive: Any, cells: Any, tiles: list[slice], keys: Array | None, k: int) -> Parts:
    """What belongs to tile `k`."""
    key = None if keys is None else keys[k]
    if len(tiles) == 1:
        return drive, cells, k, key

    def rows(values: Array, axis: int) -> Array:
        terms = values.shape[axis] // tiles[-1].stop
        return jax.lax.slice_in_dim(values, tiles[k].start * terms, tiles[k].stop * terms, axis=axis)

    return jax.tree.map(partial(rows, axis=-1), drive), jax.tree.map(partial(rows, axis=-2), cells), k, key


def _stacked(drive: Any, cells: Any, tiles: list[slice], keys: Array | None, count: int) -> Parts:
    """What belongs to each of the first `count` tiles, which are equal, with the tiles on a first axis."""

    def stacked(values: Array, axis: int) -> Array:
        place = values.ndim + axis
        size = tiles[0].stop * (values.shape[place] // tiles[-1].stop)
        whole = jax.lax.slice_in_dim(values, 0, count * size, axis=place)
        return jnp.moveaxis(whole.reshape(*whole.shape[:place], count, size, *whole.shape[place + 1 :]), place, 0)

    of_drive, of_cells = (jax.tree.map(partial(stacked, axis=axis), of) for axis, of in ((-1, drive), (-2, cells)))
    return of_drive, of_cells, jnp.arange(count), None if keys is None else keys[:count]
