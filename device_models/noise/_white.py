"""Noise without memory."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from .._draws import normal
from ._process import AbstractNoise, drawn, lagged, moved


class White(AbstractNoise):
    """A normal number at every read, independent of all others; the time between reads does not matter.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> noise = dm.noise.White()
    >>> state = noise.initial((5000,), key=jr.key(0))
    >>> after = noise.advance(state, 1e-9, key=jr.key(1))
    >>> print(f"{noise.value(state).std():.1f}, {abs(jnp.corrcoef(state, after)[0, 1]):.1f}")
    1.0, 0.0
    """

    @drawn
    def initial(self, shape: tuple[int, ...], *, key: Key[Array, ""]) -> Float[Array, "*cells"]:
        return normal(key, shape)

    @moved
    def advance(
        self, state: Float[Array, "*cells"], dt: float | Float[Array, ""], *, key: Key[Array, ""]
    ) -> Float[Array, "*cells"]:
        return normal(key, state.shape, state.dtype)

    def value(self, state: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return state

    @lagged
    def correlation(self, lag: Float[Array, "*lags"]) -> Float[Array, "*lags"]:
        return jnp.where(lag == 0, 1.0, 0.0).astype(lag.dtype)
