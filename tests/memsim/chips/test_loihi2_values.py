"""Loihi 2 with networks of values: the published loop, near the network, fewer spikes for less accuracy."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from memsim import nn

KEYS = jr.split(jr.key(0), 4)
RATES = np.arange(8.0)
SIGNAL = jnp.asarray(np.sin(np.arange(200)[:, None] / 40 * (1 + RATES) + RATES), jnp.float32)  # slow beside its steps


def model(depth=2, width=32):
    net = eqx.nn.MLP(8, 4, width, depth, key=KEYS[0])
    return eqx.tree_at(lambda m: m.layers[0].bias, net, jr.normal(KEYS[1], (width,)))


def placed(net, threshold=0.0):
    return ms.chips.loihi2_sigma_delta(threshold).deploy(net, calibration=SIGNAL)


def changes(act, vth, exponent):
    """Delta of chips_exact, section 3, as a loop: what is sent in each step."""
    before, residue, sent = np.zeros(act.shape[1], int), np.zeros(act.shape[1], int), []
    for now in act:
        d = now - before + residue
        s = np.where(np.abs(d) >= vth << exponent, d, 0)
        before, residue = now, d - s
        sent.append(s >> exponent)
    return np.array(sent)


@pytest.mark.parametrize("threshold", [0.0, 0.02])
def test_spikes_and_sums_are_those_of_the_published_loop(threshold):
    chip = placed(model(), threshold)
    whole = {name: np.asarray(getattr(chip.parts[1], name)).astype(int) for name in ("weight", "bias", "threshold")}
    drop, exponent = int(chip.parts[1].drop), int(chip.parts[1].state_exponent)
    levels = np.clip(np.round(SIGNAL / chip.input_unit), -4095, 4095).astype(int)
    first = changes(levels, round(threshold * 4095), 0)
    sigma = np.cumsum((first @ whole["weight"].T) >> drop, axis=0)
    act = np.maximum(sigma + (whole["bias"] << exponent), 0)
    expected = changes(act, int(whole["threshold"]), exponent)
    sent, _ = chip.parts[0](jnp.asarray(levels, jnp.int32), key=None)
    np.testing.assert_array_equal(sent, first)
    np.testing.assert_array_equal(chip.parts[1](sent, key=None)[0], expected)
    assert drop > 0 and np.count_nonzero(expected) > 100


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_network_of_values_does_on_the_chip_nearly_what_it_does_as_floats(depth):
    net = model(depth)
    found, _ = placed(net)(SIGNAL)
    wanted = jax.vmap(net)(SIGNAL)
    assert float(jnp.abs(found - wanted).max()) < 0.05 * float(jnp.abs(wanted).max())


def test_a_larger_threshold_sends_less_and_is_further_off():
    net, spikes, errors = model(), [], []
    for threshold in (0.0, 0.02, 0.1):
        found, counts = placed(net, threshold)(SIGNAL)
        spikes.append(int(counts.spikes.sum()))
        errors.append(float(jnp.std(found - jax.vmap(net)(SIGNAL))))
    assert spikes[0] > 1.5 * spikes[1] > 3 * spikes[2] > 0 and errors[0] < errors[1] < errors[2]


def test_what_does_not_change_costs_nothing():
    still = jnp.broadcast_to(SIGNAL[:1], (50, 8))
    found, counts = placed(model())(still)
    assert int(counts.spikes[0].sum()) > 0 and int(counts.spikes[1:].sum()) == int(counts.events[1:].sum()) == 0
    np.testing.assert_array_equal(found[0], found[-1])


def test_a_wide_layer_keeps_its_sums_within_32_bits():
    wide = nn.SpikingNetwork(
        [nn.Linear(3000, 3000, key=KEYS[2]), eqx.nn.Lambda(jax.nn.relu), nn.Linear(3000, 3, key=KEYS[3])]
    )
    wide = eqx.tree_at(lambda m: (m.layers[0].weight, m.layers[2].weight), wide, replace_fn=jnp.abs)
    xs = jnp.ones((2, 3000))
    found, _ = ms.chips.loihi2_sigma_delta().deploy(wide, calibration=xs)(xs)
    np.testing.assert_allclose(found, wide(xs), rtol=0.01)


def test_what_does_not_fit_is_named():
    target = ms.chips.loihi2_sigma_delta()
    assert "at most 4096 inputs a core" in str(target.fits(nn.SpikingNetwork([nn.Linear(4097, 2, key=KEYS[0])])))
    assert "128 cores" in str(target.fits(nn.SpikingNetwork([nn.Linear(4096, 4096, key=KEYS[0])])))
    arrays, rest = eqx.partition(model(), eqx.is_array)
    silent = eqx.combine(jax.tree.map(jnp.zeros_like, arrays), rest)
    assert "weights that are not all zero" in str(target.fits(silent))
    spiking = nn.SpikingNetwork([nn.Linear(3, 3, key=KEYS[0]), nn.LIF(3)])
    assert "which has a state" in str(target.fits(spiking))
