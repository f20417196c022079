"""Digital correction of conductance drift."""

from typing import Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from ._checks import Checked, check, each, fraction, plain, whole
from ._converters._codes import is_clipped
from ._matrix import AnalogMatrix
from ._tiles import cuts, spread_rows, tile_mean

SEARCH = 1  # folded into the key of the measurement, so that its draws stay as they are
FEW = 8  # patterns of one step of the search
TOLERATED = 1e-3  # share of codes beyond the range of the ADC


class Measured(Checked):
    """What drift compensation found at the end of programming.

    **Arguments:**

    - `level`: Of each bit line, or of its tile, shape (row_tiles, columns).
    - `driven`: Word lines that a pattern drives in each row tile; `None` where it drives all.
    """

    level: Float[Array, "row_tiles columns"]
    driven: Int[Array, " row_tiles"] | None


class PatternCodes(NamedTuple):
    """How the ADC reads the patterns of drift compensation: shares of all codes, for each row tile.

    `clipped` ones lie beyond its range, and `zero` ones are less than half a step. The factor is wrong where the first
    is not small, or the second is near one.
    """

    clipped: Float[Array, " row_tiles"]
    zero: Float[Array, " row_tiles"]


class GlobalDriftCompensation(Checked):
    r"""One factor a tile, $\alpha = m(0) / m(t)$, multiplied in after the ADC.

    The level $m$ is measured at the end of programming and again at time t. What the factor cannot mend is the spread
    of the drift exponents, and each `measure` sees that spread otherwise:

    - "patterns": The mean output magnitude $\overline{|I|}$ for fixed patterns of full positive and negative inputs,
      read through the tile's own converters and read noise. It follows the root of the squares of the weights, so it
      loses less than their sum where exponents differ, and the weights come out a little small.
    - "identity": The same for one word line at a time, $\overline{|w|}$, as the field's reference code reads it. Cells
      near zero, which drift faster and whose noise counts as a magnitude, pull the factor up.
    - "summed current": The sum of all cells of a tile, those that stand for zero included, with all word lines at one
      voltage, and measured without error. It is the published measure, and further up.

    The bias, for normal weights of 256 x 256 on pairs of cells, no read noise, no converters: the slope of what is
    presented against the weights, relative to that at t = 0, after one year and after ten.

    | cells | "patterns" | "identity" | "summed current" |
    |---|---|---|---|
    | `pcm_joshi2020` | 0.992, 0.989 | 1.005, 1.006 | 1.016, 1.017 |
    | `pcm_hermes1` | 0.979, 0.970 | 1.089, 1.107 | 1.112, 1.132 |
    | `pcm_hermes2` | 0.982, 0.974 | 1.089, 1.107 | 1.100, 1.120 |

    Patterns are scaled to the ADC when a chip is programmed: the number of word lines that a pattern drives is halved
    until no more than one code in a thousand clips, each row tile for itself, and it stays so. Fewer lines, and not
    lower inputs, because bit-serial inputs are full in every pulse, and coarse ones have nothing below. How the ADC
    reads the patterns is `Chip.compensation_codes(t)`.

    After the ADC is where chips multiply. It also means that drift relieves a clipping ADC, so look at the clipping of
    the data before calling a rising accuracy robust. Stuck cells, which do not drift, spoil the factor. A tile in which
    nothing is measured keeps its scale.

    **Arguments:**

    - `patterns`: Number of patterns; the error of the factor falls as its root.
    - `amplitude`: Of the inputs, as a share of full input, on all word lines; the ADC may then clip, or see less than a
      step. `None` drives as many lines as the ADC can read.
    - `measure`: "patterns", "identity" or "summed current".
    - `per`: One factor a "tile", or one a "bit line" of each tile.

    Reference: Joshi2020 for one factor and the summed current; Rasch2023 for the identity.
    """

    patterns: int = eqx.field(static=True, converter=plain, default=32)
    amplitude: float | None = eqx.field(static=True, converter=plain, default=None)
    measure: Literal["patterns", "identity", "summed current"] = eqx.field(static=True, default="patterns")
    per: Literal["tile", "bit line"] = eqx.field(static=True, default="tile")

    def __check_init__(self):
        check(
            self,
            patterns=whole(1, hint="For no compensation use None."),
            amplitude=each(fraction(zero=False), "a share of full input, in (0, 1]"),
        )

    def start(
        self, matrix: AnalogMatrix, cells: Float[Array, "rows columns"], columns: int, *, key: Key[Array, ""] | None
    ) -> Measured:
        """The measurement at the end of programming.

        **Arguments:**

        - `matrix`: What the array presents, its row tiles apart.
        - `cells`: Summed conductance of the cells of each weight, in siemens.
        - `columns`: Bit lines of one tile that hold weights.
        - `key`: Of the read noise.
        """
        driven = None
        if self.measure == "patterns" and self.amplitude is None and matrix.adc is not None:
            driven = self._most_driven(matrix, None if key is None else jr.fold_in(key, SEARCH))
        return Measured(self._level(matrix, cells, columns, driven, key), driven)

    def factor(
        self,
        start: Measured,
        matrix: AnalogMatrix,
        cells: Float[Array, "rows columns"],
        columns: int,
        *,
        key: Key[Array, ""] | None,
    ) -> Float[Array, "row_tiles columns"]:
        """By what the outputs of an array as it is now are multiplied; arguments as for `start`."""
        now = self._level(matrix, cells, columns, start.driven, key)
        known = (start.level > 0) & (now > 0)
        return jnp.where(known, start.level / jnp.where(known, now, 1.0), 1.0)

    def codes(self, start: Measured, matrix: AnalogMatrix, *, key: Key[Array, ""] | None) -> PatternCodes:
        """How the ADC of `matrix` reads the patterns."""
        return _codes(matrix, self._inputs(matrix, self.patterns, start.driven), key)

    def _level(
        self, matrix: AnalogMatrix, cells: Array, columns: int, driven: Array | None, key: Array | None
    ) -> Float[Array, "row_tiles columns"]:
        tiles = cuts(matrix.inputs, matrix.rows)
        if self.measure == "summed current":
            lines = [jnp.sum(cells[tile], axis=0) for tile in tiles]
        else:
            parts = matrix.partial_sums(self._inputs(matrix, self.patterns, driven), key=key)
            if self.measure == "identity":
                parts = [part[: tile.stop - tile.start] for part, tile in zip(parts, tiles, strict=True)]
            lines = [jnp.mean(jnp.abs(part), axis=0) for part in parts]
        level = jnp.stack(lines)
        return tile_mean(level, columns) if self.per == "tile" else level

    def _most_driven(self, matrix: AnalogMatrix, key: Array | None) -> Int[Array, " row_tiles"]:
        """The most word lines of each row tile, halved step by step, for which the ADC does not clip; one at least."""
        lines = np.array([tile.stop - tile.start for tile in cuts(matrix.inputs, matrix.rows)])
        halvings = int(lines.max()).bit_length()
        counts = jnp.asarray(np.stack([-(-lines // 2**n) for n in range(halvings)]))

        def clips(driven: Array) -> Array:
            return _codes(matrix, self._inputs(matrix, FEW, driven), key).clipped > TOLERATED

        fits = ~jax.lax.map(clips, counts)
        first = jnp.where(jnp.any(fits, axis=0), jnp.argmax(fits, axis=0), halvings - 1)
        return jnp.take_along_axis(counts, first[None], axis=0)[0]

    def _inputs(
        self, matrix: AnalogMatrix, patterns: int, driven: Int[Array, " row_tiles"] | None
    ) -> Float[Array, "patterns inputs"]:
        """Fixed patterns are part of the procedure, like test vectors in a chip's memory: no key."""
        tiles = cuts(matrix.inputs, matrix.rows)
        if self.measure == "identity":
            place = np.concatenate([np.arange(tile.stop - tile.start) for tile in tiles])
            x = np.equal.outer(np.arange(place.max() + 1), place).astype(float)
        else:
            x = np.random.default_rng(0).integers(0, 2, (patterns, matrix.inputs)) * 2.0 - 1.0
        x = jnp.asarray(x * (self.amplitude or 1.0), matrix.weight.dtype)
        if driven is not None:
            chance = np.random.default_rng(1).random((patterns, matrix.inputs))
            ranks = [np.argsort(np.argsort(chance[:, tile], axis=1), axis=1) for tile in tiles]
            most = spread_rows(driven[:, None], matrix.inputs, matrix.rows).T
            x = jnp.where(jnp.asarray(np.concatenate(ranks, axis=1)) < most, x, 0.0)
        return x * matrix.input_range


def _codes(matrix: AnalogMatrix, x: Array, key: Array | None) -> PatternCodes:
    currents, adc = matrix.currents(x, key=key), matrix.adc
    if adc is None:
        return PatternCodes(jnp.zeros(len(currents)), jnp.zeros(len(currents)))
    live = [None] * len(currents) if matrix.dead is None else list(~matrix.dead)
    clipped = [_share(is_clipped(current, adc.bits), line) for current, line in zip(currents, live, strict=True)]
    half = 0.0 if adc.bits is None else 0.5
    zero = [_share(jnp.abs(current) < half, line) for current, line in zip(currents, live, strict=True)]
    return PatternCodes(jnp.stack(clipped), jnp.stack(zero))


def _share(found: Bool[Array, "n columns"], live: Bool[Array, " columns"] | None) -> Float[Array, ""]:
    """Of the codes of `live` bit lines, those that were `found`."""
    if live is None:
        return jnp.mean(found, dtype=float)
    counted = jnp.sum(found & live[None])
    return counted / jnp.maximum(jnp.sum(live) * found.shape[0], 1)
