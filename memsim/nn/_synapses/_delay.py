"""Axonal delays: each channel arrives a number of steps late."""

from collections.abc import Set
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from ..._checks import checked, is_known, whole
from .._layer import AbstractLayer, Record, Shape, chosen

DELAYS = whole(0, hint="Seconds? Divide by dt and round.")


class Delay(AbstractLayer):
    r"""$y_i(t) = x_i(t - d_i)$, zero before the start of the sequence. The state holds the last inputs.

    **Arguments:**

    - `size`: Number of channels, or the shape of the layer's input.
    - `steps`: The delays $d$, in time steps of at least 0: a number for all channels, or an array of the layer's shape.
    - `longest`: The longest delay there may be, in steps; that of `steps` by default.

    >>> import jax.numpy as jnp, memsim as ms
    >>> network = ms.nn.SpikingNetwork([ms.nn.Delay(2, jnp.array([0, 2]))])
    >>> print(network(jnp.array([[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]])))
    [[1. 0.]
     [0. 0.]
     [0. 1.]]
    """

    size: int | tuple[int, ...] = eqx.field(static=True)
    steps: Int[Array, "*shape"]
    longest: int = eqx.field(static=True)

    @checked(size=whole(1), steps=DELAYS, longest=whole(0))
    def __init__(
        self, size: int | tuple[int, ...], steps: int | Int[Array, "*shape"] | np.ndarray, *, longest: int | None = None
    ):
        self.size = tuple(map(int, size)) if isinstance(size, tuple) else int(size)
        self.steps, self.longest = delays("steps", steps, self.shape, longest)

    @property
    def shape(self) -> Shape:
        return (self.size,) if isinstance(self.size, int) else tuple(self.size)

    def initial_state(self) -> Float[Array, "longest *shape"]:
        return jnp.zeros((self.longest, *self.shape))

    def output_shape(self, shape: Shape | None) -> Shape | None:
        if shape is not None and shape != self.shape:
            raise ValueError(f"must take an input of shape {self.shape}. Got {shape}.")
        return self.shape

    def run(
        self,
        xs: Float[Array, "steps *shape"],
        state: Float[Array, "longest *shape"],
        *,
        keys: Key[Array, " steps"] | None = None,
        record: Set[str] = frozenset(),
    ) -> tuple[Float[Array, "steps *shape"], Any, Record]:
        history = jnp.concatenate([state, xs])
        now = self.longest + jnp.arange(xs.shape[0], dtype=self.steps.dtype).reshape(-1, *[1] * self.steps.ndim)
        then = jnp.broadcast_to(now, xs.shape) - jnp.broadcast_to(self.steps, xs.shape)
        return jnp.take_along_axis(history, then, axis=0), history[xs.shape[0] :], chosen(record, inputs=xs)


def delays(
    name: str, steps: int | Array | np.ndarray, shape: Shape, longest: int | None
) -> tuple[Int[Array, "*shape"], int]:
    """Delays as an array of `shape`, and the longest of them; raises `ValueError` for what is no delay."""
    if not is_known(steps):
        if longest is None:
            raise ValueError(f"`longest` must be given where `{name}` is traced. Got none; pass the longest delay.")
        return jnp.broadcast_to(steps, shape), longest
    found = np.asarray(steps)
    if found.shape not in ((), shape) or not np.issubdtype(found.dtype, np.integer) or found.min(initial=0) < 0:
        raise ValueError(
            f"`{name}` must be whole time steps of at least 0, one number or an array of shape {shape}. "
            f"Got {found.dtype} values of shape {found.shape}, from {found.min(initial=0)}. "
            "Seconds? Divide by dt and round."
        )
    most = int(found.max(initial=0))
    if longest is not None and longest < most:
        raise ValueError(f"`longest` must be at least the longest of `{name}`, {most} steps. Got {longest}.")
    return jnp.broadcast_to(jnp.asarray(found, int), shape), most if longest is None else int(longest)
