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
from memsim.train import run_batch

STEPS = 30
INDEPENDENT = 4  # standard errors that a correlation of independent draws may have

run = eqx.filter_jit(lambda model, xs, key=None: model(xs, key=key))
activity = eqx.filter_jit(lambda model, xs, key=None: model.activity(xs, key=key))


def network():
    """Feedforward, recurrent and readout layers."""
    k = jr.split(jr.key(0), 4)
    hidden = Recurrent(LIF(6), Linear(6, 6, use_bias=False, key=k[1]))
    return SpikingNetwork(
        [
            Linear(4, 6, key=k[0], gain=2.0),
            LIF(6),
            Linear(6, 6, key=k[2], gain=2.0),
            hidden,
            Linear(6, 3, key=k[3]),
            LI(3),
        ]
    )


@pytest.fixture(scope="module")
def exact():
    """A network and 3 sequences, in float64 so that no spike hangs on the last bit."""
    with jax.enable_x64(True):
        yield network(), jr.normal(jr.key(9), (3, STEPS, 4)) + 0.3


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


def assert_close(one, other):
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_a_sequence_is_its_steps_one_by_one(exact):
    model, (xs, *_) = exact
    inputs, outputs = by_hand(model, xs)
    layers = activity(model, xs)
    assert len(layers) == 6
    for place, output in enumerate(layers):
        assert_close(output, outputs[place])
    assert all(0.02 < np.mean(layers[place]) < 0.98 for place in (1, 3))  # both spiking layers are alive
    assert_close(model(xs), outputs[5])

    # What drives each synapse: the recurrent one hears the step before.
    found = model.synapse_inputs(xs)
    assert set(found) == set(ms.nn.analog_layers(model))
    for place in (0, 2, 4):
        assert_close(found[f".layers[{place}]"], inputs[place])
    assert_close(found[".layers[3].synapse"], np.concatenate([np.zeros((1, 6)), outputs[3][:-1]]))


def test_a_batch_is_its_sequences_one_by_one(exact):
    model, xs = exact
    assert_close(
        eqx.filter_jit(lambda model, xs: jax.vmap(model)(xs))(model, xs), jnp.stack([run(model, x) for x in xs])
    )


def test_later_inputs_do_not_change_earlier_outputs(exact):
    model, (xs, *_) = exact
    before, after = run(model, xs), run(model, xs.at[20:].add(5.0))
    np.testing.assert_array_equal(before[:20], after[:20])
    assert np.any(before[20:] != after[20:])


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


@pytest.fixture(scope="module")
def noisy():
    """Three synapses of equal weights that each read draws anew; the last feeds a membrane that forgets at once."""
    layer = Linear(4, 4, use_bias=False, gain=0.3, key=jr.key(0))
    model = SpikingNetwork([layer, layer, Recurrent(LI(4, tau_mem=1e-6), layer)])
    crossbar = ms.Crossbar(pcm_joshi2020(read_noise_scale=10.0), compensation=None)
    return ms.deploy(model, crossbar, 0.0, key=jr.key(1))


def test_a_noisy_network_without_a_key_is_refused(noisy):
    for read in (noisy, noisy.activity, noisy.synapse_inputs):
        with pytest.raises(ValueError, match="needs `key=`"):
            read(jnp.ones((STEPS, 4)))


def test_one_key_reads_the_same_noise_and_another_key_another(noisy):
    one, same, other = (run(noisy, jnp.ones((STEPS, 4)), jr.key(i)) for i in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert np.all(one != other)


def assert_independent(one, other):
    assert abs(np.corrcoef(np.ravel(one), np.ravel(other))[0, 1]) < INDEPENDENT / np.size(one) ** 0.5


def test_steps_layers_and_sequences_do_not_share_noise(noisy):
    xs = jnp.ones((2, 2000, 4))  # a constant: what varies in the first layer is noise
    w = [np.asarray(layer.weight.effective_weight, np.float64) for layer in ms.nn.analog_layers(noisy).values()]
    first, second, v = (np.asarray(x, np.float64) for x in activity(noisy, xs[0], jr.key(2)))
    feedback = np.concatenate([np.zeros((1, 4)), v[:-1]])
    one, other = np.asarray(run_batch(SpikingNetwork(noisy.layers[:1]), xs, key=jr.key(3)), np.float64)
    noise = [first, second - first @ w[1].T, (v - second - feedback @ w[2].T)[1:], one, other]
    noise = [(x - x.mean(axis=0)) / x.std(axis=0) for x in noise]
    for x in noise:  # in time: no draw is used again, and steps do not correlate
        assert len(np.unique(x)) > 0.95 * x.size  # float32 draws may coincide
        for lag in (1, 2, 3):
            assert_independent(x[lag:], x[:-lag])
    assert_independent(noise[0], noise[1])
    assert_independent(noise[1][1:], noise[2])
    assert_independent(noise[3], noise[4])
