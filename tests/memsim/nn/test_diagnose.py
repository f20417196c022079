"""A diagnosis finds what was planted, in numbers and in words, and is quiet about a healthy network."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from device_models import Ideal, pcm_joshi2020
from memsim.nn import LI, LIF, Firing, Linear, Recurrent, SpikingNetwork, SuperSpike, diagnose

KEY = jr.key(1)
XS = jr.normal(jr.key(9), (4, 25, 4)) + 0.3
PCM = ms.Crossbar(pcm_joshi2020(), compensation=None)
LAYERS = [".layers[0]", ".layers[2].synapse", ".layers[3]"]


def network():
    k = jr.split(jr.key(0), 3)
    hidden = Recurrent(
        LIF(6, firing=Firing(surrogate=SuperSpike(2.0))), Linear(6, 6, use_bias=False, gain=0.3, key=k[1])
    )
    return SpikingNetwork([Linear(4, 6, key=k[0]), eqx.nn.Lambda(lambda x: x), hidden, Linear(6, 3, key=k[2]), LI(3)])


def weighted(model, place, change):
    return eqx.tree_at(lambda m: m.layers[place].weight, model, replace_fn=change)


def squared(outputs, label):
    return jnp.mean((outputs - label) ** 2)


def test_the_numbers_of_a_network_are_those_counted_by_hand():
    model, labels = network(), jnp.arange(4.0)
    report = diagnose(model, XS, loss=squared, labels=labels)
    _, record = jax.vmap(lambda x: model(x, record=("spikes", "inputs")))(XS)
    spikes = np.asarray(record["spikes"][".layers[2].neuron"])
    seen = report.neurons[".layers[2].neuron"]
    np.testing.assert_allclose(seen.rate, spikes.mean(), rtol=1e-5)
    assert seen.silent == np.mean(spikes.sum(axis=(0, 1)) == 0)
    assert seen.saturated == np.mean(spikes.mean(axis=(0, 1)) > 0.9)
    assert list(report.synapses) == LAYERS
    gradient = eqx.filter_grad(lambda m: jnp.mean(jax.vmap(squared)(jax.vmap(m)(XS), labels)))(model)
    slopes = [g.weight for g in (gradient.layers[0], gradient.layers[2].synapse, gradient.layers[3])]
    weights = [one.weight for one in (model.layers[0], model.layers[2].synapse, model.layers[3])]
    for path, slope, w in zip(LAYERS, slopes, weights, strict=True):
        use = report.synapses[path]
        np.testing.assert_allclose(use.gradient, np.linalg.norm(slope), rtol=1e-4)
        np.testing.assert_allclose(use.weight_rms, np.sqrt(np.mean(w**2)), rtol=1e-5)
        np.testing.assert_allclose(use.input_rms, np.sqrt(np.mean(record["inputs"][path] ** 2)), rtol=1e-5)
        np.testing.assert_allclose(use.range_used, np.mean(np.abs(w) / np.abs(w).max(axis=1, keepdims=True)), rtol=1e-5)
        assert use.under_noise is None


def test_what_a_model_multiplies_by_itself_is_told():
    class Own(eqx.Module):
        first: Linear
        w: jax.Array

        def __call__(self, x, *, key=None):
            return self.w @ self.first(x)

    model = Own(Linear(3, 4, use_bias=False, key=jr.key(0)), jnp.ones((9, 4)))
    (found,) = diagnose(model, jnp.ones((2, 3))).findings
    assert found.startswith("25.0% of its numbers are in layers that can sit on a crossbar")  # 12 of 48


@pytest.mark.slow
def test_nothing_stands_out_of_a_healthy_network():
    assert str(diagnose(network(), XS, crossbar=PCM)) == "Nothing stands out."


@pytest.mark.parametrize(
    "factor, says",
    [(1e-3, ".layers[2].neuron: 100% of the neurons never fire. Raise the weights"), (0.0, "all its inputs are zero")],
)
def test_a_silent_layer_is_named(factor, says):
    model = weighted(network(), 0, lambda w: factor * w)
    assert says in str(diagnose(model, XS))


def test_a_saturated_layer_is_named():
    model = eqx.tree_at(lambda m: m.layers[0].bias, network(), jnp.full(6, 50.0))
    report = diagnose(model, XS)
    assert report.neurons[".layers[2].neuron"].saturated == 1
    assert ".layers[2].neuron: 100% of the neurons fire in nearly every step. Lower the weights" in str(report)


@pytest.mark.parametrize(
    "factor, says", [(0.0, ".layers[0]: no gradient reaches it"), (1e-6, "vanishes"), (1e6, "explodes")]
)
def test_a_gradient_that_does_not_arrive_or_is_too_large_is_named(factor, says):
    model = weighted(network(), 3, lambda w: factor * w)  # scales the gradient of all layers in front of it
    found = [line for line in diagnose(model, XS).findings if line.startswith(".layers[0]")]
    assert any(says in line for line in found)


def test_outputs_that_are_not_finite_are_reported():
    report = str(diagnose(weighted(network(), 3, lambda w: w * jnp.nan), XS))
    assert "The outputs are not finite." in report and ".layers[0]: its gradient is not finite" in report


@pytest.mark.slow
def test_weights_that_an_outlier_squeezes_are_named_with_and_without_a_crossbar():
    model = SpikingNetwork([Linear(200, 50, key=KEY), LIF(50)])
    xs = (jr.uniform(KEY, (2, 10, 200)) < 0.3).astype(jnp.float32)
    squeezed = weighted(model, 0, lambda w: w.at[:, 0].set(50.0))
    report = diagnose(squeezed, xs)
    use = report.synapses[".layers[0]"]
    expected = np.mean(np.abs(squeezed.layers[0].weight)) / 50
    np.testing.assert_allclose(use.range_used, expected, rtol=1e-5)
    assert ".layers[0]: its weights use 0.6% of the conductance range" in str(report)
    report = diagnose(squeezed, xs, crossbar=PCM)
    assert report.synapses[".layers[0]"].under_noise > 0.9
    assert "of its weights are smaller than the error of one write" in str(report)
    assert diagnose(squeezed, xs, crossbar=ms.Crossbar(Ideal())).synapses[".layers[0]"].under_noise < 0.01


@pytest.mark.slow
def test_the_share_under_the_write_error_is_that_of_the_device():
    # 50,000 weights; the error of a write is measured on the chip itself by its weights at once after programming.
    model = SpikingNetwork([Linear(250, 200, key=KEY), LI(200)])
    w = np.asarray(model.layers[0].weight)
    chip = np.asarray(ms.deploy(model, PCM, 0.0, key=jr.key(5)).layers[0].weight.effective_weight)
    relative, scale = np.abs(w), np.abs(w).max(axis=1, keepdims=True)
    noise = np.sqrt(np.mean(((chip - w) / scale) ** 2))
    expected = np.mean(relative / scale < noise)
    found = diagnose(model, jnp.ones((1, 3, 250)), crossbar=PCM).synapses[".layers[0]"].under_noise
    assert abs(found - expected) < 0.01  # 4 standard errors of a share of 50,000, both sides


def test_a_layer_that_stays_digital_is_not_asked_what_a_crossbar_would_do():
    report = diagnose(network(), XS, crossbar=lambda path, layer: PCM if path == LAYERS[0] else None)
    assert report.synapses[LAYERS[0]].under_noise is not None
    assert report.synapses[LAYERS[2]].under_noise is None


@pytest.mark.slow
def test_a_deployed_network_is_diagnosed_in_weight_units():
    model = network()
    chip = ms.deploy(model, ms.Crossbar(Ideal(), dac=ms.DAC(None, 8.0), tile=(3, 4)), 0.0, key=KEY)
    ideal, digital = (diagnose(m, XS, loss=squared, labels=jnp.arange(4.0)) for m in (chip, model))
    for path in LAYERS:
        np.testing.assert_allclose(ideal.synapses[path][:4], digital.synapses[path][:4], rtol=1e-3)
    noisy = ms.deploy(model, PCM, 0.0, key=KEY)
    with pytest.raises(ValueError, match="needs `key=`"):
        diagnose(noisy, XS)
    assert np.isfinite(diagnose(noisy, XS, key=KEY).synapses[LAYERS[0]].gradient)
    with pytest.raises(ValueError, match=r"memsim\.at"):
        diagnose(ms.program(model, PCM, key=KEY), XS)


@pytest.mark.slow
def test_any_model_is_diagnosed_by_what_its_layers_meet():
    model = ms.nn.convert(eqx.nn.MLP(4, 3, 6, 1, key=jr.key(0)))
    xs, labels = jr.normal(jr.key(1), (10, 4)), jnp.arange(10) % 3
    found = ms.nn.diagnose(model, xs, loss=ms.train.cross_entropy, labels=labels)
    assert list(found.synapses) == [".layers[0]", ".layers[1]"] and found.neurons == {}
    hidden = jax.nn.relu(jax.vmap(model.layers[0])(xs))
    for path, x in ((".layers[0]", xs), (".layers[1]", hidden)):
        np.testing.assert_allclose(found.synapses[path].input_rms, np.sqrt(np.mean(np.asarray(x) ** 2)), rtol=1e-5)

    def loss(w):
        changed = eqx.tree_at(lambda m: m.layers[1].weight, model, w)
        return jnp.mean(jax.vmap(lambda x, y: ms.train.cross_entropy(changed(x), y))(xs, labels))

    slope = jax.grad(loss)(model.layers[1].weight)
    np.testing.assert_allclose(found.synapses[".layers[1]"].gradient, jnp.linalg.norm(slope), rtol=1e-5)
    silent = eqx.tree_at(lambda m: (m.layers[0].weight, m.layers[0].bias), model, replace_fn=lambda a: -jnp.abs(a))
    words = str(ms.nn.diagnose(silent, jnp.abs(xs)))
    assert ".layers[1]: all its inputs are zero" in words


def test_a_model_without_numbers_is_diagnosed():
    assert ms.nn.diagnose(eqx.nn.Lambda(jax.nn.relu), jnp.ones((2, 3))).findings == ()
