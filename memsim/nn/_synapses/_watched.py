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

from device_models._held import held

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
    def told(self, x: Array) -> Array:
        """Passes on the input of one call; the input for the read."""


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

    def told(self, x: Array) -> Array:
        """Passes on the input of one call; those of a mapped axis at once."""
        add = partial(self.seen.add, self.path, x.shape)

        @custom_vmap
        def passed(x):
            jax.debug.callback(add, x)
            return x

        @passed.def_vmap
        def _(axis_size, in_batched, x):
            return passed(x), True

        passed(jax.lax.stop_gradient(x))
        return x


class Metered(AbstractWatched):
    """A `weight` whose reads are measured, in a way that can be differentiated: `memsim.nn._loops.metered` collects it.

    **Arguments:**

    - `weight`: What the layer had.
    - `measure`: From the input of one call to some numbers.
    - `place`: Of the layer among those that are measured.
    """

    weight: Any
    measure: Callable[[Array], tuple[Float[Array, ""], ...]]
    place: int = eqx.field(static=True)

    def told(self, x: Array) -> Array:
        """Marks what was measured, where the model is being recorded."""
        # Made once for the read and for this: on a CPU XLA would draw the noise of the layer before for both.
        x = held(lambda x: x, x)
        meter(self.place)(*self.measure(x))
        return x


@functools.cache
def meter(place: int) -> Callable[..., tuple[Array, ...]]:
    """Marks numbers by the name of the function that they go through."""

    def mark(*values: Array) -> tuple[Array, ...]:
        return values

    mark.__name__ = f"{METER}{place}"
    return jax.jit(mark)
