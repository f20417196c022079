"""Digital-to-analog and analog-to-digital converters: symmetric, saturating, straight through in the gradient."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


class DAC(eqx.Module):
    """Drives the word lines: clips to `input_range`, rounds to signed codes.

    With `bits` there are 2**bits - 1 codes, so that zero is one of them. No converter at all is `dac=None`; clipping
    without rounding is `bits=None`.

    **Arguments:**

    - `bits`: At least 2, or `None` for no rounding. Spikes are one code and need no DAC.
    - `input_range`: Largest input magnitude, in the units of the layer's input. As an array it takes part in training.
    """

    bits: int | None = eqx.field(static=True)
    input_range: float | Float[Array, ""] = 1.0

    def __check_init__(self):
        _check_bits("DAC", self.bits)
        _check_positive("input_range", self.input_range)

    @property
    def step(self) -> float | Float[Array, ""]:
        """Input per code."""
        return self.input_range / largest_code(self.bits)

    def codes(self, x: Float[Array, "*batch"]) -> Float[Array, "*batch"]:
        return to_codes(x / self.step, self.bits)


class ADC(eqx.Module):
    """Reads the bit lines of one tile: clips to the full scale, rounds to signed codes.

    The full scale is a current, that of `full_scale` cells at `g_max` driven at full input. The default of 10 is that
    of Rasch2023's standard evaluation point; `memsim.calibrate` finds a better one for each layer from data.

    **Arguments:**

    - `bits`: At least 2, or `None` for no rounding.
    - `full_scale`: In units of one fully-on cell at full input.
    """

    bits: int | None = eqx.field(static=True)
    full_scale: float | Float[Array, ""] = 10.0

    def __check_init__(self):
        _check_bits("ADC", self.bits)
        _check_positive("full_scale", self.full_scale)

    @property
    def step(self) -> float | Float[Array, ""]:
        """Fully-on cells per code."""
        return self.full_scale / largest_code(self.bits)

    def codes(self, current: Float[Array, "*batch"]) -> Float[Array, "*batch"]:
        return to_codes(current, self.bits)


def largest_code(bits: int | None) -> int:
    """Codes run from minus to plus this; without rounding the range itself is the unit."""
    return 1 if bits is None else 2 ** (bits - 1) - 1


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def to_codes(scaled: Float[Array, "*batch"], bits: int | None) -> Float[Array, "*batch"]:
    """Clips to the code range and rounds half to even; the gradient is one inside the range and zero outside."""
    clipped = jnp.clip(scaled, -largest_code(bits), largest_code(bits))
    return clipped if bits is None else jnp.round(clipped)


@to_codes.defjvp
def _to_codes_jvp(bits, primals, tangents):
    # By hand, so that the backward pass keeps one comparison instead of those of clip, minimum and maximum.
    inside = jnp.abs(primals[0]) <= largest_code(bits)
    return to_codes(primals[0], bits), jnp.where(inside, tangents[0], jnp.zeros_like(tangents[0]))


def is_clipped(scaled: Float[Array, "*batch"], bits: int | None) -> Bool[Array, "*batch"]:
    """Which values, in units of one code, lie outside the code range."""
    return jnp.abs(scaled) > largest_code(bits) + (0 if bits is None else 0.5)


def _check_bits(name: str, bits: int | None) -> None:
    if bits is not None and (bits != int(bits) or not 2 <= bits <= 24):
        raise ValueError(
            f"`bits` of a signed {name} must be a whole number from 2 to 24, or None for no rounding. Got bits={bits}. "
            f"For no converter at all leave the {name} out."
        )


def _check_positive(name: str, value: float | Array) -> None:
    if isinstance(value, int | float) and not 0 < value < float("inf"):
        raise ValueError(f"`{name}` must be positive and finite. Got {name}={value}.")
