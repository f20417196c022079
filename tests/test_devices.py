"""Device models keep their shared promises and follow the published curves."""

import math
import re
from collections.abc import Callable
from typing import NamedTuple

import device_models as dm
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from helpers import DEVICES
from scipy.stats import norm

HOUR, MONTH, YEAR = 3600.0, 30 * 86400.0, 365.25 * 86400.0
N = 100_000  # samples of each random quantity
STANDARD_ERRORS = 4  # tolerance of each moment; the keys are fixed, so a pass stays a pass


class Paper(NamedTuple):
    """A published set retyped from its paper, conductances in microsiemens, as functions of g = G / g_max."""

    g_max: float
    t_0: float
    t_read: float
    write_std: Callable
    nu_mean: Callable
    nu_std: Callable
    q_s: Callable


def clipped_log(a, b, low, high):
    return lambda g: np.clip(a * np.log(np.maximum(g, 1e-7)) + b, low, high)


def split(at, below, above):
    return lambda g: np.where(g < at, below(g), above(g))


# Le Gallo et al., Nat. Electron. 2023: the drift mean is common to one and two devices a weight.
hermes_nu_mean = split(
    0.0945, clipped_log(-0.0387, -0.0182, 0.0720, 0.13), lambda g: -0.0436 * g**2 - 0.0126 * g + 0.0736
)
PAPERS = {
    "pcm_joshi2020": Paper(  # Nandakumar et al., ICECS 2019; Joshi et al., Nat. Commun. 11, 2473 (2020)
        25.0,
        20.0,
        250e-9,
        lambda g: 0.26348 + 1.9650 * g - 1.1731 * g**2,
        clipped_log(-0.0155, 0.0244, 0.049, 0.1),
        clipped_log(-0.0125, -0.0059, 0.008, 0.045),
        lambda g: np.minimum(0.0088 / np.maximum(g**0.65, 1e-3), 0.2),
    ),
    "pcm_hermes1": Paper(  # Le Gallo et al., Nat. Electron. 2023, one device a weight
        10.35,
        200.0,
        512e-9,
        lambda g: 0.15781817 + 2.32443916 * g - 2.16310839 * g**2 + 0.68841818 * g**3,
        hermes_nu_mean,
        split(0.3039, clipped_log(-0.0120, -0.0023, 0.0124, 0.04), lambda g: -0.0165 * g**2 + 0.0116 * g + 0.0104),
        split(
            0.1591,
            clipped_log(-0.0078, 0.0038, 0.0179, 0.04),
            lambda g: 0.0664 * g**3 - 0.1352 * g**2 + 0.0768 * g + 0.0088,
        ),
    ),
    "pcm_hermes2": Paper(  # Le Gallo et al., Nat. Electron. 2023, two devices a weight
        20.7,
        300.0,
        512e-9,
        lambda g: 0.16603222 + 4.71806468 * g - 8.48101252 * g**2 + 4.68961419 * g**3,
        hermes_nu_mean,
        split(0.3055, clipped_log(-0.0117, -0.0057, 0.0091, 0.04), lambda g: -0.0118 * g**2 + 0.0093 * g + 0.0073),
        split(
            0.16,
            clipped_log(-0.0117, -0.0069, 0.015, 0.04),
            lambda g: 0.0069 * g**3 - 0.0280 * g**2 + 0.0211 * g + 0.0123,
        ),
    ),
}

every_device = pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES.keys())
every_paper = pytest.mark.parametrize("name", PAPERS)


def targets(device, n=60):
    return jnp.linspace(device.g_min, device.g_max, n)  # 59 steps: no target is halfway between two of 16 levels


def age(device, target, key, t):
    return device.conductance(device.program(target, key=key), jnp.asarray(t))


def microsiemens(x):
    return np.asarray(x, np.float64) * 1e6


def assert_moments(samples, mean, std):
    """The mean and standard deviation of `samples` are these, within STANDARD_ERRORS."""
    deviation = samples - samples.mean()
    std_error = np.sqrt(np.mean(deviation**4) - np.var(samples) ** 2) / (2 * np.std(samples))
    tolerance = STANDARD_ERRORS / math.sqrt(len(samples))
    np.testing.assert_allclose(samples.mean(), mean, rtol=0, atol=tolerance * np.std(samples))
    np.testing.assert_allclose(samples.std(), std, rtol=0, atol=tolerance * std_error)


# Promises that every device shares.


@every_device
def test_one_chip_has_one_history(device):
    cells = device.program(targets(device), key=jr.key(0))
    first = [
        (device.conductance(cells, jnp.asarray(t)), device.read_noise(cells, jnp.asarray(t))) for t in (HOUR, YEAR)
    ]
    again = [
        (device.conductance(cells, jnp.asarray(t)), device.read_noise(cells, jnp.asarray(t))) for t in (YEAR, HOUR)
    ]
    np.testing.assert_array_equal(np.array(first), np.array(again[::-1]))


@every_device
def test_same_key_makes_the_same_chip_and_another_key_another(device):
    one, same, other = (age(device, targets(device), jr.key(seed), YEAR) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert isinstance(device, dm.Ideal) or np.mean(np.asarray(one) != np.asarray(other)) > 0.9


@every_device
def test_a_batch_of_chips_is_the_chips_one_by_one(device):
    keys, target = jr.split(jr.key(0), 3), targets(device).reshape(3, 20)
    batch = jax.vmap(lambda key: age(device, target, key, YEAR))(keys)
    one_by_one = jnp.stack([age(device, target, key, YEAR) for key in keys])
    np.testing.assert_allclose(batch, one_by_one, rtol=1e-5, atol=1e-12)


@every_device
def test_compiled_cells_are_the_eager_cells(device):
    def history(target, key, t):
        cells = device.program(target, key=key)
        return device.conductance(cells, t), device.read_noise(cells, t)

    arguments = targets(device), jr.key(0), jnp.asarray(YEAR)
    np.testing.assert_allclose(jax.jit(history)(*arguments), history(*arguments), rtol=1e-5, atol=1e-12)


@every_device
@pytest.mark.parametrize("output", ["conductance", "read_noise"])
def test_gradient_in_the_target_is_finite_from_zero_to_g_max_after_a_year(device, output):
    def total(target):
        cells = device.program(target, key=jr.key(0))
        return getattr(device, output)(cells, jnp.asarray(YEAR)).sum()

    gradient = jax.grad(total)(targets(device))
    assert np.isfinite(gradient).all()
    assert (output == "read_noise" and isinstance(device, dm.Ideal)) or np.any(np.asarray(gradient) != 0)


@every_device
@pytest.mark.parametrize("t", [0.0, 1.0, HOUR, YEAR, 10 * YEAR])
def test_conductance_and_read_noise_are_finite_and_never_negative(device, t):
    cells = device.program(jnp.tile(targets(device), 100), key=jr.key(0))
    for x in (device.conductance(cells, jnp.asarray(t)), device.read_noise(cells, jnp.asarray(t))):
        assert np.isfinite(x).all() and np.min(x) >= 0


@every_device
@pytest.mark.parametrize("shape", [(), (3, 4, 5)])
def test_cells_come_in_any_shape(device, shape):
    cells = device.program(jnp.full(shape, device.g_max / 2), key=jr.key(0))
    g = device.conductance(cells, jnp.asarray(HOUR))
    assert g.shape == device.read_noise(cells, jnp.asarray(HOUR)).shape == shape
    np.testing.assert_allclose(device.current(g, jnp.full(shape, 0.2)), 0.2 * g, rtol=1e-6)  # all these are ohmic


# Published phase-change memory.

GOLDEN_WRITE = {  # microsiemens at g = 0, 0.25, 0.5, 0.75, 1, computed from the papers of PAPERS
    "pcm_joshi2020": [0.2635, 0.6814, 0.9527, 1.0774, 1.0554],
    "pcm_hermes1": [0.158, 0.614, 0.865, 0.975, 1.008],
    "pcm_hermes2": [0.166, 0.889, 0.991, 0.912, 1.093],
}
NU_G = np.array([0.02, 0.05, 0.1, 0.2, 0.5, 1.0])  # the first five lie where the fits of Joshi 2020 are not yet flat
DRIFT_MEAN, DRIFT_STD = [0.0850, 0.0708, 0.0601, 0.0493, 0.0490, 0.0490], [0.0430, 0.0315, 0.0229, 0.0142, 0.008, 0.008]


@every_paper
def test_write_noise_takes_the_golden_values(name):
    got = microsiemens(DEVICES[name].write_noise(jnp.linspace(0.0, 1.0, 5)))
    np.testing.assert_allclose(got, GOLDEN_WRITE[name], rtol=0, atol=5.1e-4)  # half the third decimal


def test_drift_curves_take_the_golden_values():
    g, hermes_g = jnp.asarray(NU_G, jnp.float32), jnp.asarray([0.02, 0.05, 0.2, 0.5, 1.0])
    device, digit = DEVICES["pcm_joshi2020"], 5.1e-5
    np.testing.assert_allclose(device.nu_mean(g), DRIFT_MEAN, rtol=0, atol=digit)
    np.testing.assert_allclose(device.nu_std(g), DRIFT_STD, rtol=0, atol=digit)
    for name in ("pcm_hermes1", "pcm_hermes2"):
        got = DEVICES[name].nu_mean(hermes_g)
        np.testing.assert_allclose(got, [0.1300, 0.0977, 0.0693, 0.0564, 0.0174], rtol=0, atol=digit)


@every_paper
def test_written_conductance_is_a_normal_clipped_at_zero(name):
    device, paper = DEVICES[name], PAPERS[name]
    g = np.array([0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0])
    target = jnp.asarray(np.tile(g * paper.g_max * 1e-6, (N, 1)), jnp.float32)
    written = microsiemens(age(device, target, jr.key(1), 0.0))
    mu, sigma = g * paper.g_max, paper.write_std(g)
    mean = mu * norm.cdf(mu / sigma) + sigma * norm.pdf(mu / sigma)
    square = (mu**2 + sigma**2) * norm.cdf(mu / sigma) + mu * sigma * norm.pdf(mu / sigma)
    for i in range(len(g)):
        assert_moments(written[:, i], mean[i], np.sqrt(square[i] - mean[i] ** 2))
    assert_moments(written[:, 0], sigma[0] / np.sqrt(2 * np.pi), 0.5838 * sigma[0])  # half a normal, by hand


@every_paper
def test_drift_exponent_is_a_normal_folded_at_zero(name):
    device, paper = DEVICES[name], PAPERS[name]
    exponent = drift_exponents(device, paper, NU_G, HOUR)
    mu, sigma = paper.nu_mean(NU_G), paper.nu_std(NU_G)
    mean = sigma * np.sqrt(2 / np.pi) * np.exp(-((mu / sigma) ** 2) / 2) + mu * (1 - 2 * norm.cdf(-mu / sigma))
    for i in range(len(NU_G)):
        # A cell written to zero has no exponent; the write and the exponent are independent, so dropping it is fair.
        samples = exponent[:, i][np.isfinite(exponent[:, i])]
        assert len(samples) > N / 2
        assert_moments(samples, mean[i], np.sqrt(mu[i] ** 2 + sigma[i] ** 2 - mean[i] ** 2))


def drift_exponents(device, paper, g, t):
    """The power law's exponent of N cells at each g, from a read at 0 and one at `t`; NaN for a cell at zero."""
    target = jnp.asarray(np.tile(g * paper.g_max * 1e-6, (N, 1)), jnp.float32)
    cells = device.program(target, key=jr.key(2))
    start, end = (microsiemens(device.conductance(cells, jnp.asarray(x))) for x in (0.0, t))
    ratio = np.divide(end, start, out=np.full_like(start, np.nan), where=start > 0)
    return -np.log(ratio) / math.log((t + paper.t_0) / paper.t_0)


@every_paper
def test_each_cell_drifts_along_one_power_law(name):
    early, late = (drift_exponents(DEVICES[name], PAPERS[name], np.array([0.5]), t) for t in (HOUR, MONTH))
    np.testing.assert_allclose(early, late, rtol=0, atol=1e-6)


@every_paper
@pytest.mark.parametrize("g", [0.1, 0.5, 1.0])
def test_mean_conductance_drifts_with_the_closed_form_slope_from_an_hour_to_a_month(name, g):
    device, paper = DEVICES[name], PAPERS[name]
    mu, sigma = paper.nu_mean(g), paper.nu_std(g)
    decades = np.log((np.array([HOUR, MONTH]) + paper.t_0) / paper.t_0)

    def folded_normal_laplace(x):  # mean of exp(-x |nu|)
        falling = np.exp((sigma * x) ** 2 / 2 - mu * x) * norm.cdf(mu / sigma - sigma * x)
        return falling + np.exp((sigma * x) ** 2 / 2 + mu * x) * norm.cdf(-mu / sigma - sigma * x)

    cells = device.program(jnp.full((N,), g * device.g_max), key=jr.key(3))
    conductances = [microsiemens(device.conductance(cells, jnp.asarray(t))) for t in (HOUR, MONTH)]
    slope = np.log(conductances[1].mean() / conductances[0].mean()) / np.diff(decades)
    influence = conductances[1] / conductances[1].mean() - conductances[0] / conductances[0].mean()
    tolerance = STANDARD_ERRORS * influence.std() / math.sqrt(N) / np.diff(decades)
    expected = np.diff(np.log(folded_normal_laplace(decades))) / np.diff(decades)
    assert abs(slope - expected) < tolerance


def test_a_cell_of_exponent_0_049_keeps_half_after_a_year():
    # Reference values: (3620 / 20)^-0.049 = 0.775 after an hour, 0.497 after a year (Joshi 2020, t_0 = 20 s).
    device = DEVICES["pcm_joshi2020"]
    cells = dm.PCMCells(jnp.asarray(1e-5), jnp.asarray(0.049), jnp.asarray(0.0088))
    left = [float(device.conductance(cells, jnp.asarray(t))) / 1e-5 for t in (HOUR, YEAR)]
    np.testing.assert_allclose(left, [0.775, 0.497], rtol=0, atol=5.1e-4)


@every_paper
def test_relative_read_noise_grows_with_the_root_of_log_time(name):
    device, paper, g = DEVICES[name], PAPERS[name], np.array([0.0, 0.01, 0.05, 0.1, 0.3, 0.5, 0.75, 1.0])
    cells = device.program(jnp.asarray(np.tile(g * paper.g_max * 1e-6, (50, 1)), jnp.float32), key=jr.key(4))
    for t in (1.0, HOUR, MONTH, YEAR):
        growth = math.sqrt(math.log((t + paper.t_0 + paper.t_read) / (2 * paper.t_read)))
        conductance = np.asarray(device.conductance(cells, jnp.asarray(t)))
        got = device.read_noise(cells, jnp.asarray(t))
        np.testing.assert_allclose(got, conductance * paper.q_s(g) * growth, rtol=1e-4)


@pytest.mark.parametrize("g, percent", [(1.0, [3.7, 5.0]), (0.1, [16.5, 22.0])])
def test_read_noise_of_joshi2020_takes_the_published_size(g, percent):
    # Computed from Joshi 2020 for 1 s and 1 year, to the digits shown.
    cells = DEVICES["pcm_joshi2020"].program(jnp.asarray(g * 25e-6), key=jr.key(0))
    got = [DEVICES["pcm_joshi2020"].read_noise(cells, jnp.asarray(t)) for t in (1.0, YEAR)]
    mean = [DEVICES["pcm_joshi2020"].conductance(cells, jnp.asarray(t)) for t in (1.0, YEAR)]
    np.testing.assert_allclose(100 * np.array(got) / np.array(mean), percent, rtol=0.01)


def test_write_error_drift_and_neighbours_are_independent():
    # The correlation of N independent pairs has standard error 1 / sqrt(N).
    device, key = DEVICES["pcm_joshi2020"], jr.key(5)
    start, end = (microsiemens(age(device, jnp.full((N,), 12.5e-6), key, t)) for t in (0.0, YEAR))
    exponent = np.log(start / end)
    for a, b in ((start, exponent), (start[1:], start[:-1]), (exponent[1:], exponent[:-1])):
        assert abs(np.corrcoef(a, b)[0, 1]) < STANDARD_ERRORS / math.sqrt(N)


@pytest.mark.parametrize("make", [dm.pcm_joshi2020, dm.pcm_hermes1, dm.pcm_hermes2])
def test_scales_of_zero_make_an_ideal_cell(make):
    device = make(write_noise_scale=0.0, nu_scale=0.0, read_noise_scale=0.0)
    cells = device.program(targets(device), key=jr.key(0))
    np.testing.assert_allclose(device.conductance(cells, jnp.asarray(YEAR)), targets(device), rtol=1e-6)
    assert np.all(np.asarray(device.read_noise(cells, jnp.asarray(YEAR))) == 0)


# Wrappers.


def test_stuck_cells_have_their_fractions_and_stay_still():
    device, n = DEVICES["stuck_cells"], 200_000
    cells = device.program(jnp.full((n,), 12.5e-6), key=jr.key(6))
    for stuck_at, p in ((np.float32(25e-6), 0.01), (np.float32(0.0), 0.02)):
        early, late = (np.asarray(device.conductance(cells, jnp.asarray(t))) == stuck_at for t in (0.0, YEAR))
        assert abs(late.mean() - p) < STANDARD_ERRORS * math.sqrt(p * (1 - p) / n)
        assert np.array_equal(early, late)
        assert np.all(np.asarray(device.read_noise(cells, jnp.asarray(YEAR)))[late] == 0)


def test_levels_write_only_n_equally_spaced_targets():
    device = dm.Levels(dm.Ideal(g_min=1e-6), n=16)
    target = jnp.linspace(1e-6, 25e-6, 997)
    written = np.asarray(device.program(target, key=jr.key(0)), np.float64)
    steps = (written - 1e-6) / (24e-6 / 15)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-4)
    assert set(np.round(steps)) == set(range(16))
    assert np.max(np.abs(written - np.asarray(target))) < 24e-6 / 30 * 1.0001


def test_gradient_passes_levels_straight_through():
    device = dm.Levels(dm.Ideal(), n=4)
    gradient = jax.grad(lambda target: device.program(target, key=jr.key(0)).sum())(targets(device))
    np.testing.assert_array_equal(gradient, 1.0)


# Bad input and sources.


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: dm.Ideal(g_min=2e-5, g_max=1e-5), "g_min < g_max"),
        (lambda: dm.Ideal(g_min=1e-5, g_max=1e-5), "g_min < g_max"),
        (lambda: dm.Ideal(g_min=-1e-6), "g_min < g_max"),
        (lambda: dm.Ideal(g_max=25.0), "Micro-siemens"),
        (lambda: dm.Ideal(g_max=math.nan), "g_min < g_max"),
        (lambda: dm.Levels(dm.Ideal(), n=1), "at least 2"),
        (lambda: dm.StuckCells(dm.Ideal(), p_on=2.0), "Percent"),
        (lambda: dm.StuckCells(dm.Ideal(), p_off=-0.1), "probabilities"),
        (lambda: dm.StuckCells(dm.Ideal(), p_on=0.6, p_off=0.6), "at most 1"),
        (lambda: dm.StuckCells(dm.Ideal(), p_on=math.nan), "probabilities"),
        (lambda: dm.device("pcm_joshi2002"), "pcm_joshi2020"),
        (lambda: dm.device("?"), "ideal"),
    ],
)
def test_bad_input_is_refused_with_its_remedy(make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()


@pytest.mark.parametrize("name", dm.DEVICES)
def test_every_catalogue_number_has_a_unit_and_a_place(name):
    entry = dm.device(name)
    assert isinstance(entry.make(), dm.AbstractDevice)
    assert entry.numbers or name == "ideal"
    for number in entry.numbers.values():
        assert isinstance(number, dm.Sourced) and np.isfinite(number.value).all()
        assert number.unit in {"S", "s", "1"}
        assert re.search(r"\b10\.\d{4}/\S", number.where), "a place names its paper by DOI"
