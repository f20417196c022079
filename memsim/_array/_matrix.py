"""What a chip presents at one moment: a matrix behind its converters."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.ad_checkpoint import checkpoint_name
from jaxtyping import Array, Bool, Float, Key

from .._checks import Checked, Inputs, as_inputs, check_optional_key
from ._converters._adc import AbstractADC
from ._converters._codes import is_clipped, largest_code
from ._converters._dac import AbstractDAC
from ._converters._drive import AbstractDrive, ramped_drive
from ._fluctuation import Fluctuation
from ._read_noise import NOISY_READ, Crossed, Felt, SharedNoise, drawn, felt_in_spikes, felt_in_time, felt_slowly
from ._tiles import cuts, spread_rows

SHARED, ROUNDING, AMPLIFIER = 1, 2, 3  # folded into the key of a tile's noise, so that other draws leave it as it is


class Clipping(Checked):
    """Fraction of values that a converter clipped: DAC inputs, and ADC outputs of each row tile."""

    dac: Float[Array, ""]
    adc: Float[Array, " row_tiles"]


class AnalogMatrix(Checked):
    r"""A programmed matrix at one moment: `matrix(x, key=key)` is one read.

    $y = \sum_k s_k \cdot \mathrm{ADC}\big(c_k W_k + \sqrt{p_k V_k}\,\xi\big)$ with the input codes $c$ of the rows of
    tile $k$: read noise is drawn on the output, which has the law of a fresh noisy matrix for each read. Noise that
    stands still during a read, and that of voltage levels, is in proportion to the input, $p = c^2$; what is white
    within a read grows as the root of a pulse's duration, or of the number of spikes. Without an ADC the row tiles
    collapse into one product. Pulses of the input, and slices of the weights, are converted one by one, then shifted
    and added.

    **Arguments:**

    - `weight`: ADC codes (or, without an ADC, weight units) for one input code, shape (rows, columns) = (inputs,
      outputs). With a `drive` each row is one of its terms, with `slices` the columns of slice 0 come first.
    - `variance`: Read-noise variance in the same units squared, or `None`.
    - `crossed`: What several inputs together add to it behind wires with resistance, or `None`.
    - `white`: Whether the noise of a read is white within it.
    - `scale`: Output per ADC code, drift compensation included, shape (row_tiles, columns); `None` without an ADC.
    - `dac`, `adc`: Converters or `None`.
    - `rows`: Word lines of one tile.
    - `slices`: Groups of columns that are added up.
    - `offset`: ADC codes without any input, one row for each row tile (without an ADC, one row), or `None`.
    - `digital`: Output for one input code that is added in digital, shape (inputs, outputs), or `None`.
    - `shared`: Noise that bit lines have in common, or `None`.
    - `drive`: What the word lines of cells with a nonlinear I-V carry; `None` for ohmic cells.
    - `saturation`: Of the sense amplifier, or `None`.
    - `amplifier_noise`: Its standard deviation in ADC codes, for each column, or `None`.
    - `fluctuation`: Read noise that moves from step to step, or `None`.
    - `dead`: Bit lines of zeros, shape (row_tiles, columns): their codes are not added, and count in the gradient only.
    - `dtype`: Of the weights it was programmed with, if narrower than the conductances. A read is computed in the dtype
      of `weight`, and has that of the digital product of weights and inputs.
    """

    weight: Float[Array, "rows columns"]
    variance: Float[Array, "rows_products columns"] | None
    scale: Float[Array, "row_tiles columns"] | None
    dac: AbstractDAC | None
    adc: AbstractADC | None
    rows: int = eqx.field(static=True)
    slices: int = eqx.field(static=True, default=1)
    offset: Float[Array, "row_tiles columns"] | None = None
    digital: Float[Array, "inputs outputs"] | None = None
    shared: SharedNoise | None = None
    drive: AbstractDrive | None = None
    saturation: float | Float[Array, ""] | None = None
    amplifier_noise: Float[Array, " columns"] | None = None
    fluctuation: Fluctuation | None = None
    dead: Bool[Array, "row_tiles columns"] | None = None
    dtype: np.dtype | None = eqx.field(static=True, default=None)
    crossed: Crossed | None = None
    white: bool = eqx.field(static=True, default=False)

    @property
    def inputs(self) -> int:
        """Word lines of all row tiles."""
        return self.weight.shape[0] // self._terms

    @property
    def outputs(self) -> int:
        return self.weight.shape[1] // self.slices

    @property
    def input_range(self) -> float | Float[Array, ""]:
        """Full input, in the units of x."""
        return 1.0 if self.dac is None else self.dac.input_range

    @property
    def effective_weight(self) -> Float[Array, "outputs inputs"]:
        """The weight a digital layer would need to give the mean output, drift compensation included.

        Of cells with a nonlinear I-V, that at full input. An offset of the amplifiers is no part of it.
        """
        weight = self.weight * self._weight_per_code
        if self.dead is not None:
            weight = silenced(weight, jnp.repeat(spread_rows(self.dead, self.inputs, self.rows), self._terms, axis=0))
        weight = self._summed(weight)
        return (weight if self.digital is None else weight + self.digital * self._codes_per_input).T

    @property
    def now(self) -> "AnalogMatrix":
        """The matrix with its moving noise as it is at this moment."""
        return self if self.fluctuation is None else self.fluctuated(self.fluctuation.state)

    def fluctuated(self, state: Any) -> "AnalogMatrix":
        """The matrix with its moving noise as it is in `state`."""
        assert self.fluctuation is not None
        return dataclasses.replace(self, weight=self.weight + self.fluctuation.weight(state), fluctuation=None)

    def in_codes(self, w: Float[Array, "outputs inputs"]) -> Float[Array, "rows columns"]:
        """The `weight` whose `effective_weight` is `w`: the nearest one to this, where several cells make a weight."""
        if self._terms == self.slices == 1 and self.digital is None:
            return w.T.astype(self.weight.dtype) / self._weight_per_code
        missing = (w.astype(self.weight.dtype) - self.effective_weight).T
        share = missing / self._summed(self._weight_per_code**2)
        spread = jnp.tile(jnp.repeat(share, self._terms, axis=0), (1, self.slices))
        return self.weight + spread * self._weight_per_code

    def ramped(self, w: Float[Array, "outputs inputs"], strength: Float[Array, ""]) -> "AnalogMatrix":
        """The matrix with a share of all by which it deviates from `w`; only its converters stay what they are.

        Errors of the cells, nonlinear cells, read noise of every kind, offsets, noise and saturation of amplifiers grow
        from nothing at `strength` 0 to their full size at 1.
        """
        size, size2 = (lambda a: a * strength), (lambda a: a * strength**2)
        shared = self.shared
        if shared is not None:
            shared = SharedNoise(size2(shared.variance), shared.columns, jax.tree.map(size, shared.crossed))
        moving = self.fluctuation
        if moving is not None:
            moving = dataclasses.replace(moving, moves=jax.tree.map(size, moving.moves))
        changed = {
            "weight": self.weight + (1 - strength) * (self.in_codes(w) - self.weight),
            "variance": jax.tree.map(size2, self.variance),
            "crossed": jax.tree.map(size, self.crossed),
            "shared": shared,
            "fluctuation": moving,
            "offset": jax.tree.map(size, self.offset),
            "amplifier_noise": jax.tree.map(size, self.amplifier_noise),
            "saturation": None if self.saturation is None else size(self.saturation),
            "drive": None if self.drive is None else ramped_drive(self.drive, strength),
        }
        return dataclasses.replace(self, **changed)

    def __call__(self, x: Inputs, *, key: Key[Array, ""] | None = None) -> Float[Array, "*batch outputs"]:
        """One read of each row of `x`, independent noise for each output. Noise needs `key`."""
        x = self._inputs(x, key)
        sums = self._partial_sums(x, key)
        total = sums[0]
        for part in sums[1:]:
            total = total + part
        if self.digital is not None:
            total = total + self._codes(x) @ self.digital
        return total.reshape(*x.shape[:-1], self.outputs).astype(self._of_outputs(x.dtype, total.dtype))

    def partial_sums(self, x: Inputs, *, key: Key[Array, ""] | None = None) -> list[Float[Array, "n outputs"]]:
        """What each row tile's converters say, in weight times input units; the batch is flattened."""
        return self._partial_sums(self._inputs(x, key), key)

    def _partial_sums(self, x: Array, key: Array | None) -> list[Float[Array, "n outputs"]]:
        currents = self._currents(x, key)
        if self.scale is None:
            return [self._shifted(current) for current in currents]
        if self.adc is None:
            return [self._scaled(current, k) for k, current in enumerate(currents)]
        keys = [None] * len(currents)
        if self.adc.needs_key and key is not None:
            keys = [jr.fold_in(tile_key, ROUNDING) for tile_key in jr.split(key, len(currents))]
        codes = [self.adc.codes(current, k, key=keys[k]) for k, current in enumerate(currents)]
        return [self._scaled(code, k) for k, code in enumerate(codes)]

    def _scaled(self, codes: Float[Array, "pulses_n columns"], tile: int) -> Float[Array, "n outputs"]:
        """What the `codes` of a row tile are worth."""
        assert self.scale is not None
        worth = codes * self.scale[tile][None]
        return self._shifted(worth if self.dead is None else silenced(worth, self.dead[tile][None]))

    def clipping(self, x: Inputs, *, key: Key[Array, ""] | None = None) -> Clipping:
        """How much of `x`, and of the currents it causes, the converters clip."""
        x = self._inputs(x, key)
        dac = jnp.zeros(())
        if self.dac is not None:
            dac = jnp.mean(is_clipped(self._wide(x) / self.dac.step, self.dac.bits), dtype=self.weight.dtype)
        currents = self._currents(x, key)
        adc = jnp.zeros(len(currents))
        if self.adc is not None:
            clipped = [is_clipped(current, self.adc.bits) for current in currents]
            adc = jnp.stack([jnp.mean(part, dtype=self.weight.dtype) for part in clipped])
        return Clipping(dac, adc)

    def currents(self, x: Inputs, *, key: Key[Array, ""] | None = None) -> list[Float[Array, "pulses_n columns"]]:
        """What meets the converters of each row tile, in ADC codes; several pulses of an input one after the other."""
        return self._currents(self._inputs(x, key), key)

    def _currents(self, x: Array, key: Array | None) -> list[Float[Array, "pulses_n columns"]]:
        if self.fluctuation is not None:
            return self.now._currents(x, key)
        lines = self._word_lines(self._codes(x))
        tiles = [slice(None)] if self.scale is None else cuts(self.inputs, self.rows)
        currents = [lines[:, rows] @ self.weight[rows] for rows in (_times(tile, self._terms) for tile in tiles)]
        if self.variance is not None and key is not None:
            currents = self._noisy(currents, lines, tiles, key)
        if self.amplifier_noise is not None and key is not None:
            keys = [jr.fold_in(tile_key, AMPLIFIER) for tile_key in jr.split(key, len(tiles))]
            draws = [jr.normal(keys[k], current.shape, current.dtype) for k, current in enumerate(currents)]
            currents = [
                current + draw * self.amplifier_noise[None] for current, draw in zip(currents, draws, strict=True)
            ]
        if self.offset is not None:
            currents = [current + self.offset[k][None] for k, current in enumerate(currents)]
        if self.saturation is not None and self.adc is not None:
            squeeze = self.saturation / largest_code(self.adc.bits)
            currents = [current / (1 + squeeze * jnp.abs(current)) for current in currents]
        return currents

    @property
    def collapsed(self) -> "AnalogMatrix":
        """Its row tiles and slices in one product: only without an ADC, and if each line's noise is its own and new."""
        apart = (self.adc, self.shared, self.crossed, self.fluctuation)
        if self.scale is None or any(part is not None for part in apart):
            return self
        scale = jnp.repeat(spread_rows(self.scale, self.inputs, self.rows), self._terms, axis=0)
        weight, variance = self.weight * scale, None
        if self.dead is not None:
            weight = silenced(weight, jnp.repeat(spread_rows(self.dead, self.inputs, self.rows), self._terms, axis=0))
        if self.variance is not None:
            products = self.variance.shape[0] // self.inputs
            squared = jnp.repeat(spread_rows(self._live_scale**2, self.inputs, self.rows), products, axis=0)
            variance = self._without_slices(self.variance * squared)
        offset = self.offset
        if offset is not None:
            offset = self._without_slices(jnp.sum(offset * self._live_scale, 0, keepdims=True))
        return AnalogMatrix(
            self._without_slices(weight),
            variance,
            None,
            self.dac,
            None,
            self.rows,
            offset=offset,
            digital=self.digital,
            drive=self.drive,
            dtype=self.dtype,
            white=self.white,
        )

    @property
    def with_noise_apart(self) -> "AnalogMatrix":
        """Every bit line with noise of its own, at the same variance, from cells that they share."""
        if self.shared is None:
            return self
        assert self.variance is not None
        variance, crossed = self.variance + self._on_lines(self.shared.variance), self.crossed
        if crossed is not None and self.shared.crossed is not None:
            more, less = (self._on_lines(a) for a in (self.shared.crossed.more, self.shared.crossed.less))
            crossed = Crossed(jnp.concatenate([crossed.more, more]), jnp.concatenate([crossed.less, less]))
        return dataclasses.replace(self, variance=variance, crossed=crossed, shared=None)

    def _on_lines(self, shared: Float[Array, "*batch rows lines"]) -> Float[Array, "*batch rows columns"]:
        assert self.shared is not None
        by_slice = shared.reshape(*shared.shape[:-1], self.slices, -1)
        return self.shared.repeated(by_slice, self.outputs).reshape(*shared.shape[:-1], -1)

    def _without_slices(self, values: Float[Array, "rows columns"]) -> Float[Array, "rows outputs"]:
        return values if self.slices == 1 else values.reshape(values.shape[0], self.slices, -1).sum(1)

    def _codes(self, x: Array) -> Float[Array, "n inputs"]:
        x = self._wide(x.reshape(-1, x.shape[-1]))
        return x if self.dac is None else self.dac.codes(x)

    def _word_lines(self, codes: Array) -> Float[Array, "n rows"]:
        pulses = [codes] if self.dac is None else self.dac.pulses(codes)
        lines = pulses[0] if len(pulses) == 1 else jnp.concatenate(pulses)
        return lines if self.drive is None else self.drive(lines)

    def _noisy(self, currents: list[Array], lines: Array, tiles: list[slice], key: Array) -> list[Array]:
        assert self.variance is not None
        products, felt = self._terms * (self._terms + 1) // 2, self._felt(lines)
        noisy = []
        for tile, current, tile_key in zip(tiles, currents, jr.split(key, len(tiles)), strict=True):
            rows = _times(tile, products)
            noise = drawn(felt.variance(self.variance, self.crossed, rows, tile), key=tile_key)
            if self.shared is not None:
                shared_key = jr.fold_in(tile_key, SHARED)
                noise = noise - self.shared.on_lines(felt, rows, tile, self.slices, self.outputs, key=shared_key)
            noisy.append(checkpoint_name(current + noise, NOISY_READ))
        return noisy

    def _felt(self, lines: Float[Array, "n rows"]) -> Felt:
        """What the read noise meets, by the coding of the inputs."""
        if not self.white or (self.dac is not None and not self.dac.fixed_voltage):
            return felt_slowly(lines, self._terms)
        if self.dac is None:
            return felt_in_spikes(lines, self._terms)
        return felt_in_time(lines, self._terms, self.dac.largest_pulse)

    def _shifted(self, parts: Float[Array, "pulses_n columns"]) -> Float[Array, "n outputs"]:
        """The pulses of each input, and the slices of each weight, shifted and added in digital."""
        significance = (1.0,) if self.dac is None else self.dac.significance
        if len(significance) == self.slices == 1:
            return parts
        each = parts.reshape(len(significance), -1, self.slices, self.outputs)
        return jnp.einsum("p,pnsj->nj", jnp.asarray(significance, parts.dtype), each, precision="highest")

    @property
    def _terms(self) -> int:
        return 1 if self.drive is None else self.drive.size

    @property
    def _codes_per_input(self) -> float | Array:
        return 1.0 if self.dac is None else 1 / self.dac.step

    @property
    def _weight_per_code(self) -> Float[Array, "rows columns"]:
        scale = jnp.ones_like(self.weight)
        if self.scale is not None:
            scale = jnp.repeat(spread_rows(self.scale, self.inputs, self.rows), self._terms, axis=0)
        if self.drive is not None:
            scale = scale * jnp.tile(self.drive.at_full_input, self.inputs)[:, None]
        return scale if self.dac is None else scale / self.dac.step

    def _summed(self, values: Float[Array, "rows columns"]) -> Float[Array, "inputs outputs"]:
        """Summed over the terms of each row and the slices of each column."""
        if self._terms == self.slices == 1:
            return values
        return values.reshape(self.inputs, self._terms, self.slices, self.outputs).sum((1, 2))

    def _wide(self, x: Array) -> Array:
        """`x` in the precision of the conductances, or its own if that is higher."""
        return x.astype(_wider(x.dtype, self.weight.dtype))

    def _of_outputs(self, inputs: np.dtype, computed: np.dtype) -> np.dtype:
        """The dtype of a read of `inputs`: that of the digital product with the weights."""
        return computed if self.dtype is None else _wider(inputs, self.dtype)

    @property
    def _live_scale(self) -> Float[Array, "row_tiles columns"]:
        assert self.scale is not None
        return self.scale if self.dead is None else jnp.where(self.dead, 0.0, self.scale)

    def _inputs(self, x: Any, key: Any) -> Array:
        """`x` as an array that fits; raises `ValueError` where it does not, or where noise has no key."""
        check_optional_key(key)
        if key is None and (self.variance is not None or self.amplifier_noise is not None):
            raise ValueError(
                "A noisy read needs `key=`. Got none. Pass a fresh key for each read, or choose "
                '`Crossbar(..., read_noise="per_moment")` or `"off"`, and a sense amplifier without noise.'
            )
        return as_inputs(x, self.inputs)


def silenced(values: Float[Array, "*shape"], dead: Bool[Array, "*_"]) -> Float[Array, "*shape"]:
    """`values`, zero on dead lines; their gradient is as if they were not."""
    return values - jax.lax.stop_gradient(jnp.where(jnp.broadcast_to(dead, values.shape), values, 0.0))


def _wider(a: np.dtype, b: np.dtype) -> np.dtype:
    with jax.numpy_dtype_promotion("standard"):
        return jnp.promote_types(a, b)


def _times(tile: slice, factor: int) -> slice:
    """Rows of a tile in a matrix with `factor` rows for each word line."""
    return tile if tile == slice(None) else slice(tile.start * factor, tile.stop * factor)
