"""Training learns, repeats itself, survives being killed, and sees the hardware it says it samples."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest
from scipy.stats import kstest

import memsim as ms
from device_models import Ideal, pcm_joshi2020
from helpers import slow
from memsim.data import Dataset, Splits
from memsim.nn import LI, LIF, Linear, Recurrent, SpikingNetwork
from memsim.train import GaussianNoise, LogUniform, SampledChip, accuracy, clip_weights, cross_entropy, fit

MONTH = 30 * 86400.0
N = 100_000  # samples of each random quantity
STANDARD_ERRORS = 4  # tolerance of each moment
ADAM = optax.adam(2e-2)  # one object, so that an epoch is compiled once
NOISE = GaussianNoise(0.1)
PCM = ms.Crossbar(pcm_joshi2020(), tile=(3, 6))
KEY = jr.key(1)


def dataset(n, seed):
    """Of 4 noisy channels, the one that is on names the class; 3 classes."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n).astype(np.int32)
    inputs = rng.normal(0, 0.3, (n, 10, 4)) + np.eye(4)[labels][:, None]
    return Dataset(inputs, labels, ("a", "b", "c"))


DATA = Splits(dataset(96, 0), dataset(32, 1), dataset(200, 2))


def network():
    k = jr.split(jr.key(0))
    return SpikingNetwork([Linear(4, 12, key=k[0]), LIF(12), Linear(12, 3, key=k[1]), LI(3)])


def train(model=None, **settings):
    settings = {"key": KEY, "hardware": NOISE, "optimizer": ADAM, "epochs": 4, "batch_size": 16} | settings
    return fit(network() if model is None else model, DATA, **settings)


def assert_equal(one, other):
    jax.tree.map(np.testing.assert_array_equal, *(eqx.filter(model, eqx.is_array) for model in (one, other)))


@pytest.fixture(scope="module")
def trained():
    """A trained network, and what its epochs reported."""
    epochs = []
    return train(report=epochs.append), epochs


# The loop.


def test_a_small_network_learns_a_small_task(trained):
    test = jnp.asarray(DATA.test.inputs), jnp.asarray(DATA.test.labels)
    assert accuracy(network(), *test) < 0.6
    assert accuracy(trained[0], *test) > 0.9


def test_every_epoch_is_reported(trained):
    assert [epoch.number for epoch in trained[1]] == [1, 2, 3, 4]
    assert trained[1][-1].loss < trained[1][0].loss


def test_one_key_gives_the_same_weights_and_another_key_others(trained):
    assert_equal(train(), trained[0])
    assert np.any(train(key=jr.key(2)).layers[0].weight != trained[0].layers[0].weight)


@pytest.mark.slow
def test_default_settings_train_a_chip_sampled_at_every_step():
    crossbar = ms.Crossbar(pcm_joshi2020(), compensation=None)
    hardware = SampledChip(lambda path, layer: crossbar, LogUniform(1.0, MONTH))
    model = SpikingNetwork([Linear(4, 3, key=KEY), LI(3)])
    trained = fit(model, DATA, key=KEY, hardware=hardware, epochs=1)
    assert np.all(trained.layers[0].weight != model.layers[0].weight)


def test_weights_are_clipped_to_their_root_mean_square():
    model = network()
    clipped = clip_weights(model, 1.5)
    for place in (0, 2):
        w = np.asarray(model.layers[place].weight)
        bound = 1.5 * np.sqrt(np.mean(w**2))
        np.testing.assert_allclose(clipped.layers[place].weight, np.clip(w, -bound, bound), rtol=1e-5)
        assert np.any(np.abs(w) > 1.5 * w.std())


def test_accuracy_counts_the_largest_mean_output():
    outputs = jnp.asarray([[[1.0, 0.0], [0.0, 3.0]], [[0.0, 1.0], [3.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]])
    identity = eqx.tree_at(lambda m: m.layers[0].weight, SpikingNetwork([Linear(2, 2, key=KEY)]), jnp.eye(2))
    np.testing.assert_allclose(accuracy(identity, outputs, jnp.asarray([1, 0, 0])), 2 / 3, rtol=1e-6)


def test_cross_entropy_is_minus_the_log_of_the_softmax():
    outputs = np.array([[1.0, 2.0, -1.0], [0.0, 4.0, 1.0]])
    expected = np.log(np.exp(outputs.mean(axis=0)).sum()) - outputs.mean(axis=0)[2]
    np.testing.assert_allclose(cross_entropy(jnp.asarray(outputs, jnp.float32), jnp.asarray(2)), expected, rtol=1e-6)


def test_a_diverged_loss_stops_the_training():
    model = SpikingNetwork([Linear(4, 3, key=KEY), LI(3)])
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        train(model, optimizer=optax.sgd(1e38), hardware=None, clip=None)


@pytest.mark.parametrize(
    "name, value", [("epochs", 0), ("batch_size", 0), ("batch_size", 97), ("clip", 0.0), ("clip", float("nan"))]
)
def test_bad_settings_are_refused(name, value):
    with pytest.raises(ValueError, match=f"`{name}`"):
        train(**{name: value})


def test_a_chip_is_not_trained():
    with pytest.raises(ValueError, match=re.escape("Layer .layers[0] must hold digital weights")):
        train(ms.program(SpikingNetwork([Linear(4, 3, key=KEY), LI(3)]), ms.Crossbar(Ideal()), key=KEY))


# Checkpoints.


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """What a run that was killed in its third epoch left behind."""
    monkeypatch.setattr(ms.train._fit, "SECONDS_BETWEEN_CHECKPOINTS", -1.0)

    def kill(epoch):
        if epoch.number == 3:
            raise KeyboardInterrupt

    path = tmp_path / "deep" / "run.ckpt"
    with pytest.raises(KeyboardInterrupt):
        train(checkpoint=path, report=kill)
    return path


def test_a_killed_run_goes_on_to_the_weights_of_an_uninterrupted_one(checkpoint, trained):
    epochs = []
    assert_equal(train(checkpoint=checkpoint, report=epochs.append), trained[0])
    assert epochs == trained[1][2:]
    assert_equal(train(checkpoint=checkpoint, report=epochs.append), trained[0])  # finished: nothing left to do
    assert len(epochs) == 2


OTHER = {"key": jr.key(2), "epochs": 5, "batch_size": 8, "clip": 2.0, "hardware": GaussianNoise(0.2)}
OTHER["model"] = eqx.tree_at(lambda model: model.layers[0].weight, network(), replace_fn=lambda w: 2 * w)


@pytest.mark.parametrize("name", OTHER)
def test_a_checkpoint_of_another_run_is_refused(checkpoint, name):
    with pytest.raises(ValueError, match="from another run"):
        train(checkpoint=checkpoint, **{name: OTHER[name]})


@pytest.mark.parametrize("parts", [6, slow(40)])
def test_a_checkpoint_cut_anywhere_is_refused(checkpoint, parts):
    whole = checkpoint.read_bytes()
    for length in range(0, len(whole), len(whole) // parts):
        checkpoint.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="must be a complete file"):
            train(checkpoint=checkpoint)


# Hardware.


def test_gaussian_noise_is_relative_to_each_bit_line():
    model = SpikingNetwork([Linear(500, 200, key=jr.key(0))])  # N weights
    w = np.asarray(model.layers[0].weight, np.float64)
    for strength in (1.0, 0.5):
        noisy = GaussianNoise(0.1).sample(model, strength=jnp.asarray(strength), key=KEY).layers[0].weight
        xi = (np.asarray(noisy, np.float64) - w) / np.abs(w).max(axis=1, keepdims=True) / (0.1 * strength)
        assert abs(xi.mean()) < STANDARD_ERRORS / N**0.5
        assert abs(xi.std() - 1) < STANDARD_ERRORS / (2 * N) ** 0.5
        for a, b in ((xi[:, 1:], xi[:, :-1]), (xi[1:], xi[:-1])):
            assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < STANDARD_ERRORS / a.size**0.5


def test_gaussian_noise_differs_between_layers_and_keys_and_none_is_none():
    layer = Linear(6, 6, key=jr.key(0))
    model = SpikingNetwork([layer, Recurrent(LIF(6), layer)])
    one, other = (NOISE.sample(model, strength=jnp.ones(()), key=jr.key(i)) for i in (1, 2))
    assert_equal(NOISE.sample(model, strength=jnp.zeros(()), key=KEY), model)
    draws = [one.layers[0].weight, one.layers[1].synapse.weight, other.layers[0].weight]
    assert len(np.unique(np.array(draws) - np.asarray(layer.weight))) > 0.9 * 3 * 36


@pytest.mark.slow
def test_a_chip_grows_from_the_clean_network_to_a_deployed_one():
    model, xs = SpikingNetwork([Linear(4, 3, key=KEY)]), jnp.asarray(DATA.test.inputs[0])
    sample = eqx.filter_jit(SampledChip(PCM, MONTH).sample)
    clean, half, full = (sample(model, strength=jnp.asarray(strength), key=KEY) for strength in (0.0, 0.5, 1.0))
    np.testing.assert_allclose(clean(xs, key=KEY), model(xs), rtol=1e-4, atol=1e-5)
    deployed = ms.deploy(model, PCM, MONTH, key=jr.split(KEY)[1])  # the first key draws the time
    for one, other in zip(*map(jax.tree.leaves, (full, deployed)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-7)
    w = [network.layers[0].weight.weight for network in (clean, half, full)]
    np.testing.assert_allclose(w[1], (w[0] + w[2]) / 2, rtol=1e-4, atol=1e-6)


def test_log_uniform_times_are_uniform_in_their_logarithm():
    t = np.asarray(jax.vmap(lambda key: LogUniform(20.0, 1e7).draw(key=key))(jr.split(KEY, N)), np.float64)
    u = np.log(t / 20.0) / np.log(1e7 / 20.0)
    assert kstest(u, "uniform").statistic < 1.95 / N**0.5  # Kolmogorov's critical value for one in a thousand


@pytest.mark.slow
def test_gradient_through_a_sampled_chip_is_its_finite_difference():
    with jax.enable_x64(True):
        crossbar = ms.Crossbar(pcm_joshi2020(), adc=ms.ADC(None, 5.0), tile=(3, 3))
        hardware = SampledChip(crossbar, LogUniform(1.0, MONTH))
        model = SpikingNetwork([Linear(5, 3, key=jr.key(0)), LI(3)])
        xs, label = jr.normal(jr.key(2), (10, 5)), jnp.asarray(1)

        @jax.jit
        @jax.value_and_grad
        def loss(w):
            clean = eqx.tree_at(lambda m: m.layers[0].weight, model, w)
            return cross_entropy(hardware.sample(clean, strength=jnp.asarray(0.8), key=KEY)(xs, key=KEY), label)

        w, h = model.layers[0].weight, 1e-6
        slope = np.asarray(loss(w)[1])
        nudges = h * jnp.eye(w.size).reshape(-1, *w.shape)
        difference = [float(loss(w + nudge)[0] - loss(w - nudge)[0]) / (2 * h) for nudge in nudges]
        np.testing.assert_allclose(slope.ravel(), difference, rtol=1e-5, atol=1e-7)
        assert np.all(slope != 0)


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: GaussianNoise(1.5), "Percent?"),
        (lambda: GaussianNoise(-0.1), "`std` must be in [0, 1)"),
        (lambda: SampledChip(PCM, ramp=-0.1), "`ramp` must be a fraction"),
        (lambda: SampledChip(PCM, -1.0), "at least 0 seconds"),
        (lambda: LogUniform(2.0, 1.0), "0 < low < high"),
        (lambda: LogUniform(0.0, 1.0), "0 < low < high"),
    ],
)
def test_bad_hardware_is_refused(make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()
