"""A weight that tells what its layer is driven with, whatever the model around it."""

from functools import partial
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jax.custom_batching import custom_vmap
from jaxtyping import Array


class Seen:
    """The inputs of each watched layer by its path, as they came: (calls, *shape of one call)."""

    def __init__(self):
        self.inputs: dict[str, list[np.ndarray]] = {}

    def add(self, path: str, shape: tuple[int, ...], x: Any) -> None:
        self.inputs.setdefault(path, []).append(np.asarray(x).reshape(-1, *shape))


class Watched(eqx.Module):
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
