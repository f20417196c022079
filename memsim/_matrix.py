"""What a chip presents at one moment: a matrix behind its converters."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jax.ad_checkpoint import checkpoint_name
from jaxtyping import Array, Float, Key

from ._converters import ADC, DAC, is_clipped
from ._tiles import cuts, spread_rows

NOISY_READ = "noisy read"  # named for checkpointing: dearer to draw again than to keep


class Clipping(eqx.Module):
    """Fraction of values that a converter clipped: DAC inputs, and ADC outputs of each row tile."""

    dac: Float[Array, ""]
    adc: Float[Array, " row_tiles"]


class AnalogMatrix(eqx.Module):
    r"""A programmed matrix at one moment: `matrix(x, key=key)` is one read.

    $y = \sum_k s_k \cdot \mathrm{ADC}\big(c_k W_k + \sqrt{c_k^2 V_k}\,\xi\big)$ with the input codes $c$ of the rows of
    tile $k$: read noise is drawn on the output, which has the law of a fresh noisy matrix for each read. Without an ADC
    the row tiles collapse into one product.

    **Arguments:**

    - `weight`: ADC codes (or, without an ADC, weight units) for one input code, shape (rows, columns) = (inputs,
      outputs).
    - `variance`: Read-noise variance in the same units squared, or `None`.
    - `scale`: Output per ADC code, drift compensation included, shape (row_tiles, columns); `None` without an ADC.
    - `dac`, `adc`: Converters or `None`.
    - `rows`: Word lines of one tile.
    """

    weight: Float[Array, "rows columns"]
    variance: Float[Array, "rows columns"] | None
    scale: Float[Array, "row_tiles columns"] | None
    dac: DAC | None
    adc: ADC | None
    rows: int = eqx.field(static=True)

    @property
    def input_range(self) -> float | Float[Array, ""]:
        """Full input, in the units of x."""
        return 1.0 if self.dac is None else self.dac.input_range

    @property
    def effective_weight(self) -> Float[Array, "columns rows"]:
        """The weight a digital layer would need to give the mean output, drift compensation included."""
        return (self.weight * self._weight_per_code).T

    def in_codes(self, w: Float[Array, "columns rows"]) -> Float[Array, "rows columns"]:
        """The `weight` whose `effective_weight` is `w`."""
        return w.T / self._weight_per_code

    @property
    def _weight_per_code(self) -> Array:
        rows = self.weight.shape[0]
        scale = jnp.ones_like(self.weight) if self.scale is None else spread_rows(self.scale, rows, self.rows)
        return scale if self.dac is None else scale / self.dac.step

    def __call__(
        self, x: Float[Array, "*batch rows"], *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "*batch columns"]:
        """One read of each row of `x`, independent noise for each output. Noise needs `key`."""
        sums = self.partial_sums(x, key=key)
        total = sums[0]
        for part in sums[1:]:
            total = total + part
        return total.reshape(*x.shape[:-1], self.weight.shape[1])

    def partial_sums(
        self, x: Float[Array, "*batch rows"], *, key: Key[Array, ""] | None = None
    ) -> list[Float[Array, "n columns"]]:
        """The digital output of each row tile, in weight times input units; the batch is flattened."""
        currents = self._currents(x, key)
        if self.scale is None:
            return currents
        codes = currents if self.adc is None else [self.adc.codes(current) for current in currents]
        return [code * self.scale[k][None] for k, code in enumerate(codes)]

    def clipping(self, x: Float[Array, "*batch rows"], *, key: Key[Array, ""] | None = None) -> Clipping:
        """How much of `x`, and of the currents it causes, the converters clip."""
        dac = jnp.zeros(())
        if self.dac is not None:
            dac = jnp.mean(is_clipped(x / self.dac.step, self.dac.bits), dtype=self.weight.dtype)
        currents = self._currents(x, key)
        adc = jnp.zeros(len(currents))
        if self.adc is not None:
            clipped = [is_clipped(current, self.adc.bits) for current in currents]
            adc = jnp.stack([jnp.mean(part, dtype=self.weight.dtype) for part in clipped])
        return Clipping(dac, adc)

    def _currents(self, x: Array, key: Key[Array, ""] | None) -> list[Float[Array, "n columns"]]:
        self._check(x, key)
        x = x.reshape(-1, x.shape[-1])
        if self.dac is not None:
            x = self.dac.codes(x)
        tiles = [slice(None)] if self.scale is None else cuts(self.weight.shape[0], self.rows)
        currents = [x[:, tile] @ self.weight[tile] for tile in tiles]
        if self.variance is None or key is None:
            return currents
        keys = jr.split(key, len(tiles))
        noises = [
            _noise(x[:, tile] ** 2 @ self.variance[tile], jr.normal(keys[k], current.shape, current.dtype))
            for k, (tile, current) in enumerate(zip(tiles, currents, strict=True))
        ]
        return [checkpoint_name(current + noise, NOISY_READ) for current, noise in zip(currents, noises, strict=True)]

    def _check(self, x: Array, key: Key[Array, ""] | None) -> None:
        rows = self.weight.shape[0]
        if x.ndim == 0 or x.shape[-1] != rows:
            raise ValueError(f"The input's last axis must have {rows} entries, one a word line. Got shape {x.shape}.")
        if self.variance is not None and key is None:
            raise ValueError(
                "A noisy read needs `key=`. Got none. Pass a fresh key for each read, or choose "
                '`Crossbar(..., read_noise="per_moment")` or `"off"`.'
            )


@jax.custom_jvp
def _noise(variance: Float[Array, "n columns"], draw: Float[Array, "n columns"]) -> Float[Array, "n columns"]:
    """A normal `draw` of the given variance; its gradient at zero variance (a silent input) is zero, not infinite."""
    return checkpoint_name(jnp.sqrt(variance) * draw, NOISY_READ)


@_noise.defjvp
def _noise_jvp(primals, tangents):
    # From the noise itself, not from the draw: a backward pass that has kept the noise need not draw again.
    noise = _noise(*primals)
    variance = primals[0]
    slope = jnp.where(variance > 0, noise / (2 * jnp.where(variance > 0, variance, 1.0)), 0.0)
    return noise, slope * tangents[0]
