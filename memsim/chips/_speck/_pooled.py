"""Spikes of windows of an image, summed before they reach synapses."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from ...nn import SumPool2d
from ...nn._layer import Shape
from .._sums._connection import AbstractConnection


class Pooled(AbstractConnection):
    """The synapses of `then`, for sums of windows of up to `window` inputs."""

    pool: SumPool2d
    then: AbstractConnection
    input_shape: Shape = eqx.field(static=True)
    window: int = eqx.field(static=True)
    wait: int = eqx.field(static=True, default=0)

    def initial_state(self) -> Int[Array, "past pooled"]:
        return self.then.initial_state()

    def sums(
        self, xs: Int[Array, "steps inputs"], past: Int[Array, "past pooled"], *, most: int
    ) -> tuple[Int[Array, "steps outputs"], Int[Array, "past pooled"]]:
        return self.then.sums(self._summed(xs), past, most=most * self.window)

    def events(
        self, xs: Int[Array, "steps inputs"], core: Int[Array, " outputs"], cores: int
    ) -> tuple[Int[Array, "steps cores"], Int[Array, "steps cores"]]:
        return self.then.events(self._summed(xs), core, cores)

    def _summed(self, xs: Int[Array, "steps inputs"]) -> Int[Array, "steps pooled"]:
        images = xs.astype(jnp.float32).reshape(-1, *self.input_shape)
        return jax.vmap(self.pool)(images).astype(jnp.int32).reshape(xs.shape[0], -1)
