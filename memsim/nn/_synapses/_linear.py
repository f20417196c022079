"""A synapse layer whose weight is an array, or a moment of a chip."""

from typing import Literal

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key, Shaped

from ..._array import AnalogMatrix
from ..._checks import as_floats, at_least, checked, whole
from .._layer import Shape
from ._bfloat16 import exact_input_product
from ._synapse import AbstractAnalog, AbstractSynapse, Weight, opened

Features = int | Literal["scalar"]


class Linear(AbstractSynapse, AbstractAnalog):
    """`y = W x + b`; the product is the part that goes onto a crossbar, the bias stays digital.

    **Arguments:**

    - `in_features`, `out_features`: Numbers of inputs and outputs; "scalar" for one that has no axis of its own.
    - `use_bias`: Whether there is a bias.
    - `gain`: Standard deviation of the initial weights times the root of `in_features`.
    - `product`: "float", or "bfloat16" for inputs that bfloat16 holds exactly: spikes, counts up to 256, codes of up to
      9 bits; others are rounded to 8 bits. The weights are split in two bfloat16 terms and the sums are float32, so the
      output is within 1e-5 of the float32 one, relative to the largest, at two or three fast products for each slow
      one. It pays on hardware with bfloat16 units. A weight on a crossbar is read as always.
    - `key`: For the initial weights.

    `weight` is an array of shape (out_features, in_features), a `Chip` after `memsim.program`, or an `AnalogMatrix`
    after `memsim.at`.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> layer = ms.nn.Linear(3, 2, key=jr.key(0))
    >>> layer(jnp.ones(3)).shape, layer.weight.shape
    ((2,), (2, 3))
    """

    weight: Weight
    bias: Float[Array, " outputs"] | None
    in_features: Features = eqx.field(static=True)
    out_features: Features = eqx.field(static=True)
    product: Literal["float", "bfloat16"] = eqx.field(static=True)

    @checked(in_features=whole(1), out_features=whole(1), gain=at_least(0.0))
    def __init__(
        self,
        in_features: Features,
        out_features: Features,
        *,
        use_bias: bool = True,
        gain: float = 1.0,
        product: Literal["float", "bfloat16"] = "float",
        key: Key[Array, ""],
    ):
        inputs, outputs = number(in_features), number(out_features)
        self.weight = gain / inputs**0.5 * jr.normal(key, (outputs, inputs))
        self.bias = jnp.zeros(outputs) if use_bias else None
        self.in_features = "scalar" if in_features == "scalar" else inputs
        self.out_features = "scalar" if out_features == "scalar" else outputs
        self.product = product

    @checked()
    def __call__(self, x: Shaped[Array, "*inputs"], *, key: Key[Array, ""] | None = None) -> Float[Array, "*outputs"]:
        """Applies the layer to the last axis of `x`. A weight with read noise needs `key`."""
        x = as_floats(x)
        if self.in_features == "scalar":
            x = x[..., None]
        elif x.ndim == 0 or x.shape[-1] != self.in_features:
            raise ValueError(f"The last axis of `x` must have {self.in_features} entries. Got shape {x.shape}.")
        weight, x, key = opened(self.weight, x, key)
        if isinstance(weight, AnalogMatrix):
            y = weight(x, key=key)
        else:
            y = exact_input_product(x, weight) if self.product == "bfloat16" else x @ weight.T
        y = y if self.bias is None else y + jnp.broadcast_to(self.bias, y.shape)
        return y[..., 0] if self.out_features == "scalar" else y

    def output_shape(self, shape: Shape | None) -> Shape | None:
        inputs, outputs = (() if size == "scalar" else (size,) for size in (self.in_features, self.out_features))
        if shape is not None and shape != inputs:
            raise ValueError(f"must take an input of shape {inputs}. Got {shape}.")
        return outputs

    def word_lines(self, x: Float[Array, "*inputs"]) -> Float[Array, "reads inputs"]:
        return x.reshape(-1, number(self.in_features))

    def as_wired(self, matrix: AnalogMatrix) -> AnalogMatrix:
        return matrix


def number(features: Features) -> int:
    """Word lines, or bit lines, of so many features."""
    return 1 if isinstance(features, str) else int(features)
