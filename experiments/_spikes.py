"""Spoken digits as spikes, and a network of current-based neurons that hears them."""

import dataclasses

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

import memsim as ms

nn = ms.nn


def as_spikes(data: ms.data.Splits, gain: float) -> ms.data.Splits:
    """Two channels a coefficient, one for either sign: integrators of `gain` times its size, at most a spike a step."""
    parts = (data.train, data.validation, data.test)
    spikes = jax.jit(jax.vmap(lambda x: _encoded(x, gain)))
    return ms.data.Splits(*(dataclasses.replace(part, inputs=np.asarray(spikes(part.inputs))) for part in parts))


def _encoded(signal: Float[Array, "steps channels"], gain: float) -> Float[Array, "steps channels_2"]:
    neurons = nn.IF(2 * signal.shape[1], firing=nn.Firing(at_threshold="fires"))
    signs = jnp.concatenate([jnp.maximum(signal, 0), jnp.maximum(-signal, 0)], axis=1)
    return neurons.run(gain * signs, neurons.initial_state())[0]


def spiking_network(inputs: int, hidden: int, classes: int, *, key: Key[Array, ""]) -> nn.SpikingNetwork:
    """Recurrent current-based neurons that reset to zero, time constants of 20 and 10 ms, and a leaky readout."""
    keys = jr.split(key, 3)
    neurons = nn.CuBaLIF(hidden, tau_mem=20e-3, tau_syn=10e-3, firing=nn.Firing(reset="zero"))
    feedback = nn.Linear(hidden, hidden, use_bias=False, gain=0.5, key=keys[1])
    return nn.SpikingNetwork(
        [
            nn.Linear(inputs, hidden, gain=3.0, key=keys[0]),
            nn.Recurrent(neurons, feedback),
            nn.Linear(hidden, classes, key=keys[2]),
            nn.LI(classes),
        ],
        chunk=None,
    )
