"""What stands between an array of pulsed cells and who reads it: converters, noise, and their ranges."""

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from device_models._draws import normal

from .._array import ADC, DAC
from .._checks import Checked, at_least, check, is_zero, positive

Rows = Float[Array, "*reads inputs"]
BACK = 2**31 - 2  # folded into the key of a read, so that the one of errors draws other numbers


class Periphery(Checked):
    r"""Converters and noise of a read: $y = s\,\mathrm{ADC}\big(W\,\mathrm{DAC}(x / s) + \sigma\,\xi\big)$.

    Inputs are scaled to the range of the DAC by their own largest magnitude, $s$ (aihwkit's "noise management" by the
    absolute maximum): small errors are not lost in the noise. Errors go back through the same converters, into the bit
    lines and out of the word lines. A gradient by the inputs is what is read so, not the derivative of the rounding.

    **Arguments:**

    - `dac`: Of the inputs, with its range in units of the largest of them; `None` drives what was asked for.
    - `adc`: Of the outputs, with its full scale in units of one unit of the device at full input; `None` reads exactly.
    - `noise`: $\sigma$ of an output, in the same units; 0.06 is the default of aihwkit.
    - `unit`: Weight of one unit of the device where the network's own weights are read, the `scale` of its optimizer;
        `None` is twice the largest weight of the matrix.

    >>> import memsim as ms
    >>> periphery = ms.insitu.Periphery(dac=ms.DAC(7), adc=ms.ADC(9, full_scale=20.0), noise=0.06)
    >>> ms.insitu.Transfer(read=periphery).read.noise
    0.06
    """

    dac: DAC | None = None
    adc: ADC | None = None
    noise: float = 0.0
    unit: float | None = None

    def __check_init__(self):
        noise = at_least(0.0, "in units of the device at full input")
        check(self, noise=noise, unit=positive("the weight of one unit of the device"))

    def product(
        self, x: Rows, weight: Float[Array, "outputs inputs"], unit: Float[Array, ""], *, key: Key[Array, ""] | None
    ) -> Float[Array, "*reads outputs"]:
        """One read of `weight` for each row of inputs `x`, in units of the weights."""
        if key is None and (not is_zero(self.noise) or (self.adc is not None and self.adc.needs_key)):
            raise ValueError("Noisy reads need a key. Got none; pass `read_key=`.")
        noise_key, rounding_key = (None, None) if key is None else jr.split(key)
        largest = jnp.max(jnp.abs(x), axis=-1, keepdims=True)
        largest = jnp.where(largest > 0, largest, 1.0)
        driven = x / largest
        if self.dac is not None:
            driven = self.dac.codes(driven) * self.dac.step
        found = driven @ (weight / unit).T
        if noise_key is not None and not is_zero(self.noise):
            found = found + self.noise * normal(noise_key, found.shape, found.dtype)
        if self.adc is not None:
            code = self.adc.cells_per_code(weight.shape[1])
            found = self.adc.codes(found / code, key=rounding_key) * code
        return found * largest * unit

    def read(
        self, x: Rows, weight: Float[Array, "outputs inputs"], *, key: Key[Array, ""] | None
    ) -> Float[Array, "*reads outputs"]:
        """As `product`, of a network's own weights; errors come back by a read of their own."""
        largest = jnp.max(jnp.abs(weight))
        unit = jnp.where(largest > 0, 2 * largest, 1.0) if self.unit is None else jnp.asarray(self.unit)

        @jax.custom_vjp
        def forward(x: Array, weight: Array) -> Array:
            return self.product(x, weight, unit, key=key)

        def kept(x: Array, weight: Array) -> tuple[Array, Array]:
            return forward(x, weight), weight

        def back(weight: Array, errors: Array) -> tuple[Array, None]:
            back_key = None if key is None else jr.fold_in(key, BACK)
            return self.product(errors, weight.T, unit, key=back_key), None

        forward.defvjp(kept, back)
        return forward(x, weight)
