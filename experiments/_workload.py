"""The network that experiments on the spoken digits share, and what it has right in digital."""

import equinox as eqx
import jax.random as jr
from jaxtyping import Array, Key

from memsim.nn import LI, LIF, Firing, Linear, Recurrent, Scale, SpikingNetwork, SuperSpike
from memsim.study import outcome

digital_outcome = eqx.filter_jit(outcome)


def recurrent_network(
    inputs: int, hidden: int, classes: int, *, dt: float = 1e-3, input_scale: float | None = None, key: Key[Array, ""]
) -> SpikingNetwork:
    """Recurrent LIF neurons and a leaky readout, with time constants of 10 and 20 ms.

    **Arguments:**

    - `inputs`, `hidden`, `classes`: Numbers of channels, neurons and classes.
    - `dt`: Length of a step, in seconds.
    - `input_scale`: Factor on the currents that the inputs cause: `dt / 1e-3` keeps the charge of a second of input.
    - `key`: For the initial weights.
    """
    keys = jr.split(key, 3)
    neurons = LIF(hidden, tau_mem=10e-3, dt=dt, firing=Firing(surrogate=SuperSpike(10.0)))
    feedback = Linear(hidden, hidden, use_bias=False, gain=0.2, key=keys[1])
    return SpikingNetwork(
        [
            Linear(inputs, hidden, key=keys[0]),
            *([] if input_scale is None else [Scale(input_scale)]),
            Recurrent(neurons, feedback),
            Linear(hidden, classes, key=keys[2]),
            LI(classes, dt=dt),
        ]
    )
