"""What a conversion from analog to digital costs, by the kind of converter."""

from abc import abstractmethod

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._checks import Checked, at_least, check, checked, is_known, positive
from ._nodes import NODE, Number, scaled_area, scaled_energy
from ._numbers import ADC_FIT, ANALOG, HERMES_NODE, ISAAC_NODE, SURVEY

ENOB = at_least(4.0, "effective bits, where the survey has converters", most=16.0)
MOST_RATE = 1e12  # conversions a second
RATE = positive("in conversions a second", most=MOST_RATE)
Resolution = int | Number  # bits, which may be broken where they have a gradient
COMPARATOR = 5e-12  # m^2 at 32 nm, assumed


@checked(enob=ENOB, rate=RATE, node=NODE)
def adc_survey_energy(enob: Number, rate: Number, node: Number) -> Float[Array, ""]:
    r"""Joules of one conversion, the optimistic envelope of the survey of published converters.

    $E = \frac12 10^{-(F - S)/10}\,\exp(a + b \ln n - c \ln N - d)$ pJ with the figure of merit $F$, which falls with
    the rate beyond its cap, the signal-to-noise ratio $S$ of $N$ effective bits, and the node $n$ in nm. Dynamic and
    static power together.

    **Arguments:**

    - `enob`: Effective number of bits, at least 4.
    - `rate`: Conversions a second of one converter.
    - `node`: In metres.

    >>> import memsim as ms
    >>> round(float(ms.energy.adc_survey_energy(8.0, 1e8, 28e-9)) * 1e12, 2)
    1.33

    Reference: Andrulis2024.
    """
    start, slope = ADC_FIT["walden"].coefficients
    cap, per_bit = ADC_FIT["schreier"].coefficients
    figure = jnp.minimum(start + slope * jnp.log(rate), cap + per_bit * jnp.ceil(enob))
    signal = 20 * np.log10(2.0) * enob + 10 * np.log10(1.5)
    offset, of_node = ADC_FIT["node"].coefficients
    of_enob, more = ADC_FIT["enob"].coefficients
    rest = jnp.exp(offset + of_node * jnp.log(jnp.asarray(node) * 1e9) + of_enob * jnp.log(enob) + more)
    return 0.5 * 10.0 ** (-(figure - signal) / 10) * rest * 1e-12


def adc_survey_area(enob: Number, rate: Number, node: float) -> Array:
    """Square metres of such a converter."""
    offset, of_node, of_rate, of_energy = ADC_FIT["area"].coefficients
    picojoules = adc_survey_energy(enob, rate, node) * 1e12
    logarithm = offset + of_node * np.log(node * 1e9) + of_rate * jnp.log(rate) + of_energy * jnp.log(picojoules)
    return 1e-12 * jnp.exp(logarithm)


class AbstractConversion(Checked):
    """What one conversion to so many bits, sign included, takes at a node.

    >>> import memsim as ms
    >>> adc = ms.energy.SurveyADC()
    >>> print(f"{1e12 * adc.joules(8, 28e-9, 0.9):.1f} pJ in {1e9 * adc.seconds(8):.0f} ns")
    1.3 pJ in 10 ns
    """

    @abstractmethod
    def joules(self, bits: Resolution, node: float, v_dd: Number) -> Number:
        """Of one conversion."""

    @abstractmethod
    def seconds(self, bits: Resolution) -> Number:
        """Of one conversion."""

    @abstractmethod
    def square_metres(self, bits: Resolution, node: float) -> Number:
        """Of one converter."""

    @property
    @abstractmethod
    def source(self) -> str:
        """Where its numbers are from."""

    @property
    def told(self) -> list[str]:
        """What must be said where its law is taken further than its numbers."""
        return []

    @property
    def scales(self) -> bool:
        """Whether it takes less at a lower supply."""
        return True


class SurveyADC(AbstractConversion):
    """A converter as good as the best published ones, mostly of successive approximation: `adc_survey_energy`.

    **Arguments:**

    - `rate`: Conversions a second.
    - `lost_bits`: By how much its effective bits are fewer than its bits.

    >>> import memsim as ms
    >>> adc = ms.energy.SurveyADC(rate=1e7)
    >>> print(f"{1e12 * adc.joules(8, 28e-9, 0.9):.1f} pJ in {1e9 * adc.seconds(8):.0f} ns")
    1.3 pJ in 100 ns
    """

    rate: Number = 100e6
    lost_bits: float = 0.0

    def __check_init__(self):
        check(self, rate=RATE, lost_bits=at_least(0.0, "in bits", most=8.0))

    def joules(self, bits: Resolution, node: float, v_dd: Number) -> Number:
        return adc_survey_energy(self._enob(bits), self.rate, node)

    def seconds(self, bits: Resolution) -> Number:
        return 1.0 / self.rate

    def square_metres(self, bits: Resolution, node: float) -> Number:
        return adc_survey_area(self._enob(bits), self.rate, node)

    @property
    def source(self) -> str:
        return ADC_FIT["node"].where

    @property
    def told(self) -> list[str]:
        slowest, fastest = SURVEY["rates"].coefficients
        if slowest <= float(self.rate) <= fastest:
            return []
        return [
            f"extrapolated in rate, {float(self.rate):g} is not of the survey's {slowest:g} to {fastest:g} a second"
        ]

    @property
    def scales(self) -> bool:
        return False

    def _enob(self, bits: Resolution) -> Number:
        enob = float(bits) - self.lost_bits if is_known(bits) else bits - self.lost_bits
        if is_known(enob) and not 4.0 <= enob <= 16.0:
            raise ValueError(
                "An ADC priced by the survey must have from 4 to 16 effective bits. Got "
                f"{enob:g}: bits={bits}, lost_bits={self.lost_bits:g}. Price it otherwise, such as by "
                "`Periphery(adc=RampADC())`."
            )
        return enob


class RampADC(AbstractConversion):
    """A ramp that all bit lines compare with: $2^b$ steps for $b$ bits.

    **Arguments:**

    - `clock`: Steps a second.

    >>> import memsim as ms
    >>> adc = ms.energy.RampADC(clock=1e9)
    >>> print(f"{1e9 * adc.seconds(8):.0f} ns")
    256 ns
    """

    clock: Number = 1e9

    def __check_init__(self):
        check(self, clock=RATE)

    def joules(self, bits: Resolution, node: float, v_dd: Number) -> Number:
        return scaled_energy(2.0**bits * float(ANALOG["comparison"]), ISAAC_NODE, node, v_dd)

    def seconds(self, bits: Resolution) -> Number:
        return 2.0**bits / self.clock

    def square_metres(self, bits: Resolution, node: float) -> Number:
        return scaled_area(COMPARATOR, ISAAC_NODE[0], node)

    @property
    def source(self) -> str:
        return ANALOG["comparison"].where


class FlashADC(AbstractConversion):
    """A comparator for each step: $2^b - 1$ of them at once.

    **Arguments:**

    - `rate`: Conversions a second.

    >>> import memsim as ms
    >>> adc = ms.energy.FlashADC(rate=1e9)
    >>> print(f"{adc.joules(5, 28e-9, 0.9) / adc.joules(4, 28e-9, 0.9):.2f}")  # 31 comparators and 15
    2.07
    """

    rate: Number = 1e9

    def __check_init__(self):
        check(self, rate=RATE)

    def joules(self, bits: Resolution, node: float, v_dd: Number) -> Number:
        return scaled_energy((2.0**bits - 1) * float(ANALOG["comparison"]), ISAAC_NODE, node, v_dd)

    def seconds(self, bits: Resolution) -> Number:
        return 1.0 / self.rate

    def square_metres(self, bits: Resolution, node: float) -> Number:
        return scaled_area((2**bits - 1) * COMPARATOR, ISAAC_NODE[0], node)

    @property
    def source(self) -> str:
        return ANALOG["comparison"].where


class OscillatorADC(AbstractConversion):
    """An oscillator a column whose frequency follows its current, counted while a pulse lasts, and on all the while.

    A pulse of $2^{b-1} - 1$ steps for $b$ bits takes as much whatever its current is, and no time after it, so that
    columns cannot take turns: it goes in a `Periphery` with `columns_per_adc=1`. Its power is that of a published core
    with all that is in it, so that the array and digital circuits, which are booked apart, count twice.

    **Arguments:**

    - `step`: Seconds of a pulse for a code of 1.

    Reference: Khaddam2022.

    >>> import memsim as ms
    >>> adc = ms.energy.OscillatorADC(step=1e-9)
    >>> periphery = ms.energy.Periphery(adc=adc, columns_per_adc=1)
    >>> print(f"{adc.joules(9, 14e-9, 0.8) / adc.joules(8, 14e-9, 0.8):.2f}")  # pulses of 255 and of 127 steps
    2.01
    """

    step: Number = 1e-9

    def __check_init__(self):
        check(self, step=positive("in seconds", most=1.0, hint="Nanoseconds? Multiply by 1e-9."))

    def joules(self, bits: Resolution, node: float, v_dd: Number) -> Number:
        return scaled_energy(float(ANALOG["oscillator"]), HERMES_NODE, node, v_dd) * ((2 ** (bits - 1) - 1) * self.step)

    def seconds(self, bits: Resolution) -> Number:
        return 0.0

    def square_metres(self, bits: Resolution, node: float) -> Number:
        return scaled_area(float(ANALOG["oscillator_area"]), HERMES_NODE[0], node)

    @property
    def source(self) -> str:
        return ANALOG["oscillator"].where
