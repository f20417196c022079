"""One epoch of hardware-aware training: a compiled one for arrays, compiled steps for batches that come."""

from collections.abc import Iterable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Float, Int, Key

from .._checks import as_floats, at_least, checked
from ..nn import Stateful, analog_layers
from ..nn._batch_norm import AXIS, over_axis
from ..nn._calling import called
from ..nn._deploy import digital_weight, replace_weights
from ._evaluate import mask_of, measured, outputs_of, over_time, predictions
from ._hardware import AbstractHardware
from ._memory import MEMORY
from ._objective import Goal, as_goal, masked
from ._samples import Samples

State = tuple[Any, Any, Int[Array, ""]]  # model, optimizer state, steps done
Batch = Samples | tuple[Any, ...]  # samples, labels and, if any, lengths
MULTIPLE = at_least(1.0, hint="Below 1 all weights would shrink in every step.")


class Trainer(eqx.Module):
    """Everything an epoch needs that is not data.

    **Arguments:**

    - `goal`: Loss, scores, penalty and metric; a loss or an `Objective` as for labels that are classes.
    - `optimizer`, `hardware`, `clip`, `batch_size`, `memory`: As in `fit`.
    - `ramp_steps`: Steps over which the hardware's perturbation grows to full strength.

    >>> import optax, memsim as ms
    >>> trainer = ms.train.Trainer(optax.adam(1e-3), ms.train.cross_entropy, None, 2.5, batch_size=16, ramp_steps=0.0)
    >>> trainer.batch_size, trainer.clip
    (16, 2.5)
    """

    optimizer: optax.GradientTransformation = eqx.field(static=True)
    goal: Goal = eqx.field(converter=as_goal)
    hardware: AbstractHardware | None
    clip: float | None
    batch_size: int = eqx.field(static=True)
    ramp_steps: float
    memory: float = eqx.field(static=True, default=MEMORY)

    @eqx.filter_jit
    def epoch(
        self, state: State, train: Batch, validation: Batch | None, key: Key[Array, ""]
    ) -> tuple[State, Float[Array, ""], Float[Array, ""]]:
        """One pass over `train`; returns the new state, the mean loss, and the metric on `validation`, if any."""
        train, validation = _samples(train), None if validation is None else _samples(validation)
        order_key, step_key, _, _ = jr.split(key, 4)
        steps = len(train) // self.batch_size
        order = jr.permutation(order_key, len(train))[: steps * self.batch_size].reshape(steps, self.batch_size)
        arrays, static = eqx.partition(state, eqx.is_array)

        def one(arrays, batch):
            place, indices = batch
            state, loss = self.step(eqx.combine(arrays, static), train.take(indices), jr.fold_in(step_key, place))
            return eqx.filter(state, eqx.is_array), loss

        arrays, losses = jax.lax.scan(one, arrays, (jnp.arange(steps), order))
        state = eqx.combine(arrays, static)
        return state, jnp.mean(losses), self.validate(state[0], validation, key)

    def epoch_of_batches(
        self, state: State, train: Iterable[Samples], validation: Samples | None, key: Key[Array, ""]
    ) -> tuple[State, Float[Array, ""], Float[Array, ""]]:
        """As `epoch`, one batch after the other as they come."""
        _, step_key, _, _ = jr.split(key, 4)
        losses = []
        for place, batch in enumerate(train):
            state, loss = _step(self, state, batch, jr.fold_in(step_key, place))
            losses.append(loss)
        return state, jnp.mean(jnp.stack(losses)), _validate(self, state[0], validation, key)

    def validate(self, model: Any, validation: Samples | None, key: Key[Array, ""]) -> Float[Array, ""]:
        """The metric of the sample of `model` that an epoch with `key` validates."""
        if validation is None:
            return jnp.zeros(())
        model, read_key = self.validated(model, key)
        found = predictions(model, validation, key=read_key, scores=self.goal.scores, memory=self.memory)
        return measured(found, validation, (self.goal.metric,))[self.goal.metric.name]

    def validated(self, model: Any, key: Key[Array, ""]) -> tuple[Any, Key[Array, ""]]:
        """The sample of `model` that an epoch with `key` validates, and the key of its reads."""
        _, _, chip_key, read_key = jr.split(key, 4)
        return self._sample(model, jnp.ones(()), chip_key), read_key

    def step(self, state: State, batch: Batch, key: Key[Array, ""]) -> tuple[State, Float[Array, ""]]:
        """One mini-batch: sample the hardware, take the gradient through it, update the clean weights."""
        (model, moments, count), batch = state, _samples(batch)
        batch_loss = partial(self._batch_loss, batch=batch, count=count, key=key)
        (loss, kept), gradient = eqx.filter_value_and_grad(batch_loss, has_aux=True)(model)
        with jax.numpy_dtype_promotion("standard"):  # optax multiplies integers and floats; users may run strictly
            updates, moments = self.optimizer.update(gradient, moments, eqx.filter(model, eqx.is_inexact_array))
        model = eqx.apply_updates(model, updates)
        if self.clip is not None:
            model = clip_weights(model, self.clip)
        if kept is not None:
            model = Stateful(model.model, kept)
        return (model, moments, count + 1), loss

    def _batch_loss(self, model: Any, *, batch: Samples, count: Array, key: Array) -> tuple[Array, Any]:
        """The mean loss, and the state after the batch of a model that has one."""
        hardware_key, read_key = jr.split(key)
        dtype = batch.xs.dtype if jnp.issubdtype(batch.xs.dtype, jnp.inexact) else jnp.result_type(float)
        strength = jnp.minimum(1.0, (count + 1).astype(dtype) / self.ramp_steps)
        model, paid = self._priced(model, batch.xs, strength, hardware_key)
        keys = jr.split(read_key, len(batch))
        if isinstance(model, Stateful):
            of_one = partial(self._loss_and_state, over_axis(model))
            losses, state = jax.vmap(of_one, out_axes=(0, None), axis_name=AXIS)(batch, keys)
            kept = jax.tree.map(jnp.asarray, state)  # constants among it are those of NumPy
        else:
            losses, kept = jax.vmap(partial(self._sample_loss, model))(batch, keys), None
        return jnp.mean(losses) if paid is None else jnp.mean(losses) + paid.astype(losses.dtype), kept

    def _loss_and_state(self, model: Stateful, one: Samples, key: Array) -> tuple[Array, Any]:
        mask = mask_of(one.xs, one.lengths)
        outputs, state = called(model, one.xs, key, lambda ready: ready.update, mask)
        return masked(self.goal.loss, over_time(outputs, mask), "loss")(outputs, one.labels), state

    def _sample_loss(self, model: Any, one: Samples, key: Array) -> Array:
        goal = self.goal
        if goal.penalty is not None:
            outputs, found = model(as_floats(one.xs), key=key, record="spikes")
            mask = mask_of(one.xs, one.lengths)
            return masked(goal.loss, mask, "loss")(outputs, one.labels) + goal.penalty(found["spikes"])
        outputs, mask = outputs_of(model, one.xs, one.lengths, key=key)
        return masked(goal.loss, mask, "loss")(outputs, one.labels)

    def _priced(self, model: Any, xs: Array, strength: Array, key: Array) -> tuple[Any, Float[Array, ""] | None]:
        return (model, None) if self.hardware is None else self.hardware.priced(model, xs, strength=strength, key=key)

    def _sample(self, model: Any, strength: Array, key: Array) -> Any:
        return model if self.hardware is None else self.hardware.sample(model, strength=strength, key=key)


def _samples(batch: Batch) -> Samples:
    return batch if isinstance(batch, Samples) else Samples(*batch)


@eqx.filter_jit
def _step(trainer: Trainer, state: State, batch: Samples, key: Key[Array, ""]) -> tuple[State, Float[Array, ""]]:
    return trainer.step(state, batch, key)


@eqx.filter_jit
def _validate(trainer: Trainer, model: Any, validation: Samples | None, key: Key[Array, ""]) -> Float[Array, ""]:
    return trainer.validate(model, validation, key)


@checked(sigmas=MULTIPLE)
def clip_weights(model: Any, sigmas: float) -> Any:
    """`model` with the weights of each analog layer clipped to `sigmas` of their root mean square.

    Weights that are zero, as pruned ones, do not count in it: each clip would lower it, and the next bound with it,
    until nothing is left of the others.

    - `model`: With layers of `memsim.nn`, digital.
    - `sigmas`: Multiple of the root mean square, positive.

    >>> import equinox as eqx, jax.numpy as jnp, jax.random as jr, numpy as np, memsim as ms
    >>> layer = ms.nn.Linear(4, 1, key=jr.key(0))
    >>> layer = eqx.tree_at(lambda layer: layer.weight, layer, jnp.array([[1.0, -1.0, 1.0, 5.0]]))
    >>> print(np.asarray(ms.train.clip_weights(layer, 1.0).weight).round(2))  # at sqrt(28 / 4)
    [[ 1.   -1.    1.    2.65]]
    """
    clipped = {}
    for path, layer in analog_layers(model).items():
        w = digital_weight(path, layer)
        there = jnp.maximum(jnp.sum(w != 0, dtype=w.dtype), 1)
        bound = sigmas * jnp.sqrt(jnp.sum(w**2) / there)
        clipped[path] = jnp.clip(w, -bound, bound)
    return replace_weights(model, clipped)
