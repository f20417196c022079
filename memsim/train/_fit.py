"""The training loop: one compiled epoch, repeated."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from jaxtyping import Array, Key

from ..data import Dataset, Splits
from ..nn import AbstractNetwork, analog_layers
from ..nn._deploy import digital_weight
from . import _checkpoint
from ._hardware import AbstractHardware
from ._loss import cross_entropy
from ._objective import Objective
from ._progress import progress_bar
from ._trainer import Trainer

SECONDS_BETWEEN_CHECKPOINTS = 5.0


class Epoch(NamedTuple):
    """What one epoch did: number (from 1), mean loss, validation accuracy on freshly sampled hardware."""

    number: int
    loss: float
    validation_accuracy: float


def fit(
    model: AbstractNetwork,
    data: Splits,
    *,
    key: Key[Array, ""],
    hardware: AbstractHardware | None = None,
    optimizer: optax.GradientTransformation | None = None,
    loss: Callable[[Array, Array], Array] | Objective = cross_entropy,
    epochs: int = 40,
    batch_size: int = 64,
    clip: float | None = 2.5,
    checkpoint: Path | str | None = None,
    report: Callable[[Epoch], None] | None = None,
) -> AbstractNetwork:
    """Trains `model` on `data.train` and returns the trained one.

    Each step samples `hardware` once for the mini-batch, takes the gradient through it, and updates the clean weights.
    The same key gives the same result, also across an interruption.

    **Arguments:**

    - `model`: A digital network.
    - `data`: With `train` and `validation` sets.
    - `key`: For batches and hardware.
    - `hardware`: What a step samples; `None` trains a digital network.
    - `optimizer`: Of optax; Adam with a cosine decay from 4e-3 by default.
    - `loss`: Of the outputs (steps, classes) and label of one sequence, or an `Objective`.
    - `epochs`, `batch_size`: Passes over the training set, and sequences a step; an incomplete last batch is left out.
    - `clip`: After each step, the weights of each analog layer are clipped to this many of their standard deviations.
    - `checkpoint`: File to save to and to resume from; it is removed by whoever no longer needs it. It knows the run by
      all of these arguments but `report`, functions by their code, and by the versions and options that decide numbers.
      A second process with the same checkpoint waits for the first. Where a later save fails, a warning says so once,
      and training goes on.
    - `report`: Called after each epoch.

    Raises `ValueError` for bad settings and a foreign checkpoint, `OSError` before any work for a checkpoint that
    cannot be written, and `FloatingPointError` when the loss or the weights are no longer finite.
    """
    _check(model, data.train, epochs, batch_size, clip)
    steps = len(data.train) // batch_size
    if optimizer is None:
        optimizer = optax.adam(optax.cosine_decay_schedule(4e-3, epochs * steps))
    trainer = Trainer(optimizer, loss, hardware, clip, batch_size, ramp_steps=_ramp_steps(hardware, epochs * steps))
    arrays = _arrays(data.train), _arrays(data.validation)
    state = model, optimizer.init(eqx.filter(model, eqx.is_inexact_array)), jnp.zeros((), int)
    run = trainer, state, arrays, key, epochs
    saved = time.monotonic()
    with _checkpoint.opened(checkpoint, state, run=run) as file, progress_bar(epochs, file.epoch) as show:
        state = file.state
        for epoch in range(file.epoch, epochs):
            state, mean_loss, validation = trainer.epoch(state, *arrays, jr.fold_in(key, epoch))
            done = Epoch(epoch + 1, float(mean_loss), float(validation))
            _check_finite(done, state[0])
            show(done)
            if report is not None:
                report(done)
            last = epoch + 1 == epochs
            if last or time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS:
                file.save(state, epoch + 1)
                saved = time.monotonic()
    return state[0]


def _check_finite(done: Epoch, model: AbstractNetwork) -> None:
    weights = jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array))
    if not (np.isfinite(done.loss) and all(np.isfinite(w).all() for w in weights)):
        raise FloatingPointError(
            f"Loss and weights must stay finite. Got loss {done.loss} in epoch {done.number}; lower the learning rate."
        )


def _arrays(dataset: Dataset) -> tuple[Array, Array]:
    return jnp.asarray(dataset.inputs), jnp.asarray(dataset.labels)


def _ramp_steps(hardware: AbstractHardware | None, steps: int) -> float:
    return max(1.0, steps * (0.0 if hardware is None else hardware.ramp))


def _check(model: AbstractNetwork, train: Dataset, epochs: int, batch_size: int, clip: float | None) -> None:
    if epochs < 1 or not 1 <= batch_size <= len(train):
        raise ValueError(
            f"`epochs` must be at least 1 and `batch_size` from 1 to the {len(train)} training sequences. "
            f"Got epochs={epochs}, batch_size={batch_size}."
        )
    if clip is not None and not clip > 0:
        raise ValueError(f"`clip` must be positive, in standard deviations, or None. Got {clip}.")
    for path, layer in analog_layers(model).items():
        digital_weight(path, layer)
