"""Converters whose effects are switched by numbers, so that they compile once with and without them."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from .._tiles import TileNumber
from ._adc import AbstractADC, FullScale
from ._codes import largest_code
from ._dac import AbstractDAC

Switch = Bool[Array, ""]


class SwitchedDAC(AbstractDAC):
    """`dac`, in whose codes all values are: also those that are not rounded, or go beyond its range.

    **Arguments:**

    - `dac`: With all of its effects.
    - `converts`: Whether it rounds and has its errors; of several pulses it must.
    - `saturates`: Whether it clips.
    """

    dac: AbstractDAC
    converts: Switch
    saturates: Switch

    @property
    def bits(self) -> int | None:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.dac.bits

    @property
    def input_range(self) -> float | Float[Array, ""]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.dac.input_range

    @property
    def half_code(self) -> float | Float[Array, ""]:
        return jnp.where(self.converts, self.dac.half_code, 0.0)

    @property
    def alike(self) -> bool:
        return self.dac.alike

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
        return _switched(x / self.step, self.dac.codes(x), self)

    def pulses(self, codes: Float[Array, "*batch lines"]) -> list[Float[Array, "*batch lines"]]:
        pulses = self.dac.pulses(codes)
        return pulses if len(pulses) > 1 else [jnp.where(self.converts, pulses[0], codes)]

    def fabricate(self, lines: int, *, key: Key[Array, ""]) -> "SwitchedDAC":
        return switched_dac(self.dac.fabricate(lines, key=key), self.converts, self.saturates)


class SwitchedADC(AbstractADC):
    """`adc`, in whose codes all values are: also those that are not rounded, or go beyond its full scale.

    **Arguments:** as for `SwitchedDAC`.
    """

    adc: AbstractADC
    converts: Switch
    saturates: Switch

    @property
    def bits(self) -> int | None:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.adc.bits

    @property
    def full_scale(self) -> FullScale:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.adc.full_scale

    @property
    def half_code(self) -> float | Float[Array, ""]:
        return jnp.where(self.converts, self.adc.half_code, 0.0)

    @property
    def needs_key(self) -> bool:
        return self.adc.needs_key

    @property
    def in_loops(self) -> bool:
        return self.adc.in_loops

    def codes(
        self, current: Float[Array, "*batch lines"], tile: TileNumber = 0, *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "*batch lines"]:
        return _switched(current, self.adc.codes(current, tile, key=key), self)

    def fabricate(self, shape: tuple[int, int], *, key: Key[Array, ""]) -> "SwitchedADC":
        return switched_adc(self.adc.fabricate(shape, key=key), self.converts, self.saturates)


def switched_dac(dac: AbstractDAC, converts: Switch, saturates: Switch) -> SwitchedDAC:
    return SwitchedDAC(dac=dac, converts=converts, saturates=saturates)  # pyright: ignore[reportCallIssue]


def switched_adc(adc: AbstractADC, converts: Switch, saturates: Switch) -> SwitchedADC:
    return SwitchedADC(adc=adc, converts=converts, saturates=saturates)  # pyright: ignore[reportCallIssue]


def _switched(scaled: Array, codes: Array, converter: SwitchedDAC | SwitchedADC) -> Array:
    """The `codes` for `scaled`, or what an ideal converter makes of it in the same unit."""
    largest = largest_code(converter.bits)
    inside = jnp.where(converter.converts, codes, jnp.clip(scaled, -largest, largest))
    outside = scaled if converter.bits is None else jnp.where(converter.converts, jnp.round(scaled), scaled)
    return jnp.where(converter.saturates | (jnp.abs(scaled) <= largest), inside, outside)
