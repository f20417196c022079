"""Analog-to-digital converters: how the current of a bit line becomes a code."""

from abc import abstractmethod
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from device_models._draws import uniform

from ..._checks import Checked, check, plain, positive, whole
from .._tiles import TileNumber
from ._codes import half_code, largest_code, straight_through, to_codes
from ._errors import ConverterErrors, TransferCurves

FullScale = float | Float[Array, ""] | Float[Array, " slices"] | None
FULL_SCALE = positive("in units of one fully-on cell at full input")


class AbstractADC(Checked):
    """Reads the bit lines of one tile: clips to the full scale, rounds to signed codes.

    The full scale is a current, that of `full_scale` cells at `g_max` driven at full input: one number, one for each
    slice of a `BitSliced` mapping, or `None` for the most a tile can carry, all its word lines fully on.

    A converter of your own has the fields `bits` and `full_scale` and writes `codes`; the rest has a default.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> class Comparator(ms.extend.AbstractADC):
    ...     bits: int = 2
    ...     full_scale: float = 1.0
    ...     def codes(self, current, tile=0, *, key=None):
    ...         return jnp.sign(current)
    >>> matrix = ms.Crossbar(dm.Ideal(), adc=Comparator()).deploy([[1.0], [-1.0]], 0.0, key=jr.key(0))
    >>> print(jnp.sign(matrix(jnp.array([0.3]))))
    [ 1. -1.]
    """

    bits: eqx.AbstractVar[int | None]
    full_scale: eqx.AbstractVar[FullScale]

    def cells_per_code(self, word_lines: int) -> float | Array:
        """Fully-on cells per code, in a tile of so many word lines; one number, or one a slice."""
        full_scale = float(word_lines) if self.full_scale is None else self.full_scale
        return full_scale / largest_code(self.bits)

    def check_slices(self, slices: int) -> None:
        """Raises `ValueError` where a full scale for each slice goes with another number of slices."""
        shape = () if self.full_scale is None else np.shape(self.full_scale)
        if shape not in ((), (slices,)):
            raise ValueError(
                f"`full_scale` must be one number, or one for each slice of the mapping, of which there are {slices}. "
                f"Got shape {shape}."
            )

    @property
    def half_code(self) -> float | Float[Array, ""]:
        """By how much a value is rounded at most, in codes."""
        return half_code(self.bits)

    @property
    def needs_key(self) -> bool:
        """Whether a conversion is random."""
        return False

    @property
    def in_loops(self) -> bool:
        """Whether `codes` takes the number of its tile as a traced integer, so that many tiles compile as one."""
        return False

    @abstractmethod
    def codes(
        self, current: Float[Array, "*batch lines"], tile: TileNumber = 0, *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "*batch lines"]:
        """The codes of `current`, in units of one code, on the bit lines of row tile `tile`."""

    def fabricate(self, shape: tuple[int, int], *, key: Key[Array, ""]) -> "AbstractADC":
        """The converters of one chip, `shape` being (row tiles, bit lines); itself where chance decides nothing."""
        return self


class ADC(AbstractADC):
    """Equal steps.

    The default full scale of 10 is that of Rasch2023's standard evaluation point; `memsim.calibrate` finds a better one
    for each layer from data.

    **Arguments:**

    - `bits`: At least 2, or `None` for no rounding.
    - `full_scale`: In units of one fully-on cell at full input; one number, one a slice, or `None` for the most a tile
      can carry. As an array it takes part in training.
    - `rounding`: "nearest" (half to even), or "stochastic": up with the probability of the fraction, drawn from the
      key of the read.
    - `errors`: Spread over bit lines, or `None`.

    >>> import jax.numpy as jnp, memsim as ms
    >>> print(ms.ADC(8).codes(jnp.array([0.4, 5.6, 300.0])))  # currents in steps of the converter
    [  0.   6. 127.]
    """

    bits: int | None = eqx.field(static=True, converter=plain)
    full_scale: FullScale = 10.0
    rounding: Literal["nearest", "stochastic"] = eqx.field(static=True, default="nearest")
    errors: ConverterErrors | TransferCurves | None = None

    def __check_init__(self):
        check(
            self,
            bits=whole(2, most=24, hint="None is no rounding. For no converter at all leave the ADC out."),
            full_scale=FULL_SCALE,
        )
        if self.rounding == "stochastic" and self.bits is None:
            raise ValueError('Stochastic rounding must have `bits`. Got bits=None. Give bits, or choose "nearest".')

    @property
    def needs_key(self) -> bool:
        return self.rounding == "stochastic"

    @property
    def in_loops(self) -> bool:
        return True

    def codes(
        self,
        current: Float[Array, "*batch lines"],
        tile: TileNumber = 0,
        *,
        key: Key[Array, ""] | None = None,
    ) -> Float[Array, "*batch lines"]:
        if isinstance(self.errors, TransferCurves):
            curves = jax.tree.map(lambda values: values[tile], self.errors)
            current = curves(current, largest_code(self.bits))
        if self.bits is None or not self.needs_key:
            return to_codes(current, self.bits)
        if key is None:
            raise ValueError('Stochastic rounding needs `key=`. Got none. Pass one, or choose rounding="nearest".')
        inside = jnp.clip(current, -largest_code(self.bits), largest_code(self.bits))
        up = uniform(key, current.shape, current.dtype)
        return straight_through(current, jnp.floor(inside + up), self.bits)

    def fabricate(self, shape: tuple[int, int], *, key: Key[Array, ""]) -> "ADC":
        if not isinstance(self.errors, ConverterErrors):
            return self
        return ADC(self.bits, self.full_scale, self.rounding, self.errors.fabricate(shape, key=key))
