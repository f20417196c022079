"""Phase-change memory follows the published curves, wrappers do what they say, and bad input is refused."""

import functools
import math
import re

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.stats import norm

import device_models as dm
from device_models._cells._pcm import PCMCells
from helpers import DEVICES, PAPERS

HOUR, MONTH, YEAR = 3600.0, 30 * 86400.0, 365.25 * 86400.0
N = 100_000  # samples of each random quantity
STANDARD_ERRORS = 4  # tolerance of each moment; the keys are fixed, so what passes keeps passing
G = np.array([0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 0.75, 0.9, 1.0])  # relative conductances of those samples
TIMES = (0.0, HOUR, MONTH, YEAR)

every_paper = pytest.mark.parametrize("name", PAPERS)


def history(device, target, key, times):
    """Conductance and read noise, each (times, *cells), of one chip."""
    cells = device.program(target, key=key)
    g = [device.conductance(cells, jnp.asarray(t)) for t in times]
    std = [device.read_noise(cells, jnp.asarray(t)) for t in times]
    return jnp.stack(g), jnp.stack([jnp.zeros_like(target) if x is None else x for x in std])  # None: exact reads


def population(device):
    """N targets at each relative conductance of G, (N, len(G))."""
    return jnp.asarray(np.tile(G * device.g_max, (N, 1)), jnp.float32)


@functools.cache
def chip(name):
    """Conductance and read noise at TIMES, in microsiemens, of one chip written to `population`: (times, N, len(G))."""
    device = DEVICES[name]
    return [np.asarray(x) * 1e6 for x in history(device, population(device), jr.key(0), TIMES)]


def targets(device):
    return jnp.linspace(device.g_min, device.g_max, 60)  # none is halfway between two of 16 levels


def assert_moments(samples, mean, std):
    """The mean and standard deviation of N `samples` are these, within STANDARD_ERRORS."""
    samples = samples.astype(np.float64)
    variance, fourth = np.var(samples), np.mean((samples - samples.mean()) ** 4)
    tolerance = STANDARD_ERRORS / math.sqrt(len(samples))
    assert abs(samples.mean() - mean) < tolerance * math.sqrt(variance)
    assert abs(samples.std() - std) < tolerance * math.sqrt((fourth - variance**2) / (4 * variance))


# Phase-change memory against its papers.


@every_paper
def test_write_noise_takes_the_golden_values(name):
    golden = {  # microsiemens at g = 0, 0.25, 0.5, 0.75, 1, worked out from the papers
        "pcm_joshi2020": ([0.2635, 0.6814, 0.9527, 1.0774, 1.0554], 5.1e-5),  # half the last digit
        "pcm_hermes1": ([0.158, 0.614, 0.865, 0.975, 1.008], 5.1e-4),
        "pcm_hermes2": ([0.166, 0.889, 0.991, 0.912, 1.093], 5.1e-4),
    }
    value, half_digit = golden[name]
    got = 1e6 * DEVICES[name].write_noise(jnp.linspace(0.0, 1.0, 5))
    np.testing.assert_allclose(got, value, rtol=0, atol=half_digit)


def test_drift_curves_take_the_golden_values():
    # Worked out from Nandakumar 2019 and Le Gallo 2023, to half of the last digit.
    device, g = DEVICES["pcm_joshi2020"], jnp.asarray([0.02, 0.05, 0.1, 0.2, 0.5, 1.0])
    nu_mean, nu_std = [0.0850, 0.0708, 0.0601, 0.0493, 0.049, 0.049], [0.0430, 0.0315, 0.0229, 0.0142, 0.008, 0.008]
    np.testing.assert_allclose(device.nu_mean(g), nu_mean, rtol=0, atol=5.1e-5)
    np.testing.assert_allclose(device.nu_std(g), nu_std, rtol=0, atol=5.1e-5)
    for name in ("pcm_hermes1", "pcm_hermes2"):
        got = DEVICES[name].nu_mean(jnp.asarray([0.02, 0.05, 0.2, 0.5, 1.0]))
        np.testing.assert_allclose(got, [0.1300, 0.0977, 0.0693, 0.0564, 0.0174], rtol=0, atol=5.1e-5)


@every_paper
def test_curves_are_the_published_ones_over_the_whole_range(name):
    device, paper, g = DEVICES[name], PAPERS[name], np.linspace(0, 1, 997)  # no g where two branches meet
    for curve in ("nu_mean", "nu_std"):
        got = getattr(device, curve)(jnp.asarray(g, jnp.float32))
        np.testing.assert_allclose(got, getattr(paper, curve)(g), rtol=1e-4, atol=1e-7)


@every_paper
def test_written_conductance_is_a_normal_clipped_at_zero(name):
    (written, *_), _ = chip(name)
    mu, sigma = G * PAPERS[name].g_max, PAPERS[name].write_std(G)
    mean = mu * norm.cdf(mu / sigma) + sigma * norm.pdf(mu / sigma)
    square = (mu**2 + sigma**2) * norm.cdf(mu / sigma) + mu * sigma * norm.pdf(mu / sigma)
    for i in range(len(G)):
        assert_moments(written[:, i], mean[i], math.sqrt(square[i] - mean[i] ** 2))
    assert_moments(written[:, 0], sigma[0] / math.sqrt(2 * math.pi), 0.5838 * sigma[0])  # half a normal, by hand


@every_paper
def test_drift_exponent_is_a_normal_folded_at_zero(name):
    (start, _, month, _), _ = chip(name)
    t_0, mu, sigma = PAPERS[name].t_0, PAPERS[name].nu_mean(G), PAPERS[name].nu_std(G)
    mean = sigma * np.sqrt(2 / np.pi) * np.exp(-((mu / sigma) ** 2) / 2) + mu * (1 - 2 * norm.cdf(-mu / sigma))
    for i in range(len(G)):
        living = start[:, i] > 0  # a cell written to zero shows no exponent
        exponent = np.log(start[living, i] / month[living, i]) / math.log((MONTH + t_0) / t_0)
        assert_moments(exponent, mean[i], math.sqrt(mu[i] ** 2 + sigma[i] ** 2 - mean[i] ** 2))


@every_paper
def test_conductance_drifts_with_the_closed_form_slope_from_an_hour_to_a_month(name):
    paper = PAPERS[name]
    mu, sigma = paper.nu_mean(G), paper.nu_std(G)
    start, hour, month, _ = chip(name)[0].astype(np.float64)
    at_hour, at_month = (math.log((t + paper.t_0) / paper.t_0) for t in (HOUR, MONTH))

    # Each cell is on one straight line.
    alive = start > 0
    early, late = np.log(start[alive] / hour[alive]) / at_hour, np.log(start[alive] / month[alive]) / at_month
    np.testing.assert_allclose(early, late, rtol=0, atol=1e-6)

    # The population is not: its mean is that of exp(-x |nu|), nu a normal.
    def mean_left(x):
        falling = np.exp((sigma * x) ** 2 / 2 - mu * x) * norm.cdf(mu / sigma - sigma * x)
        return falling + np.exp((sigma * x) ** 2 / 2 + mu * x) * norm.cdf(-mu / sigma - sigma * x)

    expected = np.log(mean_left(at_month) / mean_left(at_hour)) / (at_month - at_hour)
    slope = np.log(month.mean(0) / hour.mean(0)) / (at_month - at_hour)
    standard_error = (month / month.mean(0) - hour / hour.mean(0)).std(0) / math.sqrt(N) / (at_month - at_hour)
    assert np.all(np.abs(slope - expected) < STANDARD_ERRORS * standard_error)


def test_a_cell_of_exponent_0_049_keeps_half_after_a_year():
    # (3620 / 20)^-0.049 = 0.775 after an hour, 0.497 after a year: Joshi 2020's t_0, by hand.
    cells = PCMCells(jnp.asarray(1.0), jnp.asarray(0.049), jnp.asarray(0.0088))
    left = [DEVICES["pcm_joshi2020"].conductance(cells, jnp.asarray(t)) for t in (HOUR, YEAR)]
    np.testing.assert_allclose(left, [0.775, 0.497], rtol=0, atol=5.1e-4)


@every_paper
def test_relative_read_noise_grows_with_the_root_of_log_time(name):
    paper, (conductance, std) = PAPERS[name], chip(name)
    growth = np.sqrt(np.log((np.array(TIMES) + paper.t_0 + paper.t_read) / (2 * paper.t_read)))[:, None, None]
    np.testing.assert_allclose(std, conductance * paper.q_s(G) * growth, rtol=1e-4)


def test_read_noise_of_joshi2020_has_the_published_size():
    # Per cent of the conductance after 1 s and 1 year, worked out from Nandakumar 2019 to the digits shown.
    target = jnp.asarray([1.0, 0.1]) * 25e-6
    g, std = history(DEVICES["pcm_joshi2020"], target, jr.key(0), (1.0, YEAR))
    np.testing.assert_allclose(100 * std / g, [[3.7, 16.5], [5.0, 22.0]], rtol=0.01)


def test_write_error_drift_and_neighbours_are_independent():
    # The correlation of N independent pairs has standard error 1 / sqrt(N).
    (start, *_, end), _ = chip("pcm_joshi2020")
    start, exponent = start[:, 5], np.log(start[:, 5] / end[:, 5])  # g = 0.5, where no write is clipped
    for a, b in ((start, exponent), (start[1:], start[:-1]), (exponent[1:], exponent[:-1])):
        assert abs(np.corrcoef(a, b)[0, 1]) < STANDARD_ERRORS / math.sqrt(N)


@pytest.mark.parametrize("make", [dm.pcm_joshi2020, dm.pcm_hermes1, dm.pcm_hermes2])
def test_scales_of_zero_make_an_ideal_cell(make):
    device = make(write_noise_scale=0.0, nu_scale=0.0, read_noise_scale=0.0)
    (g,), std = history(device, targets(device), jr.key(0), (YEAR,))
    np.testing.assert_allclose(g, targets(device), rtol=1e-6)
    assert not np.any(std)


# Wrappers.


@pytest.mark.slow
def test_stuck_cells_have_their_fractions_and_stay_still():
    target = jnp.full((N, len(G)), 12.5e-6)  # no working cell is at either end
    (early, late), std = map(np.asarray, history(DEVICES["stuck_cells"], target, jr.key(0), (0.0, YEAR)))
    for stuck_at, p in ((np.float32(25e-6), 0.01), (np.float32(0.0), 0.02)):
        stuck = late == stuck_at
        assert abs(stuck.mean() - p) < STANDARD_ERRORS * math.sqrt(p * (1 - p) / target.size)
        assert np.array_equal(early == stuck_at, stuck)
        assert not np.any(std[:, stuck])


def test_levels_write_only_n_equally_spaced_targets():
    target = np.linspace(1e-6, 25e-6, 997)
    device = dm.Levels(dm.Ideal(g_min=1e-6), n=16)
    written = device.program(jnp.asarray(target, jnp.float32), key=jr.key(0))
    level = (np.asarray(written, np.float64) - 1e-6) / (24e-6 / 15)
    np.testing.assert_allclose(level, np.round(level), rtol=0, atol=1e-4)
    assert set(np.round(level)) == set(range(16))
    assert np.all(np.abs(level - (target - 1e-6) / (24e-6 / 15)) < 0.5001)


def test_gradient_passes_levels_straight_through():
    device = dm.Levels(dm.Ideal(), n=4)
    gradient = jax.grad(lambda target: device.program(target, key=jr.key(0)).sum())(targets(device))
    np.testing.assert_array_equal(gradient, 1.0)


# Bad input, and sources.


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: dm.Ideal(g_min=2e-5, g_max=1e-5), "g_min < g_max"),
        (lambda: dm.Ideal(g_min=1e-5, g_max=1e-5), "g_min < g_max"),
        (lambda: dm.Ideal(g_max=math.nan), "`g_max` must be from 0 to 0.1, in siemens"),
        (lambda: dm.Ideal(g_max=25.0), "Micro-siemens"),
        (lambda: dm.Levels(dm.Ideal(), n=1), "at least 2"),
        (lambda: dm.StuckCells(dm.Ideal(), p_on=2.0), "Percent"),
        (lambda: dm.StuckCells(dm.Ideal(), p_off=-0.1), "`p_off` must be a fraction"),
        (lambda: dm.StuckCells(dm.Ideal(), p_on=0.6, p_off=0.6), "at most 1"),
        (lambda: dm.StuckCells(dm.Ideal(), p_on=math.nan), "`p_on` must be a fraction"),
        (lambda: dm.device("pcm_joshi2002"), "pcm_joshi2020"),
        (lambda: dm.device("?"), "ideal"),
        (lambda: dm.pulsed.pulsed("ecram_tang2019"), "ecram_tang2018"),
    ],
)
def test_bad_input_is_refused_with_its_remedy(make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()
