"""Spikes wherever a signal is above a threshold, without memory."""

from typing import Literal

import equinox as eqx
from jaxtyping import Array, Float, Key, Shaped

from ..._checks import as_floats, check, checked
from .._layer import Shape
from .._neurons._parameters import Parameter, check_shape, parameter, value
from .._neurons._surrogate import AbstractSurrogate, SuperSpike, spikes_of
from ._synapse import AbstractSynapse


class Threshold(AbstractSynapse):
    r"""$s = H(x - \theta)$: after an `LI`, this is an `LIF` without reset.

    **Arguments:**

    - `threshold`: $\theta$, in units of the input. A number is a constant; an array, of the shape of the input, is
      trained.
    - `surrogate`: Slope of the spike in the backward pass.
    - `at_threshold`: Whether an input of exactly the threshold "fires", as in `Firing`.

    >>> import jax.numpy as jnp, memsim as ms
    >>> print(ms.nn.Threshold(1.0)(jnp.array([0.5, 1.0, 1.5])))
    [0. 0. 1.]
    """

    threshold: Parameter = eqx.field(default=1.0, converter=parameter("threshold"))
    surrogate: AbstractSurrogate = SuperSpike()
    at_threshold: Literal["silent", "fires"] = eqx.field(static=True, default="silent")

    def __check_init__(self):
        check(self)

    @checked()
    def __call__(self, x: Shaped[Array, "*shape"], *, key: Key[Array, ""] | None = None) -> Float[Array, "*shape"]:
        over = as_floats(x) - value(self.threshold)
        return spikes_of(self.surrogate, over, at_zero=self.at_threshold == "fires")

    def output_shape(self, shape: Shape | None) -> Shape | None:
        if shape is None:
            return None if value(self.threshold).ndim == 0 else value(self.threshold).shape
        check_shape("threshold", self.threshold, shape)
        return shape
