"""What every neuron promises: one update rule, an explicit state, no batch axis."""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key


class AbstractNeuron(eqx.Module):
    """A layer of neurons: `neuron(current, state) -> (output, state)` is one time step."""

    size: eqx.AbstractVar[int]

    @abstractmethod
    def initial_state(self) -> Any:
        """The state before the first step."""

    @abstractmethod
    def __call__(
        self, current: Float[Array, " size"], state: Any, *, key: Key[Array, ""] | None = None
    ) -> tuple[Float[Array, " size"], Any]:
        """One step of `dt`."""


def decay(tau: Any, dt: float) -> Float[Array, "*units"]:
    r"""$e^{-dt/\tau}$: the exact decay of a leaky membrane over one step."""
    return jnp.exp(-dt / jnp.asarray(tau, jnp.result_type(float)))


def check_neuron(size: int, tau: Any, dt: float) -> None:
    """Raises `ValueError` for an empty layer, or times that are not positive seconds."""
    if size < 1:
        raise ValueError(f"`size` must be at least 1 neuron. Got size={size}.")
    if not dt > 0:
        raise ValueError(f"`dt` must be positive, in seconds. Got dt={dt}.")
    if isinstance(tau, int | float) and not tau > 0:
        raise ValueError(f"A time constant must be positive, in seconds. Got {tau}.")
