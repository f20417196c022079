"""Neurons follow their equations, step by step, and linear layers are products."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from device_models import Ideal
from memsim.nn import LI, LIF, Linear, Recurrent

DT, TAU = 1e-3, 20e-3
DECAY = float(np.exp(-DT / TAU))
CURRENT = np.random.default_rng(0).normal(0.2, 0.5, (200, 5))  # 200 random steps of 5 neurons


@pytest.fixture
def x64():
    with jax.enable_x64(True):  # so that no spike hangs on the last bit
        yield


def run(neuron, currents):
    """What `neuron` gives out for each row of `currents`."""

    def step(state, current):
        output, state = neuron(current, state)
        return state, output

    return jax.lax.scan(step, neuron.initial_state(), jnp.asarray(currents, jnp.result_type(float)))[1]


def lif_by_hand(currents, reset, threshold, feedback=None):
    v = s = np.zeros(currents.shape[1])
    spikes = []
    for x in currents:
        u = DECAY * v + x + (0 if feedback is None else feedback @ s)
        s = (u > threshold).astype(float)
        v = u - s * threshold if reset == "subtract" else np.where(s == 1, 0, u)
        spikes.append(s)
    return np.array(spikes)


# Leaky integrate-and-fire.


@pytest.mark.parametrize("make", [LIF, LI])
def test_membrane_decays_by_the_exponential_of_one_step(make):
    _, state = make(3, tau_mem=TAU, dt=DT)(jnp.zeros(3), jnp.asarray([0.5, -2.0, 0.9]))
    np.testing.assert_allclose(state, DECAY * np.array([0.5, -2.0, 0.9]), rtol=1e-6)


def test_constant_current_below_threshold_charges_the_membrane_by_a_geometric_series():
    neuron, current = LIF(2, tau_mem=TAU, dt=DT), jnp.asarray([0.04, 0.02])
    state = neuron.initial_state()
    for n in range(1, 101):
        spikes, state = neuron(current, state)
        np.testing.assert_allclose(state, current * (1 - DECAY**n) / (1 - DECAY), rtol=1e-5)
        assert not np.any(spikes)


@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("threshold", [1.0, 0.6])
def test_spikes_are_those_of_a_loop_by_hand(x64, reset, threshold):
    spikes = run(LIF(5, tau_mem=TAU, threshold=threshold, dt=DT, reset=reset), CURRENT)
    expected = lif_by_hand(CURRENT, reset, threshold)
    np.testing.assert_array_equal(spikes, expected)
    assert 0.05 < expected.mean() < 0.95


def test_each_neuron_may_have_its_own_time_constant_and_threshold(x64):
    tau, threshold = np.array([5e-3, 10e-3, 20e-3, 40e-3, 80e-3]), np.array([0.5, 0.8, 1.0, 1.3, 2.0])
    together = run(LIF(5, tau_mem=jnp.asarray(tau), threshold=jnp.asarray(threshold)), CURRENT)
    for i in range(5):
        alone = run(LIF(1, tau_mem=float(tau[i]), threshold=float(threshold[i])), CURRENT[:, i : i + 1])
        np.testing.assert_array_equal(together[:, i : i + 1], alone)


@pytest.mark.parametrize("reset, slope", [("subtract", 1.0), ("zero", 0.0)])
def test_gradient_does_not_flow_through_the_reset(reset, slope):
    neuron = LIF(1, reset=reset)
    after = jax.grad(lambda current: neuron(current, jnp.zeros(1))[1].sum())(jnp.asarray([1.2]))
    np.testing.assert_array_equal(after, slope)  # of v = u - s * threshold and of v = (1 - s) u, with s = 1 a constant


@pytest.mark.parametrize("make", [LIF, LI])
def test_an_array_time_constant_is_trained_and_a_float_is_not(make):
    def loss(neuron):
        return run(neuron, CURRENT).sum()

    assert eqx.filter_grad(loss)(make(5, tau_mem=jnp.full(5, TAU))).tau_mem.all()
    assert eqx.filter_grad(loss)(make(5, tau_mem=jnp.asarray(TAU))).tau_mem != 0
    assert not jax.tree.leaves(eqx.filter_grad(loss, allow_int=True)(make(5, tau_mem=TAU)))


@pytest.mark.parametrize("make", [LIF, LI])
@pytest.mark.parametrize(
    "settings, says",
    [
        ({"size": 0}, "at least 1 neuron"),
        ({"size": 3, "dt": 0.0}, "`dt` must be positive"),
        ({"size": 3, "tau_mem": -20e-3}, "must be positive, in seconds"),
        ({"size": 3, "tau_mem": float("nan")}, "must be positive, in seconds"),
    ],
)
def test_bad_settings_are_refused(make, settings, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make(**settings)


def test_an_unknown_reset_is_refused(unchecked):
    with pytest.raises(ValueError, match='"subtract" or "zero"'):
        LIF(3, reset="none")


# Readout and recurrence.


def test_readout_is_a_leaky_sum_by_hand():
    membrane = run(LI(5, tau_mem=TAU, dt=DT), CURRENT)
    v, expected = np.zeros(5), []
    for x in CURRENT:
        v = DECAY * v + x
        expected.append(v)
    np.testing.assert_allclose(membrane, expected, rtol=1e-4, atol=1e-5)


def test_gradient_in_the_time_constant_of_a_readout_is_its_finite_difference(x64):
    def loss(tau):
        return jnp.mean(run(LI(5, tau_mem=tau), CURRENT) ** 2)

    h = 1e-8
    difference = (loss(jnp.asarray(TAU + h)) - loss(jnp.asarray(TAU - h))) / (2 * h)
    np.testing.assert_allclose(jax.grad(loss)(jnp.asarray(TAU)), difference, rtol=1e-6)


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_recurrent_spikes_are_those_of_a_loop_by_hand(x64, reset):
    synapse = Linear(5, 5, use_bias=False, key=jr.key(1))
    spikes = run(Recurrent(LIF(5, tau_mem=TAU, dt=DT, reset=reset), synapse), CURRENT)
    np.testing.assert_array_equal(spikes, lif_by_hand(CURRENT, reset, 1.0, np.asarray(synapse.weight)))
    assert np.any(np.asarray(spikes) != lif_by_hand(CURRENT, reset, 1.0))  # the feedback matters


@pytest.mark.parametrize("shape", [(4, 5), (5, 4), (4, 4)])
def test_a_recurrent_synapse_must_be_from_all_neurons_to_all(shape):
    with pytest.raises(ValueError, match=re.escape("must have shape (5, 5)")):
        Recurrent(LIF(5), Linear(*shape, key=jr.key(0)))


# Linear layers.


@pytest.mark.parametrize("leading", [(), (7,), (2, 3)])
@pytest.mark.parametrize("use_bias", [True, False])
def test_a_digital_layer_is_a_product_and_a_bias(leading, use_bias):
    layer = Linear(4, 3, use_bias=use_bias, key=jr.key(0))
    if use_bias:
        layer = eqx.tree_at(lambda linear: linear.bias, layer, jnp.asarray([1.0, -2.0, 3.0]))
    x = jr.normal(jr.key(1), (*leading, 4))
    expected = np.einsum("oi,...i->...o", layer.weight, x) + (np.array([1.0, -2.0, 3.0]) if use_bias else 0)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-6)


def test_initial_weights_have_the_stated_spread():
    n = 100_000
    w = np.asarray(Linear(100, n // 100, gain=2.0, key=jr.key(0)).weight)
    assert w.shape == (n // 100, 100)
    assert abs(w.mean()) < 4 * 0.2 / n**0.5  # 4 standard errors; 0.2 is the gain over the root of 100 inputs
    assert abs(w.std() - 0.2) < 4 * 0.2 / (2 * n) ** 0.5


def test_an_input_of_the_wrong_width_is_refused():
    with pytest.raises(ValueError, match="must have 4 entries"):
        Linear(4, 3, key=jr.key(0))(jnp.zeros(5))


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_an_empty_layer_is_refused(shape):
    with pytest.raises(ValueError, match="at least 1 input and 1 output"):
        Linear(*shape, key=jr.key(0))


def test_a_layer_on_a_chip_must_be_read_at_a_time():
    layer = ms.program(Linear(4, 3, key=jr.key(0)), ms.Crossbar(Ideal()), key=jr.key(1))
    with pytest.raises(ValueError, match=re.escape("memsim.at")):
        layer(jnp.zeros(4))
    np.testing.assert_array_equal(ms.at(layer, 0.0)(jnp.zeros(4)), layer.bias)
