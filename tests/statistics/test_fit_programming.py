"""Write noise fitted to measurements: intervals hold the truth, and wrong models are seen."""

import re

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.stats import chi2

import device_models as dm
from device_models.fit import fit_programming
from fits import assert_covered

G_MAX = 25e-6
LEVELS = np.linspace(0.5e-6, G_MAX, 16)  # write noise is half of the lowest: a third of a per cent is clipped there
NOISE = (0.26348e-6, 1.9650e-6, -1.1731e-6)  # Nandakumar 2019, in siemens
TRUTH = {f"write_noise[{i}]": c for i, c in enumerate(NOISE)}


def writes(rng, cells=40, levels=LEVELS, noise=NOISE, offset=0.0):
    std = np.polynomial.polynomial.polyval(levels / G_MAX, noise)
    return levels, np.maximum(levels + offset + std * rng.normal(size=(cells, len(levels))), 0.0)


@pytest.mark.slow
def test_intervals_of_the_write_noise_hold_the_truth():
    rng = np.random.default_rng(0)
    assert_covered(fit_programming, lambda: writes(rng), TRUTH)


@pytest.mark.slow
def test_intervals_hold_where_half_of_the_writes_are_clipped():
    rng = np.random.default_rng(1)
    levels = np.concatenate([np.linspace(0.0, 0.5e-6, 8), np.linspace(1e-6, G_MAX, 8)])
    truth = {"write_noise[0]": 0.3e-6, "write_noise[1]": 0.8e-6}
    assert_covered(
        lambda *data: fit_programming(*data, degree=1),
        lambda: writes(rng, levels=levels, noise=tuple(truth.values())),
        truth,
    )


@pytest.mark.slow
def test_intervals_hold_for_errors_that_are_no_normals():
    # A Laplace distribution has kurtosis 6, a normal 3: intervals of a normal's information are 1.6 times too narrow.
    rng = np.random.default_rng(2)

    def heavy():
        return LEVELS, np.maximum(LEVELS + 0.2e-6 * rng.laplace(scale=0.5**0.5, size=(40, 16)), 0.0)

    hits = [fit_programming(*heavy(), degree=0).parameters["write_noise[0]"].holds(0.2e-6) for _ in range(200)]
    assert abs(np.mean(hits) - 0.95) < 3 * np.sqrt(0.95 * 0.05 / 200)


def test_a_constant_noise_is_the_root_mean_square_error_with_its_chi_square_interval():
    rng = np.random.default_rng(3)
    levels = np.linspace(5e-6, G_MAX, 16)
    _, measured = writes(rng, levels=levels, noise=(0.5e-6,))
    estimate = fit_programming(levels, measured, degree=0).parameters["write_noise[0]"]
    n, square = measured.size, np.sum((measured - levels) ** 2)
    np.testing.assert_allclose(estimate.value, np.sqrt(square / n), rtol=1e-6)
    # The sandwich of 640 errors is known to a few per cent.
    exact = np.sqrt(square / chi2.ppf([0.975, 0.025], n))
    np.testing.assert_allclose([estimate.low, estimate.high], exact, rtol=0, atol=0.1 * (exact[1] - exact[0]))


def test_a_systematic_offset_is_found_as_by_a_weighted_polynomial_fit():
    rng = np.random.default_rng(4)
    levels = np.linspace(5e-6, G_MAX, 16)
    _, measured = writes(rng, levels=levels, noise=(0.5e-6,), offset=0.1e-6 + 0.2e-6 * levels / G_MAX)
    fit = fit_programming(levels, measured, degree=0, offset_degree=1)
    slope, constant = np.polyfit(np.tile(levels / G_MAX, 40), (measured - levels).ravel(), 1)
    np.testing.assert_allclose(fit.parameters["offset[0]"].value, constant, rtol=1e-5)
    np.testing.assert_allclose(fit.parameters["offset[1]"].value, slope, rtol=1e-5)
    assert fit.goodness.adequate
    assert not fit_programming(levels, measured, degree=0).goodness.adequate


def test_a_spread_that_depends_on_the_target_rejects_a_constant_one():
    fit = fit_programming(*writes(np.random.default_rng(5)), degree=0)
    assert not fit.goodness.adequate
    assert fit.goodness.tests["spread against target"] < 1e-6
    assert "reject" in fit.report()


@pytest.mark.slow
def test_the_fitted_device_writes_as_the_measured_one():
    measured = dm.pcm_joshi2020()
    target = jnp.asarray(np.tile(LEVELS, (2000, 1)), jnp.float32)
    cells = measured.program(target, key=jr.key(0))
    fit = fit_programming(np.asarray(target), np.asarray(cells.g_written), g_max=G_MAX)
    assert fit.goodness.adequate
    assert fit.device.effects == ("write noise",)
    g = jnp.linspace(0.02, 1.0, 50)
    # 32 000 writes know the spread at any one of 16 levels to 1 / sqrt(4000) = 1.6 %, and a parabola better.
    np.testing.assert_allclose(fit.device.write_noise(g), measured.write_noise(g), rtol=0.05)
    assert (fit.device.g_min, fit.device.g_max) == (pytest.approx(0.5e-6), G_MAX)


def test_the_figure_and_the_report_show_the_fit():
    fit = fit_programming(*writes(np.random.default_rng(6)))
    (error, spread), (below, _) = np.reshape(fit.figure().axes, (2, 2))
    assert "µS" in error.get_ylabel() and "Residual" in below.get_ylabel()
    std = np.polynomial.polynomial.polyval(1.0, [fit.parameters[name].value for name in TRUTH])
    np.testing.assert_allclose(spread.lines[1].get_ydata()[-1], 1e6 * std)
    for name, estimate in fit.parameters.items():
        assert name in fit.report() and f"{estimate.value:.5g}" in fit.report()


@pytest.mark.parametrize(
    "change, says",
    [
        (lambda t, m: (t * 1e6, m * 1e6), "Micro-siemens"),
        (lambda t, m: (t, np.where(m == m.max(), np.nan, m)), "`measured` must hold finite numbers. Got 1 of 640"),
        (lambda t, m: (t[:2], m[:, :2]), "3 different targets"),
        (lambda t, m: (t, m[:1]), "30 writes"),
        (lambda t, m: (t, np.broadcast_to(t, m.shape)), "no spread to fit"),
    ],
)
def test_data_that_cannot_be_fitted_are_refused_with_the_remedy(change, says, unchecked):
    with pytest.raises(ValueError, match=re.escape(says)):
        fit_programming(*change(*writes(np.random.default_rng(7))))


def test_a_spread_that_turns_negative_where_nothing_was_measured_is_refused():
    levels = np.linspace(20e-6, G_MAX, 16)
    _, measured = writes(np.random.default_rng(8), levels=levels, noise=(-2e-6, 2.7e-6))
    with pytest.raises(ValueError, match="must be positive over the whole range"):
        fit_programming(levels, measured, degree=1, g_min=0.0)
    assert fit_programming(levels, measured, degree=1).device.g_min == levels[0]
