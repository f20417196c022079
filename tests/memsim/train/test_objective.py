"""A training minimises its objective: loss, penalty of the spikes, and scores that fit the loss."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import memsim as ms
from device_models import Ideal
from memsim.nn import LI, LIF, Linear, SpikingNetwork


@pytest.fixture(scope="module")
def data():
    splits = ms.data.spoken_digits(steps=12)
    parts = (splits.train, splits.validation, splits.test)
    return ms.data.Splits(*(part.take(np.arange(128)) for part in parts))


def network(*last):
    k = jr.split(jr.key(0), 2)
    return SpikingNetwork([Linear(13, 16, key=k[0], gain=2.0), LIF(16), Linear(16, 10, key=k[1]), *last])


def fit(data, loss, model=None, *, epochs=20, report=None):
    settings = {"optimizer": optax.adam(1e-2), "batch_size": 32, "clip": None, "key": jr.key(1)}
    return ms.train.fit(model or network(LI(10)), data, loss=loss, epochs=epochs, report=report, **settings)


def rate(model, data):
    spikes = jax.vmap(lambda x: model(x, record="spikes")[1]["spikes"][".layers[1]"])(jnp.asarray(data.test.inputs))
    return float(jnp.mean(spikes))


@pytest.mark.slow
def test_a_bound_of_the_rate_is_approached_where_the_bare_loss_is_above_it(data):
    bare = rate(fit(data, ms.train.cross_entropy), data)
    penalty = ms.train.SpikeRate(100.0, upper=bare / 4)
    bounded = rate(fit(data, ms.train.Objective(ms.train.cross_entropy, penalty=penalty)), data)
    assert bare > 0.05 and bounded < 0.6 * bare


def test_the_penalty_is_added_to_the_loss_of_each_sequence(data):
    model, found = network(LI(10)), {}
    for name, penalty in {"without": None, "with": lambda spikes: jnp.mean(spikes[".layers[1]"])}.items():
        objective = ms.train.Objective(lambda outputs, label: 0.0 * jnp.sum(outputs), penalty=penalty)
        losses = []
        ms.train.fit(
            model, data, loss=objective, epochs=1, batch_size=128, clip=None, key=jr.key(1),
            report=lambda epoch, losses=losses: losses.append(epoch.loss),
        )  # fmt: skip
        found[name] = losses[0]
    xs = jnp.asarray(data.train.inputs)
    spikes = jax.vmap(lambda x: model(x, record="spikes")[1]["spikes"][".layers[1]"])(xs)
    assert found["without"] == 0.0
    np.testing.assert_allclose(found["with"], jnp.mean(spikes), rtol=1e-5)  # one step over all of the training set


@pytest.mark.slow
def test_scores_name_the_class_in_training_and_in_studies(data):
    loss = partial(ms.train.latency_cross_entropy, tau=2e-3, dt=1e-3)
    objective = ms.train.Objective(loss, scores=ms.train.latency_scores)
    seen = []
    model = fit(data, objective, network(LIF(10)), epochs=40, report=seen.append)
    xs, labels = jnp.asarray(data.validation.inputs), jnp.asarray(data.validation.labels)
    first = np.asarray(jax.vmap(ms.encoding.first_spike_time)(jax.vmap(model)(xs)))
    np.testing.assert_allclose(seen[-1].validation, np.mean(first.argmin(axis=1) == labels), atol=1e-6)
    assert seen[-1].validation > 0.2  # ten classes: chance is 0.1
    study = ms.study.robustness(
        model, data.validation, ms.Crossbar(Ideal()), chips=1, times=[0.0], key=jr.key(2),
        scores=ms.train.latency_scores,
    )  # fmt: skip
    np.testing.assert_allclose(float(study.accuracy[0, 0]), seen[-1].validation, atol=0.02)


@pytest.mark.slow
def test_counts_kept_in_bytes_train_as_their_floats(data):
    def as_bytes(part, dtype):
        inputs = np.clip(np.round(part.inputs * 2 + 4), 0, 255).astype(dtype)
        return ms.data.Dataset(inputs, part.labels, part.class_names)

    trained = []
    for dtype in (np.uint8, np.float32):
        splits = ms.data.Splits(*(as_bytes(part, dtype) for part in (data.train, data.validation, data.test)))
        trained.append(fit(splits, ms.train.cross_entropy, epochs=2))
    for a, b in zip(jax.tree.leaves(trained[0]), jax.tree.leaves(trained[1]), strict=True):
        np.testing.assert_array_equal(a, b)
