"""A network is its layers step by step, and its reads are independent."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from device_models import pcm_joshi2020
from memsim.nn import LI, LIF, Linear, Recurrent, SpikingNetwork

STEPS = 30
NOISY = ms.Crossbar(pcm_joshi2020(read_noise_scale=10.0))  # each read draws anew


@pytest.fixture
def x64():
    with jax.enable_x64(True):  # so that no spike hangs on the last bit
        yield


def network():
    """Feedforward, recurrent and readout layers."""
    k = jr.split(jr.key(0), 4)
    hidden = Recurrent(LIF(7), Linear(7, 7, use_bias=False, key=k[1]))
    return SpikingNetwork(
        [
            Linear(4, 6, key=k[0], gain=2.0),
            LIF(6),
            Linear(6, 7, key=k[2], gain=2.0),
            hidden,
            Linear(7, 3, key=k[3]),
            LI(3),
        ]
    )


def sequence(*batch):
    return jr.normal(jr.key(9), (*batch, STEPS, 4)) + 0.3


def by_hand(model, xs):
    """What goes into and comes out of each layer at each step: {place: [steps]}, {place: [steps]}."""
    inputs, outputs = ({place: [] for place in range(len(model.layers))} for _ in range(2))
    states = [None if isinstance(layer, Linear) else layer.initial_state() for layer in model.layers]
    for x in xs:
        for place, layer in enumerate(model.layers):
            inputs[place].append(x)
            if isinstance(layer, Linear):
                x = layer(x)
            else:
                x, states[place] = layer(x, states[place])
            outputs[place].append(x)
    return inputs, outputs


def test_a_sequence_is_its_steps_one_by_one(x64):
    model, xs = network(), sequence()
    _, expected = by_hand(model, xs)
    np.testing.assert_allclose(model(xs), expected[5], rtol=1e-9, atol=1e-12)
    activity = model.activity(xs)
    assert len(activity) == 6
    for place, outputs in enumerate(activity):
        np.testing.assert_allclose(outputs, expected[place], rtol=1e-9, atol=1e-12)
    assert all(0.02 < np.mean(activity[place]) < 0.98 for place in (1, 3))  # both spiking layers are alive


def test_a_batch_is_its_sequences_one_by_one(x64):
    model, xs = network(), sequence(5)
    np.testing.assert_allclose(jax.vmap(model)(xs), jnp.stack([model(x) for x in xs]), rtol=1e-9, atol=1e-12)


def test_a_compiled_network_is_the_eager_network(x64):
    model, xs = network(), sequence()
    np.testing.assert_allclose(eqx.filter_jit(model)(xs), model(xs), rtol=1e-9, atol=1e-12)


def test_synapse_inputs_are_what_each_synapse_is_driven_with(x64):
    model, xs = network(), sequence()
    found = model.synapse_inputs(xs)
    inputs, outputs = by_hand(model, xs)
    assert set(found) == set(ms.nn.analog_layers(model))
    for place in (0, 2, 4):
        np.testing.assert_allclose(found[f".layers[{place}]"], inputs[place], rtol=1e-9, atol=1e-12)
    previous = np.concatenate([np.zeros((1, 7)), outputs[3][:-1]])  # the recurrent one hears the step before
    np.testing.assert_array_equal(found[".layers[3].synapse"], previous)


def test_later_inputs_do_not_change_earlier_outputs(x64):
    model, xs = network(), sequence()
    changed = model(xs.at[20:].add(5.0))
    np.testing.assert_array_equal(changed[:20], model(xs)[:20])
    assert np.all(changed[20:] != model(xs)[20:])


@pytest.mark.parametrize(
    "layers, says",
    [
        (lambda a, b: [], "at least one layer"),
        (lambda a, b: [a, b], "Layer 1 must take 6 inputs"),
        (lambda a, b: [a, LIF(6), b], "Layer 2 must take 6 inputs"),
        (lambda a, b: [a, LIF(5)], "Layer 1 must take 6 inputs, what the one before gives. Got 5"),
        (lambda a, b: [a, Recurrent(LIF(5), Linear(5, 5, key=jr.key(0)))], "Layer 1 must take 6"),
    ],
)
def test_layers_that_do_not_fit_are_refused_by_place(layers, says):
    a, b = Linear(4, 6, key=jr.key(0)), Linear(5, 3, key=jr.key(0))
    with pytest.raises(ValueError, match=re.escape(says)):
        SpikingNetwork(layers(a, b))


# Read noise.


def test_a_noisy_network_without_a_key_is_refused():
    model = ms.deploy(network(), NOISY, 0.0, key=jr.key(1))
    for run in (model, model.activity, model.synapse_inputs):
        with pytest.raises(ValueError, match="needs `key=`"):
            run(sequence())


def test_one_key_reads_the_same_noise_and_another_key_another():
    model = ms.deploy(network(), NOISY, 0.0, key=jr.key(1))
    one, same, other = (model(sequence(), key=jr.key(i)) for i in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert np.all(one != other)


def assert_independent_in_time(noise):
    """No value of `noise` (steps, outputs) repeats, and steps do not correlate, within 4 standard errors."""
    noise = np.asarray(noise, np.float64)
    assert len(np.unique(noise)) == noise.size and np.all(noise.std(axis=0) > 0)
    noise = (noise - noise.mean(axis=0)) / noise.std(axis=0)
    for lag in (1, 2, 3):
        assert abs(np.mean(noise[lag:] * noise[:-lag])) < 4 / noise.size**0.5


def test_each_step_of_a_feedforward_layer_has_its_own_noise():
    model = SpikingNetwork([Linear(4, 3, key=jr.key(0)), Linear(3, 3, key=jr.key(0))])
    outputs = ms.deploy(model, NOISY, 0.0, key=jr.key(1)).activity(jnp.ones((2000, 4)), key=jr.key(2))
    assert_independent_in_time(outputs[0])
    assert_independent_in_time(outputs[1])


def test_each_step_of_a_recurrent_layer_has_its_own_noise():
    # A membrane that forgets at once: v(t) = current + W v(t - 1) + noise, and what is left is the noise.
    forgetful = LI(3, tau_mem=1e-6)
    model = SpikingNetwork([Recurrent(forgetful, Linear(3, 3, use_bias=False, gain=0.3, key=jr.key(0)))])
    model = ms.deploy(model, NOISY, 0.0, key=jr.key(1))
    v = np.asarray(model(jnp.ones((2000, 3)), key=jr.key(2)), np.float64)
    w = np.asarray(model.layers[0].synapse.weight.effective_weight, np.float64)
    assert_independent_in_time(v[1:] - 1.0 - v[:-1] @ w.T)


def test_layers_and_sequences_do_not_share_noise():
    model = SpikingNetwork([Linear(4, 4, key=jr.key(0)), Linear(4, 4, key=jr.key(0))])
    model = ms.deploy(model, NOISY, 0.0, key=jr.key(1))
    x = jnp.ones((3, 500, 4))
    noise = [np.asarray(ms.train._fit.run_batch(model, x, key=jr.key(2)))[i].ravel() for i in range(3)]
    first, second = model.activity(x[0], key=jr.key(2))
    mean = np.asarray(first) @ np.asarray(model.layers[1].weight.effective_weight).T
    pairs = [(noise[0], noise[1]), (noise[1], noise[2]), (np.ravel(first), np.ravel(np.asarray(second) - mean))]
    for a, b in pairs:
        a, b = (x.reshape(500, 4) - x.reshape(500, 4).mean(axis=0) for x in (a, b))
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 4 / a.size**0.5  # 4 standard errors
