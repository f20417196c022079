"""Converters whose number of levels is an array: one compiled function for all numbers of bits."""

import dataclasses
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

import device_models as dm
import memsim as ms
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


class Converters(NamedTuple):
    """Converters of all layers, by path; with a leading axis, of many designs."""

    dac: dict[str, VariableDAC]
    adc: dict[str, VariableADC]

    @classmethod
    def of(cls, model, profile, ranges: ms.extend.AbstractRanges, bits, full_scale: float | None = None):
        """Converters with `bits` (ADC, DAC; `None` is no converter), their ranges found from the data `profile`.

        **Arguments:**

        - `full_scale`: In place of those found for ADCs.
        """
        design = ms.Crossbar(dm.Ideal(), adc=ms.ADC(bits[0]), dac=ms.DAC(bits[1]), compensation=None)
        found = ms.calibrate(model, profile, design, ranges=ranges)
        assert isinstance(found, ms.nn.PerLayer)
        dacs, adcs = {}, {}
        for path, ranged in found.designs.items():
            assert ranged is not None and ranged.dac is not None and ranged.adc is not None
            word_lines = jnp.shape(ms.nn.analog_layers(model)[path].weight)[1]
            # A full scale of None is all word lines of a tile fully on.
            whole = full_scale or ranged.adc.full_scale or min(ranged.tile[0], word_lines)
            input_range = jnp.asarray(ranged.dac.input_range, float)
            dacs[path] = VariableDAC(largest=largest(bits[1]), input_range=input_range)
            adcs[path] = VariableADC(largest=largest(bits[0]), full_scale=jnp.asarray(whole, float))
        return cls(dacs, adcs)

    def in_(self, crossbar: ms.Crossbar) -> ms.nn.PerLayer:
        """A design with these converters in each layer."""
        paths = self.adc.keys()
        return ms.nn.PerLayer(
            {path: dataclasses.replace(crossbar, dac=self.dac[path], adc=self.adc[path]) for path in paths}
        )


def largest(bits: int | None) -> Float[Array, ""]:
    """Codes run from minus to plus this; zero is no converter."""
    return jnp.asarray(0.0 if bits is None else 2.0 ** (bits - 1) - 1)
