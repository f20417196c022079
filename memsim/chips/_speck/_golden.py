"""What our rules make of the inputs in a golden file of Speck."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from ...nn import Conv2d
from .._sums._convolution import Convolution
from .._sums._whole import bound
from ._quantise import Levels, discretise
from ._rule import step

Arrays = dict[str, np.ndarray]


def convolution(arrays: Arrays, meta: dict[str, Any]) -> Arrays:
    """Weights, biases, spikes and membranes of one convolution, from its floats on, as sinabs."""
    weight, bias = (jnp.asarray(arrays[name], jnp.float32) for name in ("w_float", "b_float"))
    found = discretise(weight, bias, jnp.float32(meta["spike_threshold"]), jnp.float32(meta["min_v_mem"]))
    channels, inputs, size, _ = found.weight.shape
    x = jnp.asarray(arrays["x"], jnp.int32)
    synapses = Convolution(
        weight=found.weight.reshape(channels, -1),
        layer=Conv2d(inputs, channels, size, stride=meta["stride"], padding=meta["padding"], key=jax.random.key(0)),
        reached_input=jnp.zeros(0, jnp.int32),  # what it costs is not judged
        reached_core=jnp.zeros(0, jnp.int32),
        largest=bound(found.weight),
        input_shape=x.shape[1:],
    )
    sums, _ = synapses.sums(x.reshape(x.shape[0], -1), synapses.initial_state(), most=bound(x))
    pixels = synapses.size // channels
    to = Levels(found.threshold, found.floor, jnp.repeat(found.bias, pixels))
    most = {"MultiSpike": None, "SingleSpike": 1}[meta["spike_fn"]]
    spikes, v = (each.reshape(arrays["spikes"].shape) for each in _run(to, sums, most))
    ours = {"w": found.weight, "bias": found.bias, "spikes": spikes, "v": v}
    return {name: np.asarray(each) for name, each in ours.items()}


def _run(to: Levels, sums: Int[Array, "steps units"], most: int | None) -> tuple[Array, Array]:
    def one(v: Array, drive: Array) -> tuple[Array, tuple[Array, Array]]:
        v, spikes, _ = step(to, v, drive, most=most)
        return v, (spikes, v)

    return jax.jit(lambda sums: jax.lax.scan(one, jnp.zeros(sums.shape[1], jnp.int32), sums)[1])(sums)
