"""One compiled epoch of hardware-aware training."""

from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Float, Int, Key, Num

from .._checks import as_floats, at_least, checked
from ..nn import AbstractNetwork, analog_layers
from ..nn._deploy import digital_weight, replace_weights
from ._evaluate import sequence_scores, share_right
from ._hardware import AbstractHardware
from ._memory import MEMORY
from ._objective import Objective, as_objective

State = tuple[AbstractNetwork, Any, Int[Array, ""]]  # model, optimizer state, steps done
Inputs = Num[Array, "_ steps *inputs"]
Batch = tuple[Inputs, Int[Array, " _"]]  # the two sets differ in size
MULTIPLE = at_least(1.0, hint="Below 1 all weights would shrink in every step.")


class Trainer(eqx.Module):
    """Everything an epoch needs that is not data.

    **Arguments:**

    - `optimizer`, `loss`, `hardware`, `clip`, `batch_size`, `memory`: As in `fit`.
    - `ramp_steps`: Steps over which the hardware's perturbation grows to full strength.
    """

    optimizer: optax.GradientTransformation = eqx.field(static=True)
    loss: Callable[[Array, Array], Array] | Objective
    hardware: AbstractHardware | None
    clip: float | None
    batch_size: int = eqx.field(static=True)
    ramp_steps: float
    memory: float = eqx.field(static=True, default=MEMORY)

    @eqx.filter_jit
    def epoch(
        self, state: State, train: Batch, validation: Batch, key: Key[Array, ""]
    ) -> tuple[State, Float[Array, ""], Float[Array, ""]]:
        """One pass over `train`; returns the new state, the mean loss, and the accuracy on `validation`."""
        inputs, labels = train
        order_key, step_key, _, _ = jr.split(key, 4)
        steps = inputs.shape[0] // self.batch_size
        order = jr.permutation(order_key, inputs.shape[0])[: steps * self.batch_size].reshape(steps, self.batch_size)
        arrays, static = eqx.partition(state, eqx.is_array)

        def one(arrays, batch):
            place, indices = batch
            state, loss = self.step(
                eqx.combine(arrays, static), inputs[indices], labels[indices], jr.fold_in(step_key, place)
            )
            return eqx.filter(state, eqx.is_array), loss

        arrays, losses = jax.lax.scan(one, arrays, (jnp.arange(steps), order))
        state = eqx.combine(arrays, static)
        model, read_key = self.validated(state[0], key)
        scores = as_objective(self.loss).scores
        found = sequence_scores(model, validation[0], key=read_key, scores=scores, memory=self.memory)
        return state, jnp.mean(losses), share_right(found, validation[1])

    def validated(self, model: AbstractNetwork, key: Key[Array, ""]) -> tuple[AbstractNetwork, Key[Array, ""]]:
        """The sample of `model` that an epoch with `key` validates, and the key of its reads."""
        _, _, chip_key, read_key = jr.split(key, 4)
        return self._sample(model, jnp.ones(()), chip_key), read_key

    def step(
        self, state: State, xs: Inputs, labels: Int[Array, " batch"], key: Key[Array, ""]
    ) -> tuple[State, Float[Array, ""]]:
        """One mini-batch: sample the hardware, take the gradient through it, update the clean weights."""
        model, moments, count = state
        xs = as_floats(xs)
        batch_loss = partial(self._batch_loss, xs=xs, labels=labels, count=count, key=key)
        loss, gradient = eqx.filter_value_and_grad(batch_loss)(model)
        with jax.numpy_dtype_promotion("standard"):  # optax multiplies integers and floats; users may run strictly
            updates, moments = self.optimizer.update(gradient, moments, eqx.filter(model, eqx.is_inexact_array))
        model = eqx.apply_updates(model, updates)
        if self.clip is not None:
            model = clip_weights(model, self.clip)
        return (model, moments, count + 1), loss

    def _batch_loss(self, model: AbstractNetwork, *, xs: Array, labels: Array, count: Array, key: Array) -> Array:
        hardware_key, read_key = jr.split(key)
        strength = jnp.minimum(1.0, (count + 1).astype(xs.dtype) / self.ramp_steps)
        model = self._sample(model, strength, hardware_key)
        return jnp.mean(jax.vmap(partial(self._sequence_loss, model))(xs, labels, jr.split(read_key, xs.shape[0])))

    def _sequence_loss(self, model: AbstractNetwork, x: Array, label: Array, key: Array) -> Array:
        objective = as_objective(self.loss)
        if objective.penalty is None:
            return objective.loss(model(x, key=key), label)
        outputs, found = model(x, key=key, record="spikes")
        return objective.loss(outputs, label) + objective.penalty(found["spikes"])

    def _sample(self, model: AbstractNetwork, strength: Array, key: Array) -> AbstractNetwork:
        return model if self.hardware is None else self.hardware.sample(model, strength=strength, key=key)


@checked(sigmas=MULTIPLE)
def clip_weights(model: AbstractNetwork, sigmas: float) -> AbstractNetwork:
    """`model` with the weights of each analog layer clipped to `sigmas` of their root mean square.

    Weights that are zero, as pruned ones, do not count in it: each clip would lower it, and the next bound with it,
    until nothing is left of the others.
    """
    clipped = {}
    for path, layer in analog_layers(model).items():
        w = digital_weight(path, layer)
        there = jnp.maximum(jnp.sum(w != 0, dtype=w.dtype), 1)
        bound = sigmas * jnp.sqrt(jnp.sum(w**2) / there)
        clipped[path] = jnp.clip(w, -bound, bound)
    return replace_weights(model, clipped)
