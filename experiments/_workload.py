"""The networks that experiments on the spoken digits share, and what they have right in digital."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Key

from memsim import deploy
from memsim.data import Splits
from memsim.nir import from_nir
from memsim.nn import LI, LIF, Firing, Linear, Recurrent, Scale, SpikingNetwork, SuperSpike, clipping
from memsim.study import Outcome, outcome

digital_outcome = eqx.filter_jit(outcome)


def beside_digital(found: Sequence[Outcome], dims: Sequence[str], model: Any, xs: Array, labels: Array) -> dict:
    """Variables of what is right on chips of several designs, the first of `dims`, and of what is right in digital."""
    on_chips = Outcome(*(np.stack(parts) for parts in zip(*found, strict=True)))
    digital = digital_outcome(model, xs, labels)
    return on_chips.variables(dims, len(labels)) | digital.variables((), len(labels), "digital_{}")


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


def feed_forward_network(inputs: int, hidden: int, classes: int, *, key: Key[Array, ""]) -> SpikingNetwork:
    """One layer of LIF neurons and a leaky readout."""
    first, last = jr.split(key)
    layers = [Linear(inputs, hidden, key=first), LIF(hidden), Linear(hidden, classes, key=last), LI(classes)]
    return SpikingNetwork(layers)


def tanh_network(inputs: int, hidden: int, classes: int, *, key: Key[Array, ""]) -> SpikingNetwork:
    """Two hidden layers of tanh units, for recordings that are seen `at_once`."""
    sizes, keys = (inputs, hidden, hidden, classes), jr.split(key, 3)
    first, second, last = (Linear(*sizes[n : n + 2], key=keys[n]) for n in range(3))
    tanh = eqx.nn.Lambda(jnp.tanh)
    return SpikingNetwork([first, tanh, second, tanh, last])


def imported_network(file: Path, *, dt: float, dialect: str) -> SpikingNetwork:
    """The network in the NIR `file`; raises `ValueError` for one that does not fit the spoken digits."""
    model = from_nir(file, dt=dt, dialect=dialect)
    try:
        outputs = model.output_shape((13,))
    except ValueError as error:
        raise ValueError(f"`model` must take 13 inputs. Got {file}: {error}") from error
    if outputs != (10,):
        raise ValueError(f"`model` must give out 10 values, one a digit. Got {outputs} from {file}.")
    return model


@eqx.filter_jit
def clipped_fraction(model: Any, design: Any, xs: Array, *, key: Key[Array, ""]) -> dict[str, Array]:
    """Which fraction of the ADC readings of each layer is clipped, on one fresh chip."""
    deploy_key, read_key = jr.split(key)
    found = clipping(deploy(model, design, 0.0, key=deploy_key), xs, key=read_key)
    return {path: jnp.mean(layer.adc) for path, layer in found.items()}


def at_once(data: Splits) -> Splits:
    """Each recording as one long vector."""
    parts = (data.train, data.validation, data.test)
    return Splits(*(dataclasses.replace(part, inputs=part.inputs.reshape(len(part), 1, -1)) for part in parts))
