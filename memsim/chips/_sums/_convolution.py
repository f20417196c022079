"""A kernel of whole numbers that slides over the spikes of a layer."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ...nn import AbstractConv
from ...nn._layer import Shape
from ._connection import AbstractConnection
from ._counts import by_core
from ._whole import EXACT


class Convolution(AbstractConnection):
    """A convolution of `memsim.nn` with whole numbers for weights, up to `largest`; its bias is elsewhere.

    **Arguments:**

    - `weight`: As of the layer, (out_channels, inputs of one output).
    - `layer`: The convolution; its own weight does not matter.
    - `input_shape`: Of one step, channels first.
    - `reached_input`, `reached_core`: The pairs of an input and a core in which it has a synapse.
    """

    weight: Int[Array, "rows elements"]
    layer: AbstractConv
    reached_input: Int[Array, " pairs"]
    reached_core: Int[Array, " pairs"]
    largest: int = eqx.field(static=True)
    input_shape: Shape = eqx.field(static=True)
    wait: int = eqx.field(static=True, default=0)

    @property
    def size(self) -> int:
        shape = self.layer.output_shape(self.input_shape)
        assert shape is not None
        return int(np.prod(shape))

    def initial_state(self) -> Int[Array, "past inputs"]:
        return jnp.zeros((self.wait, int(np.prod(self.input_shape))), jnp.int32)

    def sums(
        self, xs: Int[Array, "steps inputs"], past: Int[Array, "past inputs"], *, most: int
    ) -> tuple[Int[Array, "steps outputs"], Int[Array, "past inputs"]]:
        if self.weight.shape[1] * self.largest * most >= 1 << EXACT:
            raise ValueError(
                f"The sums of a convolution on a chip must stay below 2**{EXACT}. Got up to "
                f"{self.weight.shape[1] * self.largest * most}; make the kernel, or the numbers of spikes, smaller."
            )
        heard = jnp.concatenate([past, xs.astype(jnp.int32)])
        found = self._slid(self.weight.astype(jnp.float32), heard[: xs.shape[0]])
        return found.astype(jnp.int32), heard[xs.shape[0] :]

    def events(
        self, xs: Int[Array, "steps inputs"], core: Int[Array, " outputs"], cores: int
    ) -> tuple[Int[Array, "steps cores"], Int[Array, "steps cores"]]:
        fired = (xs != 0).astype(jnp.int32)
        reached = self._slid((self.weight != 0).astype(jnp.float32), fired).astype(jnp.int32)
        messages = jax.ops.segment_sum(fired.T[self.reached_input], self.reached_core, cores).T
        return by_core(reached, core, cores), messages

    def _slid(self, weight: Float[Array, "rows elements"], xs: Int[Array, "steps inputs"]) -> Float[Array, "steps _"]:
        layer = eqx.tree_at(
            lambda conv: (conv.weight, conv.bias), self.layer, (weight, None), is_leaf=lambda x: x is None
        )
        images = xs.astype(jnp.float32).reshape(-1, *self.input_shape)
        return jax.vmap(layer)(images).reshape(xs.shape[0], -1)


def reached(layer: AbstractConv, input_shape: Shape, core: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of an input and a core that a synapse of `layer` joins, for outputs on the cores `core`."""
    places = np.arange(1, int(np.prod(input_shape)) + 1, dtype=np.float32).reshape(input_shape)  # zero is padding
    with jax.ensure_compile_time_eval():
        lines = np.asarray(layer.word_lines(jnp.asarray(places))).astype(np.int64)
    lines = lines.reshape(lines.shape[0], -1, layer.groups)  # pixels, elements of a patch, groups
    of_channel = np.arange(layer.out_channels) // (layer.out_channels // layer.groups)
    core = np.asarray(core).reshape(layer.out_channels, -1)
    pairs = [np.empty(0, np.int64)]
    for channel, group in enumerate(of_channel):
        seen = lines[:, :, group]
        joined = core[channel][:, None].astype(np.int64) * places.size + seen - 1
        pairs.append(np.unique(joined[seen > 0]))
    both = np.unique(np.concatenate(pairs))
    return (both % places.size).astype(np.int32), (both // places.size).astype(np.int32)
