r"""Products on BrainScaleS-2: pulses of 5 bits, weights of 6 bits and a sign, converters of 8 bits.

For each block of 128 rows, $y = \mathrm{clip}(\lfloor g\,n\,w x + \epsilon \rfloor, -128, 127)$, with the gain
$g$ of the analog path, the number $n$ of times that the pulses are sent, and noise $\epsilon$; blocks add digitally and
are clipped again. The floor costs half a code a block, on average.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from .._sums._whole import saturate

BLOCK = 128  # signed rows of an array: a weight with a sign takes two of its 256
PULSE, WEIGHT = 31, 63  # the longest pulse, and the largest weight
CODE = 8  # bits of the converter, sign included
FLOOR = 0.5  # what a floor takes off, on average


class Readout(NamedTuple):
    """How sums become codes: one value, or one for each block and output.

    **Arguments:**

    - `gain`: Codes for one unit of pulse times weight.
    - `sends`: How often the pulses are sent.
    - `offset`: Of the converters, in codes.
    """

    gain: Float[Array, "..."]
    sends: Float[Array, ""]
    offset: Float[Array, "..."]


def blocks(inputs: int) -> int:
    """How many blocks of rows that many inputs take."""
    return -(-inputs // BLOCK)


def block_sums(xs: Int[Array, "*batch inputs"], weight: Int[Array, "outputs inputs"]) -> Float[Array, "..."]:
    """What each block adds up to, (*batch, blocks, outputs): exact, as it stays below 2**24."""
    number = blocks(weight.shape[1])
    more = number * BLOCK - weight.shape[1]
    x = jnp.pad(xs, [(0, 0)] * (xs.ndim - 1) + [(0, more)]).reshape(*xs.shape[:-1], number, BLOCK)
    w = jnp.pad(weight, ((0, 0), (0, more))).reshape(-1, number, BLOCK)
    exact = jax.lax.Precision.HIGHEST
    return jnp.einsum("...kr,okr->...ko", x.astype(jnp.float32), w.astype(jnp.float32), precision=exact)


def product(
    xs: Int[Array, "*batch inputs"],
    weight: Int[Array, "outputs inputs"],
    readout: Readout,
    noise: Float[Array, "..."] | None = None,
) -> Int[Array, "*batch outputs"]:
    """The codes of `xs` times `weight`; `noise` is in codes, (*batch, blocks, outputs)."""
    # Kept apart by a barrier: one product of gain and sends would round otherwise.
    sums = block_sums(xs, weight)
    once = jax.lax.optimization_barrier(sums * jnp.broadcast_to(readout.gain, sums.shape))
    value = once * readout.sends + jnp.broadcast_to(readout.offset, sums.shape)
    codes = jnp.floor(value if noise is None else value + noise)
    each = jnp.clip(codes, -(1 << (CODE - 1)), (1 << (CODE - 1)) - 1).astype(jnp.int32)
    return saturate(jnp.sum(each, axis=-2, dtype=jnp.int32), CODE)


def relu(codes: Int[Array, "*batch outputs"]) -> Int[Array, "*batch outputs"]:
    """From 0 to 127."""
    return jnp.maximum(codes, 0)


def converting_relu(codes: Int[Array, "*batch outputs"], shift: Int[Array, ""] | int) -> Int[Array, "*batch outputs"]:
    """Pulses for the next layer: shifted right, from 0 to 31."""
    return jnp.clip(relu(codes) >> shift, 0, PULSE)
