"""BrainScaleS-2 with spiking neurons: the network's own where nothing deviates, moments where it does."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from memsim import nn
from memsim.chips._brainscales2._neurons import fabricated

KEYS = jr.split(jr.key(8), 6)
ZERO = nn.Firing(reset="zero")
SPIKES = (jr.uniform(KEYS[5], (80, 20)) < 0.2).astype(jnp.float32)


def network():
    """All kinds of neurons of the chip, with weights of whole multiples of their layer's unit."""
    net = nn.SpikingNetwork(
        [
            nn.Linear(20, 24, key=KEYS[0]),
            nn.Recurrent(nn.CuBaLIF(24, firing=ZERO), nn.Linear(24, 24, use_bias=False, key=KEYS[1])),
            nn.Linear(24, 12, key=KEYS[2]),
            nn.AdEx(12),
            nn.Linear(12, 5, key=KEYS[3]),
            nn.LI(5),
        ]
    )
    codes = [jr.randint(key, w.shape, -63, 64).at[0, 0].set(63) for key, w in zip(KEYS[:4], weights(net), strict=True)]
    units = (1 / 256, 1 / 256, 1 / 8, 1 / 64)
    return eqx.tree_at(weights, net, [code.astype(jnp.float32) * unit for code, unit in zip(codes, units, strict=True)])


def weights(net):
    return net.layers[0].weight, net.layers[1].synapse.weight, net.layers[2].weight, net.layers[4].weight


def test_without_mismatch_it_is_the_network_with_rounded_weights():
    placed = ms.chips.brainscales2(mismatch=0.0).deploy(network())
    found, counts = placed(SPIKES)
    own, recorded = eqx.filter_jit(network())(SPIKES, record="spikes")
    np.testing.assert_allclose(found, own, rtol=1e-4, atol=1e-5)
    spikes = [int(each.sum()) for each in recorded["spikes"].values()]
    assert min(spikes[:2]) > 10 and [int(n) for n in counts.spikes.sum(0)] == [*spikes[:2], 0]
    assert all(float(each.error) < 1e-6 for each in placed.quantised)


def test_a_whole_recording_is_its_steps_one_by_one_and_a_batch_its_recordings():
    placed = ms.chips.brainscales2().deploy(network(), key=KEYS[4])
    whole, _ = placed(SPIKES)
    state, step, steps = placed.initial_state(), eqx.filter_jit(placed.step), []
    for x in SPIKES[:20]:
        y, state, _ = step(x, state)
        steps.append(y)
    np.testing.assert_allclose(whole[:20], np.stack(steps), rtol=1e-5, atol=1e-6)
    both, _ = jax.vmap(placed)(jnp.stack([SPIKES, SPIKES[::-1]]))
    np.testing.assert_allclose(both[0], whole, rtol=1e-5, atol=1e-6)


def test_deviations_have_the_spread_that_is_asked_for():
    # 20 000 neurons: a standard deviation is known to 0.5 %, a mean to 0.07 % of 10 %.
    number, sigma = 20_000, 0.1
    made = fabricated(nn.CuBaLIF(number, v_rest=-0.5, v_reset=-0.5), sigma, key=KEYS[0]).neuron
    tau = np.asarray(made.tau_mem.value) / 20e-3
    assert abs(tau.mean() - 1) < 4 * sigma / np.sqrt(number) and abs(tau.std() / sigma - 1) < 4 / np.sqrt(2 * number)
    for name, nominal in (("v_rest", -0.5), ("v_reset", -0.5)):
        shift = (np.asarray(getattr(made, name)) - nominal) / 1.5  # of the range from rest to threshold
        assert abs(shift.mean()) < 4 * sigma / np.sqrt(number) and abs(shift.std() / sigma - 1) < 4 / np.sqrt(
            2 * number
        )
    pairs = np.corrcoef([tau, np.asarray(made.tau_syn.value), np.asarray(made.v_rest)])
    assert np.abs(pairs - np.eye(3)).max() < 4 / np.sqrt(number)


def test_a_chip_is_drawn_at_deployment_and_stays():
    chip = ms.chips.brainscales2()
    assert chip.checked == "assumed mismatch"
    with pytest.raises(ValueError, match="`key` must be given"):
        chip.deploy(network())
    one, other = (chip.deploy(network(), key=key)(SPIKES)[0] for key in KEYS[:2])
    assert np.array_equal(one, chip.deploy(network(), key=KEYS[0])(SPIKES)[0]) and not np.array_equal(one, other)


def test_limits_are_named_with_what_repairs_them():
    chip = ms.chips.brainscales2()
    wide = nn.SpikingNetwork([nn.Linear(129, 600, key=KEYS[0]), nn.LIF(600, firing=ZERO)])
    said = str(chip.fits(wide))
    assert "at most 128 synapses a neuron. Got 129. Prune" in said and "at most 512 neurons. Got 600" in said
    with pytest.raises(ValueError, match="at most 512 neurons"):
        chip.deploy(wide, key=KEYS[0])
    delayed = nn.SpikingNetwork([nn.DelayedLinear(3, 4, delays=2, key=KEYS[0]), nn.LIF(4, firing=ZERO)])
    assert "without delays" in str(chip.fits(delayed))
    assert "Izhikevich" in str(chip.fits(nn.SpikingNetwork([nn.Linear(3, 4, key=KEYS[0]), nn.Izhikevich(4)])))
    subtracts = chip.fits(nn.SpikingNetwork([nn.Linear(3, 4, key=KEYS[0]), nn.LIF(4)]))
    assert subtracts and "a reset of zero. Got subtract" in str(subtracts)


def test_pruned_weights_take_no_synapse():
    wide = nn.SpikingNetwork([nn.Linear(200, 4, key=KEYS[0]), nn.LIF(4, firing=ZERO)])
    pruned = eqx.tree_at(lambda n: n.layers[0].weight, wide, wide.layers[0].weight.at[:, 128:].set(0.0))
    assert ms.chips.brainscales2().fits(pruned) and not ms.chips.brainscales2().fits(wide)
