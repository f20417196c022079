"""What every noise in time promises: a state that moves, and a value of unit variance."""

from abc import abstractmethod
from typing import Any

from jaxtyping import Array, Float, Key

from .._checks import Checked, at_least, checked, whole

# Decorators of what every process can do.
drawn = checked(shape=whole(0))
moved = checked(dt=at_least(0.0, "in seconds"))
lagged = checked(lag=at_least(0.0, "in seconds"))


class AbstractNoise(Checked):
    """Stationary noise of mean zero and variance one, the same process for every cell and independent between them.

    `initial` draws a state from the stationary law and `advance` moves it by `dt`, exactly for any `dt`: two steps have
    the law of one of twice the time. `value` is what the noise is now, `std * value(state)` that of a cell whose reads
    have standard deviation `std`. A device says how large its read noise is, a process how it goes on in time.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> class Drawn(dm.noise.AbstractNoise):
    ...     def initial(self, shape, *, key):
    ...         return jr.normal(key, shape)
    ...     def advance(self, state, dt, *, key):
    ...         return jr.normal(key, state.shape)
    ...     def value(self, state):
    ...         return state
    ...     def correlation(self, lag):
    ...         return jnp.where(lag == 0, 1.0, 0.0)
    >>> float(Drawn().correlation(jnp.array(1.0)))
    0.0
    """

    @abstractmethod
    def initial(self, shape: tuple[int, ...], *, key: Key[Array, ""]) -> Any:
        """A state of cells of `shape`."""

    @abstractmethod
    def advance(self, state: Any, dt: float | Float[Array, ""], *, key: Key[Array, ""]) -> Any:
        """The state `dt` seconds later."""

    @abstractmethod
    def value(self, state: Any) -> Float[Array, "*cells"]:
        """The noise now, a pure number."""

    @abstractmethod
    def correlation(self, lag: Float[Array, "*lags"]) -> Float[Array, "*lags"]:
        """Correlation of two values `lag` seconds apart, in closed form."""
