"""An Equinox model converted gives the same outputs, and goes onto chips."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from device_models import Ideal, pcm_joshi2020
from helpers import quick_and_slow, slow
from memsim.nn import KeyedMatrix, Linear, SpikingNetwork, analog_layers, convert, with_read_keys

KEY = jr.key(1)
PCM = ms.Crossbar(pcm_joshi2020(read_noise_scale=10.0), compensation=None)
run = eqx.filter_jit(lambda model, *xs: model(*xs))
deploy = eqx.filter_jit(ms.deploy)
read = eqx.filter_jit(lambda model, x, keys: jax.vmap(lambda k: with_read_keys(model, key=k)(x))(keys))


class Classifier(eqx.Module):
    """A convolutional network as Equinox users write it, with a dictionary and a list on the way."""

    parts: dict
    head: list

    def __init__(self, key):
        k = jr.split(key, 3)
        self.parts = {"conv": eqx.nn.Conv2d(1, 3, 3, padding=1, key=k[0]), "pool": eqx.nn.MaxPool2d(2, 2)}
        self.head = [eqx.nn.Linear(27, 8, key=k[1]), jax.nn.relu, eqx.nn.Linear(8, 4, use_bias=False, key=k[2])]

    def __call__(self, x):
        x = jnp.ravel(self.parts["pool"](self.parts["conv"](x)))
        for layer in self.head:
            x = layer(x)
        return x


class Sequence(eqx.Module):
    """A recurrent cell in a scan, with a key a step where reads are noisy."""

    cell: eqx.Module
    readout: eqx.Module

    def __call__(self, xs, *, key=None):
        keys = None if key is None else jr.split(key, xs.shape[0])
        start = jnp.zeros(self.cell.hidden_size)
        start = start if isinstance(self.cell, eqx.nn.GRUCell | ms.nn.GRUCell) else (start, start)

        def step(state, inputs):
            x, k = inputs
            cell = self.cell if k is None else with_read_keys(self.cell, key=k)
            return cell(x, state), None

        state, _ = jax.lax.scan(step, start, (xs, keys))
        return self.readout(state if isinstance(state, jax.Array) else state[0])


def models():
    k = jr.split(KEY, 5)
    return {
        "mlp": (eqx.nn.MLP(5, 3, 8, 2, key=k[0]), jr.normal(KEY, (5,)), 3),
        "cnn": (Classifier(k[1]), jr.normal(KEY, (1, 6, 6)), 3),
        "conv1d": (eqx.nn.Conv1d(4, 6, 3, stride=2, padding="SAME", groups=2, key=k[2]), jr.normal(KEY, (4, 9)), 1),
        "gru": (
            Sequence(eqx.nn.GRUCell(4, 6, key=k[3]), eqx.nn.Linear(6, 2, key=k[4])),
            jr.normal(KEY, (7, 4)),
            3,
        ),
        "lstm": (
            Sequence(eqx.nn.LSTMCell(4, 6, use_bias=False, key=k[3]), eqx.nn.Identity()),
            jr.normal(KEY, (7, 4)),
            2,
        ),
    }


@pytest.mark.parametrize("name", quick_and_slow(("cnn", "lstm"), models()))
def test_a_converted_model_gives_the_same_outputs(name):
    with jax.enable_x64(True):
        model, x, layers = models()[name]
        ours = convert(model)
        assert len(analog_layers(ours)) == layers
        np.testing.assert_allclose(run(ours, x), run(model, x), rtol=1e-12, atol=1e-14)
        ideal = deploy(ours, ms.Crossbar(Ideal(), tile=(3, 4)), 0.0, key=KEY)
        np.testing.assert_allclose(run(ideal, x), run(model, x), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", quick_and_slow(("cnn", "lstm"), models()))
def test_a_converted_model_keeps_its_weights_and_gradients(name):
    model, x, _ = models()[name]
    ours = convert(model)

    def slopes(model):
        gradient = eqx.filter_jit(eqx.filter_grad(lambda model: jnp.sum(jnp.sin(model(x)))))(model)
        return sorted(float(jnp.sum(slope**2)) for slope in jax.tree.leaves(gradient))

    np.testing.assert_allclose(slopes(ours), slopes(model), rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("name", ["mlp", slow("cnn")])
def test_reads_of_a_converted_model_are_noisy_around_its_mean(name):
    model, x, _ = models()[name]
    chip = deploy(convert(model), PCM, 0.0, key=KEY)
    with pytest.raises(ValueError, match="needs `key=`"):
        chip(x)
    still = deploy(convert(model), ms.Crossbar(pcm_joshi2020(), compensation=None, reads=ms.Reads("off")), 0.0, key=KEY)
    ys = np.asarray(read(chip, x, jr.split(jr.key(3), 4000)), np.float64)
    assert len(np.unique(ys)) > 0.9 * ys.size and (ys.std(axis=0) > 0).all()
    # The rectifiers make the mean deviate a little from that without noise, by less than the noise itself.
    assert (np.abs(ys.mean(axis=0) - np.asarray(run(still, x))) < ys.std(axis=0)).all()


def test_read_noise_of_a_keyed_layer_has_the_variance_of_its_cells():
    layer = deploy(convert(eqx.nn.Linear(6, 4, key=KEY)), PCM, 0.0, key=KEY)
    x = jr.normal(KEY, (6,))
    ys = np.asarray(read(layer, x, jr.split(jr.key(3), 4000)), np.float64)
    matrix = layer.weight
    mean = np.asarray(x @ matrix.weight + layer.bias, np.float64)
    variance = np.asarray(x**2 @ matrix.noise.variance, np.float64)
    assert (np.abs(ys.mean(axis=0) - mean) < 4 * (variance / 4000) ** 0.5).all()
    assert np.abs(ys.var(axis=0) / variance - 1).max() < 4 * (2 / 4000) ** 0.5


def test_layers_of_a_keyed_model_do_not_share_noise():
    layer = eqx.nn.Linear(4, 4, use_bias=False, key=KEY)
    pair = deploy(convert([layer, layer]), PCM, 0.0, key=KEY)
    pair = [pair[0], eqx.tree_at(lambda one: one.weight, pair[1], pair[0].weight)]  # the same chip twice
    keyed = eqx.filter_jit(jax.vmap(lambda k: [one(jnp.ones(4)) for one in with_read_keys(pair, key=k)]))
    first, second = (np.asarray(y, np.float64).ravel() for y in keyed(jr.split(KEY, 1000)))
    first, second = (y.reshape(-1, 4) - y.reshape(-1, 4).mean(axis=0) for y in (first, second))
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 4 / 4000**0.5


def test_a_key_in_the_call_takes_precedence_over_the_stored_one():
    chip = deploy(Linear(4, 4, key=KEY), PCM, 0.0, key=KEY)
    x, keyed = jnp.ones(4), with_read_keys(chip, key=jr.key(7))
    np.testing.assert_array_equal(keyed(x, key=KEY), chip(x, key=KEY))
    again = with_read_keys(with_read_keys(chip, key=jr.key(8)), key=jr.key(7))
    assert isinstance(again.weight, KeyedMatrix)
    np.testing.assert_array_equal(again(x), keyed(x))
    assert np.any(keyed(x) != chip(x, key=KEY))


@pytest.mark.parametrize("name", [slow("gru"), "lstm"])
def test_a_recurrent_cell_in_a_scan_draws_noise_anew_in_each_step(name):
    model, xs, _ = models()[name]
    chip = deploy(convert(model), PCM, 0.0, key=KEY)

    @eqx.filter_jit
    def outputs(chip, keys):
        return jax.vmap(lambda k: with_read_keys(chip, key=k)(xs, key=jr.fold_in(k, 1)))(keys)

    ys = np.asarray(outputs(chip, jr.split(KEY, 500)))
    assert np.isfinite(ys).all() and (ys.std(axis=0) > 0).all()
    cell = eqx.tree_at(lambda c: c.weight_hh, chip.cell, replace_fn=lambda one: one)
    state = jnp.zeros(6) if name == "gru" else (jnp.zeros(6), jnp.zeros(6))
    one, other = (with_read_keys(cell, key=jr.key(i))(xs[0], state) for i in (0, 1))
    assert np.any(np.asarray(jax.tree.leaves(one)[0]) != np.asarray(jax.tree.leaves(other)[0]))
    np.testing.assert_array_equal(*(jax.tree.leaves(cell(xs[0], state, key=KEY))[0] for _ in range(2)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mlp", "cnn", "gru"])
def test_the_gradient_through_a_noisy_chip_reaches_every_converted_layer(name):
    model, x, _ = models()[name]

    @eqx.filter_jit
    @eqx.filter_grad
    def gradient(model):
        chip = with_read_keys(ms.deploy(model, PCM, 100.0, key=KEY), key=KEY)
        return jnp.sum((chip(x, key=KEY) if name == "gru" else chip(x)) ** 2)

    for path, layer in analog_layers(gradient(convert(model))).items():
        assert np.isfinite(layer.weight).all() and np.mean(layer.weight != 0) > 0.1, path  # rectifiers are silent


def test_a_chip_ages_within_a_model_of_equinox():
    chips = ms.program(convert(eqx.nn.MLP(5, 3, 8, 1, key=KEY)), PCM, key=KEY)
    early, late = (ms.at(chips, t, key=KEY).layers[0].weight.effective_weight for t in (0.0, 1e7))
    assert np.abs(late).mean() < 0.8 * np.abs(early).mean()  # drift takes more than a fifth in four months


def test_what_cannot_be_converted_stays_and_naming_it_is_refused():
    k = jr.split(KEY, 4)
    model = [
        eqx.nn.Conv(4, 1, 1, 2, key=k[1]),
        eqx.nn.Conv1d(1, 1, 3, padding=-1, key=k[3]),
        eqx.nn.Embedding(3, 2, key=k[0]),
        eqx.nn.LayerNorm((3,)),
    ]
    assert eqx.tree_equal(convert(model), model)
    with pytest.raises(ValueError, match=re.escape("A layer that can be converted must be a known name. Got '[0]'")):
        convert([*model, eqx.nn.Linear(2, 2, key=KEY)], paths=["[0]"])


def test_paths_choose_what_is_converted():
    model = eqx.nn.MLP(5, 3, 8, 2, key=KEY)
    ours = convert(model, paths=[".layers[1]"])
    assert list(analog_layers(ours)) == [".layers[1]"]
    assert isinstance(ours.layers[0], eqx.nn.Linear)


def test_a_shared_layer_is_converted_once_and_is_one_chip():
    layers = [eqx.nn.Linear(4, 4, key=k) for k in jr.split(KEY, 2)]
    shared = eqx.nn.Shared(layers, where=lambda pair: pair[1], get=lambda pair: pair[0])
    ours = convert(shared)
    assert len(analog_layers(ours)) == 1
    one, other = ours()
    assert isinstance(one, Linear) and one.weight is other.weight
    x = jr.normal(KEY, (4,))
    np.testing.assert_allclose(one(x), layers[0](x), rtol=1e-6)
    one, other = deploy(ours, PCM, 0.0, key=KEY)()
    np.testing.assert_array_equal(one.weight.weight, other.weight.weight)


def test_a_layer_whose_weight_is_shared_from_elsewhere_stays_as_it_is():
    pair = (eqx.nn.Embedding(5, 4, key=KEY), eqx.nn.Linear(4, 5, use_bias=False, key=KEY))
    shared = eqx.nn.Shared(pair, where=lambda p: p[1].weight, get=lambda p: p[0].weight)
    ours = convert(shared)
    assert not analog_layers(ours)
    np.testing.assert_array_equal(ours()[1](jnp.ones(4)), shared()[1](jnp.ones(4)))


def test_a_layer_of_equinox_within_a_spiking_network_becomes_one_of_its_own():
    model = convert(SpikingNetwork([eqx.nn.Linear(4, 6, key=KEY), ms.nn.LIF(6)]))
    assert list(analog_layers(model)) == [".layers[0]"]
    xs = jr.normal(KEY, (2, 20, 4))
    design = ms.calibrate(model, xs, ms.Crossbar(Ideal(), adc=ms.ADC(8)))
    assert ms.deploy(model, design, 0.0, key=KEY)(xs[0]).shape == (20, 6)
    with pytest.raises(ValueError, match="call it with `key=`"):
        with_read_keys(model, key=KEY)
