"""What DenRAM is: recordings, a layer of delayed synapses, and the published accuracies."""

import dataclasses
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Key

import memsim as ms
from device_models import Sourced

NOISE = (0.0, 0.05, 0.1, 0.15, 0.2)
WHERE = "D'Agostino et al. (2024), Fig. 4d: mean of three seeds in the authors' table expected_results_fig4d.csv"
PUBLISHED = {  # test accuracy at NOISE, by channels of SHD
    700: Sourced((0.901, 0.897, 0.872, 0.831, 0.784), "1", WHERE),
    256: Sourced((0.867, 0.860, 0.821, 0.773, 0.719), "1", WHERE),
}
DURATION = 0.75  # seconds, as in the paper: later spikes of SHD are dropped, spoken digits are stretched to it
SHORTEST_STEP = 1e-4  # seconds: the work grows as one over its square
MEAN_DELAY, SPREAD, LONGEST = 0.5, 0.4, 1.0  # seconds, of the logarithm, seconds; as in the authors' code

Task = Literal["shd", "spoken_digits"]


def recordings(task: Task, dt: float, channels: int, *, most: int | None = None) -> ms.data.Splits:
    """The recordings of a task in steps of `dt` seconds, each followed by as many empty ones as the longest delay has.

    **Arguments:**

    - `channels`: Of SHD; the spoken digits have 13.
    - `most`: Recordings of each part, all by default.

    Raises `FileNotFoundError` where SHD is not there.
    """
    steps = round(DURATION / dt)
    if task == "shd":
        data = ms.data.shd(ms.data.Binning(dt, steps, binary=True), channels=channels, dtype=np.uint8)
    else:
        data = ms.data.spoken_digits(steps=steps)

    def extended(part: ms.data.Dataset) -> ms.data.Dataset:
        part = part if most is None else part.take(np.arange(min(most, len(part))))
        return dataclasses.replace(part, inputs=np.pad(part.inputs, ((0, 0), (0, round(LONGEST / dt)), (0, 0))))

    return ms.data.Splits(extended(data.train), extended(data.validation), extended(data.test))


class Dendrites(ms.nn.AbstractLayer):
    """The sum of each `number` neighbouring outputs of `synapse`, as one convolution; digital weights only."""

    synapse: ms.nn.DelayedLinear
    number: int = eqx.field(static=True)

    def initial_state(self):
        return self.synapse.initial_state()

    def output_shape(self, shape):
        return (self.synapse.out_features // self.number,)

    def run(self, xs, state, *, keys=None, record=frozenset()):
        last, noise = state
        history = jnp.concatenate([last, xs])
        place = self.synapse.longest - self.synapse.delays.reshape(-1, self.number, self.synapse.in_features)
        weight = self.synapse.weight.reshape(place.shape)
        line, _, channel = jnp.indices(place.shape, sparse=True)
        kernel = jnp.zeros((place.shape[0], place.shape[2], self.synapse.longest + 1), weight.dtype)
        kernel = kernel.at[line, channel, place].add(weight)
        ys = jax.lax.conv_general_dilated(history.T[None], kernel, (1,), "VALID")[0].T
        return ys, (history[xs.shape[0] :], noise), {}


def network(
    channels: int, classes: int, *, dendrites: int, dt: float, tau_mem: float, key: Key[Array, ""]
) -> ms.nn.SpikingNetwork:
    """One layer of delayed synapses, positive at first, onto a leaky membrane for each class."""
    weight_key, delay_key = jr.split(key)
    shape, longest = (classes * dendrites, channels), round(LONGEST / dt)
    seconds = MEAN_DELAY * jnp.exp(SPREAD * jr.normal(delay_key, shape) - SPREAD**2 / 2)
    delays = jnp.clip(jnp.round(seconds / dt), 0, longest).astype(int)
    layer = ms.nn.DelayedLinear(channels, shape[0], delays, longest=longest, use_bias=False, gain=0.3, key=weight_key)
    layer = eqx.tree_at(lambda made: made.weight, layer, jnp.abs(layer.weight))
    return ms.nn.SpikingNetwork([Dendrites(layer, dendrites), ms.nn.LI(classes, tau_mem, dt=dt)])
