"""What row tiles give one by one or added up; many equal ones in a loop, which compiles one of them."""

import operator
from collections.abc import Callable
from functools import partial, reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key, PyTree

from ._tiles import are_many
from ._word_lines import RowsProduct, rows_alone

OfTile = Callable[..., Array]  # (product, drive, cells, number, key): of one row tile
Parts = tuple[Any, Any, Any, Any]  # of the drive and of the cells, number and key of a tile; or of several, stacked


class RowTiles(NamedTuple):
    """The row tiles of a read.

    Word lines, each with as many neighbours as it has terms, are on the last axis of what is in `drive`, and on the
    last but one of what is in `cells`. Of the patches of an image `product` finds the rows of a tile itself.

    **Arguments:**

    - `product`: Of what word lines carry with cells.
    - `drive`, `cells`: Of all tiles.
    - `tiles`: Word lines of each.
    - `keys`: Of each; `None` where nothing is drawn.
    - `in_loops`: Whether a tile can be told by a traced number.
    """

    product: RowsProduct
    drive: PyTree[Array]
    cells: PyTree[Array]
    tiles: list[slice]
    keys: Key[Array, " tiles"] | None
    in_loops: bool

    def each(self, of_tile: OfTile) -> list[Array]:
        """What `of_tile` makes of each tile's part of the drive and the cells, its number and its key."""
        count, of_part = self._looped, partial(of_tile, jnp.matmul)
        if self.product is not rows_alone:
            return [of_tile(partial(self.product, rows=tile), *self._whole(k)) for k, tile in enumerate(self.tiles)]
        found = list(jax.lax.map(lambda one: of_part(*one), self._stacked(count))) if count else []
        return found + [of_part(*self._part(k)) for k in range(count, len(self.tiles))]

    def sum(self, of_tile: OfTile) -> Array:
        """The sum of `each`, in the order of the tiles; in a loop none but the sum is kept."""
        count, of_part = self._looped, partial(of_tile, jnp.matmul)
        if not count:
            return reduce(operator.add, self.each(of_tile))

        def add(total: Array, one: Parts) -> tuple[Array, None]:
            return total + of_part(*one), None

        first = jax.eval_shape(of_part, *self._part(0))
        total, _ = jax.lax.scan(add, jnp.zeros(first.shape, first.dtype), self._stacked(count))
        for k in range(count, len(self.tiles)):
            total = total + of_part(*self._part(k))
        return total

    @property
    def _looped(self) -> int:
        """How many tiles, the first ones, are equal and many; half as many are where nothing is drawn."""
        if len(self.tiles) == 1 or not self.in_loops or self.product is not rows_alone:
            return 0
        equal = self.tiles[-1].stop // self.tiles[0].stop
        return equal if are_many(2 * equal if self.keys is None else equal) else 0

    def _whole(self, k: int) -> Parts:
        return self.drive, self.cells, k, None if self.keys is None else self.keys[k]

    def _part(self, k: int) -> Parts:
        """What belongs to tile `k`."""
        drive, cells, _, key = self._whole(k)
        if len(self.tiles) == 1:
            return drive, cells, k, key
        tile, inputs = self.tiles[k], self.tiles[-1].stop

        def rows(values: Array, axis: int) -> Array:
            terms = values.shape[axis] // inputs
            return jax.lax.slice_in_dim(values, tile.start * terms, tile.stop * terms, axis=axis)

        return jax.tree.map(partial(rows, axis=-1), drive), jax.tree.map(partial(rows, axis=-2), cells), k, key

    def _stacked(self, count: int) -> Parts:
        """What belongs to each of the first `count` tiles, which are equal, with the tiles on a first axis."""

        def stacked(values: Array, axis: int) -> Array:
            place = values.ndim + axis
            size = self.tiles[0].stop * (values.shape[place] // self.tiles[-1].stop)
            whole = jax.lax.slice_in_dim(values, 0, count * size, axis=place)
            return jnp.moveaxis(whole.reshape(*whole.shape[:place], count, size, *whole.shape[place + 1 :]), place, 0)

        drive, cells = (jax.tree.map(partial(stacked, axis=a), of) for a, of in ((-1, self.drive), (-2, self.cells)))
        return drive, cells, jnp.arange(count), None if self.keys is None else self.keys[:count]
