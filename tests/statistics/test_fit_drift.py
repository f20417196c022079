"""Drift exponents fitted to measurements: intervals hold the truth, and wrong models are seen."""

import re

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
from device_models.fit import fit_drift
from fits import assert_covered

G_MAX, T_0 = 25e-6, 20.0
TIMES = np.logspace(0, 6, 8)
LOG_TIME = np.log1p(TIMES / T_0)
SETTINGS = {"t_0": T_0, "g_max": G_MAX}


def cells(rng, n=300, mean=(0.08, -0.04), spread=0.015, noise=0.02):
    """Targets, and conductances at TIMES read with a relative error."""
    target = rng.uniform(2e-6, G_MAX, n)
    nu = np.abs(mean[0] + mean[1] * target / G_MAX + spread * rng.normal(size=n))
    return target, target[:, None] * np.exp(-nu[:, None] * LOG_TIME + noise * rng.normal(size=(n, len(TIMES))))


def fitted(target, conductance, **settings):
    return fit_drift(TIMES, conductance, targets=target, **SETTINGS, **settings)


@pytest.mark.slow
@pytest.mark.parametrize(
    "spread, noise",
    [
        pytest.param(0.015, 0.02, id="as measured"),
        pytest.param(0.04, 0.02, id="an eighth of the exponents folded at zero"),
        pytest.param(0.015, 0.2, id="half of the spread is error of the lines"),
    ],
)
def test_intervals_of_the_drift_hold_the_truth(spread, noise):
    rng = np.random.default_rng(0)
    truth = {"nu_mean[0]": 0.08, "nu_mean[1]": -0.04, "nu_std[0]": spread, "read_noise[0]": noise}
    assert_covered(fitted, lambda: cells(rng, spread=spread, noise=noise), truth)


def test_without_read_noise_the_exponents_are_those_of_polyfit():
    target, conductance = cells(np.random.default_rng(1), noise=0.0, spread=0.005)
    nu = -np.polyfit(LOG_TIME, np.log(conductance).T, 1)[0]
    slope, constant = np.polyfit(target / G_MAX, nu, 1)
    found = fitted(target, conductance).parameters
    np.testing.assert_allclose(found["nu_mean[0]"].value, constant, rtol=1e-6)
    np.testing.assert_allclose(found["nu_mean[1]"].value, slope, rtol=1e-6)
    np.testing.assert_allclose(found["nu_std[0]"].value, np.std(nu - slope * target / G_MAX - constant), rtol=1e-6)


def test_a_spread_that_is_only_read_noise_is_not_taken_for_one_of_cells():
    # Lines through reads of 20 % error scatter by 0.012; the cells themselves do not differ.
    estimate = fitted(*cells(np.random.default_rng(2), spread=0.0, noise=0.2)).parameters["nu_std[0]"]
    assert 0 <= estimate.value < 0.006
    assert estimate.high - estimate.low > 1e-4


@pytest.mark.slow
def test_a_mean_that_depends_on_conductance_rejects_a_constant_one():
    fit = fitted(*cells(np.random.default_rng(3)), degree=0)
    assert not fit.goodness.adequate
    assert fit.goodness.tests["mean against conductance"] < 1e-6


def test_a_drift_that_is_no_power_law_is_seen():
    target, conductance = cells(np.random.default_rng(4))
    bent = conductance * np.exp(-0.01 * (LOG_TIME - LOG_TIME.mean()) ** 2)
    fit = fitted(target, bent)
    assert not fit.goodness.adequate
    assert fit.goodness.tests["straight in log time"] < 1e-6


@pytest.mark.slow
def test_noise_that_is_slow_against_the_record_is_seen_and_can_be_taken_out():
    """A walk of 1 % from read to read, of 25 reads of 2 %: its tilt of each line looks like spread of the exponents.

    The tilt has the variance that the least-squares slope of the walk has, by numpy: 0.0046^2, which makes 0.0157 of
    0.015.
    """
    rng, n, times = np.random.default_rng(9), 1500, np.logspace(2, 7, 25)
    u = np.log1p(times / T_0)
    target = rng.uniform(2e-6, G_MAX, n)
    nu = 0.08 - 0.04 * target / G_MAX + 0.015 * rng.normal(size=n)
    walk = np.cumsum(0.01 * rng.normal(size=(n, 25)), axis=1)
    conductance = target[:, None] * np.exp(-nu[:, None] * u + walk + 0.02 * rng.normal(size=(n, 25)))
    steps = 0.01**2 * np.minimum.outer(np.arange(25), np.arange(25))
    slope = (u - u.mean()) / np.sum((u - u.mean()) ** 2)
    tilt = np.sqrt(slope @ steps @ slope)

    white, walking = (
        fit_drift(times, conductance, targets=target, noise=noise, **SETTINGS) for noise in ("white", "walk")
    )
    assert white.goodness.tests["independent errors"] < 1e-6 and not white.goodness.adequate
    error = 0.015 / np.sqrt(2 * n)  # of a standard deviation
    assert white.parameters["nu_std[0]"].value == pytest.approx(np.hypot(0.015, tilt), abs=4 * error)
    assert walking.goodness.adequate
    assert walking.parameters["nu_std[0]"].value == pytest.approx(0.015, abs=4 * error)
    # Steps of 1 % in 5 ln(10) / 24 of log time.
    assert walking.parameters["walk"].value == pytest.approx(0.01 / np.sqrt(np.diff(u).mean()), rel=0.05)
    assert walking.parameters["read_noise[0]"].value == pytest.approx(0.02, rel=0.02)


@pytest.mark.slow
def test_the_fitted_device_drifts_as_the_measured_one():
    device = dm.pcm_hermes1(read_noise_scale=0.0)
    target = jnp.linspace(0.2, 1.0, 1000, dtype=jnp.float32) * device.g_max
    written = device.program(target, key=jr.key(0))
    conductance = jax.vmap(lambda t: device.conductance(written, t))(jnp.asarray(TIMES, jnp.float32)).T
    settings = {"t_0": device.t_0, "targets": np.asarray(target), "g_max": device.g_max}
    fit = fit_drift(TIMES, np.asarray(conductance), degree=2, spread_degree=2, **settings)
    assert fit.device.effects == ("drift",)
    g = jnp.linspace(0.25, 0.95, 8)
    # 1000 exponents of spread 0.012, three coefficients: every mean is known to 0.012 sqrt(9 / 1000) or better.
    np.testing.assert_allclose(fit.device.nu_mean(g), device.nu_mean(g), rtol=0, atol=4 * 0.0011)
    np.testing.assert_allclose(fit.device.nu_std(g), device.nu_std(g), rtol=0, atol=4 * 0.0008)


def test_conductances_at_time_zero_stand_for_targets_that_are_not_given():
    target, conductance = cells(np.random.default_rng(5), noise=0.002)
    given, found = fitted(target, conductance), fit_drift(TIMES, conductance, **SETTINGS)
    for name, estimate in given.parameters.items():
        assert estimate.value == pytest.approx(found.parameters[name].value, rel=0.01)


def test_the_figure_shows_exponents_and_the_fall_of_each_cell():
    fit = fitted(*cells(np.random.default_rng(6)))
    exponents, fall = fit.figure().axes[:2]
    assert exponents.get_ylabel() == "Drift exponent" and fall.get_xscale() == "log"
    assert len(exponents.lines[0].get_xdata()) == 300
    assert "nu_std[0]" in fit.report()


@pytest.mark.parametrize(
    "change, says",
    [
        (lambda g: g * 1e6, "Micro-siemens"),
        (lambda g: np.where(g == g.max(), 0.0, g), "a cell at zero shows no exponent. Got 1"),
        (lambda g: np.where(g == g.max(), np.nan, g), "must hold finite numbers"),
        (lambda g: g[:20], "40 cells"),
        (lambda g: g.T, "Transpose?"),
    ],
)
def test_data_that_cannot_be_fitted_are_refused_with_the_remedy(change, says, unchecked):
    _, conductance = cells(np.random.default_rng(7))
    with pytest.raises(ValueError, match=re.escape(says)):
        fit_drift(TIMES, change(conductance), t_0=T_0)


def test_two_times_and_a_reference_at_zero_are_refused(unchecked):
    _, conductance = cells(np.random.default_rng(8))
    with pytest.raises(ValueError, match="3 different times"):
        fit_drift(TIMES[:2], conductance[:, :2], t_0=T_0)
    with pytest.raises(ValueError, match="`t_0` must be positive"):
        fit_drift(TIMES, conductance, t_0=0.0)
