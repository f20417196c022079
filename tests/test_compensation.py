"""Drift and its compensation, one chip through time, and gradients through it."""

import dataclasses
import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
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
    # Exponents are 0.08 - 0.06 g. Weights are 1 on the first three bit lines, 1 or 1/2 on the others.
    magnitude = np.ones((5, 6))
    magnitude[3:, [1, 2, 3, 5]] = 0.5
    w = magnitude * np.random.default_rng(0).choice([-1, 1], (5, 6))
    design = Crossbar(
        drifting((0.08, -0.06)), compensation=GlobalDriftCompensation(4096), tile=(4, 3), read_noise="off"
    )
    chip = design.program(jnp.asarray(w, jnp.float32), key=jr.key(0))
    left = (YEAR / 20 + 1) ** -(0.08 - 0.06 * magnitude)  # t_0 of Joshi 2020 is 20 s
    factor = np.asarray(chip.at(YEAR).effective_weight) / (w * left)

    def expected(lines):
        """Mean output at the start over that after a year, over all patterns of +1 and -1."""
        patterns = np.array(list(itertools.product([-1, 1], repeat=len(lines))))
        return np.abs(patterns @ magnitude[3, lines]).mean() / np.abs(patterns @ (magnitude * left)[3, lines]).mean()

    np.testing.assert_allclose(factor[:3], 1 / left[0, 0], rtol=1e-5)
    for lines in ([0, 1, 2, 3], [4, 5]):
        np.testing.assert_allclose(factor[3:, lines], factor[3, lines[0]], rtol=1e-5)
        # 4096 patterns a bit line, and the same ones at both times: 1 % is more than 4 standard errors.
        np.testing.assert_allclose(factor[3, lines[0]], expected(lines), rtol=0.01)
    assert factor[3, 0] > 1.1 / left[0, 0]


def test_without_compensation_the_drift_stays():
    x, w = jnp.ones(20), jnp.abs(normal(0, 4, 20))
    design = Crossbar(dm.pcm_joshi2020(read_noise_scale=0.0), read_noise="off")
    for compensation, low, high in ((None, 0.4, 0.6), (GlobalDriftCompensation(), 0.85, 1.15)):
        chip = eqx.tree_at(lambda d: d.compensation, design, compensation).program(w, key=jr.key(0))
        kept = chip.at(YEAR)(x) / chip.at(0.0)(x)
        assert np.all((kept > low) & (kept < high))


# One chip.


def test_one_chip_has_one_history():
    chip, x = FULL.program(normal(0, 5, 10), key=jr.key(0)), normal(1, 3, 10)
    first, _, again = (chip.at(t, key=jr.key(1)) for t in (YEAR, 0.0, YEAR))
    np.testing.assert_array_equal(first(x, key=jr.key(2)), again(x, key=jr.key(2)))
    np.testing.assert_array_equal(first.effective_weight, again.effective_weight)
    assert np.any(first.effective_weight != chip.at(YEAR, key=jr.key(3)).effective_weight)  # noise in the measurement


def test_deploy_is_program_then_at():
    w, x, (program_key, moment_key) = normal(0, 5, 10), normal(1, 10), jr.split(jr.key(0))
    by_hand = FULL.program(w, key=program_key).at(YEAR, key=moment_key)
    at_once = FULL.deploy(w, YEAR, key=jr.key(0))
    np.testing.assert_array_equal(by_hand(x, key=jr.key(1)), at_once(x, key=jr.key(1)))


# Compiled and batched, in float64 so that no rounding to a code tips over.


@pytest.mark.parametrize("read_noise", ["per_read", "per_moment", "off"])
def test_compiled_and_batched_chips_are_the_chips_one_by_one(read_noise):
    with jax.enable_x64(True):
        design = dataclasses.replace(FULL, read_noise=read_noise)
        w, x, keys = normal(0, 5, 10), normal(1, 3, 10), jr.split(jr.key(0), 3)

        def read(w, key, t):
            program_key, moment_key, read_key = jr.split(key, 3)
            return design.program(w, key=program_key).at(t, key=moment_key)(x, key=read_key)

        one_by_one = np.array([read(w, key, YEAR) for key in keys])
        assert len(np.unique(one_by_one[:, 0, 0])) == 3
        np.testing.assert_allclose(jax.jit(read)(w, keys[0], YEAR), one_by_one[0], rtol=1e-6, atol=1e-9)
        batch = jax.vmap(read, (None, 0, None))(w, keys, YEAR)
        np.testing.assert_allclose(batch, one_by_one, rtol=1e-6, atol=1e-9)


def test_a_batch_of_chips_ages_as_the_chips_one_by_one():
    with jax.enable_x64(True):
        w, x, keys, times = normal(0, 5, 10), normal(1, 3, 10), jr.split(jr.key(0), 3), jnp.asarray([0.0, 3600.0, YEAR])
        chips = eqx.filter_vmap(lambda key: FULL.program(w, key=key))(keys)

        def read(chip: Chip, t):
            return chip.at(t, key=jr.key(1))(x, key=jr.key(2))

        ages = eqx.filter_vmap(lambda chip: jax.vmap(lambda t: read(chip, t))(times))(chips)
        one_by_one = [[read(FULL.program(w, key=key), t) for t in times] for key in keys]
        np.testing.assert_allclose(ages, np.array(one_by_one), rtol=1e-6, atol=1e-9)


# Gradients.


@pytest.mark.parametrize("read_noise", ["per_read", "per_moment"])
@pytest.mark.parametrize("adc", [None, ADC(None, 1.5)], ids=["no_adc", "unrounded_adc"])
def test_the_gradient_through_a_sampled_chip_is_the_finite_difference(adc, read_noise):
    with jax.enable_x64(True):
        design = Crossbar(dm.pcm_joshi2020(), dac=DAC(None, 2.0), adc=adc, tile=(4, 3), read_noise=read_noise)
        w, x, h = normal(0, 5, 10), normal(1, 3, 10), 1e-6

        @jax.jit
        def loss(w):
            return jnp.sum(jnp.sin(design.deploy(w, YEAR, key=jr.key(2))(x, key=jr.key(3))))

        steps = h * jnp.eye(w.size).reshape(-1, *w.shape)
        difference = [(loss(w + step) - loss(w - step)) / (2 * h) for step in steps]
        gradient = np.asarray(jax.grad(loss)(w)).ravel()
        np.testing.assert_allclose(gradient, difference, rtol=1e-4, atol=1e-4 * np.abs(gradient).max())
        assert np.all(gradient != 0)
