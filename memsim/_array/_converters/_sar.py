"""A successive-approximation converter."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ..._checks import check, plain, whole
from .._tiles import TileNumber
from ._adc import FULL_SCALE, AbstractADC, FullScale
from ._capacitors import MISMATCH, drawn_weights, nominal_weights
from ._codes import straight_through


class SAR(AbstractADC):
    """Tries the bits from the largest down, each against a capacitor; several bit lines take turns at one converter.

    Sign first, then the magnitude, which is rounded half up. Without mismatch it is the uniform `ADC`.

    **Arguments:**

    - `bits`: From 2 to 16, sign included.
    - `full_scale`: As for `ADC`.
    - `mismatch`: Relative standard deviation of a unit capacitor.
    - `columns_per_adc`: Bit lines that share one converter. Eight as in the circuits of Spear2023.
    - `weights`: Codes of each capacitor on one chip, shape (row_tiles, converters, bits - 1); `fabricate` draws them.
      Until then the capacitors are exact.

    Reference: Spear2023.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> print(ms.SAR(8).codes(jnp.array([0.4, 5.6, 300.0])))  # currents in steps of the converter
    [  0.   6. 127.]
    >>> ms.SAR(8, mismatch=0.02).fabricate((1, 16), key=jr.key(0)).weights.shape
    (1, 2, 7)
    """

    bits: int = eqx.field(static=True, converter=plain)
    full_scale: FullScale = 10.0
    mismatch: float = 0.0
    columns_per_adc: int = eqx.field(static=True, converter=plain, default=8)
    weights: Float[Array, "row_tiles converters magnitude_bits"] | None = None

    def __check_init__(self):
        check(
            self,
            bits=whole(2, most=16),
            full_scale=FULL_SCALE,
            mismatch=MISMATCH,
            columns_per_adc=whole(1),
        )

    @property
    def in_loops(self) -> bool:
        return True

    def codes(
        self, current: Float[Array, "*batch lines"], tile: TileNumber = 0, *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "*batch lines"]:
        magnitude = jnp.abs(current) + 0.5
        level, code = jnp.zeros_like(current), jnp.zeros_like(current)
        for bit in reversed(range(self.bits - 1)):
            trial = level + jnp.broadcast_to(self._capacitor(bit, tile, current), current.shape)
            kept = magnitude >= trial
            level, code = jnp.where(kept, trial, level), jnp.where(kept, code + 2.0**bit, code)
        return straight_through(current, jnp.sign(current) * code, self.bits)

    def _capacitor(self, bit: int, tile: TileNumber, current: Array) -> Array:
        """Codes of one capacitor, on every line."""
        if self.weights is None:
            return jnp.asarray(nominal_weights(self.bits)[bit], current.dtype)
        return jnp.repeat(self.weights[tile, :, bit], self.columns_per_adc)[: current.shape[-1]]

    def fabricate(self, shape: tuple[int, int], *, key: Key[Array, ""]) -> "SAR":
        row_tiles, lines = shape
        converters = -(-lines // self.columns_per_adc)
        weights = drawn_weights((row_tiles, converters), self.bits, self.mismatch, key=key)
        return SAR(self.bits, self.full_scale, self.mismatch, self.columns_per_adc, weights)
