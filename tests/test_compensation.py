"""Drift and its compensation, one chip through time, and gradients through it."""

import math
import re

import device_models as dm
import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from memsim import ADC, DAC, Chip, Crossbar, GlobalDriftCompensation

YEAR = 365.25 * 86400.0
FULL = Crossbar(dm.pcm_joshi2020(), dac=DAC(8, 2.0), adc=ADC(8, 4.0), tile=(4, 3))


def normal(seed, *shape):
    return jr.normal(jr.key(seed), shape)


def drifting(nu):
    """PCM without noise of any kind whose cells all drift with the curve `nu` of their conductance."""
    joshi = dm.pcm_joshi2020(write_noise_scale=0.0, read_noise_scale=0.0)
    zero = dm.Polynomial((0.0,))
    return eqx.tree_at(lambda d: (d.nu_mean, d.nu_std), joshi, (dm.Polynomial(nu), zero))


# Drift compensation.


@pytest.mark.parametrize("adc", [None, ADC(None, 100.0)], ids=["no_adc", "unrounded_adc"])
def test_compensation_undoes_a_drift_that_all_cells_share(adc):
    w, device = normal(0, 5, 10), drifting((0.06,))
    weight = {}
    for compensation in (None, GlobalDriftCompensation()):
        design = Crossbar(device, adc=adc, compensation=compensation, tile=(4, 3), read_noise="off")
        chip = design.program(w, key=jr.key(0))
        weight[compensation] = [np.asarray(chip.at(t).effective_weight) for t in (0.0, YEAR)]
    start, year = weight[GlobalDriftCompensation()]
    np.testing.assert_allclose(start, w, rtol=1e-5)
    np.testing.assert_allclose(year, start, rtol=1e-5)
    left = (YEAR / 20 + 1) ** -0.06  # t_0 of Joshi 2020 is 20 s
    np.testing.assert_allclose(weight[None][1], left * weight[None][0], rtol=1e-5)


def test_each_tile_has_its_own_factor():
    # The exponent is 0.08 - 0.06 g. In the first row tile all weights are at g = 1, in the second (of one word line)
    # too, in the third of four columns 3 are at g = 1/2 next to one at 1.
    w = np.sign(np.random.default_rng(0).normal(size=(5, 6))).astype(np.float32)
    w[:3, 4:] *= 2.0
    w[:3, 4] *= 0.5
    design = Crossbar(drifting((0.08, -0.06)), tile=(4, 3), read_noise="off")
    chip = design.program(jnp.asarray(w), key=jr.key(0))
    raw = np.asarray(eqx.tree_at(lambda c: c.reference, chip, None).at(YEAR).effective_weight)
    factor = np.asarray(chip.at(YEAR).effective_weight) / raw

    patterns = np.sign(np.random.default_rng(1).normal(size=(4096, 6)))
    for columns in (slice(0, 3), slice(3, 5)):
        for rows in (slice(0, 4), slice(4, 6)):
            tile = factor[columns, rows]
            np.testing.assert_allclose(tile, tile[0, 0], rtol=1e-5)
            start, now = (np.abs(patterns[:, rows] @ m[columns, rows].T).mean() for m in (w, raw))
            np.testing.assert_allclose(tile[0, 0], start / now, rtol=0.02)
    on = (YEAR / 20 + 1) ** 0.02
    np.testing.assert_allclose(factor[:, :4], on, rtol=1e-5)
    assert factor[0, 4] > 1.01 * on
