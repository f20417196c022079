"""What is wrong with a fabricated converter: gain, offset and integral nonlinearity of each line."""

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from device_models._draws import normal

from ..._checks import Checked, at_least, check

S_PEAK = 3 * 3**0.5 / 2  # one over the largest value of u (1 - u^2) between 0 and 1


class ConverterErrors(Checked):
    r"""Spread of the transfer curve over lines, drawn once for each chip.

    A line that should convert $v$ codes converts $v (1 + a) + b + c\,(1 - u^2) + d\,\frac{3\sqrt3}{2} u (1 - u^2)$ with
    $u = v / v_\mathrm{max}$ held within one: a gain, an offset, and a nonlinearity that is zero at both ends and
    consists of a bow and an S. The shapes are assumed: the smoothest of either symmetry.

    **Arguments:**

    - `gain`: Standard deviation of $a$, relative.
    - `offset`: Standard deviation of $b$, in codes.
    - `inl`: Standard deviation of each of $c$ and $d$, the largest deviations of bow and S, in codes.

    Without rounding the range itself is one code.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> adc = ms.ADC(8, errors=ms.ConverterErrors(gain=0.05)).fabricate((1, 1000), key=jr.key(0))
    >>> codes = adc.codes(jnp.full((1, 1000), 100.0))
    >>> print(f"{codes.mean():.0f} +- {codes.std():.0f}")
    100 +- 5
    """

    gain: float = 0.0
    offset: float = 0.0
    inl: float = 0.0

    def __check_init__(self):
        check(
            self,
            gain=at_least(0.0, "relative", most=1.0, hint="Percent? Divide by 100."),
            offset=at_least(0.0, "in codes"),
            inl=at_least(0.0, "in codes"),
        )

    def fabricate(self, shape: tuple[int, ...], *, key: Key[Array, ""]) -> "TransferCurves":
        """The curves of converters of this shape, each error from a draw of its own."""
        draws = [normal(each, shape) for each in jr.split(key, 4)]
        spreads = (self.gain, self.offset, self.inl, self.inl)
        return TransferCurves(*(spread * draw for spread, draw in zip(spreads, draws, strict=True)))


class TransferCurves(Checked):
    """The curves of one chip: relative `gain`, `offset`, `bow` and `s` in codes, one a line."""

    gain: Float[Array, "*lines"]
    offset: Float[Array, "*lines"]
    bow: Float[Array, "*lines"]
    s: Float[Array, "*lines"]

    def __call__(self, v: Float[Array, "*batch lines"], largest: int) -> Float[Array, "*batch lines"]:
        """What the lines convert instead of `v`; a line that is driven in several lanes has one curve in all."""

        def of_lines(values: Array) -> Array:
            return jnp.broadcast_to(jnp.repeat(values, v.shape[-1] // values.shape[-1]), v.shape)

        u = jnp.clip(v / largest, -1.0, 1.0)
        inl = (of_lines(self.bow) + of_lines(self.s) * S_PEAK * u) * (1 - u**2)
        return v * (1 + of_lines(self.gain)) + of_lines(self.offset) + inl
