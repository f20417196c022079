"""What one training is of: its data, its goal, and its epochs."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.random as jr
import numpy as np
from jaxtyping import Array, Key

from ..data import Splits
from ..nn import Stateful, analog_layers
from ..nn._calling import is_network
from ..nn._deploy import digital_weight, layers_on_chips
from ..nn._told import tell_shared
from ._hardware import OnChip
from ._memory import told
from ._not_finite import first_not_finite, not_finite
from ._objective import Goal
from ._samples import Samples, batches, check_alike, check_repeats, is_batched
from ._stop import Stop
from ._task import check_loss, check_task, shape_of_scores
from ._trainer import Trainer


class Epoch(NamedTuple):
    """What one epoch did: number (from 1), mean loss, and the `metric` of the validation set.

    Validated is freshly sampled hardware. Without a validation set it is NaN.

    - `number`: From 1.
    - `loss`, `validation`: Means of the epoch; `validation` is what `metric` says.

    >>> import equinox as eqx, jax.random as jr, memsim as ms
    >>> xs, epochs = jr.normal(jr.key(0), (64, 4)), []
    >>> model = ms.nn.convert(eqx.nn.Linear(4, 1, key=jr.key(1)))
    >>> model = ms.train.fit(model, (xs, xs.sum(1)), epochs=2, batch_size=16, report=epochs.append, key=jr.key(2))
    >>> [(epoch.number, epoch.metric) for epoch in epochs]
    [(1, 'rmse'), (2, 'rmse')]
    """

    number: int
    loss: float
    validation: float
    metric: str = "accuracy"


class Task(NamedTuple):
    """What is trained on, what it is validated with, and what for."""

    train: Any  # samples, or an iterable of batches
    first: Samples  # all samples, or the first batch
    validation: Samples | None
    goal: Goal

    @classmethod
    def of(cls, data: Any, validation: Any, loss: Any) -> "Task":
        """What `fit` is given, looked into: of batches, the first one."""
        if isinstance(data, Splits):
            if validation is not None:
                raise ValueError("`validation` must be left out for `Splits`, which have a set for it. Got one.")
            data, validation = data.train, data.validation
        if is_batched(data):
            check_repeats(data)
            train, first = data, next(iter(batches(data)), None)
            if first is None:
                raise ValueError("`data` must hold at least one batch. Got none.")
        else:
            train = first = Samples.of(data)
        if loss is None:
            first.check_meant("loss=memsim.train.mse")
        shape = first.labels.shape[1:] if first.kind == "numbers" else ()
        held = None if validation is None else Samples.of(validation, "validation")
        return cls(train, first, held, Goal.of(loss, first.kind, shape))

    def check(self, model: Any, batch_size: int, hardware: Any, stop: Stop | None) -> None:
        """Raises `ValueError` for what does not fit, before any work."""
        for path, layer in analog_layers(model).items():
            digital_weight(path, layer)
        if hardware is not None and not analog_layers(model):
            raise ValueError(
                "`model` must hold a layer that `hardware` can perturb. Got none; `memsim.nn.convert(model)` makes "
                "such layers of those of `equinox.nn`."
            )
        first = self.first
        for samples in (first, *([] if self.validation is None else [self.validation])):
            check_task(model, samples, self.goal.scores, kinds=(first.kind,))
            if isinstance(hardware, OnChip):
                hardware.check_inputs(samples.xs)
        check_loss(model, first, self.goal.loss)
        if self.goal.penalty is not None and not is_network(model):
            raise ValueError(
                "A `penalty` of spikes must be of a network over time, such as a `memsim.nn.SpikingNetwork`. Got a "
                f"{type(model).__name__}; add what it should cost to the loss."
            )
        if isinstance(self.train, Samples) and batch_size > len(first):
            raise ValueError(
                f"`batch_size` must be from 1 to the {len(first)} training samples. Got batch_size={batch_size}."
            )
        check_norms(model)
        if stop is not None and self.validation is None:
            raise ValueError("`stop` must have a `validation` set to look at. Got none.")
        if stop is not None and not self.goal.compares:
            raise ValueError(
                "`stop` must know which epoch is better. Got a metric of your own; write "
                '`Objective(loss, metric=..., better="smaller")`, or "larger".'
            )
        crossbar = getattr(hardware, "crossbar", None)  # of sampled chips, with a price or without
        if crossbar is not None:  # traced later, when one array in two layers is not seen any more
            tell_shared(layers_on_chips(model, crossbar))

    def steps(self, batch_size: int) -> int:
        """Steps of an epoch. An iterable that does not know its length is counted, in one pass."""
        if isinstance(self.train, Samples):
            return len(self.train) // batch_size
        return len(self.train) if hasattr(self.train, "__len__") else sum(1 for _ in self.train)

    def epoch(self, trainer: Trainer, state: Any, epoch: int, key: Key[Array, ""]) -> tuple[Any, Epoch]:
        """The state after epoch `epoch`, from 0, and what it did; `FloatingPointError` where that is not finite."""
        epoch_key = jr.fold_in(key, epoch)
        with told("Lower `batch_size`, or `memory` for the validation."):
            if isinstance(self.train, Samples):
                state, loss, found = trainer.epoch(state, self.train, self.validation, epoch_key)
            else:
                train = self._batches(state[0])
                state, loss, found = trainer.epoch_of_batches(state, train, self.validation, epoch_key)
            validation = float("nan") if self.validation is None else float(found)
            done = Epoch(epoch + 1, float(loss), validation, self.goal.metric.name)
        self._check_finite(done, state[0], trainer, epoch_key)
        return state, done

    def _batches(self, model: Any) -> Iterator[Samples]:
        """One pass over batches, each of them judged as the first one was."""
        classes = shape_of_scores(model, self.first, self.goal.scores)[0] if self.first.kind == "classes" else None
        for number, batch in enumerate(batches(self.train)):
            check_alike(batch, self.first, number)
            if classes is not None and int(batch.labels.max()) >= classes:
                raise ValueError(
                    f"There must be a score for each class. Got {classes} scores, and in batch {number} of `data` the "
                    f"label {int(batch.labels.max())}."
                )
            yield batch

    def _check_finite(self, done: Epoch, model: Any, trainer: Trainer, key: Key[Array, ""]) -> None:
        bad = not_finite(model)
        if bad or not np.isfinite(done.loss):
            where = f", and {bad} that is not" if bad else ""
            raise FloatingPointError(
                f"Loss and weights must stay finite. Got loss {done.loss} in epoch {done.number}{where}; lower the "
                "learning rate."
            )
        if self.validation is not None and not np.isfinite(done.validation):
            sampled, read_key = eqx.filter_jit(trainer.validated)(model, key)
            layer = first_not_finite(sampled, self.validation, key=read_key, scores=self.goal.scores)
            raise FloatingPointError(
                f"What the model gives out must be finite. Got NaN when it was validated after epoch {done.number}: "
                f"{layer}. Look at the hardware and the neurons there."
            )


def check_norms(model: Any) -> None:
    """Raises `ValueError` for batch norms that are to train in anything but a `Stateful`, which names the batch."""
    leaves = jax.tree.leaves(model, is_leaf=lambda node: isinstance(node, eqx.nn.BatchNorm))
    if not isinstance(model, Stateful) and any(isinstance(n, eqx.nn.BatchNorm) and not n.inference for n in leaves):
        raise ValueError(
            "Batch norms must be trained in a `memsim.nn.Stateful(model, state)`, the outermost module. Got them in a "
            f"{type(model).__name__}; put it around all, or set `equinox.nn.inference_mode`."
        )
