"""A spiking network: synapses over the whole sequence at once, neurons step by step."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from ._linear import Linear
from ._neuron import AbstractNeuron
from ._recurrent import Recurrent


class SpikingNetwork(eqx.Module):
    """Layers in a row, from a sequence (T, inputs) to a sequence (T, outputs). Use `jax.vmap` for a batch.

    A `Linear` has no memory, so it is applied to all T steps in one product; only neurons are scanned.

    **Arguments:**

    - `layers`: `Linear`, `LIF`, `LI`, `Recurrent` and other neurons.
    """

    layers: tuple[Linear | AbstractNeuron, ...]

    def __init__(self, layers: Sequence[Linear | AbstractNeuron]):
        self.layers = tuple(layers)
        if not self.layers:
            raise ValueError("A network must have at least one layer. Got none.")
        width = None
        for place, layer in enumerate(self.layers):
            takes, gives = _widths(layer)
            if width is not None and takes != width:
                raise ValueError(f"Layer {place} must take {width} inputs, what the one before gives. Got {takes}.")
            width = gives

    def __call__(
        self, xs: Float[Array, "steps inputs"], *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "steps outputs"]:
        """Runs the sequence. Layers with read noise need `key`."""
        return self.activity(xs, key=key)[-1]

    def activity(
        self, xs: Float[Array, "steps inputs"], *, key: Key[Array, ""] | None = None
    ) -> list[Float[Array, "steps _"]]:
        """What each layer gives out, in order; the last is the network's output."""
        keys = [None] * len(self.layers) if key is None else jr.split(key, len(self.layers))
        outputs = []
        for layer, layer_key in zip(self.layers, keys, strict=True):
            xs = layer(xs, key=layer_key) if isinstance(layer, Linear) else _scan(layer, xs, layer_key)
            outputs.append(xs)
        return outputs

    def synapse_inputs(
        self, xs: Float[Array, "steps inputs"], *, key: Key[Array, ""] | None = None
    ) -> dict[str, Float[Array, "steps _"]]:
        """What each synapse is driven with, by its path; for calibration and clipping counts."""
        found = {}
        before = xs
        for place, (layer, after) in enumerate(zip(self.layers, self.activity(xs, key=key), strict=True)):
            if isinstance(layer, Linear):
                found[f".layers[{place}]"] = before
            elif isinstance(layer, Recurrent):
                found[f".layers[{place}].synapse"] = jnp.concatenate([jnp.zeros_like(after[:1]), after[:-1]])
            before = after
        return found


def _scan(neuron: AbstractNeuron, currents: Array, key: Key[Array, ""] | None) -> Array:
    keys = None if key is None else jr.split(key, currents.shape[0])

    def step(state, inputs):
        current, step_key = inputs
        output, state = neuron(current, state, key=step_key)
        return state, output

    return jax.lax.scan(step, neuron.initial_state(), (currents, keys))[1]


def _widths(layer: Linear | AbstractNeuron) -> tuple[int, int]:
    if isinstance(layer, Linear):
        return layer.in_features, layer.out_features
    return layer.size, layer.size
