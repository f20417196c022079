"""Digital-to-analog converters: how an input becomes what the word lines carry."""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from ..._checks import Checked, check, plain, positive, whole
from ._codes import half_code, largest_code, straight_through, to_codes
from ._errors import ConverterErrors, TransferCurves

BITS = whole(2, most=24, hint="None is no rounding. For no converter at all leave the DAC out.")
INPUT_RANGE = positive("in the units of the layer's input")


class AbstractDAC(Checked):
    """Clips inputs to `input_range`, rounds them to signed codes, and drives the word lines with them.

    A code goes out in one pulse or in several, and the array is read once for each:
    `codes = sum_p significance[p] * pulses(codes)[p]`.

    A converter of your own has the fields `bits` and `input_range` and writes `pulses`; by default a code goes out in
    one pulse, a voltage for each code, from the nearest code of every input.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> class OnOff(ms.extend.AbstractDAC):
    ...     bits: int = 2
    ...     input_range: float = 1.0
    ...     def pulses(self, codes):
    ...         return [codes]
    >>> matrix = ms.Crossbar(dm.Ideal(), dac=OnOff()).deploy([[1.0]], 0.0, key=jr.key(0))
    >>> print(matrix(jnp.array([[0.2], [-0.9]])).ravel())
    [ 0. -1.]
    """

    bits: eqx.AbstractVar[int | None]
    input_range: eqx.AbstractVar[float | Float[Array, ""]]

    @property
    def step(self) -> float | Float[Array, ""]:
        """Input per code."""
        return self.input_range / largest_code(self.bits)

    @property
    def full_pulse(self) -> float | Float[Array, ""]:
        """Input that the largest pulse of significance one stands for."""
        whole = self.largest_pulse == largest_code(self.bits)
        return self.input_range if whole else self.step * self.largest_pulse

    @property
    def half_code(self) -> float | Float[Array, ""]:
        """By how much a value is rounded at most, in codes."""
        return half_code(self.bits)

    def codes(self, x: Float[Array, "*batch"]) -> Float[Array, "*batch"]:
        """The codes of inputs `x`."""
        return to_codes(x / self.step, self.bits)

    @property
    def significance(self) -> tuple[float, ...]:
        """Codes per unit of each pulse."""
        return (1.0,)

    @property
    def largest_pulse(self) -> int:
        """The pulse at which a word line is fully on."""
        return largest_code(self.bits)

    @property
    def fixed_voltage(self) -> bool:
        """Whether cells see nothing but zero and plus or minus `v_read`, or a voltage for each code."""
        return False

    @property
    def alike(self) -> bool:
        """Whether it is known that all word lines are driven alike, and those without input not at all."""
        return False

    @abstractmethod
    def pulses(self, codes: Float[Array, "*batch lines"]) -> list[Float[Array, "*batch lines"]]:
        """What the word lines carry in turn."""

    def fabricate(self, lines: int, *, key: Key[Array, ""]) -> "AbstractDAC":
        """The drivers of the word lines of one chip, frozen; itself where chance decides nothing."""
        return self


class DAC(AbstractDAC):
    """Voltage levels: code c is the voltage `v_read * c / largest code`, and read noise of any kind is in proportion.

    With `bits` there are 2**bits - 1 codes, so that zero is one of them. No converter at all is `dac=None`; clipping
    without rounding is `bits=None`.

    **Arguments:**

    - `bits`: At least 2, or `None` for no rounding. Spikes are one code and need no DAC.
    - `input_range`: Largest input magnitude, in the units of the layer's input. As an array it takes part in training.
    - `errors`: Spread over word lines, or `None`.

    >>> import jax.numpy as jnp, jax.random as jr, numpy as np, device_models as dm, memsim as ms
    >>> design = ms.Crossbar(dm.Ideal(), dac=ms.DAC(3))
    >>> matrix = design.deploy([[1.0]], 0.0, key=jr.key(0))
    >>> print(np.asarray(matrix(jnp.array([[0.2], [0.5], [2.0]]))).round(2).ravel())
    [0.33 0.67 1.  ]
    """

    bits: int | None = eqx.field(static=True, converter=plain)
    input_range: float | Float[Array, ""] = 1.0
    errors: ConverterErrors | TransferCurves | None = None

    def __check_init__(self):
        check(self, bits=BITS, input_range=INPUT_RANGE)

    @property
    def alike(self) -> bool:
        return self.errors is None

    def pulses(self, codes: Float[Array, "*batch lines"]) -> list[Float[Array, "*batch lines"]]:
        return [_driven(codes, self.errors, self.bits)]

    def fabricate(self, lines: int, *, key: Key[Array, ""]) -> "DAC":
        return DAC(self.bits, self.input_range, _fabricated(self.errors, lines, key))


class PulseWidthDAC(AbstractDAC):
    """Durations: code c is a pulse of plus or minus `v_read` that lasts `|c|` units of time, integrated by the column.

    Cells with a nonlinear I-V are ohmic to it, because they see one voltage only. Read noise that is white grows as the
    root of the duration, what is slow against a pulse in proportion to it; the largest code has the noise of one read.

    **Arguments:** as for `DAC`; the `errors` are those of the durations.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> design = ms.Crossbar(dm.Ideal(), dac=ms.PulseWidthDAC(8))
    >>> print(design.deploy([[0.5, -1.0]], 0.0, key=jr.key(0))(jnp.ones(2)))
    [-0.5]
    """

    bits: int | None = eqx.field(static=True, converter=plain)
    input_range: float | Float[Array, ""] = 1.0
    errors: ConverterErrors | TransferCurves | None = None

    def __check_init__(self):
        check(self, bits=BITS, input_range=INPUT_RANGE)

    @property
    def fixed_voltage(self) -> bool:
        return True

    @property
    def alike(self) -> bool:
        return self.errors is None

    def pulses(self, codes: Float[Array, "*batch lines"]) -> list[Float[Array, "*batch lines"]]:
        return [_driven(codes, self.errors, self.bits)]

    def fabricate(self, lines: int, *, key: Key[Array, ""]) -> "PulseWidthDAC":
        return PulseWidthDAC(self.bits, self.input_range, _fabricated(self.errors, lines, key))


class BitSerialDAC(AbstractDAC):
    r"""Digits in turn: $c = \sum_p 2^{bp} d_p$ with digits $|d_p| < 2^b$ that all have the sign of the code $c$.

    Each digit is a read of its own: through the ADC, with its own noise; the results are shifted and added in digital.
    A digit of more than one bit is coded in the duration of its pulse, so cells see zero and plus or minus `v_read`.

    **Arguments:**

    - `bits`: Of the code, sign included; from 2 to 24.
    - `input_range`: Largest input magnitude, in the units of the layer's input. As an array it takes part in training.
    - `bits_per_pulse`: $b$.

    The gradient passes the digits as if each pulse carried an equal share of the code.

    >>> import jax.numpy as jnp, memsim as ms
    >>> print([pulse.item() for pulse in ms.BitSerialDAC(4).pulses(jnp.array([5.0]))])
    [1.0, 0.0, 1.0]
    """

    bits: int = eqx.field(static=True, converter=plain)
    input_range: float | Float[Array, ""] = 1.0
    bits_per_pulse: int = eqx.field(static=True, converter=plain, default=1)

    def __check_init__(self):
        check(self, bits=whole(2, most=24), input_range=INPUT_RANGE, bits_per_pulse=whole(1))
        if self.bits_per_pulse >= self.bits:
            raise ValueError(
                "`bits_per_pulse` must be less than `bits`, one of which is the sign. "
                f"Got bits_per_pulse={self.bits_per_pulse}, bits={self.bits}. All in one pulse? Use PulseWidthDAC."
            )

    @property
    def significance(self) -> tuple[float, ...]:
        return tuple(2.0**shift for shift in range(0, self.bits - 1, self.bits_per_pulse))

    @property
    def largest_pulse(self) -> int:
        return 2**self.bits_per_pulse - 1

    @property
    def alike(self) -> bool:
        return True

    @property
    def fixed_voltage(self) -> bool:
        return True

    def pulses(self, codes: Float[Array, "*batch lines"]) -> list[Float[Array, "*batch lines"]]:
        magnitude, sign = jnp.abs(codes), jnp.sign(codes)
        base = 2**self.bits_per_pulse
        found = []
        for significance in self.significance:
            digit = jnp.floor(magnitude / significance)
            # The last digit takes what codes beyond the range would have in further ones.
            digit = sign * (digit if significance == self.significance[-1] else digit % base)
            share = codes / (len(self.significance) * significance)
            found.append(straight_through(share, digit, self.bits))
        return found


def _driven(codes: Array, errors: ConverterErrors | TransferCurves | None, bits: int | None) -> Array:
    return errors(codes, largest_code(bits)) if isinstance(errors, TransferCurves) else codes


def _fabricated(errors: ConverterErrors | TransferCurves | None, lines: int, key: Array) -> TransferCurves | None:
    return errors.fabricate((lines,), key=key) if isinstance(errors, ConverterErrors) else errors
