"""Spoken digits as spikes, and networks that hear them."""

import dataclasses

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

import memsim as ms

nn = ms.nn


def as_spikes(data: ms.data.Splits, offset: float, gain: float) -> ms.data.Splits:
    """A channel a coefficient: an integrator of `offset` and `gain` times its value, a spike a step at most."""
    parts = (data.train, data.validation, data.test)
    spikes = jax.jit(jax.vmap(lambda x: _encoded(jnp.clip(offset + gain * x, 0.0, 1.0))))
    return ms.data.Splits(*(dataclasses.replace(part, inputs=np.asarray(spikes(part.inputs))) for part in parts))


def _encoded(rates: Float[Array, "steps channels"]) -> Float[Array, "steps channels"]:
    neurons = nn.IF(rates.shape[1], firing=nn.Firing(at_threshold="fires"))
    return neurons.run(rates, neurons.initial_state())[0]


def integrating_network(inputs: int, hidden: int, classes: int, *, key: Key[Array, ""]) -> nn.SpikingNetwork:
    """Integrators without leak or recurrence that fire at their threshold, subtract it, and count as outputs too."""
    first, last = jr.split(key)
    firing = nn.Firing(at_threshold="fires")
    return nn.SpikingNetwork(
        [
            nn.Linear(inputs, hidden, gain=0.5, key=first),
            nn.IF(hidden, firing=firing),
            nn.Linear(hidden, classes, key=last),
            nn.IF(classes, firing=firing),
        ],
        chunk=None,
    )


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
