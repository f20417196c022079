"""Where the state of a memristor may be, and the coordinate in which it stays there."""

from abc import abstractmethod
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._checks import check, is_known


class AbstractInterval(eqx.Module):
    """The states from `low` to `high`, and a coordinate for the integration in time.

    A solver that integrates the state itself may step over an end, where a window changes its sign: the state then runs
    away and the solver calls that a success. In the coordinate no step leaves the interval.

    >>> import device_models as dm
    >>> interval = dm.memristors.hp_strukov2008().interval
    >>> isinstance(interval, dm.memristors.AbstractInterval), interval.low, interval.high
    (True, 0.0, 1.0)
    """

    low: eqx.AbstractVar[float | Float[Array, ""]]
    high: eqx.AbstractVar[float | Float[Array, ""]]

    def __check_init__(self):
        check(self)
        if is_known(self.low, self.high) and not float(self.low) < float(self.high):
            raise ValueError(
                f"The state needs room, `low` < `high`. Got low={self.low}, high={self.high}. Swap or correct them."
            )

    @abstractmethod
    def coordinate(self, state: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        """The coordinate of a state."""

    @abstractmethod
    def state(self, coordinate: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        """The state at a coordinate."""

    @abstractmethod
    def rate(
        self, flow: Callable[[Float[Array, "*cells"]], Float[Array, "*cells"]], coordinate: Float[Array, "*cells"]
    ) -> Float[Array, "*cells"]:
        """How fast the coordinate moves where the state moves by `flow(state)` per second, in 1/s."""

    @abstractmethod
    def keep(self, coordinate: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        """The nearest coordinate that is allowed."""

    @abstractmethod
    def holds(self, state: float | Float[Array, "*cells"]) -> bool | Array:
        """Whether a state is one of the interval's."""


class Walls(AbstractInterval):
    r"""A state that runs into an end in finite time, stops there, and leaves at full speed when the flow turns.

    The coordinate is $(x - \mathrm{low}) / (\mathrm{high} - \mathrm{low})$, put back to 0 or 1 after every step. A
    logarithmic coordinate would need forever to reach a wall, and as long to leave it.

    **Arguments:**

    - `low`, `high`: The ends, in the unit of the state.

    >>> import jax.numpy as jnp, device_models as dm
    >>> interval = dm.memristors.Walls(0.0, 2.0)
    >>> float(interval.coordinate(jnp.array(0.5))), float(interval.keep(jnp.array(1.2)))
    (0.25, 1.0)
    """

    low: float | Float[Array, ""]
    high: float | Float[Array, ""]

    def coordinate(self, state: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return (state - self.low) / (self.high - self.low)

    def state(self, coordinate: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return self.low + (self.high - self.low) * self.keep(coordinate)

    def rate(
        self, flow: Callable[[Float[Array, "*cells"]], Float[Array, "*cells"]], coordinate: Float[Array, "*cells"]
    ) -> Float[Array, "*cells"]:
        return flow(self.state(coordinate)) / (self.high - self.low)

    def keep(self, coordinate: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        # Not `clip`, whose gradient is halved for a state that rests exactly on an end.
        return jnp.where((coordinate < 0) | (coordinate > 1), jnp.clip(coordinate, 0, 1), coordinate)

    def holds(self, state: float | Float[Array, "*cells"]) -> bool | Array:
        return (state >= self.low) & (state <= self.high)


class Asymptotes(AbstractInterval):
    r"""A state whose flow vanishes at both ends in proportion to the distance: they are approached and never reached.

    The coordinate is the logit, $\ln((x - \mathrm{low}) / (\mathrm{high} - x))$, which takes every value: how far a
    state went towards an end, and so how long its way back is, is not lost to rounding.

    **Arguments:**

    - `low`, `high`: The ends, in the unit of the state.

    >>> import jax.numpy as jnp, device_models as dm
    >>> interval = dm.memristors.Asymptotes(0.0, 1.0)
    >>> print(f"{interval.coordinate(jnp.array(0.9)):.3f}")  # ln 9
    2.197
    """

    low: float | Float[Array, ""]
    high: float | Float[Array, ""]

    def coordinate(self, state: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return jnp.log((state - self.low) / (self.high - state))

    def state(self, coordinate: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return self.low + (self.high - self.low) * jax.nn.sigmoid(coordinate)

    def rate(
        self, flow: Callable[[Float[Array, "*cells"]], Float[Array, "*cells"]], coordinate: Float[Array, "*cells"]
    ) -> Float[Array, "*cells"]:
        # Nearer to an end than rounding can tell, flow and distance are both zero: their ratio stays what it was.
        near = 8 * float(jnp.finfo(coordinate.dtype).eps)
        width = self.high - self.low
        state = self.low + width * jnp.clip(jax.nn.sigmoid(coordinate), near, 1 - near)
        return flow(state) * width / ((state - self.low) * (self.high - state))

    def keep(self, coordinate: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        return coordinate

    def holds(self, state: float | Float[Array, "*cells"]) -> bool | Array:
        return (state > self.low) & (state < self.high)
