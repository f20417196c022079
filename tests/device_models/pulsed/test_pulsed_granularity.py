"""What a pulse is worth: an update changes weights by what it was asked for, whatever shapes the steps."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
from helpers import quick_and_slow

SIDE = 200
STEPS = dm.pulsed.Steps(0.002)
CURVED = {
    "reram_es_gong2018": dm.pulsed.reram_es_gong2018(),
    "pcm_onesided_nandakumar2020": dm.pulsed.pcm_onesided_nandakumar2020(),
    "pow_step": dm.pulsed.PowStep(STEPS, dm.pulsed.Bounds(), 2.0, 2.0, gamma_dtod=0.1),
    "piecewise_step": dm.pulsed.PiecewiseStep(STEPS, dm.pulsed.Bounds(), (1.0, 1.5, 0.2), (0.1, 0.8, 1.0)),
}


@pytest.mark.parametrize("name", dm.pulsed.PULSED)
def test_it_is_the_mean_step_of_many_devices_where_they_work(name):
    device = dm.pulsed.PULSED[name].make()
    cells = device.fabricate((SIDE, SIDE), key=jr.key(0))
    one_sided = device.w_min == 0
    at = jnp.full((SIDE, SIDE), device.w_max / 2) if one_sided else cells.reference
    up, down = (np.asarray(step(cells, at), np.float64) for step in (device.step_up, device.step_down))
    found = up if one_sided else (up + down) / 2
    error = found.std() / SIDE
    # Four standard errors, and half a percent for what is folded at zero and for bounds that differ.
    assert found.mean() == pytest.approx(float(device.granularity), rel=5e-3, abs=4 * error)


def test_closed_forms():
    # PowStep at the middle: 2^-gamma. ExpStep at w = 0, where z = b = -0.5: (1 + 1.18445 e^-2.5 + 0.740641 (1 +
    # 0.081404 e^2.5)) / 2. The pair of phase-change cells at w = 1, where z = -1: 1 + 27.235 e^-2.5.
    assert float(dm.pulsed.PowStep(STEPS, dm.pulsed.Bounds(), 2.0, 2.0).granularity) == pytest.approx(
        0.002 / 4, rel=1e-5
    )
    up, down = 1 + 1.18445 * np.exp(-2.5), (1 - 0.259359) * (1 + 0.081404 * np.exp(2.5))
    assert float(dm.pulsed.reram_es_gong2018().granularity) == pytest.approx(0.00135 * (up + down) / 2, rel=1e-5)
    pair = 0.01 * (1 + 27.235 * np.exp(-2.5))
    assert float(dm.pulsed.pcm_onesided_nandakumar2020().granularity) == pytest.approx(pair, rel=1e-5)
    assert float(CURVED["piecewise_step"].granularity) == pytest.approx(0.002 * (1.5 + 0.8) / 2, rel=1e-5)
    wide = dm.pulsed.ConstantStep(dm.pulsed.Steps(0.1, up_down=0.4, spread=dm.pulsed.LogNormalSpread(0.5)))
    gain = np.exp(0.125)
    assert float(wide.granularity) == pytest.approx(0.1 * (gain + gain - 0.4) / 2, rel=1e-5)


@eqx.filter_jit
def mean_changes(device, key):
    """Mean changes, as asked for, by two updates of all cells by one step up each, and by as many down."""
    fabricate_key, *keys = jr.split(key, 3)
    if device.w_min < 0:
        array = dm.pulsed.PulsedArray.fabricate(device, (SIDE, SIDE), key=fabricate_key)
    else:
        array = dm.pulsed.OneSidedPair.fabricate(device, (SIDE, SIDE), key=fabricate_key)
        middle = [jnp.full((SIDE, SIDE), device.w_max / 2)] * 4
        array = eqx.tree_at(lambda a: [x for s in (a.plus, a.minus) for x in (s.hidden, s.shown)], array, middle)
    x = jnp.ones((2, SIDE))
    signs = zip((1, -1), keys, strict=True)
    after = [array.update(x, sign * x, device.granularity, key=key) for sign, key in signs]
    return jnp.stack([jnp.mean(a.shown - array.shown) for a in after]) / (2 * device.granularity)


@pytest.mark.parametrize("name", quick_and_slow(("reram_es_gong2018",), CURVED))
def test_an_update_changes_weights_by_what_it_was_asked_for(name):
    up, down = np.asarray(mean_changes(CURVED[name], jr.key(0)), np.float64)
    # Of 200 rows and 200 columns each gets 11 pulses of 62, give or take 3: 2.7 % of a mean change, 1.9 % of the mean
    # of two. The noise of 40 000 reads adds 75 / 1.3 / 200 = 29 % of a step to a ReRAM cell, which makes two.
    read = CURVED[name].steps.write_noise / 1.3 / SIDE / 2
    assert (up - down) / 2 == pytest.approx(1.0, abs=3 * np.hypot(0.019, read / np.sqrt(2)))
