"""What is not a number never becomes a spike: it stays so until it can be seen in the outputs."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from helpers import NEURONS, QUICK_NEURONS, slow
from memsim.nn import (
    IF,
    LIF,
    Firing,
    Izhikevich,
    Linear,
    ParallelInTime,
    Positive,
    Recurrent,
    SpikingNetwork,
    Threshold,
)
from memsim.nn._mixed_signal import deviable
from memsim.nn._neurons._parameters import value

STEPS, BAD_STEP, BAD = 60, 20, 1
SPIKING = [name for name, case in NEURONS.items() if case(1).spiking]
FREE = [name for name in SPIKING if name.endswith("free")]
VALUES = {"nan": jnp.nan, "inf": jnp.inf, "-inf": -jnp.inf}
every_spiking_neuron = pytest.mark.parametrize("name", [n if n in QUICK_NEURONS else slow(n) for n in SPIKING])
every_bad_value = pytest.mark.parametrize("bad", ["nan", "inf", slow("-inf")])


def run(layer, xs):
    return np.asarray(jax.jit(lambda xs: layer.run(xs, layer.initial_state())[0])(jnp.asarray(xs, jnp.float32)))


def spoiled(neuron, name, index):
    """`neuron` with one of its parameters NaN for one neuron, as a training that diverged leaves it."""
    nominal = getattr(neuron, name)
    values = jnp.broadcast_to(value(nominal), neuron.shape)
    spoiled = values.at[index].set(jnp.nan)
    positive = isinstance(nominal, Positive) or deviable(neuron)[name]
    return eqx.tree_at(lambda n: getattr(n, name), neuron, Positive(jnp.log(spoiled)) if positive else spoiled)


@every_spiking_neuron
@every_bad_value
def test_a_bad_input_stays_in_the_outputs_of_its_neuron_alone(name, bad):
    neuron, xs = NEURONS[name](3), NEURONS[name].currents(STEPS, 3)
    expected = run(neuron, xs)
    xs[BAD_STEP, BAD] = VALUES[bad]
    found = run(neuron, xs)
    np.testing.assert_array_equal(found[:BAD_STEP], expected[:BAD_STEP])
    np.testing.assert_array_equal(found[:, [0, 2]], expected[:, [0, 2]])
    late = BAD_STEP + (neuron.firing.emit == "old") + getattr(neuron, "synaptic_delay", 0)
    assert np.isnan(found[late:, BAD]).all() and not np.isnan(expected).any()


@pytest.mark.parametrize("name", FREE)
@every_bad_value
def test_neurons_solved_over_time_at_once_keep_what_is_bad_too(name, bad):
    neuron, xs = NEURONS[name](3), NEURONS[name].currents(STEPS, 3)
    xs[BAD_STEP, BAD] = VALUES[bad]
    found = run(ParallelInTime(neuron), xs)
    assert np.isnan(found[BAD_STEP:, BAD]).all() and not np.isnan(found[:, [0, 2]]).any()
    assert not np.isnan(found[:BAD_STEP]).any()


@every_spiking_neuron
def test_a_parameter_that_is_not_a_number_shows_in_the_outputs(name):
    neuron, xs = NEURONS[name](3), NEURONS[name].currents(STEPS, 3)
    expected = run(neuron, xs)
    for parameter in sorted(deviable(neuron).keys() - set(NEURONS[name].idle)):
        found = run(spoiled(neuron, parameter, BAD), xs)
        assert np.isnan(found[-1, BAD]), parameter
        np.testing.assert_array_equal(found[:, [0, 2]], expected[:, [0, 2]])


@pytest.mark.parametrize("reset", ["subtract", "zero"])
@every_bad_value
def test_an_input_that_a_refractory_neuron_loses_is_not_lost_if_it_is_bad(reset, bad):
    neuron = LIF(1, firing=Firing(reset, refractory=10e-3))
    xs = np.full((30, 1), 5.0)
    assert run(neuron, xs)[0] == 1  # and so the neuron is deaf for ten steps
    xs[5] = VALUES[bad]
    assert np.isnan(run(neuron, xs)[5:]).all()


@every_bad_value
def test_several_spikes_a_step_are_not_the_most_that_there_may_be(bad):
    xs = np.array([[2.5], [VALUES[bad]], [0.0]])
    np.testing.assert_array_equal(run(IF(1, firing=Firing(max_spikes=3)), xs)[:, 0], [2, np.nan, np.nan])


@every_bad_value
def test_a_threshold_without_memory_keeps_what_is_bad(bad):
    xs = np.array([[0.5, VALUES[bad], 2.0]])
    np.testing.assert_array_equal(run(SpikingNetwork([Threshold(1.0)]), xs), [[0, np.nan, 1]])


def test_one_bad_weight_among_many_shows_in_every_output_that_it_reaches():
    first, second = Linear(13, 32, key=jr.key(0)), Linear(32, 10, key=jr.key(1))
    first = eqx.tree_at(lambda one: one.weight, first, first.weight.at[7, 3].set(jnp.nan))
    network = SpikingNetwork([first, LIF(32), second, LIF(10)])
    assert np.isnan(np.asarray(network(jnp.ones((20, 13))))).all()


def test_a_recurrent_layer_passes_what_is_bad_on_to_all_of_its_neurons():
    layer = Recurrent(LIF(4), Linear(4, 4, key=jr.key(0)))
    xs = np.ones((STEPS, 4))
    xs[BAD_STEP, BAD] = np.nan
    found = run(layer, xs)
    assert np.isnan(found[BAD_STEP + 1 :]).all() and not np.isnan(found[:BAD_STEP]).any()


def test_currents_that_bounds_keep_finite_still_give_spikes():
    xs = np.array([[1e30], [-1e30], [1e30], [0.0]])  # the quadratic upstroke overflows from here on, but for the bounds
    np.testing.assert_array_equal(run(Izhikevich(1), xs)[:, 0], [1, 0, 1, 0])


@pytest.mark.parametrize("name", [slow("LIF"), "LIF_several", slow("LIF_refractory"), "ResonateAndFire"])
def test_gradients_are_finite_beside_a_neuron_that_is_not(name):
    neuron, xs = NEURONS[name](3), NEURONS[name].currents(STEPS, 3)
    slope = jax.grad(lambda xs: jnp.sum(neuron.run(xs, neuron.initial_state())[0][:, 0]))
    expected = slope(jnp.asarray(xs, jnp.float32))
    xs[BAD_STEP, BAD] = np.nan
    found = slope(jnp.asarray(xs, jnp.float32))
    np.testing.assert_array_equal(found[:, 0], expected[:, 0])
    assert np.any(expected[:, 0] != 0)
