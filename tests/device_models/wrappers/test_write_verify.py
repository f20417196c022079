"""Verified writes follow the geometric law of their pulses, and keep what the verifying read accepted."""

import math
import re
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.stats import norm

import device_models as dm
from helpers import DEVICES

N = 100_000  # samples of each random quantity
STANDARD_ERRORS = 4  # tolerance of each moment; the keys are fixed, so what passes keeps passing
TARGET, SIGMA, WINDOW, PULSES = 12.5e-6, 1e-6, 0.8e-6, 4
A = WINDOW / SIGMA
P = norm.cdf(A) - norm.cdf(-A)  # acceptance of one write with a normal error
NOW, YEAR = 0.0, 365.25 * 86400.0


def flat(value):
    return dm.curves.Polynomial((value,))


# The error of a write depends on nothing, no target is near 0, cells neither drift nor fluctuate.
NOISY = dm.PCM(0.0, 25e-6, flat(SIGMA), flat(0.0), flat(0.0), flat(0.0), t_0=20.0, t_read=250e-9)
VERIFIED = dm.WriteVerify(NOISY, WINDOW, PULSES)


@eqx.filter_jit
def written(device, n=N, seed=0):
    """Cells written to TARGET and their conductance just after."""
    cells = device.program(jnp.full(n, TARGET, jnp.float32), key=jr.key(seed))
    return cells, device.conductance(cells, jnp.asarray(NOW))


def assert_fraction(got, p):
    assert abs(np.mean(got) - p) < STANDARD_ERRORS * math.sqrt(p * (1 - p) / len(got))


def assert_error(g, variance):
    """`g` deviates from TARGET by 0 on average and with this `variance`, in siemens squared."""
    error = np.asarray(g, np.float64) - TARGET
    tolerance = STANDARD_ERRORS / math.sqrt(len(error))
    assert abs(error.mean()) < tolerance * math.sqrt(variance)
    assert abs(np.mean(error**2) - variance) < tolerance * np.std(error**2)


def test_pulses_a_cell_takes_are_geometric_and_cut_at_the_last():
    pulses = np.asarray(written(VERIFIED)[0].pulses)
    for k in range(1, PULSES):
        assert_fraction(pulses == k, P * (1 - P) ** (k - 1))
    assert_fraction(pulses == PULSES, (1 - P) ** (PULSES - 1))


def test_mean_pulses_and_yield_have_their_closed_forms():
    cells = written(VERIFIED)[0]
    mean, missed = (1 - (1 - P) ** PULSES) / P, (1 - P) ** PULSES
    standard_error = np.std(np.asarray(cells.pulses)) / math.sqrt(N)
    assert abs(float(cells.mean_pulses) - mean) < STANDARD_ERRORS * standard_error
    assert abs(float(cells.yield_fraction) - (1 - missed)) < STANDARD_ERRORS * math.sqrt(missed * (1 - missed) / N)


def test_accepted_cells_are_a_normal_cut_at_the_window_and_the_others_its_tails():
    cells, g = written(VERIFIED)
    accepted, g = np.asarray(cells.accepted), np.asarray(g)
    assert np.all(np.abs(g[accepted] - TARGET) < WINDOW * (1 + 1e-5))
    assert np.all(np.abs(g[~accepted] - TARGET) > WINDOW * (1 - 1e-5))
    inside = 2 * A * norm.pdf(A)  # part of the variance's integral, by hand: the second moment of a cut normal
    assert_error(g[accepted], SIGMA**2 * (1 - inside / P))
    assert_error(g[~accepted], SIGMA**2 * (1 + inside / (1 - P)))


def test_one_pulse_is_one_write():
    cells, g = written(replace(VERIFIED, max_pulses=1))
    assert np.all(np.asarray(cells.pulses) == 1)
    assert_error(g, SIGMA**2)
    assert_fraction(np.asarray(cells.accepted), P)


def test_more_pulses_go_on_where_fewer_stopped():
    (few, g_few), (many, g_many) = (written(replace(VERIFIED, max_pulses=n)) for n in (PULSES, PULSES + 2))
    kept = np.asarray(few.accepted)
    np.testing.assert_array_equal(np.asarray(g_few)[kept], np.asarray(g_many)[kept])
    np.testing.assert_array_equal(np.asarray(few.pulses)[kept], np.asarray(many.pulses)[kept])
    assert np.all(np.asarray(many.pulses)[~kept] > PULSES)


@pytest.mark.slow
def test_a_noisy_read_rejects_good_writes_and_an_exact_one_does_not():
    # Exact writes, read with std G q sqrt(ln((t_0 + t_read) / (2 t_read))) at time 0: Nandakumar 2019.
    q_s = 0.02
    device = replace(NOISY, write_noise=flat(0.0), relative_read_noise=flat(q_s))
    std = TARGET * q_s * math.sqrt(math.log((20.0 + 250e-9) / 500e-9))
    noisy, g = written(dm.WriteVerify(device, WINDOW, PULSES))
    np.testing.assert_allclose(g, TARGET, rtol=1e-6)
    p = math.erf(WINDOW / std / math.sqrt(2))
    assert 0.1 < p < 0.9
    for k in range(1, PULSES):
        assert_fraction(np.asarray(noisy.pulses) == k, p * (1 - p) ** (k - 1))
    exact, _ = written(dm.WriteVerify(device, WINDOW, PULSES, verify_noise=False))
    assert np.all(np.asarray(exact.accepted)) and np.all(np.asarray(exact.pulses) == 1)


def test_a_cell_keeps_the_drift_exponent_and_the_read_noise_of_its_last_write():
    # Of an exact write in which both follow from the target alone, whichever the pulse: mean 0.05, spread 0.
    device = replace(NOISY, nu_mean=flat(0.05), relative_read_noise=flat(0.02))
    verified = dm.WriteVerify(device, WINDOW, PULSES)
    cells, g = written(verified, n=1000)
    after = np.asarray(verified.conductance(cells, jnp.asarray(YEAR)), np.float64)
    np.testing.assert_allclose(after / g, ((YEAR + 20.0) / 20.0) ** -0.05, rtol=1e-5)
    growth = math.sqrt(math.log((YEAR + 20.0 + 250e-9) / 500e-9))
    np.testing.assert_allclose(verified.read_noise(cells, jnp.asarray(YEAR)), after * 0.02 * growth, rtol=1e-5)


def test_gradient_is_that_of_the_write_each_cell_ended_with():
    # g = target + scale sigma xi with the xi of the last pulse: dg/dscale = (g - target) / scale, dg/dtarget = 1.
    def half_square_error(scale, target):
        device = replace(VERIFIED, device=replace(NOISY, write_noise_scale=scale))
        g = device.conductance(device.program(target, key=jr.key(0)), jnp.asarray(NOW))
        return 0.5e12 * jnp.sum((g - TARGET) ** 2), g

    gradient = jax.jit(jax.grad(half_square_error, argnums=(0, 1), has_aux=True))
    (in_scale, in_target), g = gradient(jnp.asarray(1.5), jnp.full(1000, TARGET, jnp.float32))
    error = np.asarray(g, np.float64) - TARGET
    np.testing.assert_allclose(in_scale, 1e12 * np.sum(error**2) / 1.5, rtol=1e-3)
    np.testing.assert_allclose(in_target, 1e12 * error, rtol=1e-3, atol=10.0)


def test_one_key_takes_one_number_of_pulses_compiled_or_in_a_batch():
    keys, target = jr.split(jr.key(0), 3), jnp.full(100, TARGET, jnp.float32)

    def pulses(key):
        return VERIFIED.program(target, key=key).pulses

    batch = jax.jit(jax.vmap(pulses))(keys)
    np.testing.assert_array_equal(batch, np.stack([pulses(key) for key in keys]))
    assert batch.dtype == jnp.int32 and not np.array_equal(batch[0], batch[1])


def test_a_window_may_be_swept_as_an_array():
    windows = jnp.asarray([0.4e-6, 0.8e-6, 1.6e-6])
    yields = eqx.filter_vmap(lambda w: written(replace(VERIFIED, window=w))[0].yield_fraction)(windows)
    for got, window in zip(np.asarray(yields), np.asarray(windows, np.float64), strict=True):
        missed = (2 * norm.cdf(-window / SIGMA)) ** PULSES
        assert abs(got - (1 - missed)) < STANDARD_ERRORS * math.sqrt(missed * (1 - missed) / N)


def test_stuck_cells_stay_stuck_however_often_they_are_written():
    device = dm.StuckCells(VERIFIED, p_on=0.01, p_off=0.02)
    g = np.asarray(written(device)[1])
    assert_fraction(g == np.float32(25e-6), 0.01)
    assert_fraction(g == 0.0, 0.02)


def test_levels_are_verified_at_the_level():
    device = dm.Levels(dm.WriteVerify(NOISY, WINDOW, 20), n=3)  # levels 0, 12.5 and 25 uS
    target = jnp.full(1000, TARGET + 2e-6, jnp.float32)
    cells = device.program(target, key=jr.key(0))
    assert np.all(np.asarray(cells.accepted))  # (1 - P)^20 = 4e-8
    g = np.asarray(device.conductance(cells, jnp.asarray(NOW)))
    assert np.all(np.abs(g - TARGET) < WINDOW * (1 + 1e-5))


def test_it_shows_what_its_device_shows():
    device = DEVICES["pcm_cubic"]
    verified = dm.WriteVerify(device, WINDOW, PULSES)
    assert verified.effects == device.effects
    assert (verified.g_min, verified.g_max, verified.iv) == (device.g_min, device.g_max, device.iv)
    assert verified.sources == device.sources
    less = verified.without("drift")
    assert isinstance(less, dm.WriteVerify) and less.device.effects == device.without("drift").effects


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: dm.WriteVerify(NOISY, 0.8, PULSES), "Micro-siemens"),
        (lambda: dm.WriteVerify(NOISY, 25e-6, PULSES), "window < g_max - g_min"),
        (lambda: dm.WriteVerify(NOISY, 0.0, PULSES), "`window` must be positive"),
        (lambda: dm.WriteVerify(NOISY, -1e-6, PULSES), "`window` must be positive"),
        (lambda: dm.WriteVerify(NOISY, math.nan, PULSES), "`window` must be positive"),
        (lambda: dm.WriteVerify(NOISY, WINDOW, 0), "at least 1"),
        (lambda: dm.WriteVerify(dm.StuckCells(NOISY, p_on=0.1), WINDOW, 4), "StuckCells(WriteVerify("),
        (lambda: dm.WriteVerify(dm.Levels(NOISY, n=4), WINDOW, 4), "Levels(WriteVerify("),
        (lambda: VERIFIED.without("drfit"), "drift"),
    ],
)
def test_bad_input_is_refused_with_its_remedy(make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()
