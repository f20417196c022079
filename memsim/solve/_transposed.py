"""A moment read from the other side: bit lines are driven, and word lines are sensed."""

import jax.numpy as jnp

from .._array import AnalogMatrix, WordLines
from .._checks import judge


def transposed(matrix: AnalogMatrix) -> AnalogMatrix:
    """The array of `matrix`, driven at its bit lines and sensed at its word lines: its matrix is the transposed one.

    A network of ohmic cells and wires is reciprocal: the current into a grounded word line for a voltage on a bit line
    is that into the grounded bit line for the same voltage on the word line. So the transposed matrix is exact behind
    wires, too, if both ends of every line have a driver and an amplifier of the same resistance. That is assumed, as
    that bit lines get a DAC like that of the word lines, and that digital scales of bit lines are applied in front of
    it without a rounding of their own. Cells add their read noise as from the other side.

    **Arguments:**

    - `matrix`: Of ohmic cells, one a weight and sign, without ADC, amplifiers and moving noise, and with a DAC, if any,
      that drives all lines alike.

    **Raises:** `ValueError` where the array cannot be read so, with what stands against it.

    >>> import jax, memsim as ms
    >>> matrix = ms.AnalogMatrix.exact(jax.numpy.array([[1.0, 2.0, 3.0]]))
    >>> ms.solve.transposed(matrix)([1.0])
    Array([1., 2., 3.], dtype=float32)
    """
    judge("matrix", matrix, AnalogMatrix)
    against = _against(matrix)
    if against:
        raise ValueError(
            "`matrix` must be of an array that can be read from its bit lines: ohmic cells, one a weight and sign, no "
            f"ADC, no amplifiers. Got one with {', '.join(against)}. Program the transposed weights on a second array."
        )
    noise = matrix.noise
    if noise is not None:
        noise = type(noise)(noise.variance.T, white=noise.white)
    sums = type(matrix.sums)(None, rows=matrix.outputs)
    lines = WordLines(matrix.word_lines.dac)
    return AnalogMatrix(lines, jnp.transpose(matrix.weight), noise, None, None, None, sums, matrix.dtype)


def _against(matrix: AnalogMatrix) -> list[str]:
    """What keeps an array from being read from its bit lines."""
    dac, noise = matrix.word_lines.dac, matrix.noise
    own_noise = noise is None or (noise.shared is None and noise.crossed is None)
    reasons = {
        "an ADC": matrix.adc is not None,
        "sense amplifiers": matrix.amplifiers is not None,
        "cells with a nonlinear I-V": matrix.word_lines.terms > 1,
        "bit-sliced weights": matrix.sums.slices > 1,
        "an offset column": matrix.sums.of_codes is not None,
        "noise that moves": matrix.fluctuation is not None,
        "read noise that lines share": not own_noise,
        "drivers that differ": dac is not None and not dac.alike,
    }
    return [reason for reason, holds in reasons.items() if holds]
