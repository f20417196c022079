"""Two cells a weight, one for each sign."""

from collections.abc import Callable
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from .._tiles import map_tiles
from ._mapping import AbstractMapping, Fluctuation, Scale


class DifferentialPair(AbstractMapping):
    r"""Two cells a weight: $w = s\,(G^+ - G^-) / (g_\mathrm{max} - g_\mathrm{min})$.

    A positive weight is written to $G^+$ and a negative one to $G^-$; the partner's target is `g_min`, and it is
    written too, with its own noise and its own drift. The scale $s$ is the largest weight magnitude of a bit line
    within its tile ("column"), of the whole tile ("tile") or of the whole matrix ("tensor").

    **Arguments:**

    - `scale`: "column", "tile" or "tensor".
    - `arrangement`: "separate" keeps the two signs in two arrays. "interleaved" keeps them on neighbouring bit lines of
      one array, which share word lines and so the voltage that resistive wires lose; a tile then has twice as many bit
      lines as columns.

    >>> import jax.random as jr, numpy as np, device_models as dm, memsim as ms
    >>> chip = ms.Crossbar(dm.Ideal(g_max=25e-6)).program([[0.5, -1.0]], key=jr.key(0))
    >>> print(1e6 * np.asarray(chip.conductances(0.0)[..., 0]))
    [[12.5  0. ]
     [ 0.  25. ]]
    """

    scale: Scale = eqx.field(static=True, default="column")
    arrangement: Literal["separate", "interleaved"] = eqx.field(static=True, default="separate")

    @property
    def weights(self) -> tuple[float, ...]:
        return (1.0,)

    def reach(self, levels: int | None) -> tuple[float, float]:
        return 0.0, 1.0

    def fractions(self, w: Float[Array, "rows columns"], columns: int) -> Float[Array, "planes rows lines"]:
        return jnp.stack([jnp.maximum(w, 0.0), jnp.maximum(-w, 0.0)])

    def behind(
        self, wires: Callable[[Array], PyTree], g: Float[Array, "planes rows lines"], tile: tuple[int, int]
    ) -> PyTree[Float[Array, "planes rows lines"]]:
        if self.arrangement == "separate":
            return map_tiles(wires, g, tile)
        rows, columns = g.shape[1:]
        neighbours = g.reshape(-1, 2, rows, columns).transpose(0, 2, 3, 1).reshape(-1, rows, 2 * columns)
        seen = map_tiles(wires, neighbours, (tile[0], 2 * tile[1]))
        return jax.tree.map(lambda a: a.reshape(-1, rows, columns, 2).transpose(0, 3, 1, 2).reshape(g.shape), seen)

    def presented(self, g: Float[Array, "planes rows lines"], columns: int) -> Float[Array, "slices rows columns"]:
        return (g[0] - g[1])[None]

    def fluctuation(self, variance: Float[Array, "planes rows lines"], columns: int) -> Fluctuation:
        return Fluctuation((variance[0] + variance[1])[None], None)
