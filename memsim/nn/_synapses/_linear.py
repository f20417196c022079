"""A synapse layer whose weight is an array, or a moment of a chip."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from ..._crossbar import Chip
from ..._matrix import AnalogMatrix
from .._layer import Shape
from ._synapse import AbstractAnalog, read


class Linear(AbstractAnalog):
    """`y = W x + b`; the product is the part that goes onto a crossbar, the bias stays digital.

    **Arguments:**

    - `in_features`, `out_features`: Numbers of inputs and outputs.
    - `use_bias`: Whether there is a bias.
    - `gain`: Standard deviation of the initial weights times the root of `in_features`.
    - `key`: For the initial weights.

    `weight` is an array of shape (out_features, in_features), a `Chip` after `memsim.program`, or an `AnalogMatrix`
    after `memsim.at`.
    """

    weight: Float[Array, "outputs inputs"] | Chip | AnalogMatrix
    bias: Float[Array, " outputs"] | None
    in_features: int = eqx.field(static=True)
    out_features: int = eqx.field(static=True)

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        use_bias: bool = True,
        gain: float = 1.0,
        key: Key[Array, ""],
    ):
        if in_features < 1 or out_features < 1:
            raise ValueError(f"A layer must have at least 1 input and 1 output. Got {in_features} and {out_features}.")
        self.weight = gain / in_features**0.5 * jr.normal(key, (out_features, in_features))
        self.bias = jnp.zeros(out_features) if use_bias else None
        self.in_features = in_features
        self.out_features = out_features

    def __call__(
        self, x: Float[Array, "*batch inputs"], *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "*batch outputs"]:
        """Applies the layer to the last axis of `x`. A weight with read noise needs `key`."""
        if x.ndim == 0 or x.shape[-1] != self.in_features:
            raise ValueError(f"The input's last axis must have {self.in_features} entries. Got shape {x.shape}.")
        y = read(self.weight, x, key)
        return y if self.bias is None else y + jnp.broadcast_to(self.bias, y.shape)

    def output_shape(self, shape: Shape | None) -> Shape | None:
        if shape is not None and shape != (self.in_features,):
            raise ValueError(f"must take an input of shape {(self.in_features,)}. Got {shape}.")
        return (self.out_features,)

    def word_lines(self, x: Float[Array, "*batch inputs"]) -> Float[Array, "reads inputs"]:
        return x.reshape(-1, self.in_features)
