"""SpiNNaker 2 is the network itself, with weights of 8 bits and spikes that act a step later."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from helpers import slow
from memsim import nn
from memsim.chips._placing._placed import as_network_outputs

KEYS = jr.split(jr.key(2), 5)
SPIKES = jr.bernoulli(KEYS[4], 0.15, (60, 20)).astype(jnp.float32)


def on_the_grid(layer, key):
    weight = jr.randint(key, layer.weight.shape, -127, 128).at[0, 0].set(127).astype(jnp.float32) / 256
    return eqx.tree_at(lambda of: of.weight, layer, weight)


def network(neuron, recurrent, firing):
    middle = neuron(24, firing=firing)
    if recurrent:
        feedback = nn.Linear(24, 24, key=KEYS[2])
        feedback = eqx.tree_at(lambda of: of.weight, feedback, jnp.round(feedback.weight * 64) / 256)
        middle = nn.Recurrent(middle, feedback)
    last = on_the_grid(nn.Linear(24, 5, key=KEYS[1]), KEYS[1])
    return nn.SpikingNetwork([on_the_grid(nn.Linear(20, 24, key=KEYS[0]), KEYS[0]), middle, last, nn.CuBaLI(5)])


@pytest.mark.parametrize(
    "reset, at", [("zero", "fires"), slow("zero", "silent"), slow("subtract", "fires"), ("subtract", "silent")]
)
@pytest.mark.parametrize(("neuron", "recurrent"), [(nn.LIF, False), (nn.CuBaLIF, True)])
def test_weights_of_8_bits_give_what_the_network_gives(neuron, recurrent, at, reset):
    net = network(neuron, recurrent, nn.Firing(reset=reset, at_threshold=at))
    placed = ms.chips.spinnaker2().deploy(net)
    assert [float(each.error) for each in placed.quantised] == [0.0, 0.0]
    hidden, _ = as_network_outputs(ms.chips.spinnaker2().deploy(nn.SpikingNetwork(net.layers[:2])), SPIKES)
    own = nn.SpikingNetwork(net.layers[:2])(SPIKES)
    assert float(own.sum()) > 40
    np.testing.assert_array_equal(hidden, own)


def test_a_bias_acts_in_every_step():
    net = nn.SpikingNetwork([nn.Linear(20, 24, key=KEYS[0]), nn.LI(24)])
    net = eqx.tree_at(lambda of: of.layers[0].bias, net, jr.normal(KEYS[1], (24,)))
    quiet = jnp.zeros((300, 20))
    found = ms.chips.spinnaker2().deploy(net)(quiet)[0]
    np.testing.assert_allclose(found, net(quiet), rtol=1e-5, atol=1e-5)


def test_a_sequence_in_pieces_or_in_a_batch_is_the_same():
    placed = ms.chips.spinnaker2().deploy(network(nn.CuBaLIF, True, nn.Firing()))
    whole = placed(SPIKES)[0]
    step, state, pieces = eqx.filter_jit(placed.step), placed.initial_state(), []
    for x in SPIKES:
        output, state, _ = step(x, state)
        pieces.append(output)
    np.testing.assert_allclose(jnp.stack(pieces), whole, rtol=1e-5, atol=1e-5)
    batch = jax.vmap(lambda x: placed(x)[0])(jnp.stack([SPIKES, SPIKES[::-1]]))
    np.testing.assert_allclose(batch[0], whole, rtol=1e-5, atol=1e-5)


def test_weights_that_need_more_than_8_bits_are_rounded_to_them():
    net = nn.SpikingNetwork([nn.Linear(200, 30, key=KEYS[0]), nn.LIF(30)])
    placed = ms.chips.spinnaker2().deploy(net)
    largest = float(jnp.abs(net.layers[0].weight).max())
    np.testing.assert_allclose(placed.parts[0].weight, largest / 127, rtol=1e-6)
    assert 0 < float(placed.quantised[0].error) < 0.02
    assert placed.checked == "published, unchecked"
    assert ms.chips.spinnaker2().fits(net).cores == 1
