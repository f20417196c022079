"""A row of layers that is linear, as one matrix: what spikes and values have in common."""

from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ...nn import AbstractConv, Flatten, Linear, Scale
from ...nn._layer import Shape
from ...nn._synapses._pool import AbstractPool
from ._fit import Unfit

AFFINE = (Linear, AbstractConv, AbstractPool, Flatten, Scale)
MOST = 1 << 28  # entries of a matrix, beyond which a layer is no longer written out


def written_out(
    row: Iterable[Callable[[Array], Array]], shape: Shape, path: str
) -> tuple[Float[Array, "outputs inputs"], Float[Array, " outputs"]]:
    """The matrix and the bias of layers in a row, whose input has that `shape`; raises `Unfit` for one too large."""
    row = tuple(row)
    zero = jnp.zeros(shape)
    bias = through(row, zero).reshape(-1)
    if zero.size * bias.size > MOST:
        raise Unfit(path, f"a matrix of at most {MOST} weights", f"{zero.size * bias.size}", "Split the layer.")
    units = jnp.eye(zero.size).reshape(-1, *shape)
    columns = jax.vmap(lambda unit: through(row, unit).reshape(-1))(units)
    return (columns - jnp.expand_dims(bias, 0)).T, bias


def through(row: Iterable[Callable[[Array], Array]], x: Array) -> Array:
    """`x` after all layers of the row."""
    for layer in row:
        x = layer(x)
    return x


def moves_only(function: Any, shape: Shape) -> bool:
    """Whether a function only moves values about, as a reshape does, whatever it is called."""
    probe = -np.arange(1.0, np.prod(shape) + 1, dtype=np.float32).reshape(shape)
    found = on_numbers(function, probe)
    return found is not None and np.array_equal(np.sort(found.reshape(-1)), np.sort(probe.reshape(-1)))


def on_numbers(function: Any, probe: np.ndarray) -> np.ndarray | None:
    """What a function makes of numbers; `None` where it is no function of them."""
    try:
        return np.asarray(function(jnp.asarray(probe)))
    except (TypeError, ValueError):
        return None
