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


class Linear(AbstractSynapse, AbstractAnalog):
    """`y = W x + b`; the product is the part that goes onto a crossbar, the bias stays digital.

    **Arguments:**

    - `in_features`, `out_features`: Numbers of inputs and outputs.
    - `use_bias`: Whether there is a bias.
    - `gain`: Standard deviation of the initial weights times the root of `in_features`.
    - `product`: "float", or "bfloat16" for inputs that bfloat16 holds exactly: spikes, counts up to 256, codes of up to
      9 bits; others are rounded to 8 bits. The weights are split in two bfloat16 terms and the sums are float32, so the
      output is within 1e-5 of the float32 one, relative to the largest, at two or three fast products for each slow
      one. It pays on hardware with bfloat16 units. A weight on a crossbar is read as always.
    - `key`: For the initial weights.

    `weight` is an array of shape (out_features, in_features), a `Chip` after `memsim.program`, or an `AnalogMatrix`
    after `memsim.at`.
    """

    weight: Weight
    bias: Float[Array, " outputs"] | None
    in_features: int = eqx.field(static=True)
    out_features: int = eqx.field(static=True)
    product: Literal["float", "bfloat16"] = eqx.field(static=True)

    @checked(in_features=whole(1), out_features=whole(1), gain=at_least(0.0))
    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        use_bias: bool = True,
        gain: float = 1.0,
        product: Literal["float", "bfloat16"] = "float",
        key: Key[Array, ""],
    ):
        self.weight = gain / in_features**0.5 * jr.normal(key, (out_features, in_features))
        self.bias = jnp.zeros(out_features) if use_bias else None
        self.in_features = int(in_features)
        self.out_features = int(out_features)
        self.product = product

    @checked()
    def __call__(
        self, x: Shaped[Array, "*batch inputs"], *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "*batch outputs"]:
        """Applies the layer to the last axis of `x`. A weight with read noise needs `key`."""
        x = as_floats(x)
        if x.ndim == 0 or x.shape[-1] != self.in_features:
            raise ValueError(f"The last axis of `x` must have {self.in_features} entries. Got shape {x.shape}.")
        weight, key = opened(self.weight, x, key)
        if isinstance(weight, AnalogMatrix):
            y = weight(x, key=key)
        else:
            y = exact_input_product(x, weight) if self.product == "bfloat16" else x @ weight.T
        return y if self.bias is None else y + jnp.broadcast_to(self.bias, y.shape)

    def output_shape(self, shape: Shape | None) -> Shape | None:
        if shape is not None and shape != (self.in_features,):
            raise ValueError(f"must take an input of shape {(self.in_features,)}. Got {shape}.")
        return (self.out_features,)

    def word_lines(self, x: Float[Array, "*batch inputs"]) -> Float[Array, "reads inputs"]:
        return x.reshape(-1, self.in_features)

    def as_wired(self, matrix: AnalogMatrix) -> AnalogMatrix:
        return matrix
