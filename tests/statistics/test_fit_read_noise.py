"""Read noise fitted to measurements: white and 1/f parts, intervals that hold the truth, and wrong models seen."""

import math
import re

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.linalg import toeplitz

from device_models.fit import fit_read_noise
from device_models.fit._read_noise import expected_flicker
from fits import assert_covered

G_MAX, T_0, T_READ, INTERVAL, READS = 25e-6, 20.0, 1e-4, 1e-3, 128
SETTINGS = {"t_0": T_0, "t_read": T_READ, "g_max": G_MAX}
LEVELS = np.linspace(2e-6, G_MAX, 20)
Q_S, WHITE = (0.010, -0.004), 5e-8


def covariance(n, low=1e-2, high=1 / (2 * T_READ)):
    """Of noise with the one-sided spectrum 1/f from `low` to `high`: the integral by sums over narrow bands."""
    edges = np.geomspace(low, high, 60_001)
    share, centre = np.log(edges[1:] / edges[:-1]), np.sqrt(edges[1:] * edges[:-1])
    return share @ np.cos(2 * np.pi * centre[:, None] * INTERVAL * np.arange(n))


ROOT = np.linalg.cholesky(toeplitz(covariance(READS)) + 1e-9 * np.eye(READS))


def reads(rng, q_s=Q_S, white=WHITE):
    q = np.polynomial.polynomial.polyval(LEVELS / G_MAX, q_s)[:, None]
    flicker = rng.normal(size=(len(LEVELS), READS)) @ ROOT.T
    return LEVELS[:, None] * (1 + q * flicker) + white * rng.normal(size=(len(LEVELS), READS))


@pytest.mark.slow
def test_intervals_of_both_parts_hold_the_truth():
    rng = np.random.default_rng(0)
    truth = {"relative_read_noise[0]": Q_S[0], "relative_read_noise[1]": Q_S[1], "white_noise[0]": WHITE}
    assert_covered(
        lambda data: fit_read_noise(data, interval=INTERVAL, degree=1, **SETTINGS), lambda: (reads(rng),), truth
    )


@pytest.mark.slow
def test_intervals_of_white_noise_alone_hold_the_truth():
    rng = np.random.default_rng(1)
    assert_covered(
        lambda data: fit_read_noise(data, **SETTINGS), lambda: (reads(rng, q_s=(0.0,)),), {"white_noise[0]": WHITE}
    )


def test_the_expected_periodogram_is_that_of_the_covariance():
    # The periodogram of n samples with covariance C is F C F* / n in expectation; a constant part is invisible.
    fourier = np.exp(-2j * np.pi * np.outer(np.arange(1, READS // 2 + 1), np.arange(READS)) / READS)
    expected = np.einsum("ki,ij,kj->k", fourier, toeplitz(covariance(READS)), fourier.conj()).real / READS
    np.testing.assert_allclose(expected_flicker(READS, 2 * T_READ / INTERVAL), expected, rtol=2e-3)


def test_white_noise_is_the_standard_deviation_about_each_mean():
    data = reads(np.random.default_rng(2), q_s=(0.0,))
    estimate = fit_read_noise(data, **SETTINGS).parameters["white_noise[0]"]
    np.testing.assert_allclose(estimate.value, np.sqrt(data.var(axis=1, ddof=1).mean()), rtol=1e-6)
    # Of a variance with 20 x 127 degrees of freedom.
    np.testing.assert_allclose(estimate.high - estimate.value, 1.96 * estimate.value / np.sqrt(2 * 20 * 127), rtol=0.1)


def test_the_device_reads_with_the_variance_of_the_integrated_spectrum():
    fit = fit_read_noise(reads(np.random.default_rng(3)), interval=INTERVAL, degree=1, **SETTINGS)
    g, age = jnp.asarray(LEVELS, jnp.float32), 100.0
    device = fit.device
    assert device.effects == ("read noise",)
    q = np.polynomial.polynomial.polyval(
        LEVELS / G_MAX, [fit.parameters[f"relative_read_noise[{i}]"].value for i in (0, 1)]
    )
    variance = q**2 * math.log((1 / (2 * T_READ)) / (1 / (age + T_0 + T_READ)))  # of 1/f between its two ends
    cells = device.program(g, key=jr.key(0))
    np.testing.assert_allclose(device.read_noise(cells, jnp.asarray(age)), LEVELS * np.sqrt(variance), rtol=1e-4)


def test_white_noise_makes_a_device_of_that_noise_at_the_age_of_the_reads():
    data, age = reads(np.random.default_rng(4), q_s=(0.0,)), 1e4
    fit = fit_read_noise(data, age=age, white_degree=1, **SETTINGS)
    std = np.polynomial.polynomial.polyval(LEVELS / G_MAX, [e.value for e in fit.parameters.values()])
    cells = fit.device.program(jnp.asarray(LEVELS, jnp.float32), key=jr.key(0))
    np.testing.assert_allclose(fit.device.read_noise(cells, jnp.asarray(age)), std, rtol=1e-3)


def test_flicker_that_is_fitted_as_white_is_seen():
    fit = fit_read_noise(reads(np.random.default_rng(5)), **SETTINGS)
    assert not fit.goodness.adequate
    assert fit.goodness.tests["spectrum against frequency"] < 1e-6


def test_cells_that_differ_from_each_other_are_seen():
    data = reads(np.random.default_rng(6), q_s=(0.0,))
    mean = data.mean(1, keepdims=True)
    fit = fit_read_noise(mean + (data - mean) * np.where(np.arange(20) % 2, 0.7, 1.3)[:, None], **SETTINGS)
    assert fit.goodness.tests["cells alike"] < 1e-6


def test_noise_without_flicker_gives_an_interval_that_reaches_zero():
    fit = fit_read_noise(reads(np.random.default_rng(7), q_s=(0.0,)), interval=INTERVAL, **SETTINGS)
    estimate = fit.parameters["relative_read_noise[0]"]
    assert estimate.low <= 0 or estimate.value < 1e-3


def test_the_figure_shows_the_spectrum_and_the_size_of_the_noise():
    fit = fit_read_noise(reads(np.random.default_rng(8)), interval=INTERVAL, degree=1, **SETTINGS)
    spectrum, size, _, below = fit.figure().axes
    assert (spectrum.get_xscale(), size.get_ylabel(), below.get_xlabel()) == ("log", "Std (µS)", "Conductance (µS)")
    np.testing.assert_allclose(spectrum.lines[0].get_xdata()[-1], 0.5 / INTERVAL)


@pytest.mark.parametrize(
    "change, settings, says",
    [
        (lambda d: d * 1e6, {}, "Micro-siemens"),
        (lambda d: d[0], {}, "reads[None]"),
        (lambda d: d[:, :20], {"interval": INTERVAL}, "32 reads"),
        (lambda d: d, {"interval": T_READ / 2}, "Swapped?"),
        (lambda d: d * 0 + LEVELS[:, None], {}, "read the same always"),
        (lambda d: -d, {}, "positive means"),
        (lambda d: d[:1], {"white_degree": 1}, "2 different cells"),
    ],
)
def test_data_that_cannot_be_fitted_are_refused_with_the_remedy(change, settings, says, unchecked):
    data = reads(np.random.default_rng(9))
    with pytest.raises(ValueError, match=re.escape(says)):
        fit_read_noise(change(data), t_0=T_0, t_read=T_READ, **settings)
