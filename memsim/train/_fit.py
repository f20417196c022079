"""The training loop: one compiled epoch, repeated."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from jaxtyping import Array, Key

from .._array import Crossbar
from .._checks import checked, whole, write
from ..data import Dataset, Splits
from ..nn import AbstractNetwork, analog_layers
from ..nn._deploy import digital_weight, layers_on_chips
from ..nn._mixed_signal import MixedSignal
from ..nn._told import tell_shared
from . import _checkpoint
from ._evaluate import ENOUGH
from ._hardware import AbstractHardware, SampledChip
from ._loss import cross_entropy
from ._memory import MEMORY, told
from ._not_finite import first_not_finite, not_finite
from ._objective import Objective, as_objective
from ._progress import progress_bar
from ._task import NETWORK, THREE_SETS, check_loss, check_task
from ._trainer import MULTIPLE, Trainer

SECONDS_BETWEEN_CHECKPOINTS = 5.0
FOR_HARDWARE = 2.5  # of the root mean square; Joshi2020 trains with 2 to 2.5 standard deviations
HARDWARE = write(
    lambda given: (
        "A design goes in a `memsim.train.SampledChip(crossbar)`." if isinstance(given, Crossbar | MixedSignal) else ""
    )
)


class Epoch(NamedTuple):
    """What one epoch did: number (from 1), mean loss, validation accuracy on freshly sampled hardware."""

    number: int
    loss: float
    validation_accuracy: float


@checked(
    model=NETWORK,
    data=THREE_SETS,
    hardware=HARDWARE,
    epochs=whole(1),
    batch_size=whole(1),
    clip=MULTIPLE,
    memory=ENOUGH,
)
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
    clip: float | Literal["auto"] | None = "auto",
    memory: float = MEMORY,
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
    - `clip`: After each step, the weights of each analog layer are clipped to this multiple of their root mean square,
      at least 1; `None` clips none. "auto" is 2.5 with `hardware`, whose range the largest weight decides, and `None`
      without.
    - `memory`: Bytes for the validation sequences that run side by side, by an estimate; `batch_size` is what training
      needs memory for.
    - `checkpoint`: File to save to and to resume from; it is removed by whoever no longer needs it. It knows the run by
      all of these arguments but `report`, functions by their code, and by the versions and options that decide numbers.
      A second process with the same checkpoint waits for the first. Where a later save fails, a warning says so once,
      and training goes on.
    - `report`: Called after each epoch.

    Raises `ValueError` for bad settings and a foreign checkpoint, `OSError` before any work for a checkpoint that
    cannot be written, and `FloatingPointError` when the loss, the weights or what is validated is no longer finite.
    """
    arrays = _arrays(data.train), _arrays(data.validation)
    _check(model, arrays, batch_size, loss, hardware)
    steps = epochs * (len(data.train) // batch_size)
    if optimizer is None:
        optimizer = optax.adam(optax.cosine_decay_schedule(4e-3, steps))
    ramp_steps = _ramp_steps(hardware, steps)
    trainer = Trainer(optimizer, loss, hardware, _clip(clip, hardware), batch_size, ramp_steps, memory)
    state = model, optimizer.init(eqx.filter(model, eqx.is_inexact_array)), jnp.zeros((), int)
    run = dataclasses.replace(trainer, memory=MEMORY), state, arrays, key, epochs  # memory decides no number
    saved = time.monotonic()
    with _checkpoint.opened(checkpoint, state, run=run) as file, progress_bar(epochs, file.epoch) as show:
        state = file.state
        for epoch in range(file.epoch, epochs):
            epoch_key = jr.fold_in(key, epoch)
            with told("Lower `batch_size`, or `memory` for the validation."):
                state, mean_loss, validation = trainer.epoch(state, *arrays, epoch_key)
                done = Epoch(epoch + 1, float(mean_loss), float(validation))
            _check_finite(done, state[0], trainer, arrays[1][0], epoch_key)
            show(done)
            if report is not None:
                report(done)
            if epoch + 1 == epochs or time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS:
                file.save(state, epoch + 1)
                saved = time.monotonic()
    return state[0]


def _check_finite(done: Epoch, model: AbstractNetwork, trainer: Trainer, xs: Array, key: Key[Array, ""]) -> None:
    bad = not_finite(model)
    if bad or not np.isfinite(done.loss):
        where = f", and {bad} that is not" if bad else ""
        raise FloatingPointError(
            f"Loss and weights must stay finite. Got loss {done.loss} in epoch {done.number}{where}; lower the "
            "learning rate."
        )
    if not np.isfinite(done.validation_accuracy):
        sampled, read_key = eqx.filter_jit(trainer.validated)(model, key)
        layer = first_not_finite(sampled, xs, key=read_key, scores=as_objective(trainer.loss).scores)
        raise FloatingPointError(
            f"What the network gives out must be finite. Got NaN when it was validated after epoch {done.number}: "
            f"{layer}. Look at the hardware and the neurons there."
        )


def _arrays(dataset: Dataset) -> tuple[Array, Array]:
    return jnp.asarray(dataset.inputs), jnp.asarray(dataset.labels)


def _clip(clip: float | Literal["auto"] | None, hardware: AbstractHardware | None) -> float | None:
    if clip == "auto":
        return None if hardware is None else FOR_HARDWARE
    return clip


def _ramp_steps(hardware: AbstractHardware | None, steps: int) -> float:
    return max(1.0, steps * (0.0 if hardware is None else hardware.ramp))


def _check(model: AbstractNetwork, arrays: Any, batch_size: int, loss: Any, hardware: Any) -> None:
    for path, layer in analog_layers(model).items():
        digital_weight(path, layer)
    objective = as_objective(loss)
    for xs, labels in arrays:
        check_task(model, xs, labels, objective.scores, "`memsim.train.fit`")
    (xs, _), _ = arrays
    check_loss(model, xs, objective.loss)
    if batch_size > len(xs):
        raise ValueError(
            f"`batch_size` must be from 1 to the {len(xs)} training sequences. Got batch_size={batch_size}."
        )
    if isinstance(hardware, SampledChip):  # traced later, when one array in two layers is not seen any more
        tell_shared(layers_on_chips(model, hardware.crossbar))
