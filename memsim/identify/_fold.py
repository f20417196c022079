"""Many reads as the few sums of them that tell as much."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

SAME = 1e-9  # relative: weights of one output that differ by rounding only


class Reads(NamedTuple):
    """Reads `y` of inputs `x`, of weight one over their variance, to which an offset of one adds `level`.

    `rest` are the squares, in units of the noise, that belong to `y` whatever the array is.
    """

    x: Float[np.ndarray, "reads inputs"]
    level: Float[np.ndarray, " reads"]
    y: Float[np.ndarray, "*chips reads outputs"]
    weight: Float[np.ndarray, "*chips reads outputs"]
    rest: Float[np.ndarray, "*chips"] | float = 0.0


def folded(reads: Reads) -> Reads:
    """The same in no more reads than inputs and an offset are, where all reads of an output have one weight.

    A read is linear in its input, so all that an array can be lies in the span of inputs and offset. Turned by an
    orthogonal matrix, noise stays white, and what is orthogonal to the span is noise alone, whatever the array is.
    Others stay as they are.
    """
    x, level, y, weight, rest = reads
    inputs, one = x.shape[1], weight[..., :1, :]
    if len(x) <= inputs + 1 or not np.all(np.abs(weight - one) <= SAME * one):
        return reads
    turn, short = np.linalg.qr(np.concatenate([x, level[:, None]], axis=1))
    few = np.swapaxes(turn, 0, 1) @ y
    left = np.sum(one * (y - turn @ few) ** 2, axis=(-2, -1))
    return Reads(short[:, :inputs], short[:, inputs], few, np.repeat(one, inputs + 1, axis=-2), rest + left)
