"""One cell a weight, zero in the middle of its range."""

from collections.abc import Callable
from typing import Literal

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PyTree

from .._tiles import cuts, map_tiles
from ._mapping import AbstractMapping, Fluctuation, Scale


class OffsetColumn(AbstractMapping):
    r"""One cell a weight: $w = 2 s\,(G - G_0) / (g_\mathrm{max} - g_\mathrm{min})$, $G_0$ the middle of the range.

    Half the cells of a pair, at twice the noise of each, and a zero weight is a cell at half its range. The scale $s$
    is that of `DifferentialPair`. Of cells with an even number of levels the lowest is left out, so that zero is one:
    $g_\mathrm{min}$ is then the level above it.

    **Arguments:**

    - `scale`: "column", "tile" or "tensor".
    - `offset`: How the middle is taken off. "digital": after the ADC, exactly, from the sum of the DAC's codes; the ADC
      sees the whole current, and drift moves the matrix away from the middle that is subtracted. "column": by one
      more bit line in every tile whose cells are written to the middle; its current is subtracted before the ADC, and
      it drifts and fluctuates as other cells do, the same for all columns of the tile.

    >>> import jax.random as jr, numpy as np, device_models as dm, memsim as ms
    >>> chip = ms.Crossbar(dm.Ideal(g_max=25e-6), ms.OffsetColumn()).program([[0.0, -1.0, 1.0]], key=jr.key(0))
    >>> print(1e6 * np.asarray(chip.conductances(0.0)[..., 0]))
    [[12.5  0.  25. ]]
    """

    scale: Scale = eqx.field(static=True, default="column")
    offset: Literal["digital", "column"] = eqx.field(static=True, default="digital")

    @property
    def weights(self) -> tuple[float, ...]:
        return (2.0,)

    @property
    def middle(self) -> tuple[float, ...] | None:
        return (0.5,) if self.offset == "digital" else None

    def reach(self, levels: int | None) -> tuple[float, float]:
        if levels is None or levels % 2:
            return 0.0, 1.0
        if levels == 2:
            raise ValueError(
                "`OffsetColumn` must have cells of at least 3 levels: one is zero. Got 2 levels. Use "
                "`DifferentialPair()`, or several cells a weight, `BitSliced(OffsetColumn(), 1, slices)`."
            )
        return 1 / (levels - 1), 1.0

    def fractions(self, w: Float[Array, "rows columns"], columns: int) -> Float[Array, "planes rows lines"]:
        cells = (1 + w) / 2
        if self.offset == "digital":
            return cells[None]
        middle = jnp.full_like(w[:, :1], 0.5)
        tiles = [jnp.concatenate([cells[:, cut], middle], axis=1) for cut in cuts(w.shape[1], columns)]
        return jnp.concatenate(tiles, axis=1)[None]

    def behind(
        self, wires: Callable[[Array], PyTree], g: Float[Array, "planes rows lines"], tile: tuple[int, int]
    ) -> PyTree[Float[Array, "planes rows lines"]]:
        return map_tiles(wires, g, (tile[0], self._lines(tile[1])))

    def presented(self, g: Float[Array, "planes rows lines"], columns: int) -> Float[Array, "slices rows columns"]:
        if self.offset == "digital":
            return g
        own, reference = self._places(g.shape[-1], columns)
        return g[..., own] - g[..., reference]

    def fluctuation(self, variance: Float[Array, "planes rows lines"], columns: int) -> Fluctuation:
        if self.offset == "digital":
            return Fluctuation(variance, None)
        own, reference = self._places(variance.shape[-1], columns)
        return Fluctuation(variance[..., own], variance[..., np.unique(reference)])

    def _lines(self, columns: int) -> int:
        return columns if self.offset == "digital" else columns + 1

    def _places(self, lines: int, columns: int) -> tuple[Int[np.ndarray, " columns"], Int[np.ndarray, " columns"]]:
        """Which bit lines hold weights, and the reference of each: the last of its tile."""
        tiles = cuts(lines, self._lines(columns))
        own = np.concatenate([np.arange(cut.start, cut.stop - 1) for cut in tiles])
        return own, np.concatenate([np.full(cut.stop - 1 - cut.start, cut.stop - 1) for cut in tiles])
