"""Loihi as a target: what is deployed is what the rule says, within limits that are named."""

import re
import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from helpers import slow
from memsim import nn
from memsim.chips._loihi._weights import effective
from memsim.chips._network._stages import as_matrix
from memsim.chips._placing._placed import as_network_outputs
from memsim.chips._sums._connection import Dense
from memsim.chips._sums._convolution import Convolution, reached

KEYS = jr.split(jr.key(3), 6)
ZERO = nn.Firing(reset="zero")
SPIKES = (jr.uniform(KEYS[5], (60, 20)) < 0.2).astype(jnp.float32)


def network(firing=ZERO, **settings):
    neurons = nn.CuBaLIF(24, firing=firing, **settings)
    return nn.SpikingNetwork(
        [
            nn.Linear(20, 24, gain=2.0, key=KEYS[0]),
            nn.Recurrent(neurons, nn.Linear(24, 24, use_bias=False, key=KEYS[1])),
            nn.Linear(24, 5, key=KEYS[2]),
            nn.LI(5),
        ]
    )


@pytest.mark.parametrize("rule", ["lava", "nengo", "brian2"])
def test_a_network_does_on_the_chip_nearly_what_it_does_as_floats(rule):
    chip = ms.chips.loihi1(rule)
    placed = chip.deploy(network())
    found, _ = as_network_outputs(placed, SPIKES)
    own = eqx.filter_jit(network())(SPIKES)
    assert np.corrcoef(np.ravel(own), np.ravel(found))[0, 1] > 0.97
    assert placed.delay == (0 if rule == "brian2" else 2)


def test_a_whole_recording_is_its_steps_one_by_one_and_a_batch_its_recordings():
    placed = ms.chips.loihi1().deploy(network())
    whole, counts = placed(SPIKES)
    state, steps = placed.initial_state(), []
    step = eqx.filter_jit(placed.step)
    for x in SPIKES:
        y, state, _ = step(x, state)
        steps.append(y)
    np.testing.assert_array_equal(whole, np.stack(steps))
    both, _ = jax.vmap(placed)(jnp.stack([SPIKES, SPIKES[::-1]]))
    np.testing.assert_array_equal(both[0], whole)
    spikes = int(counts.spikes.sum())
    assert spikes > 50 and int(counts.messages.sum()) == int(SPIKES.sum()) + 2 * spikes  # to the next layer and its own


def test_even_weights_are_the_same_to_the_bit_whoever_simulates():
    """chips_exact 2.4: even mixed weights and exponents of zero; brian2-loihi's inputs act a step earlier."""
    runs = []
    for rule in ("lava", "nengo", "brian2"):
        placed = ms.chips.loihi1(rule).deploy(nn.SpikingNetwork(network().layers[:2]))
        assert not np.any(np.asarray(placed.parts[0].synapses.weight) % 2)
        runs.append(np.asarray(placed(jnp.concatenate([SPIKES, SPIKES[:1]]))[0]))
    np.testing.assert_array_equal(runs[0], runs[1])
    np.testing.assert_array_equal(runs[0][1:], runs[2][:-1])


def test_effective_weights_of_one_sign_keep_the_bit_that_mixed_ones_lose():
    odd = jnp.asarray([[255, 3, 1]], jnp.int32)
    np.testing.assert_array_equal(effective(odd), odd)
    np.testing.assert_array_equal(effective(-odd), -odd)
    np.testing.assert_array_equal(effective(jnp.asarray([[255, -3, 1]], jnp.int32)), [[254, -4, 0]])
    np.testing.assert_array_equal(effective(odd, bits=6), [[252, 0, 0]])


@pytest.mark.slow
def test_a_convolution_sums_and_counts_as_its_matrix_does():
    layer, shape = nn.Conv2d(2, 4, 3, padding=1, groups=2, key=KEYS[3]), (2, 6, 5)
    codes = jr.randint(KEYS[4], layer.weight.shape, -3, 4, jnp.int32)
    core = np.arange(120) // 50
    pairs = (jnp.asarray(each) for each in reached(layer, shape, core))
    slid = Convolution(jnp.where(codes == 0, 1, codes), layer, *pairs, 3, shape, 1)
    same = eqx.tree_at(lambda c: (c.weight, c.bias), layer, (slid.weight.astype(jnp.float32), jnp.zeros(4)))
    matrix = jnp.round(as_matrix((same,), shape, "").weight).astype(jnp.int32)
    dense = Dense(matrix, 3, wait=1)
    xs = jr.randint(KEYS[2], (7, 60), 0, 3, jnp.int32)
    for of, other in zip(
        (*slid.sums(xs, slid.initial_state(), most=2), *slid.events(xs, jnp.asarray(core), 3)),
        (*dense.sums(xs, dense.initial_state(), most=2), *dense.events(xs, jnp.asarray(core), 3)),
        strict=True,
    ):
        np.testing.assert_array_equal(of, other)


def big(inputs, size):
    return nn.SpikingNetwork([nn.Linear(inputs, size, key=KEYS[0]), nn.LIF(size, firing=ZERO)])


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: big(5000, 4), "at most 4096 inputs a core. Got 5000"),
        (
            lambda: nn.SpikingNetwork([nn.Linear(3, 4, key=KEYS[0]), nn.LIF(4, threshold=1e6, firing=ZERO)]),
            "all weights round to zero",
        ),
        (
            lambda: nn.SpikingNetwork([nn.DelayedLinear(3, 4, 70, key=KEYS[0]), nn.LIF(4, firing=ZERO)]),
            "at most 62 steps. Got 70",
        ),
        (
            lambda: nn.SpikingNetwork([nn.Linear(3, 4, key=KEYS[0]), nn.LIF(4, v_reset=0.3, firing=ZERO)]),
            "reset to its resting value",
        ),
        slow(lambda: big(4000, 1800), "at most 128 cores"),
        (lambda: nn.SpikingNetwork([nn.Linear(3, 4, key=KEYS[0]), nn.ALIF(4)]), "leak and fire"),
    ],
)
def test_each_broken_limit_is_named_with_what_repairs_it(made, said):
    made = made()
    fit = ms.chips.loihi1().fits(made)
    assert not fit and re.search(said, str(fit))
    with pytest.raises(ValueError, match=said):
        ms.chips.loihi1().deploy(made)


def test_a_convention_that_the_chip_does_not_share_is_a_warning_by_name():
    other = nn.Firing(reset="subtract", at_threshold="fires", max_spikes=3)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        ms.chips.loihi1().deploy(nn.SpikingNetwork([nn.Linear(3, 4, key=KEYS[0]), nn.LIF(4, firing=other)]))
    words = " ".join(str(each.message) for each in said)
    for part in ("fires above its threshold", "reset of zero. Got subtract", "at most 1 spikes a step. Got 3"):
        assert part in words
    held = nn.Firing(reset="zero", refractory=3e-3)
    assert "refractory" in str(ms.chips.loihi1().fits(network(held)))
    assert not ms.chips.loihi1("nengo").fits(network(held)).warnings


@pytest.mark.parametrize("x", [np.full((5, 20), 0.5), np.full((5, 20), 2.0), np.full((5, 20), -1.0), np.ones((5, 19))])
def test_inputs_that_are_no_spikes_are_refused(x):
    with pytest.raises(ValueError, match=r"spikes for loihi1|one recording"):
        ms.chips.loihi1().deploy(network())(x)


def test_training_through_the_chip_has_its_values_and_the_networks_derivatives():
    model = network()
    through = ms.chips.loihi1().through(model)
    found, _ = as_network_outputs(ms.chips.loihi1().deploy(model), SPIKES)
    np.testing.assert_allclose(through(SPIKES), found, rtol=1e-5, atol=1e-5)

    def loss(model, through):
        run = ms.chips.loihi1().through(model) if through else model
        return jnp.sum(run(SPIKES)[-1] * jnp.arange(5.0))

    own, chips = (eqx.filter_grad(loss)(model, way) for way in (False, True))
    pairs = zip(jax.tree.leaves(own), jax.tree.leaves(chips), strict=True)
    cosines = [jnp.vdot(a, b) / (jnp.linalg.norm(a) * jnp.linalg.norm(b) + 1e-30) for a, b in pairs if jnp.any(a != 0)]
    assert min(cosines) > 0.5  # spikes that fall otherwise are other derivatives
    readout = [jax.tree.leaves(each.layers[2]) for each in (own, chips)]
    np.testing.assert_allclose(readout[0][1], readout[1][1], rtol=5e-3)  # its bias acts from the first step on


def test_spikes_are_counted_by_core():
    placed = ms.chips.loihi1().deploy(nn.SpikingNetwork(network().layers[:2]))
    spikes, counts = placed(SPIKES)
    np.testing.assert_array_equal(counts.spikes[:, 0], spikes.sum(1))
    weights = np.asarray(placed.parts[0].synapses.weight), np.asarray(placed.parts[0].feedback.weight)
    wanted = np.asarray(SPIKES) @ (weights[0] != 0).sum(0) + np.asarray(spikes) @ (weights[1] != 0).sum(0)
    np.testing.assert_array_equal(counts.events[:, 0], wanted)


@pytest.mark.parametrize("name", ["loihi1", "xylo_imu", "spinnaker1", "brainscales2", "akida"])
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_no_chip_rounds_what_is_not_finite_to_a_number(name, wrong):
    broken = eqx.tree_at(lambda n: n.layers[0].weight, big(3, 4), jnp.full((4, 3), wrong))
    with pytest.raises(ValueError, match=r"`network\.layers\[0\]\.weight` must be finite"):
        ms.chips.target(name).deploy(broken, key=KEYS[0])
