"""A ramp converter."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from device_models._draws import normal

from ..._checks import at_least, check, plain, whole
from .._tiles import TileNumber
from ._adc import FULL_SCALE, AbstractADC, FullScale
from ._capacitors import MISMATCH, drawn_weights, nominal_weights
from ._codes import straight_through


class Ramp(AbstractADC):
    """Every bit line has a comparator; all share one ramp, and the code is the step at which it first crosses.

    Sign first, then the magnitude, which is rounded half up. Mismatch may make the ramp fall at a carry; a comparator
    has crossed before, so the curve stays monotone.

    **Arguments:**

    - `bits`: From 2 to 12, sign included.
    - `full_scale`: As for `ADC`.
    - `mismatch`: Relative standard deviation of a unit capacitor of the ramp.
    - `comparator_offset`: Standard deviation over bit lines, in codes.
    - `columns_per_ramp`: Bit lines that share a ramp.
    - `weights`: Codes of each capacitor on one chip, shape (row_tiles, ramps, bits - 1); `fabricate` draws them. Until
      then the capacitors are exact.
    - `offsets`: Of the comparators on one chip, in codes, shape (row_tiles, lines), likewise.

    Reference: Spear2023.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> ramp = ms.Ramp(6, comparator_offset=0.5).fabricate((1, 256), key=jr.key(0))
    >>> print(f"{ramp.offsets.std():.1f}", ms.Ramp(6).codes(jnp.array([5.6, 300.0])))
    0.5 [ 6. 31.]
    """

    bits: int = eqx.field(static=True, converter=plain)
    full_scale: FullScale = 10.0
    mismatch: float = 0.0
    comparator_offset: float = 0.0
    columns_per_ramp: int = eqx.field(static=True, converter=plain, default=256)
    weights: Float[Array, "row_tiles ramps magnitude_bits"] | None = None
    offsets: Float[Array, "row_tiles lines"] | None = None

    def __check_init__(self):
        check(
            self,
            bits=whole(2, most=12),
            full_scale=FULL_SCALE,
            mismatch=MISMATCH,
            comparator_offset=at_least(0.0, "in codes"),
            columns_per_ramp=whole(1),
        )

    @property
    def in_loops(self) -> bool:
        return True

    def codes(
        self, current: Float[Array, "*batch lines"], tile: TileNumber = 0, *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "*batch lines"]:
        seen = current
        if self.offsets is not None:
            seen = current + jnp.broadcast_to(self.offsets[tile], current.shape)
        steps = self._steps(tile, current)
        count = jax.vmap(partial(jnp.searchsorted, side="right"), in_axes=(0, -1), out_axes=-1)
        code = count(steps, jnp.abs(seen) + 0.5).astype(current.dtype)
        return straight_through(current, jnp.sign(seen) * code, self.bits)

    def _steps(self, tile: TileNumber, current: Array) -> Float[Array, "lines steps"]:
        """What the ramp has reached at most, at each step after zero, for the comparator of each line."""
        lines = current.shape[-1]
        weights = jnp.asarray(nominal_weights(self.bits), current.dtype)[None]
        if self.weights is not None:
            weights = self.weights[tile]
        ramp = jnp.matmul(weights, jnp.asarray(_binary(self.bits), current.dtype), precision="highest")
        highest = jax.lax.cummax(ramp, axis=1)
        if self.weights is None:
            return jnp.broadcast_to(highest, (lines, highest.shape[1]))
        return jnp.repeat(highest, self.columns_per_ramp, axis=0)[:lines]

    def fabricate(self, shape: tuple[int, int], *, key: Key[Array, ""]) -> "Ramp":
        row_tiles, lines = shape
        capacitor_key, comparator_key = jr.split(key)
        ramps = -(-lines // self.columns_per_ramp)
        weights = drawn_weights((row_tiles, ramps), self.bits, self.mismatch, key=capacitor_key)
        offsets = self.comparator_offset * normal(comparator_key, shape)
        return Ramp(
            self.bits,
            self.full_scale,
            self.mismatch,
            self.comparator_offset,
            self.columns_per_ramp,
            weights,
            offsets,
        )


def _binary(bits: int) -> Float[np.ndarray, "magnitude_bits steps"]:
    """Which capacitors are switched at each step after zero."""
    steps = np.arange(1, 2 ** (bits - 1))
    return (steps[None] >> np.arange(bits - 1)[:, None] & 1).astype(float)
