"""What digital logic makes of the codes of an array's converters."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Shaped

from ._tiles import TileNumber, cuts, spread_rows


class DigitalSum(eqx.Module):
    """The side of an array where outputs leave: codes get their worth, pulses and slices are shifted and added.

    **Arguments:**

    - `scale`: Output per ADC code, drift compensation included, shape (row_tiles, columns); `None` where row tiles are
      summed before any converter.
    - `rows`: Word lines of one tile.
    - `slices`: Groups of columns that are added up.
    - `of_codes`: Output for one input code that is added, or `None`.
    - `dead`: Bit lines of zeros: their codes are not added, and count in the gradient only.
    """

    scale: Float[Array, "row_tiles columns"] | None
    rows: int = eqx.field(static=True)
    slices: int = eqx.field(static=True, default=1)
    of_codes: Float[Array, "inputs outputs"] | None = None
    dead: Bool[Array, "row_tiles columns"] | None = None

    def tiles(self, inputs: int) -> list[slice]:
        """Word lines of each row tile; all of them where tiles are one product."""
        return [slice(None)] if self.scale is None else cuts(inputs, self.rows)

    def worth(self, codes: Float[Array, "pulses_n columns"], tile: TileNumber) -> Float[Array, "pulses_n columns"]:
        """What the `codes` of a row tile are worth, in weight times input units."""
        if self.scale is None:
            return codes
        worth = codes * self.scale[tile][None]
        return worth if self.dead is None else silenced(worth, self.dead[tile][None])

    def shifted(
        self, parts: Float[Array, "pulses_n columns"], significance: tuple[float, ...]
    ) -> Float[Array, "n outputs"]:
        """The pulses of each input, of that `significance`, and the slices of each weight, shifted and added."""
        if len(significance) == self.slices == 1:
            return parts
        each = parts.reshape(len(significance), -1, self.slices, parts.shape[1] // self.slices)
        return jnp.einsum("p,pnsj->nj", jnp.asarray(significance, parts.dtype), each, precision="highest")

    def living(self, weight: Float[Array, "rows columns"], inputs: int) -> Float[Array, "rows columns"]:
        """`weight` without its dead lines."""
        return weight if self.dead is None else silenced(weight, self.on_rows(self.dead, inputs, weight.shape[0]))

    def on_rows(
        self, values: Shaped[Array, "row_tiles columns"], inputs: int, rows: int
    ) -> Shaped[Array, "rows columns"]:
        """One value for each row tile, given to each of the `rows` of its word lines, of which there are `inputs`."""
        return jnp.repeat(spread_rows(values, inputs, self.rows), rows // inputs, axis=0)

    def without_slices(self, values: Float[Array, "rows columns"]) -> Float[Array, "rows outputs"]:
        """The slices of each column added up."""
        return values if self.slices == 1 else values.reshape(values.shape[0], self.slices, -1).sum(1)

    @property
    def live_scale(self) -> Float[Array, "row_tiles columns"]:
        assert self.scale is not None
        return self.scale if self.dead is None else jnp.where(self.dead, 0.0, self.scale)


def silenced(values: Float[Array, "*shape"], dead: Bool[Array, "*_"]) -> Float[Array, "*shape"]:
    """`values`, zero on dead lines; their gradient is as if they were not."""
    return values - jax.lax.stop_gradient(jnp.where(jnp.broadcast_to(dead, values.shape), values, 0.0))
