"""What the word lines of an array carry for an input: its codes, pulse by pulse."""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._converters._codes import is_clipped
from ._converters._dac import AbstractDAC
from ._converters._drive import AbstractDrive, ramped_drive
from ._read_noise import Felt, felt_in_spikes, felt_in_time, felt_slowly

RowsProduct = Callable[..., Array]  # (lines, weight, rows=): what word lines carry with the cells of some rows


def rows_alone(
    lines: Float[Array, "n rows"], weight: Float[Array, "rows columns"], *, rows: slice
) -> Float[Array, "n columns"]:
    """Of one row of `lines` for each read."""
    return lines[:, rows] @ weight[rows]


class WordLines(eqx.Module):
    """The side of an array where inputs come in.

    **Arguments:**

    - `dac`: The converter, or `None` for an ideal one.
    - `drive`: What the word lines of cells with a nonlinear I-V carry; `None` for ohmic cells.
    """

    dac: AbstractDAC | None
    drive: AbstractDrive | None = None

    @property
    def terms(self) -> int:
        """Rows of the matrix that belong to one word line."""
        return 1 if self.drive is None else self.drive.size

    @property
    def alike(self) -> bool:
        """Whether a word line carries the same as any other would for its input."""
        return self.drive is None and (self.dac is None or self.dac.alike)

    @property
    def input_range(self) -> float | Float[Array, ""]:
        """Full input."""
        return 1.0 if self.dac is None else self.dac.input_range

    @property
    def codes_per_input(self) -> float | Float[Array, ""]:
        return 1.0 if self.dac is None else 1 / self.dac.step

    @property
    def significance(self) -> tuple[float, ...]:
        """What each pulse of an input counts in the sum of them."""
        return (1.0,) if self.dac is None else self.dac.significance

    def codes(self, x: Float[Array, "n inputs"]) -> Float[Array, "n inputs"]:
        """The input codes of `x`."""
        return x if self.dac is None else self.dac.codes(x)

    def pulses(self, codes: Float[Array, "n inputs"]) -> Float[Array, "pulses_n rows"]:
        """What drives the rows of the matrix; several pulses of an input one after the other."""
        pulses = [codes] if self.dac is None else self.dac.pulses(codes)
        lines = pulses[0] if len(pulses) == 1 else jnp.concatenate(pulses)
        return lines if self.drive is None else self.drive(lines)

    def clipped(self, x: Float[Array, "*batch inputs"], dtype: jnp.dtype) -> Float[Array, ""]:
        """Share of the inputs that the DAC clips."""
        if self.dac is None:
            return jnp.zeros(())
        return jnp.mean(is_clipped(x / self.dac.step, self.dac.bits, self.dac.half_code), dtype=dtype)

    def felt(self, lines: Float[Array, "n rows"], white: bool) -> Felt:
        """What read noise meets of these pulses, by the coding of the inputs; `white` noise is so within a read."""
        if not white or (self.dac is not None and not self.dac.fixed_voltage):
            return felt_slowly(lines, self.terms)
        if self.dac is None:
            return felt_in_spikes(lines, self.terms)
        return felt_in_time(lines, self.terms, self.dac.largest_pulse)

    def per_input(self, weight: Float[Array, "rows columns"]) -> Float[Array, "rows columns"]:
        """What rows of this `weight` are worth at full input, in units of x."""
        if self.drive is not None:
            lines = weight.shape[0] // self.terms
            weight = weight * jnp.tile(self.drive.at_full_input, lines)[:, None]
        return weight if self.dac is None else weight / self.dac.step

    def ramped(self, strength: Float[Array, ""]) -> "WordLines":
        """With a share of what the drive of nonlinear cells differs from that of ohmic ones."""
        return self if self.drive is None else WordLines(self.dac, ramped_drive(self.drive, strength))
