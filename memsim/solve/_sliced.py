"""The design of an array that multiplies in fixed point."""

import math

from device_models import AbstractDevice

from .._array import ADC, BitSerialDAC, BitSliced, Crossbar, DifferentialPair, Reads, hints
from .._checks import checked, whole, write


@checked(
    device=write(hints.of_device),
    rows=whole(1, most=4096),
    bits_per_cell=whole(1, most=8),
    slices=whole(1, most=23),
    bits=whole(2, most=24),
)
def bit_sliced(
    device: AbstractDevice, *, rows: int = 16, bits_per_cell: int = 3, slices: int = 7, bits: int = 24
) -> Crossbar:
    r"""An array whose products are exact in fixed point, as long as cells stay within their levels.

    A weight is `slices` digits of `bits_per_cell` bits in pairs of cells, an input goes in bit by bit, and one code of
    the ADC is one level of a cell: sums of levels are whole numbers, and what cells deviate is rounded away where the
    deviations of a bit line add up to less than half a level. Codes are shifted and added in digital.

    **Arguments:**

    - `device`: The cell, of at least $2^b$ levels, such as `dm.Levels(device, 8)`.
    - `rows`: Word lines of an array, which the ADC has codes for.
    - `bits_per_cell`, `slices`: At most 23 bits together, beside the sign of the pair: 3 bits in 7 slices are 21.
    - `bits`: Of the inputs, sign included, scaled to the largest of them.

    What it multiplies with is the matrix rounded to the digits of its slices: a refinement with residuals of such a
    product solves that one, and its error in the original equation ends near $2^{-21}$ with the defaults. No slices
    take it below $2^{-23}$, since weights are put together in float32; digital residuals do.

    Reference: Zuo2025 slices matrices of 24 bits into 3-bit cells; its circuits are not modelled.

    >>> import device_models as dm, jax, memsim as ms
    >>> design = ms.solve.bit_sliced(dm.Levels(dm.Ideal(), 8), rows=2)
    >>> matrix = design.deploy([[1.0, 0.3]], 0.0, key=jax.random.key(0))
    >>> float(abs((matrix @ [1.0, -1.0])[0] - 0.7)) < 1e-6
    True
    """
    levels = 2**bits_per_cell - 1
    adc_bits = math.ceil(math.log2(rows * levels + 1)) + 1
    largest = 2 ** (adc_bits - 1) - 1
    return Crossbar(
        device,
        mapping=BitSliced(DifferentialPair(), bits_per_cell, slices),  # pyright: ignore[reportCallIssue]
        dac=BitSerialDAC(bits),
        adc=ADC(adc_bits, full_scale=largest / levels),
        compensation=None,
        tile=(rows, 256),
        reads=Reads("off"),
    )
