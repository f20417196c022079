"""What a chip presents at one moment: a matrix behind its converters."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from .._checks import Checked, Inputs, as_inputs, check_optional_key
from ._columns import of_columns
from ._converters._adc import AbstractADC
from ._converters._codes import is_clipped
from ._fluctuation import Fluctuation
from ._read_noise import Felt, Product, ReadNoise
from ._row_tiles import RowTiles
from ._sense import Amplifiers
from ._sums import DigitalSum
from ._tiles import TileNumber
from ._word_lines import RowsProduct, WordLines, rows_alone

ROUNDING = 2  # folded into the key of a tile's noise, so that other draws leave it as it is
Drive = tuple[Array, Felt | None]  # what word lines carry, and what noise meets of it
Cells = tuple[Array, ReadNoise | None]


class Clipping(Checked):
    """Fraction of values that a converter clipped: DAC inputs, and ADC outputs of each row tile."""

    dac: Float[Array, ""]
    adc: Float[Array, " row_tiles"]


class AnalogMatrix(Checked):
    r"""A programmed matrix at one moment: `matrix(x, key=key)` is one read.

    $y = \sum_k s_k \cdot \mathrm{ADC}\big(c_k W_k + \sqrt{p_k V_k}\,\xi\big)$ with the input codes $c$ of the rows of
    tile $k$: read noise is drawn on the output, which has the law of a fresh noisy matrix for each read. Noise that
    stands still during a read, and that of voltage levels, is in proportion to the input, $p = c^2$; what is white
    within a read grows as the root of a pulse's duration, or of the number of spikes; $V$ is `noise.variance`. Without
    an ADC, and if each bit line has noise of its own, the row tiles collapse into one product. Pulses of the input, and
    slices of the weights, are converted one by one, then shifted and added.

    A read goes through the fields in their order.

    **Arguments:**

    - `word_lines`: The DAC, and what nonlinear cells are driven with.
    - `weight`: ADC codes (or, where tiles collapse, weight units) for one input code, shape (rows, columns) = (inputs,
      outputs). Of nonlinear cells each row is one term of the drive, with slices the columns of slice 0 come first.
    - `noise`: What is drawn for each read, in the same units, or `None`.
    - `fluctuation`: Read noise that moves from step to step, or `None`.
    - `amplifiers`: Offset, noise and saturation of the sense amplifiers, or `None`.
    - `adc`: The converter, or `None`.
    - `sums`: What codes are worth, and how they are added.
    - `dtype`: Of the weights it was programmed with, if narrower than the conductances. A read is computed in the dtype
      of `weight`, and has that of the digital product of weights and inputs.

    >>> import jax.numpy as jnp, memsim as ms
    >>> matrix = ms.AnalogMatrix.exact(jnp.array([[1.0, 2.0], [3.0, 4.0]]))
    >>> print(matrix(jnp.array([1.0, 0.5])), matrix.inputs)
    [2. 5.] 2
    """

    word_lines: WordLines
    weight: Float[Array, "rows columns"]
    noise: ReadNoise | None
    fluctuation: Fluctuation | None
    amplifiers: Amplifiers | None
    adc: AbstractADC | None
    sums: DigitalSum
    dtype: np.dtype | None = eqx.field(static=True, default=None)

    @classmethod
    def exact(cls, w: Float[Array, "outputs inputs"]) -> "AnalogMatrix":
        """`w` itself, without converters and noise."""
        return cls(WordLines(None), w.T, None, None, None, None, DigitalSum(None, rows=w.shape[1]))

    @property
    def inputs(self) -> int:
        """Word lines of all row tiles."""
        return self.weight.shape[0] // self.word_lines.terms

    @property
    def outputs(self) -> int:
        return self.weight.shape[1] // self.sums.slices

    @property
    def input_range(self) -> float | Float[Array, ""]:
        """Full input, in the units of x."""
        return self.word_lines.input_range

    @property
    def draws(self) -> bool:
        """Whether a read draws noise, and so needs a key."""
        return self.noise is not None or (self.amplifiers is not None and self.amplifiers.noise is not None)

    def __call__(self, x: Inputs, *, key: Key[Array, ""] | None = None) -> Float[Array, "*batch outputs"]:
        """One read of each row of `x`, independent noise for each output. Noise needs `key`."""
        x = self._inputs(x, key)
        return self._total(x, key, rows_alone).reshape(*x.shape[:-1], self.outputs)

    def __matmul__(self, x: Any) -> Float[Array, "*batch outputs_n"]:
        """One read of each column of `x`, of shape (inputs,) or (*batch, inputs, n). Noise has no key here."""
        return of_columns(self, x)

    @property
    def alike(self) -> bool:
        """Whether all word lines are driven alike, and cells fluctuate alone, so that `each_patch` fits."""
        return self.word_lines.alike and (self.noise is None or self.noise.alone)

    def each_patch(
        self, x: Float[Array, "n channels"], product: RowsProduct, *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "pixels outputs"]:
        """A read for each patch of an image of `n` pixels, whose `product` with rows of a matrix says what they meet.

        As a call with all patches, each of which would pass the DAC by itself.
        """
        check_optional_key(key)
        self._check_draws(key)
        return self._total(x, key, product)

    def _total(self, x: Array, key: Array | None, product: RowsProduct) -> Float[Array, "n outputs"]:
        total = self._row_tiles(x, key, product).sum(self._partial_sum)
        if self.sums.of_codes is not None:
            total = total + product(self._codes(x), self.sums.of_codes, rows=slice(None))
        return total.astype(self._of_outputs(x.dtype, total.dtype))

    def partial_sums(self, x: Inputs, *, key: Key[Array, ""] | None = None) -> list[Float[Array, "n outputs"]]:
        """What each row tile's converters say, in weight times input units; the batch is flattened."""
        return self._row_tiles(self._inputs(x, key), key).each(self._partial_sum)

    def currents(self, x: Inputs, *, key: Key[Array, ""] | None = None) -> list[Float[Array, "pulses_n columns"]]:
        """What meets the converters of each row tile, in ADC codes; several pulses of an input one after the other."""
        return self._row_tiles(self._inputs(x, key), key).each(self._current)

    def clipping(self, x: Inputs, *, key: Key[Array, ""] | None = None) -> Clipping:
        """How much of `x`, and of the currents it causes, the converters clip."""
        x = self._inputs(x, key)
        dac = self.word_lines.clipped(self._wide(x), self.weight.dtype)
        currents = self._row_tiles(x, key).each(self._current)
        adc = jnp.zeros(len(currents))
        if self.adc is not None:
            clipped = [is_clipped(current, self.adc.bits, self.adc.half_code) for current in currents]
            adc = jnp.stack([jnp.mean(part, dtype=self.weight.dtype) for part in clipped])
        return Clipping(dac, adc)

    def _row_tiles(self, x: Array, key: Array | None, product: RowsProduct = rows_alone) -> RowTiles:
        """What a read of `x` meets, at this moment."""
        lines = self.word_lines.pulses(self._codes(x))
        tiles = self.sums.tiles(self.inputs)
        noise = None if key is None else self.noise
        felt = None if noise is None else self.word_lines.felt(lines, noise.white)
        drawn = self.draws or (self.adc is not None and self.adc.needs_key)
        keys = jr.split(key, len(tiles)) if drawn and key is not None else None
        in_loops = self.adc is None or self.adc.in_loops
        return RowTiles(product, (lines, felt), (self.now.weight, noise), tiles, keys, in_loops)

    def _partial_sum(
        self, product: Product, drive: Drive, cells: Cells, tile: TileNumber, key: Array | None
    ) -> Float[Array, "n outputs"]:
        """What the converters of one row tile say, in weight times input units."""
        codes = self._current(product, drive, cells, tile, key)
        if self.adc is not None:
            own = None if key is None or not self.adc.needs_key else jr.fold_in(key, ROUNDING)
            codes = self.adc.codes(codes, tile, key=own)
        return self.sums.shifted(self.sums.worth(codes, tile), self.word_lines.significance)

    def _current(
        self, product: Product, drive: Drive, cells: Cells, tile: TileNumber, key: Array | None
    ) -> Float[Array, "pulses_n columns"]:
        """What meets the converters of one row tile, in ADC codes."""
        (lines, felt), (weight, noise) = drive, cells
        current = product(lines, weight)
        if noise is not None and felt is not None and key is not None:
            current = noise.on(current, felt, self.sums.slices, product, key=key)
        if self.amplifiers is None:
            return current
        return self.amplifiers.on(current, tile, None if self.adc is None else self.adc.bits, key=key)

    def _codes(self, x: Array) -> Float[Array, "n inputs"]:
        return self.word_lines.codes(self._wide(x.reshape(-1, x.shape[-1])))

    @property
    def effective_weight(self) -> Float[Array, "outputs inputs"]:
        """The weight a digital layer would need to give the mean output, drift compensation included.

        Of cells with a nonlinear I-V, that at full input. An offset of the amplifiers is no part of it.
        """
        weight = self._summed(self.sums.living(self.weight * self._weight_per_code, self.inputs))
        if self.sums.of_codes is not None:
            weight = weight + self.sums.of_codes * self.word_lines.codes_per_input
        return weight.T

    def in_codes(self, w: Float[Array, "outputs inputs"]) -> Float[Array, "rows columns"]:
        """The `weight` whose `effective_weight` is `w`: the nearest one to this, where several cells make a weight."""
        terms, slices = self.word_lines.terms, self.sums.slices
        if terms == slices == 1 and self.sums.of_codes is None:
            return w.T.astype(self.weight.dtype) / self._weight_per_code
        missing = (w.astype(self.weight.dtype) - self.effective_weight).T
        share = missing / self._summed(self._weight_per_code**2)
        spread = jnp.tile(jnp.repeat(share, terms, axis=0), (1, slices))
        return self.weight + spread * self._weight_per_code

    @property
    def now(self) -> "AnalogMatrix":
        """The matrix with its moving noise as it is at this moment."""
        return self if self.fluctuation is None else self.fluctuated(self.fluctuation.state)

    def fluctuated(self, state: Any) -> "AnalogMatrix":
        """The matrix with its moving noise as it is in `state`."""
        assert self.fluctuation is not None
        return dataclasses.replace(self, weight=self.weight + self.fluctuation.weight(state), fluctuation=None)

    def ramped(self, w: Float[Array, "outputs inputs"], strength: Float[Array, ""]) -> "AnalogMatrix":
        """The matrix with a share of all by which it deviates from `w`; only its converters stay what they are.

        Errors of the cells, nonlinear cells, read noise of every kind, offsets, noise and saturation of amplifiers grow
        from nothing at `strength` 0 to their full size at 1.
        """
        moving = self.fluctuation
        if moving is not None:
            moving = dataclasses.replace(moving, moves=jax.tree.map(lambda a: a * strength, moving.moves))
        return dataclasses.replace(
            self,
            word_lines=self.word_lines.ramped(strength),
            weight=self.weight + (1 - strength) * (self.in_codes(w) - self.weight),
            noise=None if self.noise is None else self.noise.ramped(strength),
            fluctuation=moving,
            amplifiers=None if self.amplifiers is None else self.amplifiers.ramped(strength),
        )

    @property
    def collapsed(self) -> "AnalogMatrix":
        """Its row tiles and slices in one product: only without an ADC, and if each line's noise is its own and new."""
        sums, noise, amplifiers = self.sums, self.noise, self.amplifiers
        own_noise = noise is None or (noise.shared is None and noise.crossed is None)
        if sums.scale is None or self.adc is not None or self.fluctuation is not None or not own_noise:
            return self
        weight = self.weight * sums.on_rows(sums.scale, self.inputs, self.weight.shape[0])
        weight = sums.without_slices(sums.living(weight, self.inputs))
        if noise is not None:
            squared = sums.on_rows(sums.live_scale**2, self.inputs, noise.variance.shape[0])
            noise = ReadNoise(sums.without_slices(noise.variance * squared), white=noise.white)
        if amplifiers is not None:
            assert amplifiers.offset is not None  # what else they do is in front of an ADC only
            offset = sums.without_slices(jnp.sum(amplifiers.offset * sums.live_scale, 0, keepdims=True))
            amplifiers = Amplifiers(offset)
        together = DigitalSum(None, sums.rows, of_codes=sums.of_codes)
        return AnalogMatrix(self.word_lines, weight, noise, None, amplifiers, None, together, self.dtype)

    @property
    def with_noise_apart(self) -> "AnalogMatrix":
        """Every bit line with noise of its own, at the same variance, from cells that they share."""
        if self.noise is None:
            return self
        return dataclasses.replace(self, noise=self.noise.of_each_line(self.sums.slices, self.outputs))

    @property
    def _weight_per_code(self) -> Float[Array, "rows columns"]:
        scale = jnp.ones_like(self.weight)
        if self.sums.scale is not None:
            scale = self.sums.on_rows(self.sums.scale, self.inputs, self.weight.shape[0])
        return self.word_lines.per_input(scale)

    def _summed(self, values: Float[Array, "rows columns"]) -> Float[Array, "inputs outputs"]:
        """Summed over the terms of each row and the slices of each column."""
        terms, slices = self.word_lines.terms, self.sums.slices
        if terms == slices == 1:
            return values
        return values.reshape(self.inputs, terms, slices, self.outputs).sum((1, 2))

    def _wide(self, x: Array) -> Array:
        """`x` in the precision of the conductances, or its own if that is higher."""
        return x.astype(_wider(x.dtype, self.weight.dtype))

    def _of_outputs(self, inputs: np.dtype, computed: np.dtype) -> np.dtype:
        """The dtype of a read of `inputs`: that of the digital product with the weights."""
        return computed if self.dtype is None else _wider(inputs, self.dtype)

    def _inputs(self, x: Any, key: Any) -> Array:
        """`x` as an array that fits; raises `ValueError` where it does not, or where noise has no key."""
        check_optional_key(key)
        self._check_draws(key)
        return as_inputs(x, self.inputs)

    def _check_draws(self, key: Any) -> None:
        if key is None and self.draws:
            raise ValueError(
                "A noisy read needs `key=`. Got none. Pass a fresh key for each read, or choose "
                '`Crossbar(..., reads=Reads("per_moment"))` or `"off"`, and a sense amplifier without noise.'
            )


def _wider(a: np.dtype, b: np.dtype) -> np.dtype:
    with jax.numpy_dtype_promotion("standard"):
        return jnp.promote_types(a, b)
