"""Speck as a target: the time-stepped twin and the rule of single events, and what its cores hold."""

import re

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from helpers import slow
from memsim import nn
from memsim.chips._placing._placed import as_network_outputs
from memsim.chips._speck._memory import Geometry, cores_for, words
from memsim.chips._speck._quantise import Levels, discretise, largest_scale
from memsim.chips._speck._rule import event_by_event, step

KEYS = jr.split(jr.key(3), 6)
FIRING = nn.Firing(reset="subtract", at_threshold="fires", max_spikes=31)
SHAPE = (2, 8, 8)
IMAGES = 2 * (jr.uniform(KEYS[5], (30, *SHAPE)) < 0.2).astype(jnp.float32)


def network(firing=FIRING):
    return nn.SpikingNetwork(
        [
            nn.Conv2d(2, 4, 3, padding=1, key=KEYS[0]),
            nn.IF((4, 8, 8), firing=firing),
            nn.AvgPool2d(2),
            nn.Conv2d(4, 6, 3, padding=1, key=KEYS[1]),
            nn.IF((6, 4, 4), firing=firing),
            nn.SumPool2d(2),
            nn.Flatten(),
            nn.Linear(24, 5, key=KEYS[2]),
            nn.IF(5, firing=firing),
        ],
        input_shape=SHAPE,
    )


def levels(threshold, floor, bias=0):
    return Levels(*(jnp.asarray(each, jnp.int32) for each in (threshold, floor, np.full(6, bias))))


def test_a_network_does_in_whole_numbers_nearly_what_it_does_as_floats():
    model = network()
    placed = ms.chips.speck().deploy(model, input_shape=SHAPE)
    found, _ = as_network_outputs(placed, IMAGES)
    own = jnp.cumsum(model(IMAGES), axis=0)
    assert float(own[-1].sum()) > 40 and placed.delay == 0
    assert float(jnp.max(jnp.abs(own - jnp.cumsum(found, axis=0)))) <= 2  # spikes that fall a step earlier or later


@pytest.mark.slow
def test_pooled_and_slid_integers_are_the_matrix_of_the_layer():
    """What the rule of single events multiplies by is what convolutions and pools of the other rules add up to."""
    placed = ms.chips.speck("asynchronous").placed(network(), input_shape=SHAPE)
    part, kernel = placed.parts[1], np.asarray(placed.parts[1].synapses.then.weight).reshape(6, 4, 3, 3)
    x = np.asarray(jr.randint(KEYS[4], (1, 4, 8, 8), 0, 5, jnp.int32))
    pooled = x.reshape(4, 4, 2, 4, 2).sum((2, 4))
    padded = np.pad(pooled, ((0, 0), (1, 1), (1, 1)))
    patches = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    wanted = np.einsum("chwij,fcij->fhw", patches, kernel).reshape(-1)
    np.testing.assert_array_equal(np.asarray(part.matrix) @ x.reshape(-1), wanted)
    sums, _ = part.synapses.sums(jnp.asarray(x.reshape(1, -1)), part.synapses.initial_state(), most=5)
    np.testing.assert_array_equal(sums[0], wanted)


@pytest.mark.parametrize("rule", [slow("multi"), slow("single"), "asynchronous"])
def test_a_whole_recording_is_its_steps_one_by_one_and_a_batch_its_recordings(rule):
    placed = ms.chips.speck(rule).placed(network(), input_shape=SHAPE)
    whole, counts = placed(IMAGES)
    state, steps = placed.initial_state(), []
    for x in IMAGES[:8]:
        y, state, _ = placed.step(x, state)
        steps.append(y)
    np.testing.assert_array_equal(whole[:8], np.stack(steps))
    both, _ = jax.vmap(placed)(jnp.stack([IMAGES[::-1], IMAGES]))
    np.testing.assert_array_equal(both[1], whole)
    assert int(counts.spikes[:, 2].sum()) == int(whole.sum()) > 0


def test_single_events_agree_with_time_steps_where_weights_are_positive_and_below_the_threshold():
    r = np.random.default_rng(0)
    weight = jnp.asarray(r.integers(0, 41, (6, 9)), jnp.int32)
    to, v = levels(40, -1000), jnp.asarray(r.integers(0, 40, 6), jnp.int32)
    for _ in range(20):
        events = jnp.asarray(r.integers(0, 4, 9), jnp.int32)
        after, spikes = event_by_event(to, v, events, weight)
        twin, wanted, _ = step(to, v, weight @ events, most=None)
        np.testing.assert_array_equal(spikes, wanted)
        np.testing.assert_array_equal(after, twin)
        v = after


@pytest.mark.slow
def test_single_events_agree_with_time_steps_of_one_event_each():
    r = np.random.default_rng(1)
    weight = jnp.asarray(r.integers(-40, 41, (6, 9)), jnp.int32)
    to, v = levels(40, -60), jnp.zeros(6, jnp.int32)
    fired = 0
    for source in r.integers(0, 9, 60):
        events = jnp.zeros(9, jnp.int32).at[source].set(1)
        after, spikes = event_by_event(to, v, events, weight)
        for most in (None, 1):
            twin, wanted, _ = step(to, v, weight @ events, most=most)
            np.testing.assert_array_equal(spikes, wanted)
            np.testing.assert_array_equal(after, twin)
        v, fired = after, fired + int(spikes.sum())
    assert fired > 20 and int(v.min()) >= -60


@pytest.mark.parametrize(
    ("weights", "events", "single", "twin"),
    [
        ([30, -30], [2, 2], 1, 0),  # crossed before the negative ones come, which a sum does not see
        ([-30, 30], [2, 2], 0, 0),  # in the other order they agree
        ([100, 0], [1, 0], 1, 2),  # once an event, however far above
    ],
)
def test_single_events_and_time_steps_differ_where_signs_mix_or_weights_pass_the_threshold(
    weights, events, single, twin
):
    to, v = levels(50, -1000), jnp.zeros(6, jnp.int32)
    weight, events = jnp.tile(jnp.asarray([weights], jnp.int32), (6, 1)), jnp.asarray(events, jnp.int32)
    assert int(event_by_event(to, v, events, weight)[1][0]) == single
    assert int(step(to, v, weight @ events, most=None)[1][0]) == twin


def test_a_bias_comes_once_a_step_before_the_events():
    to, v = levels(50, -1000, bias=50), jnp.zeros(6, jnp.int32)
    after, spikes = event_by_event(to, v, jnp.zeros(3, jnp.int32), jnp.ones((6, 3), jnp.int32))
    np.testing.assert_array_equal(spikes, np.ones(6))
    np.testing.assert_array_equal(after, np.zeros(6))


def test_the_side_of_the_larger_number_decides_the_scale():
    assert float(largest_scale(jnp.asarray([-0.5, 1.0]), 8)) == 127
    assert float(largest_scale(jnp.asarray([-1.0, 0.5]), 8)) == 128
    assert float(largest_scale(jnp.asarray([-1.0, 1.0]), 8)) == 127  # 128 has no positive counterpart


def test_without_a_floor_of_its_own_a_network_is_not_empty_as_it_is_in_sinabs():
    """The trap of chips_exact 6: -32768 enters the scale, which becomes 1."""
    weight, bias = jnp.asarray([[0.3, -0.2]]), jnp.asarray([0.1])
    lost = discretise(weight, bias, jnp.asarray(1.0), jnp.asarray(-32768.0))
    assert float(lost.scale) == 1.0 and not np.any(np.asarray(lost.weight))
    kept = discretise(weight, bias, jnp.asarray(1.0), None)
    assert int(kept.weight[0, 0]) == 127 and int(kept.floor) == -32768
    fit = ms.chips.speck(floor=-32768.0).fits(network(), input_shape=SHAPE)
    assert not fit and "all round to zero" in str(fit) and "Raise the `floor`" in str(fit)


def test_weights_that_are_lost_to_a_low_floor_are_told_by_layer():
    placed = ms.chips.speck(floor=-3000.0).placed(network(), input_shape=SHAPE)
    lost = [float(each.to_zero) for each in placed.quantised]
    whole = [float(each.to_zero) for each in ms.chips.speck().placed(network(), input_shape=SHAPE).quantised]
    assert max(whole) < 0.05 < 0.1 < max(lost)
    assert [each.path for each in placed.quantised] == [".layers[1]", ".layers[4]", ".layers[8]"]


def test_a_layer_takes_the_memory_of_the_vendors_formula():
    """Chips_and_energy: 16 to 32 channels, 3 x 3, on 64 x 64 takes 8192 and 131 072 words, and fits on no core."""
    large = Geometry((16, 64, 64), (32, 64, 64), (3, 3), (1, 1))
    assert words(large)[:2] == (8192, 131072) and cores_for([large]) is None
    kernel = Geometry((64, 8, 8), (64, 4, 4), (3, 3), (1, 1))  # 64 Ki words, which two cores have
    assert words(kernel).kernel == 65536 and sorted(cores_for([kernel, kernel])) == [5, 6]
    assert cores_for([kernel] * 3) is None
    small = Geometry((2, 8, 8), (4, 8, 8), (3, 3), (1, 1))
    assert len(set(cores_for([small, kernel, *[small] * 6, kernel]))) == 9


def spiking(*layers):
    return nn.SpikingNetwork(list(layers))


def dense(inputs, outputs):
    return nn.Linear(inputs, outputs, key=KEYS[0])


def conv(inputs, outputs, **settings):
    return nn.Conv2d(inputs, outputs, 3, key=KEYS[0], **settings)


@pytest.mark.parametrize(
    ("made", "shape", "said"),
    [
        (lambda: spiking(nn.Linear(4, 3, key=KEYS[0]), nn.LIF(3)), None, "that do not leak. Got LIF"),
        (lambda: spiking(nn.Linear(4, 3, key=KEYS[0]), nn.LI(3)), None, "the last layer spikes, too"),
        (
            lambda: spiking(nn.Conv2d(16, 32, 3, padding=1, key=KEYS[0]), nn.IF((32, 64, 64))),
            (16, 64, 64),
            "131072 of neurons",
        ),
        (
            lambda: spiking(nn.Conv2d(1, 1, 3, padding=1, key=KEYS[0]), nn.IF((1, 130, 130))),
            (1, 130, 130),
            "at most 128 pixels",
        ),
        (
            lambda: spiking(nn.Conv2d(1, 1, 3, stride=3, key=KEYS[0]), nn.IF((1, 3, 3))),
            (1, 9, 9),
            "strides of 1, 2, 4, 8",
        ),
        (lambda: spiking(nn.Linear(2000, 3, key=KEYS[0]), nn.IF(3)), None, "at most 1024 channels. Got 2000"),
        (lambda: spiking(*[nn.Linear(4, 4, key=KEYS[0]), nn.IF(4)] * 10), None, "at most 9 layers, one a core. Got 10"),
        (
            lambda: spiking(nn.Linear(4, 3, key=KEYS[0]), nn.Scale(jnp.ones(3)), nn.IF(3)),
            None,
            "one `Conv2d` or `Linear`",
        ),
        (
            lambda: spiking(nn.Linear(4, 3, key=KEYS[0]), nn.Recurrent(nn.IF(3), nn.Linear(3, 3, key=KEYS[1]))),
            None,
            "no recurrent synapses",
        ),
        (
            lambda: spiking(nn.Linear(4, 2, key=KEYS[0]), nn.IF(2, threshold=jnp.asarray([1.0, 2.0]))),
            None,
            "one threshold",
        ),
    ],
)
def test_each_broken_limit_is_named_with_what_repairs_it(made, shape, said):
    fit = ms.chips.speck().fits(made(), input_shape=shape)
    assert not fit and re.search(said, str(fit)), str(fit)


@pytest.mark.slow
def test_training_through_the_chip_has_its_values():
    model = network()
    through = ms.chips.speck().through(model, input_shape=SHAPE)
    found, _ = as_network_outputs(ms.chips.speck().placed(model, input_shape=SHAPE), IMAGES)
    np.testing.assert_array_equal(through(IMAGES), found)
