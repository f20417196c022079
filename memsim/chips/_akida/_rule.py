r"""Layers of Akida in whole numbers, by the published formulas; no package of the vendor was run.

Version 2: $((x \ll i) w + (b \ll j))\,s \gg k$, products summed in 28 bits and all later ones held in 32, both
saturating; a ReLU and a cut to 8 bits follow. Version 1: a sum of inputs and weights of 1, 2 or 4 bits, and a ReLU of
steps, $\mathrm{clip}(\lfloor (V - \theta) / \Delta \rfloor, 0, 2^n - 1)$, with a threshold and a step for each neuron.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Int

from .._sums._whole import exact_product, saturate, saturating_product, saturating_shift

BUFFER, LATER = 28, 32  # bits of sums, and of what comes after


class Scaled(NamedTuple):
    """What a layer of version 2 does to its sums: shifts of inputs, bias and outputs, and a factor."""

    bias: Int[Array, " outputs"]
    in_shift: Int[Array, ""]
    bias_shift: Int[Array, ""]
    scale: Int[Array, "..."]
    shift: Int[Array, ""]


def version2(
    xs: Int[Array, "*batch inputs"], weight: Int[Array, "outputs inputs"], to: Scaled, *, most: int, largest: int
) -> Int[Array, "*batch outputs"]:
    """The outputs before a ReLU and their cut, for |xs| up to `most` and |weight| up to `largest`.

    The sum of all products must hold in 32 bits, which 57 334 inputs of 8 bits do.
    """
    sums = saturating_shift(exact_product(xs, weight, most=most, largest=largest), to.in_shift, BUFFER)
    bias = saturating_shift(to.bias, to.bias_shift, BUFFER)
    sums = saturate(sums + jnp.expand_dims(bias, tuple(range(sums.ndim - 1))), BUFFER)
    return saturating_product(sums, jnp.broadcast_to(to.scale, sums.shape)) >> to.shift


def version1(
    xs: Int[Array, "*batch inputs"],
    weight: Int[Array, "outputs inputs"],
    threshold: Int[Array, " outputs"],
    step: Int[Array, " outputs"],
    *,
    bits: int,
    most: int,
) -> Int[Array, "*batch outputs"]:
    """Outputs of `bits` bits, for weights of at most 4 bits and inputs of up to `most`."""
    sums = exact_product(xs, weight, most=most, largest=8)
    lead = tuple(range(sums.ndim - 1))
    over = (sums - jnp.expand_dims(threshold, lead)) // jnp.expand_dims(step, lead)
    return jnp.clip(over, 0, (1 << bits) - 1)


def relu(outputs: Int[Array, "*batch outputs"], *, bits: int) -> Int[Array, "*batch outputs"]:
    """Cut to `bits` bits without a sign."""
    return jnp.clip(outputs, 0, (1 << bits) - 1)
