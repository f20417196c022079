"""Converters that do not saturate: what they would say if their codes went on for ever."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from .._tiles import TileNumber
from ._adc import AbstractADC, FullScale
from ._codes import largest_code
from ._dac import AbstractDAC


class UnlimitedDAC(AbstractDAC):
    """`dac` with codes beyond its input range.

    **Arguments:**

    - `dac`: The one that saturates.
    """

    dac: AbstractDAC

    @property
    def bits(self) -> int | None:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.dac.bits

    @property
    def input_range(self) -> float | Float[Array, ""]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.dac.input_range

    @property
    def significance(self) -> tuple[float, ...]:
        return self.dac.significance

    @property
    def largest_pulse(self) -> int:
        return self.dac.largest_pulse

    @property
    def fixed_voltage(self) -> bool:
        return self.dac.fixed_voltage

    def codes(self, x: Float[Array, "*batch"]) -> Float[Array, "*batch"]:
        return _beyond(x / self.step, self.dac.codes(x), self.bits)

    def pulses(self, codes: Float[Array, "*batch lines"]) -> list[Float[Array, "*batch lines"]]:
        return self.dac.pulses(codes)

    def fabricate(self, lines: int, *, key: Key[Array, ""]) -> "UnlimitedDAC":
        return unlimited_dac(self.dac.fabricate(lines, key=key))


class UnlimitedADC(AbstractADC):
    """`adc` with codes beyond its full scale.

    **Arguments:**

    - `adc`: The one that saturates.
    """

    adc: AbstractADC

    @property
    def bits(self) -> int | None:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.adc.bits

    @property
    def full_scale(self) -> FullScale:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.adc.full_scale

    @property
    def needs_key(self) -> bool:
        return self.adc.needs_key

    @property
    def in_loops(self) -> bool:
        return self.adc.in_loops

    def codes(
        self, current: Float[Array, "*batch lines"], tile: TileNumber = 0, *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "*batch lines"]:
        return _beyond(current, self.adc.codes(current, tile, key=key), self.bits)

    def fabricate(self, shape: tuple[int, int], *, key: Key[Array, ""]) -> "UnlimitedADC":
        return unlimited_adc(self.adc.fabricate(shape, key=key))


def unlimited_dac(dac: AbstractDAC) -> UnlimitedDAC:
    """`dac` without saturation, also where it has none."""
    return dac if isinstance(dac, UnlimitedDAC) else UnlimitedDAC(dac=dac)  # pyright: ignore[reportCallIssue]


def unlimited_adc(adc: AbstractADC) -> UnlimitedADC:
    """`adc` without saturation, also where it has none."""
    return adc if isinstance(adc, UnlimitedADC) else UnlimitedADC(adc=adc)  # pyright: ignore[reportCallIssue]


def _beyond(scaled: Array, codes: Array, bits: int | None) -> Array:
    """`codes` within the range, and rounded values outside, with a gradient of one."""
    outside = scaled if bits is None else scaled + jax.lax.stop_gradient(jnp.round(scaled) - scaled)
    return jnp.where(jnp.abs(scaled) > largest_code(bits), outside, codes)
