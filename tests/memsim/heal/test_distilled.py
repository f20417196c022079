"""What the digital model says is learnt without labels, of samples and of means of two."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.special import log_softmax, softmax

import device_models as dm
import memsim as ms
from memsim.heal._distilled import distilled_loss, mixtures
from memsim.train._samples import Samples

NOISY = ms.Crossbar(dm.Gaussian(0.0, 25e-6, write_noise=dm.curves.Constant(6e-6)), reads=ms.Reads("off"))


def linear(seed=0):
    return ms.nn.SpikingNetwork([ms.nn.Linear(4, 3, key=jr.key(seed))])


def samples(n=64, steps=1):
    xs = np.random.default_rng(0).uniform(size=(n, steps, 4)).astype(np.float32)
    return ms.data.Dataset(xs, np.zeros(n, int))


def products(model, xs):
    layer = model.layers[0]
    return np.asarray(xs, float) @ np.asarray(layer.weight, float).T + np.asarray(layer.bias, float)


def cross_entropy(wanted, found):
    return -np.mean(np.sum(softmax(wanted, axis=-1) * log_softmax(found, axis=-1), axis=-1))


def test_the_loss_is_the_cross_entropy_of_one_model_from_the_other_whatever_the_labels():
    data, student, teacher = samples(steps=3), linear(1), linear(0)
    wanted, found = (products(model, data.inputs).mean(axis=1) for model in (teacher, student))
    for labels in (data.labels, data.labels + 2):
        loss = distilled_loss(student, None, teacher, Samples(data.inputs, jnp.asarray(labels)), jr.key(0))
        assert float(loss) == pytest.approx(cross_entropy(wanted, found), rel=1e-5)


def test_steps_that_do_not_count_are_left_out():
    data, student, teacher = samples(steps=3), linear(1), linear(0)
    short = Samples(data.inputs, jnp.asarray(data.labels), jnp.full(64, 2))
    wanted, found = (products(model, data.inputs[:, :2]).mean(axis=1) for model in (teacher, student))
    loss = distilled_loss(student, None, teacher, short, jr.key(0))
    assert float(loss) == pytest.approx(cross_entropy(wanted, found), rel=1e-5)


def test_mixtures_are_means_of_two_samples_of_uniform_weights():
    """4096 samples that are their numbers: x + w (x' - x), so w has mean 1/2 and variance 1/12, within 4 errors."""
    number = 4096
    x = jnp.stack([jnp.arange(number, dtype=float), jnp.ones(number), jnp.arange(number, dtype=float) ** 2], 1)
    lengths = jnp.arange(number) % 7
    found = mixtures(Samples(x, jnp.zeros(number, int), lengths), key=jr.key(0))
    mixed = np.asarray(found.xs, float)
    np.testing.assert_allclose(mixed[:, 1], 1.0, rtol=1e-6)
    m, u = mixed[:, 0], np.arange(number)  # of u and v with weight w: m = w u + (1 - w) v, q = w u^2 + (1 - w) v^2
    with np.errstate(divide="ignore", invalid="ignore"):
        v = (mixed[:, 2] - u * m) / (m - u)
        weight = (m - v) / (u - v)
    weight = weight[np.abs(m - u) > 50]  # others have lost their digits
    assert np.all((weight > -0.01) & (weight < 1.01))
    assert np.all(np.asarray(found.lengths) >= lengths)
    everywhere = np.asarray(mixed[:, 0]).mean()
    assert everywhere == pytest.approx(u.mean(), abs=4 * u.std() / number**0.5)
    shrunk = mixed[:, 0].var() / u.var()  # E[w^2 + (1 - w)^2] = 2/3
    assert shrunk == pytest.approx(2 / 3, abs=4 * 0.8 / number**0.5)


@pytest.mark.parametrize("targets", ["outputs", "mixtures"])
def test_adapters_that_learn_without_labels_come_near_the_digital_model(targets):
    model, data = linear(), samples(256)
    chip = ms.program(model, NOISY, key=jr.key(1))
    remedy = ms.heal.Adapters(1, updates=150, batch=32, rate=3e-2, targets=targets)
    mended = remedy(model, chip, data, t=0.0, key=jr.key(2))
    old, new, ideal = (
        np.stack([one(x)[0] for x in data.inputs[:64]])
        for one in (ms.at(chip, 0.0, key=jr.key(3)), mended.model, model)
    )
    least = cross_entropy(ideal, ideal)
    assert cross_entropy(ideal, new) - least < 0.3 * (cross_entropy(ideal, old) - least)
    others = remedy(model, chip, ms.data.Dataset(data.inputs, data.labels + 1), t=0.0, key=jr.key(2))
    np.testing.assert_array_equal(others.model(data.inputs[0]), mended.model(data.inputs[0]))


def test_targets_must_fit_the_samples():
    model = linear()
    chip = ms.program(model, NOISY, key=jr.key(1))
    numbers = (samples().inputs, np.zeros((64, 3), np.float32))
    with pytest.raises(ValueError, match='`targets` must be "labels" where these are numbers'):
        ms.heal.Adapters(updates=10, targets="outputs")(model, chip, numbers, t=0.0, key=jr.key(2))
    counts = ms.data.Dataset(np.ones((64, 1, 4), np.uint8), np.zeros(64, int))
    with pytest.raises(ValueError, match="no mean; cast them to floats"):
        ms.heal.Adapters(updates=10, targets="mixtures")(model, chip, counts, t=0.0, key=jr.key(2))
