"""Converters whose number of levels is an array: one compiled function for all numbers of bits."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from memsim.extend import AbstractADC, AbstractDAC


class VariableADC(AbstractADC):
    """Equal steps, as `memsim.ADC`, with an array for the largest code.

    **Arguments:**

    - `largest`: Largest code; zero is no converter at all.
    - `full_scale`: As of `memsim.ADC`.
    """

    largest: Float[Array, ""]
    full_scale: Float[Array, ""]
    bits: None = eqx.field(static=True, default=None)

    def __check_init__(self):
        """In place of the one that wants bits."""

    @property
    def needs_key(self) -> bool:
        return False

    def codes(
        self, current: Float[Array, "*batch lines"], tile: int = 0, *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "*batch lines"]:
        return rounded(current, self.largest)

    def fabricate(self, shape: tuple[int, int], *, key: Key[Array, ""]) -> "VariableADC":
        return self


class VariableDAC(AbstractDAC):
    """Equal steps, as `memsim.DAC`, with an array for the largest code.

    **Arguments:**

    - `largest`: Largest code; zero is no converter at all.
    - `input_range`: As of `memsim.DAC`.
    """

    largest: Float[Array, ""]
    input_range: Float[Array, ""]
    bits: None = eqx.field(static=True, default=None)

    def __check_init__(self):
        """In place of the one that wants bits."""

    @property
    def significance(self) -> tuple[float, ...]:
        return (1.0,)

    @property
    def largest_pulse(self) -> int:
        return 1

    @property
    def fixed_voltage(self) -> bool:
        return True

    def codes(self, x: Float[Array, "*batch"]) -> Float[Array, "*batch"]:
        return rounded(x / self.step, self.largest)

    def pulses(self, codes: Float[Array, "*batch lines"]) -> list[Float[Array, "*batch lines"]]:
        return [codes]

    def fabricate(self, lines: int, *, key: Key[Array, ""]) -> "VariableDAC":
        return self


def rounded(x: Float[Array, "*batch"], largest: Float[Array, ""]) -> Float[Array, "*batch"]:
    """`x`, in units of the range, clipped to it and rounded to whole multiples of 1 / `largest`."""
    there = jnp.where(largest > 0, largest, 1.0)  # an infinite number in a chip would make its accuracy NaN
    return jnp.where(largest > 0, jnp.round(jnp.clip(x, -1.0, 1.0) * there) / there, x)
