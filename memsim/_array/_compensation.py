"""Digital correction of conductance drift."""

import math
from typing import Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from .._checks import Checked, check, each, fraction, plain, whole
from ._converters._adc import AbstractADC
from ._converters._codes import is_clipped
from ._matrix import AnalogMatrix
from ._tiles import are_many, cuts, spread_rows, tile_mean

SEARCH = 1  # folded into the key of the measurement, so that its draws stay as they are
FEW = 8  # patterns of one step of the search
QUIETER = 5  # steps of half the amplitude, where one word line alone clips
CLIPPED, ZERO = 1e-3, 0.03  # shares of the codes that a search lets be so; drift makes more of them zero


class Drive(NamedTuple):
    """Word lines that a pattern drives in each row tile, and the share of full input that it drives them with."""

    lines: Int[Array, "*steps row_tiles"]
    amplitude: Float[Array, "*steps row_tiles"]


class Measured(Checked):
    """What drift compensation compares with: what it found at the end of programming, or the ideal.

    **Arguments:**

    - `level`: Of each bit line, or of its tile or layer, shape (row_tiles, columns).
    - `drive`: How patterns are driven; `None` where all lines are, with the amplitude of the design.
    """

    level: Float[Array, "row_tiles columns"]
    drive: Drive | None


class PatternCodes(NamedTuple):
    """How the ADC reads the patterns of drift compensation: shares of all codes, for each row tile.

    `clipped` ones lie beyond its range, and `zero` ones are less than half a step. The factor is wrong where the first
    is not small, or the second is near one.
    """

    clipped: Float[Array, " row_tiles"]
    zero: Float[Array, " row_tiles"]


class GlobalDriftCompensation(Checked):
    r"""One factor a tile, bit line or layer, $\alpha = m(0) / m(t)$, multiplied in after the ADC.

    The level $m$ is measured at the end of programming and again at time t. What the factor cannot mend is the spread
    of the drift exponents, and each `measure` sees that spread otherwise:

    - "patterns": The mean output magnitude $\overline{|I|}$ for fixed patterns of full positive and negative inputs,
      read through the tile's own converters and read noise. It follows the root of the squares of the weights, so it
      loses less than their sum where exponents differ, and the weights come out a little small.
    - "identity": The same for one word line at a time, $\overline{|w|}$, as the field's reference code reads it. Cells
      near zero, which drift faster and whose noise counts as a magnitude, pull the factor up.
    - "summed current": The sum of all cells of a tile, those that stand for zero included, with all word lines at one
      voltage, and measured without error. It is the published measure, and further up.

    The bias, for normal weights of 256 x 256 clipped at 2.5 standard deviations, on pairs of cells, without read noise
    and converters: the slope of what is presented against the weights, relative to that at t = 0, after one year and
    after ten. Measured with these functions.

    | cells | "patterns" | "identity" | "summed current" |
    |---|---|---|---|
    | `pcm_joshi2020` | 0.992, 0.989 | 1.005, 1.006 | 1.016, 1.017 |
    | `pcm_hermes1` | 0.979, 0.970 | 1.089, 1.107 | 1.112, 1.132 |
    | `pcm_hermes2` | 0.982, 0.974 | 1.089, 1.107 | 1.100, 1.120 |

    Patterns are scaled to the ADC when a chip is programmed, each row tile for itself, and stay so. Where more than one
    code in a thousand clips, the number of word lines that a pattern drives is halved until it does not: fewer lines,
    not lower inputs, because bit-serial inputs are full in every pulse, and coarse ones have nothing below. Where more
    than 3 % of the codes are zero, the amplitude is doubled, up to full input, because what is less than a step of the
    ADC reads too small. `Chip.compensation_codes(t)` says how the ADC reads the patterns.

    After the ADC is where chips multiply. It also means that drift relieves a clipping ADC, so look at the clipping of
    the data before calling a rising accuracy robust. Stuck cells, which do not drift, spoil the factor. A tile in which
    nothing is measured keeps its scale.

    **Arguments:**

    - `patterns`: Number of patterns; the error of the factor falls as its root.
    - `amplitude`: Of the inputs of patterns at first, as a share of full input.
    - `measure`: "patterns", "identity" or "summed current".
    - `per`: One factor a "tile", one a "bit line" of each tile, or one for the whole "layer".
    - `reference`: What is taken for $m(0)$: the level measured when the array was "written"; or the "ideal" one, which
      cells on their targets would give, without wires, noise and amplifiers, through an ideal ADC. It is computed, and
      with it the factor mends a gain that writing or wires have given, also at t = 0.

    Reference: Joshi2020 for one factor and the summed current; Rasch2023 for the identity.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> w = jnp.ones((8, 64))
    >>> def gain(compensation):
    ...     matrix = ms.Crossbar(dm.pcm_joshi2020(), compensation=compensation).deploy(w, 86400.0, key=jr.key(0))
    ...     return round(matrix.effective_weight.mean().item(), 1)
    >>> gain(None), gain(ms.GlobalDriftCompensation())
    (0.7, 1.0)
    """

    patterns: int = eqx.field(static=True, converter=plain, default=32)
    amplitude: float = eqx.field(static=True, converter=plain, default=1.0)
    measure: Literal["patterns", "identity", "summed current"] = eqx.field(static=True, default="patterns")
    per: Literal["tile", "bit line", "layer"] = eqx.field(static=True, default="tile")
    reference: Literal["written", "ideal"] = eqx.field(static=True, default="written")

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
        drive = None
        if self.measure == "patterns" and matrix.adc is not None:
            drive = self._scaled_to_adc(matrix, None if key is None else jr.fold_in(key, SEARCH))
        return Measured(self._level(matrix, cells, columns, drive, key), drive)

    def against(
        self, start: Measured, ideal: AnalogMatrix, cells: Float[Array, "rows columns"], columns: int
    ) -> Measured:
        """`start` with the level that an `ideal` array would give; other arguments as for `start`, of that array."""
        return Measured(self._level(ideal, cells, columns, start.drive, None), start.drive)

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
        now = self._level(matrix, cells, columns, start.drive, key)
        known = (start.level > 0) & (now > 0)
        return jnp.where(known, start.level / jnp.where(known, now, 1.0), 1.0)

    def codes(self, start: Measured, matrix: AnalogMatrix, *, key: Key[Array, ""] | None) -> PatternCodes:
        """How the ADC of `matrix` reads the patterns."""
        return _codes(matrix, self._inputs(matrix, self.patterns, start.drive), key)

    def _level(
        self, matrix: AnalogMatrix, cells: Array, columns: int, drive: Drive | None, key: Array | None
    ) -> Float[Array, "row_tiles columns"]:
        tiles = cuts(matrix.inputs, matrix.sums.rows)
        if self.measure == "summed current":
            lines = [jnp.sum(cells[tile], axis=0) for tile in tiles]
        else:
            parts = matrix.partial_sums(self._inputs(matrix, self.patterns, drive), key=key)
            if self.measure == "identity":
                parts = [part[: tile.stop - tile.start] for part, tile in zip(parts, tiles, strict=True)]
            if are_many(len(parts)) and self.measure == "patterns":
                lines = jnp.mean(jnp.abs(jnp.stack(parts)), axis=1)
            else:
                lines = [jnp.mean(jnp.abs(part), axis=0) for part in parts]
        level = jnp.stack(lines) if isinstance(lines, list) else lines
        if self.per == "layer":
            return jnp.broadcast_to(jnp.mean(level), level.shape)
        return tile_mean(level, columns) if self.per == "tile" else level

    def _scaled_to_adc(self, matrix: AnalogMatrix, key: Array | None) -> Drive:
        """The drive nearest to all word lines at `amplitude` for which codes neither clip nor vanish."""
        steps, first = self._steps(matrix)
        found = jax.lax.map(lambda drive: _codes(matrix, self._inputs(matrix, FEW, drive), key), steps)
        fits, seen = found.clipped <= CLIPPED, found.zero <= ZERO
        order = jnp.arange(fits.shape[0])[:, None]
        weaker = jnp.min(jnp.where(fits & (order >= first), order, fits.shape[0] - 1), axis=0)
        # Of the stronger ones, in which the least is zero: the weakest that is seen, or the strongest that fits.
        stronger = jnp.where(fits & (order < first), order, weaker[None])
        enough = jnp.max(jnp.where(seen & fits & (order < first), order, -1), axis=0)
        louder = jnp.where(enough >= 0, enough, jnp.min(stronger, axis=0))
        quiet = (weaker == first) & fits[first] & ~seen[first]
        chosen = jnp.where(quiet, louder, weaker)[None]
        return Drive(*(jnp.take_along_axis(values, chosen, axis=0)[0] for values in steps))

    def _steps(self, matrix: AnalogMatrix) -> tuple[Drive, int]:
        """Drives from the strongest to the weakest, and which of them is all word lines at `amplitude`."""
        lines = np.array([tile.stop - tile.start for tile in cuts(matrix.inputs, matrix.sums.rows)])
        doublings, halvings = math.ceil(math.log2(1 / self.amplitude)), int(lines.max()).bit_length()
        steps = [(min(self.amplitude * 2.0**n, 1.0), lines) for n in range(doublings, 0, -1)]
        steps += [(self.amplitude, -(-lines // 2**n)) for n in range(halvings)]
        steps += [(self.amplitude / 2**n, np.ones_like(lines)) for n in range(1, QUIETER + 1)]
        amplitude = np.array([amplitude for amplitude, _ in steps])[:, None] * np.ones(len(lines))
        driven = np.stack([driven for _, driven in steps])
        return Drive(jnp.asarray(driven), jnp.asarray(amplitude, matrix.weight.dtype)), doublings

    def _inputs(self, matrix: AnalogMatrix, patterns: int, drive: Drive | None) -> Float[Array, "patterns inputs"]:
        """Fixed patterns are part of the procedure, like test vectors in a chip's memory: no key."""
        tiles, dtype = cuts(matrix.inputs, matrix.sums.rows), matrix.weight.dtype
        if self.measure == "identity":
            place = np.concatenate([np.arange(tile.stop - tile.start) for tile in tiles])
            return jnp.asarray(np.equal.outer(np.arange(place.max() + 1), place), dtype) * matrix.input_range
        signs = jnp.asarray(np.random.default_rng(0).integers(0, 2, (patterns, matrix.inputs)) * 2.0 - 1.0, dtype)
        if drive is None:
            return self.amplitude * signs * matrix.input_range
        chance = np.random.default_rng(1).random((patterns, matrix.inputs))
        ranks = np.concatenate([np.argsort(np.argsort(chance[:, tile], axis=1), axis=1) for tile in tiles], axis=1)
        lines, amplitude = (spread_rows(values[:, None], matrix.inputs, matrix.sums.rows).T for values in drive)
        return jnp.where(jnp.asarray(ranks, lines.dtype) < lines, amplitude * signs, 0.0) * matrix.input_range


def _codes(matrix: AnalogMatrix, x: Array, key: Array | None) -> PatternCodes:
    currents, adc = matrix.currents(x, key=key), matrix.adc
    if adc is None:
        return PatternCodes(jnp.zeros(len(currents)), jnp.zeros(len(currents)))
    living = None if matrix.sums.dead is None else ~matrix.sums.dead
    if are_many(len(currents)):
        return jax.vmap(lambda current, live: _of_tile(adc, current, live))(jnp.stack(currents), living)
    live = [None] * len(currents) if living is None else list(living)
    found = [_of_tile(adc, current, line) for current, line in zip(currents, live, strict=True)]
    return jax.tree.map(lambda *shares: jnp.stack(shares), *found)


def _of_tile(adc: AbstractADC, current: Array, live: Bool[Array, " columns"] | None) -> PatternCodes:
    """The shares of one row tile."""
    clipped = _share(is_clipped(current, adc.bits, adc.half_code), live)
    return PatternCodes(clipped, _share(jnp.abs(current) < adc.half_code, live))


def _share(found: Bool[Array, "n columns"], live: Bool[Array, " columns"] | None) -> Float[Array, ""]:
    """Of the codes of `live` bit lines, those that were `found`."""
    if live is None:
        return jnp.mean(found, dtype=float)
    counted = jnp.sum(found & live[None])
    return counted / jnp.maximum(jnp.sum(live) * found.shape[0], 1)
