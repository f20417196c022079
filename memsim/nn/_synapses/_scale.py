"""A gain, one for all or one for each value."""

import equinox as eqx
from jaxtyping import Array, Float, Key, Shaped

from ..._checks import as_floats, checked
from .._layer import Shape
from .._neurons._parameters import Parameter, check_shape, parameter, value
from ._synapse import AbstractSynapse


class Scale(AbstractSynapse):
    """`y = scale x`, element by element: the gain between a crossbar's output and a neuron's input.

    **Arguments:**

    - `scale`: A number is a constant; an array, of the shape of the input, is trained.

    >>> import jax.numpy as jnp, memsim as ms
    >>> print(ms.nn.Scale(2.0)(jnp.array([1.0, 3.0])))
    [2. 6.]
    """

    scale: Parameter = eqx.field(converter=parameter("scale"))

    @checked()
    def __call__(self, x: Shaped[Array, "*shape"], *, key: Key[Array, ""] | None = None) -> Float[Array, "*shape"]:
        return value(self.scale) * as_floats(x)

    def output_shape(self, shape: Shape | None) -> Shape | None:
        if shape is None:
            return None if value(self.scale).ndim == 0 else value(self.scale).shape
        check_shape("scale", self.scale, shape)
        return shape
