"""The training loop: one epoch, repeated."""

import dataclasses
import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Key

from .._array import Crossbar
from .._checks import checked, whole, write
from ..nn._mixed_signal import MixedSignal
from . import _checkpoint
from ._hardware import AbstractHardware
from ._memory import MEMORY, MEMORY_RULE, Memory, as_bytes
from ._objective import Objective
from ._progress import progress_bar
from ._run import Epoch, Task
from ._stop import Best, Stop
from ._task import MODEL, SET
from ._trainer import MULTIPLE, Trainer

Model = TypeVar("Model")
SECONDS_BETWEEN_CHECKPOINTS = 5.0
FOR_HARDWARE = 2.5  # of the root mean square; Joshi2020 trains with 2 to 2.5 standard deviations
HARDWARE = write(
    lambda given: (
        "A design goes in a `memsim.train.SampledChip(crossbar)`." if isinstance(given, Crossbar | MixedSignal) else ""
    )
)


@checked(
    model=MODEL, data=SET, hardware=HARDWARE, epochs=whole(1), batch_size=whole(1), clip=MULTIPLE, memory=MEMORY_RULE
)
def fit(
    model: Model,
    data: Any,
    *,
    key: Key[Array, ""],
    validation: Any = None,
    hardware: AbstractHardware | None = None,
    optimizer: optax.GradientTransformation | None = None,
    loss: Callable[..., Array] | Objective | None = None,
    epochs: int = 40,
    batch_size: int = 64,
    clip: float | Literal["auto"] | None = "auto",
    stop: Stop | None = None,
    memory: Memory = None,
    checkpoint: Path | str | None = None,
    report: Callable[[Epoch], None] | None = None,
) -> Model:
    """Trains `model` on `data` and returns the trained one.

    Each step samples `hardware` once for the mini-batch, takes the gradient through it, and updates the clean weights.
    The same key gives the same result, also across an interruption.

    **Arguments:**

    - `model`: Digital: a network over time, or any other model that is called on one sample, such as a converted one of
      Equinox. It is trained in the mode that it is in, dropout with a key of its own for each sample, batch norms of a
      `memsim.nn.Stateful` with the statistics of the batch on its chip, and validated in inference mode.
    - `data`: `memsim.data.Splits`, of which `train` and `validation` are used; or what is trained on alone: a
      `memsim.data.Dataset`, arrays (xs, ys), or an iterable of such batches, such as a loader of grain or torch, which
      is gone through anew in every epoch; one that shuffles by itself gives the same result as far as it does.
    - `key`: For batches and hardware.
    - `validation`: A set as `data`, where that is not `Splits`; none by default.
    - `hardware`: What a step samples; `None` trains a digital network.
    - `optimizer`: Of optax; Adam with a cosine decay from 4e-3 by default.
    - `loss`: Of the outputs and label of one sample, or an `Objective`. By default `cross_entropy`, and `mse` where
      labels are numbers.
    - `epochs`, `batch_size`: Passes over the training set, and samples a step; an incomplete last batch is left out.
      Batches that come from an iterable are taken as they are.
    - `clip`: After each step, the weights of each analog layer are clipped to this multiple of their root mean square,
      at least 1; `None` clips none. "auto" is 2.5 with `hardware`, whose range the largest weight decides, and `None`
      without.
    - `stop`: Which epoch's weights are returned, and when training ends early: `Stop(patience=5)`. By default those of
      the last of all epochs.
    - `memory`: Bytes, or words such as "4 GiB", for the validation samples that run side by side, by an estimate; by
      default what the device suggests. `batch_size` is what training needs memory for.
    - `checkpoint`: File to save to and to resume from; it is removed by whoever no longer needs it. It knows the run by
      all of these arguments but `report`, functions by their code, and by the versions and options that decide numbers.
      A second process with the same checkpoint waits for the first. Where a later save fails, a warning says so once,
      and training goes on.
    - `report`: Called after each epoch.

    Raises `ValueError` for bad settings and a foreign checkpoint, `OSError` before any work for a checkpoint that
    cannot be written, and `FloatingPointError` when the loss, the weights or what is validated is no longer finite.

    >>> import equinox as eqx, jax, numpy as np, memsim as ms
    >>> xs, key = np.random.default_rng(0).normal(size=(64, 4)), jax.random.key(0)
    >>> model = ms.nn.convert(eqx.nn.Linear(4, 1, key=key))
    >>> trained = ms.train.fit(model, (xs, xs.sum(1)), key=key, epochs=2, batch_size=16)
    """
    task = Task.of(data, validation, loss)
    task.check(model, batch_size, hardware, stop)
    steps = epochs * task.steps(batch_size)
    if optimizer is None:
        optimizer = _adam(steps)
    trainer = Trainer(
        optimizer,
        task.goal,
        hardware,
        _clip(clip, hardware),
        batch_size,
        ramp_steps=max(1.0, steps * (0.0 if hardware is None else hardware.ramp)),
        memory=as_bytes(memory),
    )
    state = model, optimizer.init(eqx.filter(model, eqx.is_inexact_array)), jnp.zeros((), int)
    kept = None if stop is None else Best(model, np.zeros((), int), np.zeros(()))
    run = dataclasses.replace(trainer, memory=MEMORY), state, task.train, task.validation, key, epochs, stop
    with _checkpoint.opened(checkpoint, (state, kept), run=run) as file, progress_bar(epochs, file.epoch) as show:
        state, kept = file.state
        saved = time.monotonic()
        for epoch in range(file.epoch, epochs):
            if stop is not None and kept is not None and stop.patience and epoch - int(kept.epoch) >= stop.patience:
                break
            state, done = task.epoch(trainer, state, epoch, key)
            if kept is not None:
                kept = kept.updated(state[0], done.number, done.validation, task.goal.metric.better)
            show(done)
            if report is not None:
                report(done)
            if epoch + 1 == epochs or time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS:
                file.save((state, kept), epoch + 1)
                saved = time.monotonic()
    return kept.model if kept is not None and stop is not None and stop.best else state[0]


@functools.lru_cache(maxsize=16)
def _adam(steps: int) -> optax.GradientTransformation:
    """One object for equal steps, so that an epoch is compiled once for all seeds of a study."""
    return optax.adam(optax.cosine_decay_schedule(4e-3, steps))


def _clip(clip: float | Literal["auto"] | None, hardware: AbstractHardware | None) -> float | None:
    if clip == "auto":
        return None if hardware is None else FOR_HARDWARE
    return clip
