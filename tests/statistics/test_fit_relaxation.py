"""Relaxation fitted to cells: the law that made them is found, and half of the cells tell how the others are spread."""

import dataclasses
import functools
import re

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
from device_models.fit import fit_relaxation
from device_models.fit._jump_moments import JumpLaw, moments

pytestmark = pytest.mark.slow  # minutes together

TIMES = np.array([0.0, 0.01, 0.3, 10.0, 1e3, 1e5])
AT = (0.3, 0.6, 1.0)
QUANTILES = (0.02, 0.05, 0.25, 0.5, 0.75, 0.95, 0.98)


def truth(**path):
    """Cells of up to 40 uS that fall by up to 2 uS and spread by up to 2.5 uS, far from zero."""
    onset, ages = 0.01, (0.01, 1e5)
    low, high = (0.5e-6, 0.4e-6, 0.3e-6), (2.0e-6, 2.5e-6, 1.5e-6)
    shift = dm.curves.Table(AT, (0.0, 0.0, 0.0)), dm.curves.Table(AT, (0.5e-6, -1e-6, -2e-6))
    jumps = {"rate": 0.15, "unevenness": 2.0, "healing": 0.03, "own": 0.15, "lean": -0.3} | path
    return dm.Gaussian(
        12e-6,
        40e-6,
        write_noise=dm.curves.Constant(0.3e-6),
        shift=dm.ageing.Growth(ages, shift, onset),
        spread=dm.ageing.Growth(ages, (dm.curves.Table(AT, low), dm.curves.Table(AT, high)), onset, power=2),
        path=dm.ageing.Jumps(onset, **jumps),
    )


@eqx.filter_jit
def read(device, target, key):
    cells = device.program(target, key=key)
    return jax.lax.map(lambda t: device.conductance(cells, t), jnp.asarray(TIMES, jnp.float32)).T


@functools.cache
def measured(n=8000, seed=0):
    """Targets and reads of `n` cells, a tenth of which were not read at 10 s."""
    target = np.random.default_rng(seed).uniform(12e-6, 40e-6, n)
    g = np.asarray(read(truth(), jnp.asarray(target, jnp.float32), jr.key(seed)), np.float64)
    g[::10, 3] = np.nan
    return target, g


@functools.cache
def fitted():
    target, g = measured()
    return fit_relaxation(TIMES, g, targets=target, knots=AT, bands=2, g_min=12e-6, g_max=40e-6)


def test_the_law_that_made_the_cells_is_found():
    parameters = fitted().parameters
    expected = {"onset": 0.01, "unevenness": 2.0, "healing": 0.03, "write_noise": 0.3e-6}
    expected |= {f"{name}[{b}]": v for name, v in (("rate", 0.15), ("own", 0.15), ("lean", -0.3)) for b in (0, 1)}
    expected |= {f"spread[4,{j}]": v for j, v in enumerate((2.0e-6, 2.5e-6, 1.5e-6))}
    expected |= {f"shift[4,{j}]": v for j, v in enumerate((0.5e-6, -1e-6, -2e-6))}
    for name, value in expected.items():
        found = parameters[name]
        std = (found.high - found.low) / (2 * 1.96)
        assert abs(found.value - value) < 4 * std, f"{name}: {found}"
        assert std < 0.7 * abs(value), name  # the data do say something of it


def test_the_fitted_device_is_spread_as_cells_that_were_not_fitted():
    target, g = measured()
    half = np.arange(len(target)) % 2 == 0
    fit = fit_relaxation(TIMES, g[half], targets=target[half], knots=AT, bands=2, g_min=12e-6, g_max=40e-6)
    sample = np.asarray(read(fit.device, jnp.asarray(target[~half], jnp.float32), jr.key(9)), np.float64)
    for age in (2, 4, 5):
        found, held_out = (np.quantile(x[:, age] - x[:, 0], QUANTILES) for x in (sample, g[~half]))
        spread = np.std(g[~half][:, age] - g[~half][:, 0])
        # 4000 cells: a quantile of 2 % is known to 0.13 of a spread, of 25 % to 0.02.
        np.testing.assert_allclose(found, held_out, rtol=0, atol=0.3 * spread)
        np.testing.assert_allclose(found[2:5], held_out[2:5], rtol=0, atol=0.06 * spread)
    of_both = [np.corrcoef((x - x[:, :1])[:, [1, 2, 4, 5]].T) for x in (sample, g[~half])]
    np.testing.assert_allclose(of_both[0], of_both[1], rtol=0, atol=0.1)


def test_a_right_law_is_not_rejected_and_one_that_keeps_ranks_is_seen():
    assert fitted().goodness.adequate
    target, _ = measured()
    kept = dataclasses.replace(truth(), path=dm.ageing.Keep())
    g = np.asarray(read(kept, jnp.asarray(target, jnp.float32), jr.key(1)), np.float64)
    fit = fit_relaxation(TIMES, g, targets=target, knots=AT, bands=2, g_min=12e-6, g_max=40e-6)
    assert not fit.goodness.adequate
    assert fit.goodness.tests["correlations between ages"] < 1e-6


def test_the_moments_are_those_of_simulated_shot_noise():
    law, times, n = JumpLaw(0.01, 0.05, 2.0, 0.2, 0.1, -0.4), TIMES[1:], 400_000
    rng, u = np.random.default_rng(0), np.log1p(times / 0.01)
    rate = law.rate * (1 + law.unevenness) * rng.random(n) ** law.unevenness
    z = np.zeros((len(times), n))
    count = rng.poisson(rate * u[-1])
    for k in range(count.max()):
        at, life = rng.uniform(0, u[-1], n), rng.exponential(1 / law.healing, n)
        size = law.lean + np.sqrt(1 - law.lean**2) * np.sqrt(3) * rng.uniform(-1, 1, (4, n)).sum(0) / 2
        z += size * ((k < count) & (at < u[:, None]) & (u[:, None] < at + life))
    z = (z - z.mean(1, keepdims=True)) / z.std(1, keepdims=True)
    z = np.sqrt(1 - law.own) * z + np.sqrt(law.own) * rng.standard_normal(z.shape)
    found = moments(law, times)
    np.testing.assert_allclose(np.corrcoef(z), found.correlation, rtol=0, atol=0.02)
    np.testing.assert_allclose((z**3).mean(1), found.skewness, rtol=0.05)
    np.testing.assert_allclose((z**4).mean(1), found.kurtosis, rtol=0.08)


def test_reads_stand_for_targets_that_are_not_given_and_the_device_is_saved(tmp_path):
    _, g = measured()
    fit = fit_relaxation(TIMES, g, knots=4, bands=1, g_max=40e-6)
    assert "write_noise" not in fit.parameters and fit.device.write_noise is None
    dm.fit.save_device(tmp_path / "cells.json", fit.device, provenance=fit.provenance())
    again = dm.fit.load_device(tmp_path / "cells.json")
    assert again == fit.device


def test_the_figure_and_the_report_tell_of_spread_and_correlations():
    fit = fitted()
    mean, spread, correlation = fit.figure().axes[:3]
    assert "deviation" in mean.get_ylabel() and "std" in spread.get_ylabel()
    assert len(correlation.lines[0].get_xdata()) == 2 * 10  # pairs of five ages in two bands
    assert "healing" in fit.report() and fit.goodness.n == 8000


@pytest.mark.parametrize(
    "change, says",
    [
        (lambda t, g: (t, g * 1e6), "Micro-siemens"),
        (lambda t, g: (t, g.T), "Transpose?"),
        (lambda t, g: (t[1:], g[:, 1:]), "`times` must begin at 0"),
        (lambda t, g: (t[:3], g[:, :3]), "At least 4 times"),
        (lambda t, g: (t, np.where(np.arange(6) == 0, np.nan, g)), "every cell at time 0. Got 8000 without"),
        (lambda t, g: (t, g[:60]), "At least 100 cells"),
        (lambda t, g: (t, np.repeat(g[:, :1], 6, axis=1)), "Cells must move"),
        (lambda t, g: (t, np.where(np.arange(6) == 4, np.nan, g)), "At least 10 cells are needed about each knot"),
    ],
)
def test_data_that_cannot_be_fitted_are_refused_with_the_remedy(change, says, unchecked):
    target, g = measured()
    times, changed = change(TIMES, g)
    with pytest.raises(ValueError, match=re.escape(says)):
        fit_relaxation(times, changed, targets=target[: len(changed)], knots=AT, bands=2, g_max=40e-6)


@pytest.mark.slow
def test_intervals_hold_the_truth_about_as_often_as_they_say():
    # 60 fits of 4000 cells: counts from 52 to 59 when this was written. The sample kurtosis of a heavy tail is low on
    # average and looks better known than it is, so 95 % are not asked of what follows it.
    device, hits, n = truth(), {}, 60
    expected = {"onset": 0.01, "healing": 0.03, "own[0]": 0.15, "spread[4,1]": 2.5e-6, "shift[4,1]": -1e-6}
    rough = {"unevenness": 2.0, "rate[0]": 0.15, "lean[0]": -0.3}
    for seed in range(100, 100 + n):
        target = np.random.default_rng(seed).uniform(12e-6, 40e-6, 4000)
        g = np.asarray(read(device, jnp.asarray(target, jnp.float32), jr.key(seed)), np.float64)
        fit = fit_relaxation(TIMES, g, targets=target, knots=AT, bands=1, g_min=12e-6, g_max=40e-6)
        for name, value in (expected | rough).items():
            hits[name] = hits.get(name, 0) + fit.parameters[name].holds(value)
    error = np.sqrt(0.95 * 0.05 / n)
    assert all(hits[name] / n > 0.95 - 3 * error for name in expected), hits
    assert all(hits[name] / n > 0.80 for name in rough), hits
