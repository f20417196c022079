"""The recurrent network of the experiments on the spoken digits, trained once for all points that it serves."""

from functools import cache
from typing import Any

import jax.random as jr
import optax
from jaxtyping import Array, Key

import memsim as ms
from _workload import recurrent_network


def trained(
    hidden: int,
    data: ms.data.Splits,
    *,
    key: Key[Array, ""],
    once: str | None = None,
    dt: float = 1e-3,
    input_scale: float | None = None,
    learning_rate: float = 4e-3,
    **training: Any,
) -> ms.nn.SpikingNetwork:
    """A recurrent network of `hidden` neurons that has learnt `data`; a point of a sweep goes on within its training.

    **Arguments:**

    - `key`: For the initial weights and the training.
    - `once`: A name of the training among all of the sweep: the first of its points trains, and the others take the
      network over. Without it, this point trains its own.
    - `dt`, `input_scale`: As of `recurrent_network`.
    - `learning_rate`: Of Adam, with a cosine decay.
    - `training`: As of `memsim.train.fit`; a `checkpoint` in the place of that of the point.
    """
    model_key, fit_key = jr.split(key)
    inputs = data.train.inputs.shape[-1]
    model = recurrent_network(inputs, hidden, 10, dt=dt, input_scale=input_scale, key=model_key)
    return fitted(model, data, key=fit_key, once=once, learning_rate=learning_rate, **({"clip": "auto"} | training))


def fitted(
    model: Any,
    data: ms.data.Splits,
    *,
    key: Key[Array, ""],
    once: str | None = None,
    learning_rate: float = 4e-3,
    **training: Any,
) -> Any:
    """A `model` that has learnt `data`, with weights not clipped unless `training` says so; else as `trained`."""
    kept = ms.study.checkpoint()
    if kept is not None and once is not None:
        kept = kept.with_name(f"{'-'.join(once.split())}.checkpoint")
    steps = training["epochs"] * (len(data.train) // training.get("batch_size", 64))
    settings = {"optimizer": adam(learning_rate, steps), "clip": None} | training
    return ms.train.fit(model, data, key=key, **({"checkpoint": kept} | settings))


@cache
def adam(learning_rate: float, steps: int) -> optax.GradientTransformation:
    """One optimizer for all trainings of these settings, so that they share compiled functions."""
    return optax.adam(optax.cosine_decay_schedule(learning_rate, steps))
