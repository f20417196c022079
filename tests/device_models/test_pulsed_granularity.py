"""What a pulse is worth: an update changes weights by what it was asked for, whatever shapes the steps."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm

SIDE = 200
COARSE = {"reram_array_hfo2_gong2022"}  # a step of more than half the way to the bound, which cuts it short


@eqx.filter_jit
def mean_changes(device, key, steps):
    """Mean changes by updates of all cells by so many steps up, and down."""
    fabricate_key, *keys = jr.split(key, 3)
    kind = dm.OneSidedPair if device.w_min == 0 else dm.PulsedArray
    array = kind.fabricate(device, (SIDE, SIDE), key=fabricate_key)
    if kind is dm.OneSidedPair:  # in the middle of its range
        middle = jnp.full((SIDE, SIDE), device.w_max / 2)
        array = eqx.tree_at(lambda a: [side.hidden for side in (a.plus, a.minus)], array, [middle, middle])
        array = eqx.tree_at(lambda a: [side.shown for side in (a.plus, a.minus)], array, [middle, middle])
    x = jnp.ones(SIDE)
    found = [array.update(x, sign * x, steps * device.granularity, key=k) for sign, k in zip((1, -1), keys, strict=True)]
    return jnp.stack([jnp.mean(a.shown - array.shown) for a in found])


@pytest.mark.parametrize("name", sorted(set(dm.PULSED) - COARSE))
def test_an_update_at_zero_is_what_was_asked_for_on_average(name):
    device = dm.PULSED[name].make()
    up, down = np.asarray(mean_changes(device, jr.key(0), 0.3), np.float64) / (0.3 * float(device.granularity))
    # 40 000 cells; the largest spread is ReRAM's, whose pulse varies by five steps and its read by 75: 0.4 each, of
    # 1.3 steps, in a third of the cells.
    noise = device.steps.noise.std + device.steps.write_noise
    tolerance = 0.03 + 3 * noise / np.sqrt(0.3 * SIDE**2)
    assert (up - down) / 2 == pytest.approx(1.0, abs=tolerance)
