"""The training loop: one compiled epoch, repeated."""

import hashlib
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from jaxtyping import Array, Float, Key

from ..data import Dataset, Splits
from ..nn import SpikingNetwork, analog_layers
from ..nn._deploy import replace_weights
from . import _checkpoint
from ._hardware import AbstractHardware
from ._loss import class_scores, cross_entropy
from ._progress import progress_bar

SECONDS_BETWEEN_CHECKPOINTS = 5.0


class Epoch(NamedTuple):
    """What one epoch did: number (from 1), mean loss, validation accuracy on freshly sampled hardware."""

    number: int
    loss: float
    validation_accuracy: float


def fit(
    model: SpikingNetwork,
    data: Splits,
    *,
    key: Key[Array, ""],
    hardware: AbstractHardware | None = None,
    optimizer: optax.GradientTransformation | None = None,
    loss: Callable[[Array, Array], Array] = cross_entropy,
    epochs: int = 40,
    batch_size: int = 64,
    clip: float | None = 2.5,
    checkpoint: Path | str | None = None,
    report: Callable[[Epoch], None] | None = None,
) -> SpikingNetwork:
    """Trains `model` on `data.train` and returns the trained one.

    Each step samples `hardware` once for the mini-batch, takes the gradient through it, and updates the clean weights. The
    same key gives the same result, also across an interruption.

    **Arguments:**

    - `model`: A digital network.
    - `data`: With `train` and `validation` sets.
    - `key`: For batches and hardware.
    - `hardware`: What a step samples; `None` trains a digital network.
    - `optimizer`: Of optax; Adam with a cosine decay from 4e-3 by default.
    - `loss`: Of the outputs (steps, classes) and label of one sequence.
    - `epochs`, `batch_size`: Passes over the training set, and sequences a step; an incomplete last batch is left out.
    - `clip`: After each step, the weights of each analog layer are clipped to this many of their standard deviations.
    - `checkpoint`: File to save to and to resume from; it is removed by whoever no longer needs it.
    - `report`: Called after each epoch.

    Raises `ValueError` for bad settings and a foreign checkpoint, `FloatingPointError` when the loss is no longer finite.
    """
    _check(model, data.train, epochs, batch_size, clip)
    steps = len(data.train) // batch_size
    if optimizer is None:
        optimizer = optax.adam(optax.cosine_decay_schedule(4e-3, epochs * steps))
    trainer = Trainer(optimizer, loss, hardware, clip, batch_size, ramp_steps=_ramp_steps(hardware, epochs * steps))
    arrays = _arrays(data.train), _arrays(data.validation)
    state = model, optimizer.init(eqx.filter(model, eqx.is_inexact_array)), jnp.zeros((), int)
    fingerprint = _fingerprint(trainer, state, arrays, key, epochs)
    path = None if checkpoint is None else Path(checkpoint)
    first, state = (0, state) if path is None else _checkpoint.load(path, state, fingerprint=fingerprint)
    saved = time.monotonic()
    with progress_bar(epochs, first) as show:
        for epoch in range(first, epochs):
            state, mean_loss, validation = trainer.epoch(state, *arrays, jr.fold_in(key, epoch))
            done = Epoch(epoch + 1, float(mean_loss), float(validation))
            if not np.isfinite(done.loss):
                raise FloatingPointError(f"The loss must stay finite. Got {done.loss} in epoch {done.number}; lower the rate.")
            show(done)
            if report is not None:
                report(done)
            last = epoch + 1 == epochs
            if path is not None and (last or time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS):
                _checkpoint.save(path, state, epoch=epoch + 1, fingerprint=fingerprint)
                saved = time.monotonic()
    return state[0]


def accuracy(
    model: SpikingNetwork,
    xs: Float[Array, "batch steps inputs"],
    labels: Array,
    *,
    key: Key[Array, ""] | None = None,
) -> Float[Array, ""]:
    """Fraction of sequences whose class is named rightly. A model with read noise needs `key`."""
    outputs = run_batch(model, xs, key=key)
    return jnp.mean(jnp.argmax(jax.vmap(class_scores)(outputs), axis=-1) == labels, dtype=jnp.result_type(float))


def run_batch(
    model: SpikingNetwork, xs: Float[Array, "batch steps inputs"], *, key: Key[Array, ""] | None = None
) -> Float[Array, "batch steps outputs"]:
    """The model on each sequence, with independent reads."""
    keys = None if key is None else jr.split(key, xs.shape[0])
    return jax.vmap(lambda x, k: model(x, key=k))(xs, keys)


class Trainer(eqx.Module):
    """Everything an epoch needs that is not data."""

    optimizer: optax.GradientTransformation = eqx.field(static=True)
    loss: Callable[[Array, Array], Array] = eqx.field(static=True)
    hardware: AbstractHardware | None
    clip: float | None
    batch_size: int = eqx.field(static=True)
    ramp_steps: float

    @eqx.filter_jit
    def epoch(self, state, train, validation, key):
        inputs, labels = train
        order_key, step_key, chip_key, read_key = jr.split(key, 4)
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
        model = self._sample(state[0], jnp.ones(()), chip_key)
        return state, jnp.mean(losses), accuracy(model, *validation, key=read_key)

    def step(self, state, xs, labels, key):
        model, moments, count = state
        loss, gradient = eqx.filter_value_and_grad(partial(self._batch_loss, xs=xs, labels=labels, count=count, key=key))(model)
        with jax.numpy_dtype_promotion("standard"):  # optax multiplies integers and floats; users may run strictly
            updates, moments = self.optimizer.update(gradient, moments, eqx.filter(model, eqx.is_inexact_array))
        model = eqx.apply_updates(model, updates)
        if self.clip is not None:
            model = clip_weights(model, self.clip)
        return (model, moments, count + 1), loss

    def _batch_loss(self, model, *, xs, labels, count, key):
        hardware_key, read_key = jr.split(key)
        strength = jnp.minimum(1.0, (count + 1).astype(xs.dtype) / self.ramp_steps)
        model = self._sample(model, strength, hardware_key)
        return jnp.mean(jax.vmap(self.loss)(run_batch(model, xs, key=read_key), labels))

    def _sample(self, model, strength, key):
        return model if self.hardware is None else self.hardware.sample(model, strength=strength, key=key)


def clip_weights(model: SpikingNetwork, sigmas: float) -> SpikingNetwork:
    """`model` with the weights of each analog layer clipped to `sigmas` of their standard deviations."""
    clipped = {}
    for path, layer in analog_layers(model).items():
        bound = sigmas * jnp.std(layer.weight)
        clipped[path] = jnp.clip(layer.weight, -bound, bound)
    return replace_weights(model, clipped)


def _arrays(dataset: Dataset) -> tuple[Array, Array]:
    return jnp.asarray(dataset.inputs), jnp.asarray(dataset.labels)


def _ramp_steps(hardware: AbstractHardware | None, steps: int) -> float:
    return max(1.0, steps * (0.0 if hardware is None else hardware.ramp))


def _fingerprint(trainer: Trainer, state: Any, arrays: Any, key: Array, epochs: int) -> str:
    """Names the run: settings, initial weights, data and key."""
    hardware = eqx.tree_pformat(trainer.hardware, short_arrays=False)
    digest = hashlib.sha256(f"{hardware} {trainer.clip} {trainer.batch_size} {epochs} {state}".encode())
    for leaf in jax.tree.leaves((state[0], arrays, jr.key_data(key))):
        if eqx.is_array(leaf):
            digest.update(np.ascontiguousarray(leaf).tobytes())
    return digest.hexdigest()


def _check(model: SpikingNetwork, train: Dataset, epochs: int, batch_size: int, clip: float | None) -> None:
    if epochs < 1 or not 1 <= batch_size <= len(train):
        raise ValueError(
            f"`epochs` must be at least 1 and `batch_size` from 1 to the {len(train)} training sequences. "
            f"Got epochs={epochs}, batch_size={batch_size}."
        )
    if clip is not None and not clip > 0:
        raise ValueError(f"`clip` must be positive, in standard deviations, or None. Got {clip}.")
    for path, layer in analog_layers(model).items():
        if not eqx.is_array(layer.weight):
            raise ValueError(f"Training needs digital weights. Layer {path} holds a {type(layer.weight).__name__}.")
