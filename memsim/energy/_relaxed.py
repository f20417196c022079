"""Converters with a broken number of bits, so that it has a gradient, and what their conversions cost."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from .._array import AbstractADC, AbstractDAC
from ._conversions import AbstractConversion, Number, Resolution


class RelaxedADC(AbstractADC):
    r"""Equal steps, with $L = 2^{b-1} - 1$ of them on either side of zero, which need not be whole.

    A current $v$, in units of the full scale, becomes $\mathrm{round}(v L) / L$ within it. The derivative takes the
    error of rounding, in codes, as given: by $v$ it is one, as of every converter here, and by $L$ it is that of
    $v + (\mathrm{round}(v L) - v L) / L$, so that the loss grows with the steps as their errors make it grow.

    **Arguments:**

    - `resolution`: $b$, sign included; at least 2.
    - `full_scale`: As of `ADC`.

    Reference: Esser2020, for the derivative by the size of a step.
    """

    resolution: Float[Array, ""]
    full_scale: float | Float[Array, ""] | Float[Array, " slices"] | None = 10.0
    bits: None = eqx.field(static=True, default=None)  # the code is a share of the full scale

    @property
    def in_loops(self) -> bool:
        return True

    def codes(
        self,
        current: Float[Array, "*batch lines"],
        tile: int | Int[Array, ""] = 0,
        *,
        key: Key[Array, ""] | None = None,
    ) -> Float[Array, "*batch lines"]:
        return _rounded(current, self.resolution)


class RelaxedDAC(AbstractDAC):
    """A code in one pulse, as of `DAC`, or of `PulseWidthDAC` where cells see a `fixed` voltage, with steps as above.

    **Arguments:**

    - `resolution`: Bits, sign included; at least 2.
    - `input_range`: As of `DAC`.
    - `fixed`: Whether codes are durations.
    """

    resolution: Float[Array, ""]
    input_range: float | Float[Array, ""] = 1.0
    fixed: bool = eqx.field(static=True, default=False)
    bits: None = eqx.field(static=True, default=None)

    @property
    def fixed_voltage(self) -> bool:
        return self.fixed

    @property
    def alike(self) -> bool:
        return True

    def codes(self, x: Float[Array, "*batch"]) -> Float[Array, "*batch"]:
        return _rounded(x / self.step, self.resolution)

    def pulses(self, codes: Float[Array, "*batch lines"]) -> list[Float[Array, "*batch lines"]]:
        return [codes]


def _rounded(share: Float[Array, "*batch"], resolution: Float[Array, ""]) -> Float[Array, "*batch"]:
    """`share` of the range, clipped to it, in steps."""
    steps = (2.0 ** (resolution - 1) - 1).astype(share.dtype)
    inside = jnp.clip(share, -1.0, 1.0)
    # Beyond the last whole step rounding would leave the range.
    whole = jnp.clip(jnp.round(inside * steps), -jnp.floor(steps), jnp.floor(steps))
    return inside + jax.lax.stop_gradient(whole - inside * steps) / steps


def resolution_of(converter: AbstractADC | AbstractDAC) -> Resolution | None:
    """Bits of a `converter`, which may be broken; `None` where it does not round."""
    return converter.resolution if isinstance(converter, RelaxedADC | RelaxedDAC) else converter.bits


def levels_of(dac: AbstractDAC) -> Resolution:
    """Of one of its pulses; 1 where it does not round."""
    if isinstance(dac, RelaxedDAC):
        return 2.0 ** (dac.resolution - 1) - 1
    return 1 if dac.bits is None else dac.largest_pulse


class Between(AbstractConversion):
    """What a conversion to a broken number of bits costs: of a power law between those to whole ones.

    **Arguments:**

    - `conversion`: To whole bits.
    - `least`, `most`: Bits that there may be.
    """

    conversion: AbstractConversion
    least: int = eqx.field(static=True)
    most: int = eqx.field(static=True)

    def joules(self, bits: Resolution, node: float, v_dd: Number) -> Number:
        return self._between(bits, [self.conversion.joules(b, node, v_dd) for b in self._whole])

    def seconds(self, bits: Resolution) -> Number:
        return self._between(bits, [self.conversion.seconds(b) for b in self._whole])

    def square_metres(self, bits: Resolution, node: float) -> Number:
        return self._between(bits, [self.conversion.square_metres(b, node) for b in self._whole])

    @property
    def source(self) -> str:
        return f"{self.conversion.source}; between whole bits a power law"

    @property
    def told(self) -> list[str]:
        return self.conversion.told

    @property
    def scales(self) -> bool:
        return self.conversion.scales

    @property
    def _whole(self) -> range:
        return range(self.least, self.most + 1)

    def _between(self, bits: Resolution, each: list[Number]) -> Number:
        values = jnp.stack([jnp.asarray(one, jnp.result_type(float)) for one in each])
        there = values > 0  # a law between numbers that are 0, such as no time at all, is 0
        logs = jnp.log(jnp.where(there, values, 1.0))
        found = jnp.interp(jnp.asarray(bits, values.dtype), np.asarray(self._whole, values.dtype), logs)
        return jnp.where(jnp.all(there), jnp.exp(found), 0.0)
