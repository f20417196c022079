"""Input and output of published chips, as designs that differ from them only where it is said.

What they share: converter ranges are those of an untuned chip; `memsim.calibrate` finds better ones from data.
"""

from device_models import AbstractDevice, Ideal, pcm_hermes2, pcm_joshi2020, rram_wan2022, sonos_xiao2022

from ._array import (
    ADC,
    DAC,
    BitSerialDAC,
    BitSliced,
    Crossbar,
    OffsetColumn,
    PulseWidthDAC,
    Reads,
    SenseAmplifier,
    hints,
)
from ._checks import checked, whole, write

__all__ = ["RECIPES", "hermes", "isaac", "neurram", "rasch2023", "sonos"]

DEVICE = write(hints.of_device)
BITS = whole(2, most=8, hint="As on the chip, sign included.")


@checked(device=DEVICE)
def rasch2023(device: AbstractDevice | None = None) -> Crossbar:
    """The standard evaluation point of Rasch et al.: 8-bit converters, output noise, PCM with drift compensation.

    254 input steps and a full scale of 10 fully-on cells at 8 bits, output noise of 0.04 cells, tiles of 512 x 512,
    column-wise scales. Read noise is that of the device, 1/f, once for each moment; the preset's own white one (1.75 %
    of a cell, growing as the root of the conductance) is not added to it. Its static IR-drop formula is not here: use
    `wires=AlphaBetaWires(0.35, 0.35)`, whose 0.35 ohm a segment is the preset's.

    Reference: Rasch2023.

    >>> import memsim as ms
    >>> design = ms.recipes.rasch2023()
    >>> design.adc.bits, design.adc.full_scale, design.tile
    (8, 10.0, (512, 512))
    """
    return Crossbar(
        device or pcm_joshi2020(),
        dac=DAC(8),
        adc=ADC(8, full_scale=10.0),
        reads=Reads("per_moment", sense=SenseAmplifier(noise=0.04)),
        tile=(512, 512),
    )


@checked(device=DEVICE)
def hermes(device: AbstractDevice | None = None) -> Crossbar:
    """The PCM core of Le Gallo et al.: 8-bit signed pulse widths in, an 8-bit ADC a column, arrays of 256 x 256.

    Two devices a polarity are one cell of `pcm_hermes2`, the default. The oscillator of the ADC and its calibration are
    not modelled; its full scale is our default.

    Reference: LeGallo2023.

    >>> import memsim as ms
    >>> design = ms.recipes.hermes()
    >>> design.dac.bits, design.adc.bits, design.tile
    (8, 8, (256, 256))
    """
    return Crossbar(
        device or pcm_hermes2(), dac=PulseWidthDAC(8), adc=ADC(8), tile=(256, 256), reads=Reads("per_moment")
    )


@checked(device=DEVICE, input_bits=BITS, output_bits=BITS)
def neurram(device: AbstractDevice | None = None, *, input_bits: int = 4, output_bits: int = 8) -> Crossbar:
    """The RRAM cores of Wan et al.: bit-serial inputs at 0.5 V, a charge ADC a neuron, arrays of 256 x 256.

    Inputs have 2 to 8 bits, sign included, outputs as many. Signs are on pairs of rows there, on pairs of bit lines
    here: the same sum where wires are ideal. Voltage-mode sensing, which divides by the sum of a column's conductances,
    is not modelled. The default cell is `rram_wan2022`, 1 to 40 uS, which relaxes.

    Reference: Wan2022.

    >>> import memsim as ms
    >>> design = ms.recipes.neurram(input_bits=6)
    >>> design.dac.bits, design.adc.bits, f"{1e6 * design.device.g_max:.0f} uS"
    (6, 8, '40 uS')
    """
    return Crossbar(
        device or rram_wan2022(),
        dac=BitSerialDAC(input_bits),
        adc=ADC(output_bits),
        tile=(256, 256),
        reads=Reads("per_moment", v_read=0.5),
    )


@checked(device=DEVICE)
def sonos(device: AbstractDevice | None = None) -> Crossbar:
    """The charge-trap arrays of Xiao et al.: 8-bit inputs bit by bit, an 8-bit ADC, 1024 rows, two cells a weight.

    The default cell is `sonos_xiao2022`, 0 to 16 uS, measured over five days. No drift compensation, no slices. The
    width of 256 columns is assumed; with ideal wires it changes nothing but where the scale "tile" is taken.

    Reference: Xiao2022.

    >>> import memsim as ms
    >>> design = ms.recipes.sonos()
    >>> design.tile, design.compensation
    ((1024, 256), None)
    """
    return Crossbar(
        device or sonos_xiao2022(),
        dac=BitSerialDAC(8),
        adc=ADC(8),
        compensation=None,
        tile=(1024, 256),
        reads=Reads("per_moment"),
    )


@checked(device=DEVICE)
def isaac(device: AbstractDevice | None = None) -> Crossbar:
    """The accelerator of Shafiee et al.: 16-bit weights in eight 2-bit cells, 16-bit inputs bit by bit, 8-bit ADCs.

    Arrays of 128 x 128, weights in offset binary with a unit column. The array, cell and converter numbers are
    recalled. A code of the ADC is one of the four levels of a cell, so that exact cells are read exactly, as there; for
    128 rows and both signs that takes 10 bits here, where the chip's coding of inputs and weights saves two. It was
    modelled, never built: without a `device` cells are exact.

    Reference: Shafiee2016.

    >>> import jax.numpy as jnp, jax.random as jr, numpy as np, memsim as ms
    >>> w = jnp.array([[1.0, -0.3]])
    >>> matrix = ms.recipes.isaac().deploy(w, 0.0, key=jr.key(0))
    >>> print(np.asarray(matrix.effective_weight).round(4))  # 16 bits of exact cells
    [[ 1.  -0.3]]
    """
    levels, bits = 3, 10
    offset = OffsetColumn(scale="tensor", offset="column")
    return Crossbar(
        device or Ideal(),
        mapping=BitSliced(mapping=offset, bits_per_cell=2, slices=8),  # pyright: ignore[reportCallIssue]
        dac=BitSerialDAC(16),
        adc=ADC(bits, full_scale=(2 ** (bits - 1) - 1) / levels),
        compensation=None,
        tile=(128, 128),
        reads=Reads("per_moment"),
    )


RECIPES = {"rasch2023": rasch2023, "hermes": hermes, "neurram": neurram, "sonos": sonos, "isaac": isaac}
