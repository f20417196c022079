"""How signed weights become conductances."""

from typing import Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._tiles import cuts, spread_rows, tile_mean


class DifferentialPair(eqx.Module):
    r"""Two cells a weight: $w = s\,(G^+ - G^-) / (g_\mathrm{max} - g_\mathrm{min})$.

    A positive weight is written to $G^+$ and a negative one to $G^-$; the partner's target is `g_min`, and it is
    written too, with its own noise and its own drift. The scale $s$ is the largest weight magnitude of a bit line
    within its tile ("column") or of the whole tile ("tile").

    **Arguments:**

    - `scale`: "column" or "tile".
    """

    scale: Literal["column", "tile"] = eqx.field(static=True, default="column")

    def __check_init__(self):
        if self.scale not in ("column", "tile"):
            raise ValueError(f'`scale` must be "column" or "tile". Got {self.scale!r}.')

    def scales(self, w: Float[Array, "rows columns"], tile: tuple[int, int]) -> Float[Array, "row_tiles columns"]:
        """The scale of each bit line in each row tile; a column of zeros has scale one."""
        largest = jnp.stack([jnp.max(jnp.abs(w[cut]), axis=0) for cut in cuts(w.shape[0], tile[0])])
        if self.scale == "tile":
            largest = tile_mean(largest, tile[1], jnp.max)
        return jnp.where(largest > 0, largest, 1.0)

    def targets(
        self, w: Float[Array, "rows columns"], scales: Float[Array, "row_tiles columns"], rows: int, g_min, g_max
    ) -> Float[Array, "2 rows columns"]:
        """Target conductances of the positive and the negative cells, in siemens."""
        relative = w / spread_rows(scales, w.shape[0], rows)
        pair = jnp.stack([jnp.maximum(relative, 0.0), jnp.maximum(-relative, 0.0)])
        return g_min + (g_max - g_min) * pair

    def relative_weights(self, g: Float[Array, "2 rows columns"], g_min, g_max) -> Float[Array, "rows columns"]:
        """The weight that the conductances present, in units of its scale."""
        return (g[0] - g[1]) / (g_max - g_min)

    def relative_variance(self, std: Float[Array, "2 rows columns"], g_min, g_max) -> Float[Array, "rows columns"]:
        """Variance of the presented weight when the cells fluctuate by `std` siemens, in units of its scale squared."""
        relative = std / (g_max - g_min)  # divided before squaring: siemens squared are below float32's precision floor
        return relative[0] ** 2 + relative[1] ** 2
