"""A network on TrueNorth: weights from values and taps, copies for fan-out, and limits that are named."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from helpers import quick_and_slow, slow
from memsim import nn
from memsim.chips._placing._placed import as_network_outputs
from memsim.chips._truenorth._levels import MOST_AXONS, codebook, effective, fitted, taps_of, types_of
from memsim.chips._truenorth._quantise import Copies, copies, wiring
from memsim.chips._truenorth._routes import delivered
from memsim.chips._truenorth._rule import drive, run

KEYS = jr.split(jr.key(8), 6)
AT = nn.Firing(reset="subtract", at_threshold="fires")
SPIKES = jr.bernoulli(KEYS[5], 0.15, (80, 20)).astype(jnp.float32)


def network(firing=AT, recurrent=False, hidden=24, neuron=nn.IF):
    middle = neuron(hidden, firing=firing)
    if recurrent:
        middle = nn.Recurrent(middle, nn.Linear(hidden, hidden, use_bias=False, key=KEYS[1]))
    first = nn.Linear(20, hidden, gain=2.0, key=KEYS[0])
    first = eqx.tree_at(lambda layer: layer.bias, first, 0.02 * jr.normal(KEYS[3], (hidden,)))
    return nn.SpikingNetwork([first, middle, nn.Linear(hidden, 5, gain=2.0, key=KEYS[2]), neuron(5, firing=firing)])


def relative(found, wanted):
    return float(jnp.linalg.norm(found - wanted) / jnp.linalg.norm(wanted))


@pytest.mark.parametrize("axons", quick_and_slow((2, 5), range(1, MOST_AXONS + 1)))
def test_more_axons_bring_weights_nearer(axons):
    """The bounds are those of the table in the class; a Lloyd-Max quantiser of 16 levels has 0.097 (Max 1960)."""
    bound = {1: 0.73, 2: 0.35, 3: 0.19, 4: 0.095, 5: 0.065, 6: 0.045}[axons]
    wanted = jr.normal(KEYS[0], (12, 256 // axons))
    levels = fitted(wanted, axons)
    assert relative(effective(levels.values, levels.taps), wanted) < bound
    per_input = np.asarray(types_of(axons))[np.arange(wanted.shape[1]) % len(types_of(axons))]
    assert np.all(np.asarray(levels.taps) <= per_input) and np.all(per_input.sum(axis=1) == axons)
    assert len(codebook(axons)[0]) == np.prod(types_of(axons)[0] + 1)


@pytest.mark.parametrize("axons", [2, 4])
def test_weights_of_three_values_are_exact_from_two_axons_on(axons):
    wanted = jr.randint(KEYS[1], (10, 64), -1, 2).astype(jnp.float32) * 0.37
    levels = fitted(wanted, axons)
    assert relative(effective(levels.values, levels.taps), wanted) < 1e-6


def test_sixteen_even_levels_are_exact_with_four_axons():
    wanted = jr.randint(KEYS[1], (10, 64), -8, 8).astype(jnp.float32)
    values = jnp.tile(jnp.array([[1.0, 2.0, 4.0, -8.0]]), (10, 1))
    np.testing.assert_array_equal(effective(values, taps_of(wanted, values, 4)), wanted)
    levels = fitted(wanted, 4)
    assert relative(effective(levels.values, levels.taps), wanted) < 1e-5


@pytest.mark.parametrize(
    "reset, recurrent", [("zero", False), slow("subtract", False), slow("zero", True), ("subtract", True)]
)
def test_a_network_does_on_the_chip_nearly_what_it_does_as_floats(reset, recurrent):
    net = network(nn.Firing(reset=reset, at_threshold="fires"), recurrent)
    placed = ms.chips.truenorth(5).deploy(net)
    found, _ = as_network_outputs(placed, SPIKES)
    own = eqx.filter_jit(net)(SPIKES)
    assert placed.delay == 2 and float(own.sum()) > 10
    assert np.corrcoef(np.cumsum(own, axis=0).ravel(), np.cumsum(found, axis=0).ravel())[0, 1] > 0.98
    assert all(report.error < 0.08 for report in placed.quantised)


def test_weights_of_three_values_give_the_spikes_of_the_network_to_the_last():
    """Quarters, at a threshold of one: 255, 0, -255 and 1020 on the chip."""
    net = network(nn.Firing(reset="zero", at_threshold="fires"))
    shapes = zip(KEYS, ((24, 20), (5, 24)), strict=False)
    weights = tuple(jr.randint(key, shape, -1, 2).astype(jnp.float32) / 4 for key, shape in shapes)
    zeros = (jnp.zeros(24), jnp.zeros(5))
    net = eqx.tree_at(lambda n: (n.layers[0].weight, n.layers[2].weight), net, weights)
    net = eqx.tree_at(lambda n: (n.layers[0].bias, n.layers[2].bias), net, zeros)
    placed = ms.chips.truenorth(2).deploy(net)
    own = net(SPIKES)
    assert float(own.sum()) > 10
    np.testing.assert_array_equal(as_network_outputs(placed, SPIKES)[0], own)
    assert set(np.unique(placed.parts[0].synapses.weight).tolist()) == {-255, 0, 255}


def physical(part, active):
    """The core of a layer by its crossbar, in all ticks: spikes of its neurons, one copy each."""
    wires = wiring(part.taps, part.axons)
    arriving = drive(part.to, wires.crossbar, wires.types, active)
    return run(part.to, arriving, jnp.zeros((part.size,), jnp.int32)).spikes


@pytest.mark.slow
def test_cores_with_copies_and_axons_fire_what_the_layers_fire():
    placed = ms.chips.truenorth(3).deploy(network())
    first, second = placed.parts
    sources = wiring(first.taps, 3).inputs
    active = delivered(SPIKES > 0, jnp.arange(20), jnp.ones((20,), jnp.int32), 20)[:, sources]
    hidden = physical(first, active)
    assert (first.copies, second.copies) == (3, 1)
    copied = jnp.repeat(hidden, first.copies, axis=1)  # each to an axon of its own, one tick later
    axons = len(wiring(second.taps, 3).types)
    assert copied.shape[1] == axons
    heard = delivered(copied, jnp.arange(axons), jnp.ones((axons,), jnp.int32), axons)
    np.testing.assert_array_equal(physical(second, heard).astype(jnp.int32), placed(SPIKES)[0])


def test_copies_are_one_for_each_axon_of_each_core_that_listens():
    def stages(net):
        return ms.chips._network._stages.stages(net)

    assert copies(stages(network()), 4) == (Copies(4, 1), Copies(1, 1))
    wide = nn.SpikingNetwork([nn.Linear(20, 60, key=KEYS[0]), nn.IF(60), nn.Linear(60, 600, key=KEYS[1]), nn.IF(600)])
    assert copies(stages(wide), 4) == (Copies(12, 3), Copies(1, 3))  # 60 neurons, 4 axons in each of 3 cores
    fed = copies(stages(network(recurrent=True)), 4)
    assert fed[0] == Copies(8, 1)  # 4 axons in the next core, 4 in its own


@pytest.mark.slow
def test_what_cores_do_is_counted_with_all_copies():
    placed = ms.chips.truenorth(4).deploy(network())
    outputs, counts = placed(SPIKES)
    first = placed.parts[0]
    hidden = eqx.filter_jit(first.run)(SPIKES.astype(jnp.int32), first.initial_state()).stepped.outputs
    assert counts.spikes[:, 0].tolist() == (4 * hidden.sum(axis=1)).tolist()
    assert counts.spikes[:, 1].tolist() == outputs.sum(axis=1).tolist()
    assert counts.messages.sum(axis=0).tolist() == [4 * int(SPIKES.sum()), 4 * int(hidden.sum())]
    bits = first.taps.sum(axis=(0, 2))
    assert counts.events[:, 0].tolist() == (4 * SPIKES.astype(jnp.int32) @ bits).tolist()
    assert counts.updates[0].tolist() == [96, 5]


def test_a_sequence_in_pieces_or_in_a_batch_is_the_same():
    chip = dataclasses.replace(ms.chips.truenorth(2), mask=15)
    placed, key = chip.deploy(network(recurrent=True)), jr.key(1)
    whole = placed(SPIKES, key=key)[0]
    step, state, pieces = eqx.filter_jit(placed.step), placed.initial_state(), []
    for t, x in enumerate(SPIKES):
        output, state, _ = step(x, state, key=jr.fold_in(key, t))
        pieces.append(output)
    np.testing.assert_array_equal(jnp.stack(pieces), whole)
    batch = jax.vmap(lambda x: placed(x, key=key)[0])(jnp.stack([SPIKES[::-1], SPIKES]))
    np.testing.assert_array_equal(batch[1], whole)
    assert np.any(np.asarray(placed(SPIKES, key=jr.key(2))[0]) != np.asarray(whole))


def test_a_constant_leak_is_the_networks_at_the_membrane_that_is_named():
    net = nn.SpikingNetwork([nn.Linear(20, 24, use_bias=False, key=KEYS[0]), nn.LIF(24, firing=AT)])
    assert "half its threshold" in str(ms.chips.truenorth().fits(net))
    chip = ms.chips.truenorth(leak_at=0.5)
    part = chip.deploy(net).parts[0]
    leak = np.asarray(part.to.leak) * np.asarray(part.unit)
    np.testing.assert_allclose(leak, -0.5 * (1 - np.exp(-1 / 20)), atol=float(part.unit.max()))
    assert bool(part.to.reverses.all())
    assert "a leak or a bias" in str(chip.fits(network(neuron=nn.LIF)))
    assert chip.checked == "bit-checked against RANC 08ae4bd; leak towards zero: published rule"


@pytest.mark.parametrize(
    ("layers", "must"),
    [
        ([nn.Linear(65, 4, key=KEYS[0]), nn.IF(4)], "at most 64 inputs"),
        ([nn.Linear(40, 30, key=KEYS[0]), nn.Recurrent(nn.IF(30), nn.Linear(30, 30, key=KEYS[1]))], "Got 70"),
        ([nn.Linear(9, 4, key=KEYS[0]), nn.Integrator(4)], "neurons that fire"),
        ([nn.Linear(9, 4, key=KEYS[0]), nn.CuBaLIF(4)], "without a synaptic current"),
        ([nn.DelayedLinear(9, 4, 15, key=KEYS[0]), nn.IF(4)], "at most 15 ticks"),
        ([nn.DelayedLinear(9, 4, np.eye(4, 9, dtype=np.int32), key=KEYS[0]), nn.IF(4)], "which share its axons"),
        ([nn.Linear(2, 2, key=KEYS[0]), nn.IF(2), nn.Linear(2, 1_100_000, key=KEYS[1]), nn.IF(1_100_000)], "4096"),
    ],
)
def test_a_limit_that_is_broken_is_named(layers, must):
    fit = ms.chips.truenorth().fits(nn.SpikingNetwork(layers))
    assert not fit and must in str(fit)
