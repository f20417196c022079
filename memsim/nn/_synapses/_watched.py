"""Weights that tell of their reads what they are driven with."""

import functools
from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jax.custom_batching import custom_vmap
from jaxtyping import Array, Float

METER = "memsim_meter_"  # begins the name of a function that marks what a read was measured to do, and ends in a number


class Seen:
    """The inputs of each watched layer by its path, as they came: (calls, *shape of one call)."""

    def __init__(self):
        self.inputs: dict[str, list[np.ndarray]] = {}

    def add(self, path: str, shape: tuple[int, ...], x: Any) -> None:
        self.inputs.setdefault(path, []).append(np.asarray(x).reshape(-1, *shape))


class AbstractWatched(eqx.Module):
    """A `weight` that is told of each of its reads."""

    weight: eqx.AbstractVar[Any]

    @abstractmethod
    def tell(self, x: Array) -> None:
        """Passes on the input of one call."""


class Watched(AbstractWatched):
    """A `weight` whose reads are told to `seen`: at run time, within `jax.jit`, `jax.vmap`, `jax.lax.scan` and others.

    **Arguments:**

    - `weight`: What the layer had.
    - `path`: Of the layer.
    - `seen`: Where its inputs go. They are all there after `jax.effects_barrier()`.
    """

    weight: Any
    path: str = eqx.field(static=True)
    seen: Seen = eqx.field(static=True)

    def tell(self, x: Array) -> None:
        """Passes on the input of one call; those of a mapped axis at once."""
        add = partial(self.seen.add, self.path, x.shape)

        @custom_vmap
        def told(x):
            jax.debug.callback(add, x)
            return x

        @told.def_vmap
        def _(axis_size, in_batched, x):
            return told(x), True

        told(jax.lax.stop_gradient(x))


class Metered(AbstractWatched):
    """A `weight` whose reads are measured, in a way that can be differentiated: `memsim.nn._loops.metered` collects it.

    **Arguments:**

    - `weight`: What the layer had.
    - `measure`: From the input of one call to some numbers for each of its reads.
    - `place`: Of the layer among those that are measured.
    """

    weight: Any
    measure: Callable[[Array], tuple[Float[Array, " reads"], ...]]
    place: int = eqx.field(static=True)

    def tell(self, x: Array) -> None:
        """Marks what was measured, where the model is being recorded."""
        meter(self.place)(*self.measure(x))


@functools.cache
def meter(place: int) -> Callable[..., tuple[Array, ...]]:
    """Marks numbers by the name of the function that they go through."""

    def mark(*values: Array) -> tuple[Array, ...]:
        return values

    mark.__name__ = f"{METER}{place}"
    return jax.jit(mark)
