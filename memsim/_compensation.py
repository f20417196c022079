"""Digital correction of conductance drift."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from ._checks import Checked, check, each, fraction, plain, whole
from ._matrix import AnalogMatrix
from ._tiles import tile_mean


class GlobalDriftCompensation(Checked):
    r"""One factor a tile, $\alpha = \overline{|I(0)|} / \overline{|I(t)|}$, multiplied in after the ADC.

    Both means are measured through the array itself, as a chip would: `patterns` fixed patterns of full-range positive
    and negative inputs are read with the tile's own converters and read noise, at the end of programming and again at
    time t. After the ADC is where chips do it (a digital multiplication); it also means that drift relieves a clipping
    ADC, so look at the clipping before calling a rising accuracy robust. The pattern inputs use the ADC's range far
    better than one word line at a time would. Where the full scale is calibrated for data that drive the array less
    than these patterns do, they clip, and the factor is wrong: lower the `amplitude`. Stuck cells, which do not drift,
    spoil it, too. What the factor cannot mend is the spread of the drift exponents.

    **Arguments:**

    - `patterns`: Number of patterns; the error of the factor falls as its root.
    - `amplitude`: Of their inputs, as a share of full input.

    Reference: Joshi2020.
    """

    patterns: int = eqx.field(static=True, converter=plain, default=32)
    amplitude: float = eqx.field(static=True, converter=plain, default=1.0)

    def __check_init__(self):
        check(
            self,
            patterns=whole(1, hint="For no compensation use None."),
            amplitude=each(fraction(zero=False), "a share of full input, in (0, 1]"),
        )

    def measure(
        self, matrix: AnalogMatrix, columns: int, *, key: Key[Array, ""] | None
    ) -> Float[Array, "row_tiles columns"]:
        """Mean output magnitude of each tile, repeated over its columns."""
        # Fixed patterns are part of the procedure, like a test vector in a chip's memory: no key.
        signs = np.random.default_rng(0).integers(0, 2, (self.patterns, matrix.inputs)) * 2.0 - 1.0
        x = jnp.asarray(self.amplitude * signs, matrix.weight.dtype) * matrix.input_range
        parts = matrix.partial_sums(x, key=key)
        magnitude = jnp.stack([jnp.mean(jnp.abs(part), axis=0) for part in parts])
        return tile_mean(magnitude, columns)
