"""A network's normal form: the matrices and numbers that chips get are those of the network."""

import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from helpers import quick_and_slow
from memsim import nn
from memsim.chips._network._fit import Unfit
from memsim.chips._network._stages import as_matrix, stages

KEYS = jr.split(jr.key(0), 6)
ROWS = {
    "dense": ([nn.Linear(6, 5, key=KEYS[0])], (6,)),
    "convolution": ([nn.Conv2d(2, 3, 3, padding=1, stride=2, key=KEYS[0])], (2, 5, 6)),
    "grouped": ([nn.Conv2d(4, 4, 2, groups=2, key=KEYS[0])], (4, 3, 3)),
    "pooled": ([nn.AvgPool2d(2), nn.Flatten(), nn.Linear(8, 3, key=KEYS[1])], (2, 4, 4)),
    "scaled": ([nn.Linear(6, 5, key=KEYS[0]), nn.Scale(jnp.arange(5.0))], (6,)),
    "reshaped": ([nn.Stateless(eqx.nn.Lambda(jnp.ravel)), nn.Linear(8, 3, key=KEYS[1])], (2, 2, 2)),
}


@pytest.mark.parametrize("name", quick_and_slow(("dense", "grouped", "pooled"), ROWS))
def test_a_row_of_synapses_is_one_matrix(name):
    row, shape = ROWS[name]
    row = [
        eqx.tree_at(lambda m: m.bias, each, each.bias + 0.5) if getattr(each, "bias", None) is not None else each
        for each in row
    ]
    x = jr.normal(KEYS[2], shape)
    y = x
    for layer in row:
        y = layer(y)
    found = as_matrix(tuple(row), shape, ".layers[0]")
    np.testing.assert_allclose(found.weight @ x.reshape(-1) + found.bias, y.reshape(-1), atol=2e-6)


def test_stages_are_split_at_neurons_and_nested_networks_are_opened():
    inner = nn.SpikingNetwork([nn.Linear(5, 4, key=KEYS[1]), nn.LIF(4)])
    synapse = nn.Linear(5, 5, use_bias=False, key=KEYS[2])
    network = nn.SpikingNetwork([nn.Linear(6, 5, key=KEYS[0]), nn.Recurrent(nn.LIF(5), synapse), inner, nn.LI(4)])
    found = stages(network)
    assert [each.path for each in found] == [".layers[1]", ".layers[2].layers[1]", ".layers[3]"]
    assert [each.inputs for each in found] == [6, 5, 4] and [each.size for each in found] == [5, 4, 4]
    np.testing.assert_array_equal(found[0].feedback().weight, synapse.weight)
    np.testing.assert_array_equal(found[2].synapses().weight, jnp.eye(4))


@pytest.mark.parametrize(
    "neuron",
    [
        nn.LIF(3, tau_mem=8e-3, resistance=0.7, gain="leak", v_rest=0.2, v_reset=0.2, firing=nn.Firing(reset="none")),
        nn.CuBaLIF(3, tau_mem=8e-3, w_in=1.3, gain="euler", gain_syn="leak", firing=nn.Firing(reset="none")),
        nn.IF(3, gain="dt", firing=nn.Firing(reset="none")),
        nn.LI(3, v_rest=-0.4),
        nn.CuBaLI(3, decay="euler"),
        nn.Integrator(3),
    ],
    ids=lambda neuron: type(neuron).__name__,
)
def test_dynamics_in_numbers_a_step_are_those_of_the_neuron(neuron):
    (stage,) = stages(nn.SpikingNetwork([neuron]))
    numbers = stage.dynamics()
    xs = jr.normal(KEYS[3], (20, 3))
    _, _, found = neuron.run(xs, neuron.initial_state(), record={"membranes"})
    current = membrane = np.zeros(3)
    for step, x in enumerate(np.asarray(xs)):
        current = x if numbers.current_decay is None else numbers.current_decay * current + x
        membrane = numbers.decay * membrane + numbers.gain * current
        np.testing.assert_allclose(membrane + numbers.rest, found["membranes"][""][step], atol=2e-6)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (nn.SpikingNetwork([nn.Linear(3, 2, key=KEYS[0])]), "end in neurons"),
        (nn.SpikingNetwork([nn.Linear(3, 2, key=KEYS[0]), nn.Izhikevich(2)]), "leak and fire.*Got Izhikevich"),
        (nn.SpikingNetwork([nn.Linear(3, 3, key=KEYS[0]), eqx.nn.LayerNorm(3), nn.LIF(3)]), "one matrix.*LayerNorm"),
        (eqx.nn.MLP(3, 2, 4, 1, key=KEYS[0]), "in a row. Got MLP"),
        (nn.SpikingNetwork([nn.Conv1d(1, 1, 2, key=KEYS[0]), nn.LIF((1, 3))]), "known shape"),
    ],
)
def test_what_is_no_row_of_neurons_is_named(network, said):
    with pytest.raises(Unfit, match=said):
        for stage in stages(network):
            stage.dynamics()
            stage.synapses()


def test_a_trained_time_constant_is_one_a_neuron():
    neuron = nn.LIF(3, tau_mem=jnp.asarray([5e-3, 10e-3, 20e-3]))
    (stage,) = stages(nn.SpikingNetwork([neuron]))
    np.testing.assert_allclose(stage.dynamics().decay, np.exp(-1e-3 / np.asarray([5e-3, 10e-3, 20e-3])), rtol=1e-6)


def test_a_network_may_be_traced():
    network = nn.SpikingNetwork([nn.Linear(6, 5, key=KEYS[0]), nn.LIF(5)])
    found = eqx.filter_jit(lambda model: stages(model)[0].synapses().weight)(network)
    np.testing.assert_array_equal(found, network.layers[0].weight)
    assert isinstance(found, jax.Array)


def test_signals_are_no_spikes_for_a_chip_and_for_training_through_it():
    network = ms.nn.SpikingNetwork([ms.nn.Linear(3, 2, key=jr.key(0)), ms.nn.CuBaLIF(2)])
    signals, labels = jr.normal(jr.key(1), (4, 5, 3)), jnp.arange(4) % 2
    hardware = ms.train.OnChip(ms.chips.loihi1())
    with pytest.raises(ValueError, match="must be spikes for loihi1: whole numbers from 0 to"):
        ms.train.fit(network, (signals, labels), hardware=hardware, epochs=1, batch_size=2, key=jr.key(2))
    with pytest.raises(ValueError, match="must be spikes for loihi1"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ms.chips.loihi1().deploy(network).check_inputs(signals)
