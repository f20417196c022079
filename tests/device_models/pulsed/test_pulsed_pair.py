"""Pairs of one-sided devices add and subtract, fill up, and are refreshed without losing their weights."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm

SIDE = 100


@eqx.filter_jit
def filled(device, key):
    """A pair after thirty pulses up and thirty down on every cell, before and after a refresh."""
    keys = jr.split(key, 4)
    pair = dm.pulsed.OneSidedPair.fabricate(device, jnp.full((SIDE, SIDE), 0.2), key=keys[0])
    for n, k in ((30, keys[1]), (-30, keys[2])):
        pair = pair.pulse(jnp.full((SIDE, SIDE), n), key=k)
    return pair, pair.refresh(key=keys[3])


def test_a_pair_without_noise_adds_up_and_down_pulses_on_either_side():
    device = dm.pulsed.ConstantStep(dm.pulsed.Steps(0.01), dm.pulsed.Bounds(0.0, 1.0))
    pair = dm.pulsed.OneSidedPair.fabricate(device, jnp.array([0.3, -0.2]), key=jr.key(0))
    np.testing.assert_allclose(pair.shown, [0.3, -0.2], atol=1e-7)
    after = pair.pulse(jnp.array([5, -7]), key=jr.key(1)).pulse(jnp.array([-3, 2]), key=jr.key(2))
    np.testing.assert_allclose(after.shown, [0.32, -0.25], atol=1e-6)
    np.testing.assert_allclose(after.plus.hidden, [0.35, 0.02], atol=1e-6)  # nothing ever falls


@pytest.mark.slow
def test_a_refresh_empties_full_pairs_and_keeps_their_weights():
    """Constant steps: what is shown is found again within one step, and within the noise of the last pulse."""
    noise = dm.pulsed.MultiplicativeNoise(0.3)
    steps = dm.pulsed.Steps(0.02, spread=dm.pulsed.NormalSpread(0.1), noise=noise)
    before, after = filled(dm.pulsed.ConstantStep(steps, dm.pulsed.Bounds(0.0, 1.0)), jr.key(0))
    full = np.asarray(before.full(0.75, 0.25))
    assert full.mean() > 0.5 and not np.asarray(after.full(0.75, 0.25)).any()
    assert np.max(np.abs(np.asarray(after.shown - before.shown))[full]) < 0.02 * 1.4 * 2.2
    np.testing.assert_array_equal(np.asarray(after.shown)[~full], np.asarray(before.shown)[~full])


@pytest.mark.slow
def test_phase_change_pairs_are_refreshed_to_the_weight_on_average():
    before, after = filled(dm.pulsed.pcm_onesided_nandakumar2020(), jr.key(1))
    full = np.asarray(before.full(0.75, 0.25))
    assert full.mean() > 0.3
    one, other = np.asarray(before.shown)[full], np.asarray(after.shown)[full]
    assert np.corrcoef(one, other)[0, 1] > 0.7  # a pulse moves by a quarter of the range and varies by as much


def test_an_update_of_a_pair_adds_the_outer_product_on_average():
    device = dm.pulsed.ConstantStep(dm.pulsed.Steps(1e-3), dm.pulsed.Bounds(0.0, 1.0))
    x, d = jnp.linspace(-1.0, 1.0, 40), jnp.linspace(0.5, -1.0, 30)
    pair = dm.pulsed.OneSidedPair.fabricate(device, (30, 40), key=jr.key(0))
    after = eqx.filter_jit(lambda pair: pair.update(jnp.tile(x, (50, 1)), jnp.tile(d, (50, 1)), 0.005, key=jr.key(1)))(
        pair
    )
    expected = 50 * 0.005 * np.outer(d, x)
    # Binomial numbers: a variance of at most dw per unit of change; 1200 cells of which rows and columns share trains.
    error = np.asarray(after.shown) - expected
    assert np.max(np.abs(error)) < 5 * np.sqrt(1e-3 * np.abs(expected).max())
    assert bool(jnp.all(after.plus.hidden >= 0)) and bool(jnp.all(after.minus.hidden >= 0))


def test_thresholds_that_cannot_be_are_refused():
    pair = dm.pulsed.OneSidedPair.fabricate(dm.pulsed.pcm_onesided_nandakumar2020(), (2,), key=jr.key(0))
    with pytest.raises(ValueError, match="0 <= below < above <= 1"):
        pair.refresh(0.2, 0.8, key=jr.key(1))
