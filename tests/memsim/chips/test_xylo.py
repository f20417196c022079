"""Xylo as a target: what is deployed is near the network, within limits that are named; its quantisers."""

import dataclasses
import re

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from helpers import slow
from memsim import nn
from memsim.chips._network._stages import stages
from memsim.chips._placing._placed import as_network_outputs
from memsim.chips._xylo._quantise import ROOM, as_dash, settings
from memsim.chips._xylo._saturating import RAIL

KEYS = jr.split(jr.key(3), 6)
FIRING = nn.Firing(reset="subtract", at_threshold="fires", max_spikes=31)
SPIKES = (jr.uniform(KEYS[5], (60, 16)) < 0.2).astype(jnp.float32)
SHIFTS = {"tau_syn": 4e-3, "tau_mem": 16e-3, "decay": "euler"}  # decays that the chip has exactly


def network(inputs=16, hidden=24, outputs=5, *, neuron=nn.CuBaLIF, bias=False, recurrent=False, **settings):
    first = neuron(hidden, firing=FIRING, **settings)
    synapse = nn.Linear(hidden, hidden, gain=0.3, use_bias=False, key=KEYS[1])
    return nn.SpikingNetwork(
        [
            nn.Linear(inputs, hidden, use_bias=bias, key=KEYS[0]),
            nn.Recurrent(first, synapse) if recurrent else first,
            nn.Linear(hidden, hidden, use_bias=bias, key=KEYS[3]),
            neuron(hidden, firing=FIRING, **settings),
            nn.Linear(hidden, outputs, use_bias=bias, key=KEYS[2]),
            nn.CuBaLI(outputs, tau_syn=4e-3, tau_mem=16e-3, decay="euler"),
        ]
    )


def test_a_network_does_on_the_chip_nearly_what_it_does_as_floats():
    model = network(**SHIFTS)
    placed = ms.chips.xylo_audio2().deploy(model)
    found, counts = as_network_outputs(placed, SPIKES)
    assert np.corrcoef(np.ravel(eqx.filter_jit(model)(SPIKES)), np.ravel(found))[0, 1] > 0.99
    assert placed.delay == 2  # inputs act at once, spikes on other neurons a step later
    assert int(counts.spikes.sum()) > 200 and counts.spikes.shape[1] == 3


@pytest.mark.slow
def test_a_constant_input_moves_a_membrane_of_the_chip_as_far_as_the_networks():
    """A bias acts on the network's current and on the chip's membrane: both come to rest at the same place."""
    neuron = nn.CuBaLIF(3, firing=FIRING, threshold=115.0, **SHIFTS)
    model = nn.SpikingNetwork([nn.Linear(3, 3, key=KEYS[0]), neuron, nn.Linear(3, 2, key=KEYS[1]), nn.LI(2)])
    model = eqx.tree_at(lambda m: m.layers[0].bias, model, jnp.asarray([0.3, -0.7, 1.1]))
    part = ms.chips.xylo_audio2().placed(model).parts[0]
    xs = jnp.ones((300, 3), jnp.int32)
    rests = part.in_network_units(part.run(xs, part.initial_state()).stepped.membrane)[-1]
    _, _, wanted = neuron.run(
        jnp.tile(model.layers[0](jnp.ones(3)), (300, 1)), neuron.initial_state(), record={"membranes"}
    )
    # Decays by 2 and 4 bits floor: a current is off by up to 4, each of which holds 16 of a membrane, and that by 16.
    unit = float(jnp.max(part.unit))
    np.testing.assert_allclose(rests, wanted["membranes"][""][-1], rtol=0.01, atol=(4 * 16 + 16) * unit)


def test_a_whole_recording_is_its_steps_one_by_one_and_a_batch_its_recordings():
    placed = ms.chips.xylo_audio2().placed(network(recurrent=True, bias=True, **SHIFTS))
    whole, counts = placed(SPIKES)
    state, steps = placed.initial_state(), []
    step = eqx.filter_jit(placed.step)
    for x in SPIKES:
        y, state, _ = step(x, state)
        steps.append(y)
    np.testing.assert_array_equal(whole, np.stack(steps))
    both, _ = jax.vmap(placed)(jnp.stack([SPIKES, SPIKES[::-1]]))
    np.testing.assert_array_equal(both[0], whole)
    assert int(counts.messages[:, 0].sum()) == int(SPIKES.sum()) + int(
        jnp.sum(counts.spikes[:, 0] > 0) and _fired(placed)
    )


def _fired(placed):
    """Neurons of the first layer that fire, one for each step: more than one spike in a step costs no more."""
    ran = placed.parts[0].run(SPIKES.astype(jnp.int32), placed.parts[0].initial_state())
    return int((ran.stepped.outputs > 0).sum())


@pytest.mark.slow
def test_training_through_the_chip_has_its_values_and_a_derivative_of_every_weight():
    model = network(recurrent=True, bias=True, **SHIFTS)
    chip = ms.chips.xylo_audio2()
    np.testing.assert_allclose(
        chip.through(model)(SPIKES), as_network_outputs(chip.deploy(model), SPIKES)[0], rtol=1e-5, atol=1e-5
    )
    gradient = eqx.filter_grad(lambda model: jnp.sum(chip.through(model)(SPIKES)[-1] ** 2))(model)
    for each in jax.tree.leaves(
        [layer.weight for layer in (gradient.layers[0], gradient.layers[1].synapse, gradient.layers[2])]
    ):
        assert float(jnp.abs(each).max()) > 0


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: network(17), "at most 16 inputs. Got 17"),
        slow(lambda: network(hidden=501), "at most 1000 hidden neurons. Got 1002"),
        slow(lambda: network(hidden=70), "at most 64 synapses from a neuron to hidden ones. Got 70"),
        slow(lambda: network(outputs=9), "at most 8 outputs. Got 9"),
        (lambda: network(threshold=1e6), "all weights round to zero"),
        (lambda: nn.SpikingNetwork(network().layers[:2]), "hidden neurons before its outputs. Got one layer"),
        (
            lambda: nn.SpikingNetwork([*network().layers[:4], *network(24, recurrent=True).layers[:2]]),
            "outputs without recurrent",
        ),
        (
            lambda: nn.SpikingNetwork([nn.Linear(16, 5, key=KEYS[0]), nn.LI(5), *network(5).layers]),
            "hidden neurons that spike",
        ),
        (
            lambda: nn.SpikingNetwork([nn.DelayedLinear(16, 5, 3, key=KEYS[0]), nn.CuBaLIF(5), *network(5).layers]),
            "without delays",
        ),
    ],
)
def test_each_broken_limit_is_named_with_what_repairs_it(made, said):
    fit = ms.chips.xylo_audio2().fits(made())
    assert not fit and re.search(said, str(fit)), str(fit)


@pytest.mark.slow
def test_the_chips_of_the_family_differ_in_what_they_hold():
    biased = network(bias=True)
    biased = eqx.tree_at(lambda m: m.layers[0].bias, biased, biased.layers[0].bias + 0.2)
    assert "without biases" in str(ms.chips.xylo_audio1().fits(biased)) and ms.chips.xylo_audio2().fits(biased)
    assert ms.chips.xylo_audio3().fits(network(hidden=400, outputs=32))
    assert not ms.chips.xylo_imu().fits(network(hidden=200))  # 200 x 200 recurrent weights of at most 31744
    assert "core v1" in ms.chips.xylo_audio1().checked


@pytest.mark.slow
def test_conventions_that_the_chip_does_not_share_are_warnings_by_name():
    zero = nn.Firing(reset="zero")
    other = nn.SpikingNetwork(
        [nn.Linear(4, 4, key=KEYS[0]), nn.LIF(4, firing=zero), nn.Linear(4, 2, key=KEYS[1]), nn.LI(2)]
    )
    said = " ".join(map(str, ms.chips.xylo_audio2().fits(other).warnings))
    several = "may fire up to 31 times a step. Got ones that fire once"
    for part in ("fires at its threshold", "reset of subtract. Got zero", "with a synaptic current", several):
        assert part in said
    assert not ms.chips.xylo_audio2().fits(network(**SHIFTS)).warnings


@pytest.mark.parametrize("hidden, output", [(31, 1), (1, 1), (31, 31)])
def test_the_chips_hidden_neurons_fire_often_and_its_outputs_once(hidden, output):
    """What the chip does is what a network that fires as often was trained for; any other is told of its layer."""
    often = {most: dataclasses.replace(FIRING, max_spikes=most) for most in (1, 31)}
    layers = [nn.Linear(4, 4, key=KEYS[0]), nn.CuBaLIF(4, firing=often[hidden]), nn.Linear(4, 2, key=KEYS[1])]
    model = nn.SpikingNetwork([*layers, nn.CuBaLIF(2, firing=often[output])])
    told = {each.path: each.must for each in ms.chips.xylo_audio2().fits(model).warnings}
    expected = {".layers[1]": "may fire up to 31 times"} if hidden == 1 else {}
    expected |= {".layers[3]": "at most 1 spikes a step"} if output == 31 else {}
    assert told.keys() == expected.keys() and all(words in told[path] for path, words in expected.items())


def test_more_events_of_an_input_than_fifteen_are_refused():
    with pytest.raises(ValueError, match="from 0 to 15 a step"):
        ms.chips.xylo_audio2().placed(network())(16 * SPIKES)


def test_weights_use_their_bits_and_thresholds_leave_room():
    found = settings(stages(network(**SHIFTS))[0])
    assert int(jnp.abs(found.weight).max()) == 127 and 0 < int(found.shift) <= 7
    assert int(found.to.threshold.max()) <= ROOM < RAIL
    assert float(found.report.error) < 0.02 and float(found.report.saturated) == 0
    np.testing.assert_array_equal(found.to.dash_syn, np.full((1, 24), 2))
    np.testing.assert_array_equal(found.to.dash_mem, np.full(24, 4))


def test_a_leak_becomes_the_nearest_power_of_two():
    decays = jnp.asarray([0.0, 0.5, 0.76, 1 - 2**-7.4, 1.0])
    np.testing.assert_array_equal(as_dash(decays, least=1), [1, 1, 2, 7, 15])


def floats(**changed):
    r = np.random.default_rng(0)
    one = {name: np.ones(size) for name, size in (("threshold", 2), ("threshold_out", 1), ("bias", 2), ("bias_out", 1))}
    dashes = {
        name: np.full(1 if "out" in name else 2, 2.5)
        for name in ("dash_mem", "dash_mem_out", "dash_syn", "dash_syn_2", "dash_syn_out")
    }
    weights = {
        "weights_in": 0.5 * np.ones((1, 2, 2)),
        "weights_rec": r.uniform(-0.4, 0.4, (2, 2, 2)),
        "weights_out": 2 * np.ones((2, 1)),
    }
    return ms.chips.XyloSpecification(**(one | dashes | weights | changed))


def test_biases_of_outputs_have_the_scale_of_hidden_neurons_as_in_rockpool():
    """By hand: 127 / 1 for hidden neurons, whose largest number is the bias; 127 / 2 belongs to the outputs."""
    found = ms.chips.xylo_global_quantize(floats())
    assert found.weights_out.tolist() == [[127], [127]] and found.threshold_out.tolist() == [64]
    assert found.bias_out.tolist() == [127] and found.dash_mem.tolist() == [2, 2]  # half to even


def test_a_threshold_of_an_output_that_overflows_shrinks_recurrent_weights_as_in_rockpool():
    plain, large = (ms.chips.xylo_global_quantize(floats(threshold_out=np.asarray([t]))) for t in (1.0, 1000.0))
    assert large.threshold_out.tolist() == [32767]
    assert np.abs(large.weights_rec).max() < np.abs(plain.weights_rec).max()
    np.testing.assert_array_equal(large.weights_in, plain.weights_in)


def test_a_quantiser_leaves_what_it_is_given_alone_and_takes_arrays_of_jax():
    given = floats()
    kept = jax.tree.map(np.copy, given)
    for quantise in (ms.chips.xylo_global_quantize, ms.chips.xylo_channel_quantize):
        found = quantise(given)
        jax.tree.map(np.testing.assert_array_equal, given, kept)
        traced = jax.jit(quantise)(jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), given))
        jax.tree.map(np.testing.assert_array_equal, traced, found)
