"""What every mapping of signed weights onto conductances promises."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Literal, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from ..._checks import Checked
from .._tiles import largest_in_tiles, tile_mean

Scale = Literal["tensor", "tile", "column"]


class Fluctuation(NamedTuple):
    """Variance of the presented weights: of cells of their own, and of cells that all bit lines of a tile share."""

    own: Float[Array, "slices rows columns"]
    shared: Float[Array, "slices rows column_tiles"] | None


class AbstractMapping(Checked):
    """Signed weights as the cells of one or more arrays, and what the bit lines of these arrays say together.

    A weight is first divided by its scale, so that it lies in [-1, 1], and the mapping gives the state of each cell as
    a fraction of the way from `g_min` to `g_max`. Cells come as (planes, rows, lines), where a plane is an array of its
    own. Presented weights are linear in the conductances and come as (slices, rows, columns): every slice has
    converters of its own, and the digital sum of the slices, each times one of `weights`, is the weight. `columns` is
    the number of bit lines of a tile that hold weights.

    >>> import memsim as ms
    >>> sliced = ms.BitSliced(ms.OffsetColumn(), bits_per_cell=2, slices=4)
    >>> isinstance(sliced, ms.extend.AbstractMapping), [round(weight / sliced.weights[0]) for weight in sliced.weights]
    (True, [1, 4, 16, 64])
    """

    scale: eqx.AbstractVar[Scale]

    def scales(self, w: Float[Array, "rows columns"], tile: tuple[int, int]) -> Float[Array, "row_tiles columns"]:
        """The largest weight magnitude of each bit line in each row tile, of the tile, or of all tiles."""
        largest = largest_in_tiles(w, tile[0])
        if self.scale == "tile":
            largest = tile_mean(largest, tile[1], jnp.max)
        if self.scale == "tensor":
            largest = jnp.full_like(largest, jnp.max(largest))
        return jnp.where(largest > 0, largest, 0.0)  # weights of zero pass no gradient to their scale

    @abstractmethod
    def reach(self, levels: int | None) -> tuple[float, float]:
        """Where in the range of a cell the fractions 0 and 1 lie, itself from 0 to 1.

        Of cells with so many equally spaced `levels` it is chosen such that weights of 0, 1 and -1 are levels. Raises
        `ValueError` where they are too few.
        """

    @property
    @abstractmethod
    def weights(self) -> tuple[float, ...]:
        """Weight of one fully-on cell in each slice, in units of the scale."""

    @property
    def middle(self) -> tuple[float, ...] | None:
        """The fraction that stands for zero in each slice and is subtracted in digital; `None` if nothing is."""
        return None

    @abstractmethod
    def fractions(self, w: Float[Array, "rows columns"], columns: int) -> Float[Array, "planes rows lines"]:
        """The state of each cell for weights in [-1, 1]: 0 for `g_min`, 1 for `g_max`."""

    @abstractmethod
    def behind(
        self, wires: Callable[[Array], PyTree], g: Float[Array, "planes rows lines"], tile: tuple[int, int]
    ) -> PyTree[Float[Array, "planes rows lines"]]:
        """The conductances as seen through the `wires` of each tile, of one slice, or of all of them.

        Or whatever else `wires` says of a tile, in one or several arrays of its shape.
        """

    @abstractmethod
    def presented(self, g: Float[Array, "planes rows lines"], columns: int) -> Float[Array, "slices rows columns"]:
        """What reaches the converter of each bit line, in the units of `g`."""

    @abstractmethod
    def fluctuation(self, variance: Float[Array, "planes rows lines"], columns: int) -> Fluctuation:
        """Variance of the presented weights, where that of each cell is `variance`."""


def nonzero(scales: Float[Array, "row_tiles columns"]) -> Float[Array, "row_tiles columns"]:
    """What weights are divided by: their scale, and one where that is zero."""
    return jnp.where(scales > 0, scales, 1.0)
