"""Spoken digits as spikes, and networks that hear them."""

import dataclasses
from collections.abc import Callable, Mapping
from functools import partial

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
    spikes = jax.jit(jax.vmap(lambda x: at_rates(jnp.clip(offset + gain * x, 0.0, 1.0))))
    return ms.data.Splits(*(dataclasses.replace(part, inputs=np.asarray(spikes(part.inputs))) for part in parts))


def at_rates(rates: Float[Array, "steps channels"]) -> Float[Array, "steps channels"]:
    """Spikes of integrators of `rates`, from 0 to 1 a step."""
    neurons = nn.IF(rates.shape[1], firing=nn.Firing(at_threshold="fires"))
    return neurons.run(rates, neurons.initial_state())[0]


def at_rates_and_changes(
    rates: Float[Array, "steps channels"], signals: Float[Array, "steps signals"], threshold: float
) -> Float[Array, "steps inputs"]:
    """0 or 1 a step: spikes at `rates`, and ON and OFF events of `signals` that change by a `threshold`."""
    changes = ms.encoding.DeltaModulator(threshold, max_events=1)(signals)
    return jnp.concatenate([at_rates(rates), changes.reshape(rates.shape[0], -1)], axis=1)


def integrating_network(
    inputs: int, hidden: int, classes: int, *, max_spikes: int = 1, key: Key[Array, ""]
) -> nn.SpikingNetwork:
    """Integrators without leak or recurrence that fire at their threshold, subtract it, and count as outputs too."""
    first, last = jr.split(key)
    firing = nn.Firing(at_threshold="fires", max_spikes=max_spikes)
    return nn.SpikingNetwork(
        [
            nn.Linear(inputs, hidden, gain=0.5, key=first),
            nn.IF(hidden, firing=firing),
            nn.Linear(hidden, classes, key=last),
            nn.IF(classes, firing=firing),
        ],
        chunk=None,
    )


def spiking_network(
    inputs: int, hidden: int, classes: int, *, at_threshold: str = "silent", key: Key[Array, ""]
) -> nn.SpikingNetwork:
    """Recurrent current-based neurons that reset to zero, time constants of 20 and 10 ms, and a leaky readout."""
    keys = jr.split(key, 3)
    firing = nn.Firing(reset="zero", at_threshold=at_threshold)
    neurons = nn.CuBaLIF(hidden, tau_mem=20e-3, tau_syn=10e-3, firing=firing)
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


def subtracting_network(inputs: int, hidden: int, classes: int, *, key: Key[Array, ""]) -> nn.SpikingNetwork:
    """Recurrent neurons that fire up to 31 times a step and subtract as many thresholds, and a current-based readout.

    Time constants of 16, 8 and 2 ms, in Euler's steps: decays are powers of two. Weights start small, since what
    subtracts and fires often runs away under the feedback that resets to zero allow.
    """
    keys = jr.split(key, 3)
    times = {"tau_mem": 16e-3, "decay": "euler"}
    firing = nn.Firing(reset="subtract", max_spikes=31, at_threshold="fires")
    feedback = nn.Linear(hidden, hidden, use_bias=False, gain=0.1, key=keys[1])
    return nn.SpikingNetwork(
        [
            nn.Linear(inputs, hidden, gain=0.3, key=keys[0]),
            nn.Recurrent(nn.CuBaLIF(hidden, tau_syn=8e-3, **times, firing=firing), feedback),
            nn.Linear(hidden, classes, key=keys[2]),
            nn.CuBaLI(classes, tau_syn=2e-3, **times),
        ],
        chunk=None,
    )


NETWORKS = {
    "recurrent": spiking_network,
    "recurrent, fires at its threshold": partial(spiking_network, at_threshold="fires"),
    "subtracting": subtracting_network,
    "integrators": integrating_network,
    "integrators, fire often": partial(integrating_network, max_spikes=31),
}


def that_fits(
    chip: ms.chips.AbstractChip | None,
    inputs: int,
    hidden: int,
    classes: int,
    networks: Mapping[str, Callable[..., nn.SpikingNetwork]] = NETWORKS,
) -> str:
    """The first of the `networks` of which a `chip` does not warn, or that fits at all; without a chip, the first."""
    if chip is None:
        return next(iter(networks))
    made = {name: make(inputs, hidden, classes, key=jr.key(0)) for name, make in networks.items()}
    fits = {name: chip.fits(each, input_shape=inputs) for name, each in made.items()}
    fitting = [name for name, fit in fits.items() if fit] or list(fits)
    return next((name for name in fitting if not fits[name].warnings), fitting[0])
