"""Noise processes have unit variance, the spectra and dwell times of their laws, and steps that add up."""

import itertools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.stats import kstest

import device_models as dm

pytestmark = pytest.mark.slow  # minutes together

PROCESSES = {
    "white": dm.noise.White(),
    "flicker": dm.noise.Flicker(f_low=0.1, f_high=1e3),
    "telegraph": dm.noise.Telegraph(tau_low=1e-3, tau_high=1.0),
    "telegraph_rare": dm.noise.Telegraph(tau_low=1e-3, tau_high=1.0, occupancy=0.1),
    "mixture": dm.noise.Mixture((dm.noise.White(), dm.noise.Flicker(f_low=1.0, f_high=1e2)), (0.3, 0.7)),
}
every_process = pytest.mark.parametrize("process", PROCESSES.values(), ids=PROCESSES.keys())
STANDARD_ERRORS = 4
CELLS = 40_000


@eqx.filter_jit
def record(process, cells, steps, dt, key):
    """Values (steps, cells) of as many cells, `dt` apart."""
    first, rest = jr.split(key)

    def one(state, key):
        return process.advance(state, dt, key=key), process.value(state)

    return jax.lax.scan(one, process.initial((cells,), key=first), jr.split(rest, steps))[1]


@every_process
def test_mean_is_zero_and_variance_one_at_the_start_and_later(process):
    values = np.asarray(record(process, CELLS, 4, jnp.asarray(0.02), jr.key(0)), np.float64)
    for x in (values[0], values[-1]):
        fourth = np.mean(x**4)  # of independent cells
        assert abs(x.mean()) < STANDARD_ERRORS / math.sqrt(CELLS)
        assert abs(np.mean(x**2) - 1) < STANDARD_ERRORS * math.sqrt(max(fourth - 1, 1e-3) / CELLS)


@every_process
@pytest.mark.parametrize("dt", [1e-3, 0.1])
def test_correlation_is_that_of_the_closed_form(process, dt):
    # Three steps of any size have the memory of one of three times the size: steps add up.
    first, *_, last = np.asarray(record(process, CELLS, 4, jnp.asarray(dt), jr.key(1)), np.float64)
    expected = float(process.correlation(jnp.asarray(3 * dt)))
    products = first * last
    assert abs(products.mean() - expected) < STANDARD_ERRORS * products.std() / math.sqrt(CELLS)


@every_process
def test_correlation_begins_at_one(process):
    assert float(process.correlation(jnp.asarray(0.0))) == pytest.approx(1.0, abs=1e-6)


def test_spectrum_of_flicker_noise_falls_as_one_over_f_over_three_decades():
    # 64 records of 32768 steps of 1 ms. A bin of the periodogram averages 64 exponential values, a band of n bins 64 n:
    # relative standard error 1 / sqrt(64 n). The law of a sampled record is that of its correlation, aliases included.
    dt, steps, cells = 1e-3, 2**15, 64
    process = dm.noise.Flicker(f_low=0.01, f_high=400.0)
    values = np.asarray(record(process, cells, steps, dt, jr.key(2)), np.float64)
    power = np.mean(np.abs(np.fft.rfft(values, axis=0)) ** 2, axis=1) * 2 * dt / steps
    lags = np.asarray(process.correlation(jnp.arange(steps, dtype=jnp.float32) * dt), np.float64) * (
        1 - np.arange(steps) / steps
    )
    expected = 2 * dt * (2 * np.fft.rfft(lags).real - 1)
    f = np.fft.rfftfreq(steps, dt)
    edges = np.geomspace(0.1, 100.0, 13)  # quarter decades
    bands = [(f >= low) & (f < high) for low, high in itertools.pairwise(edges)]
    level, law = (np.array([x[band].mean() for band in bands]) for x in (power, expected))
    standard_error = 1 / np.sqrt([cells * band.sum() for band in bands])
    assert np.all(np.abs(level / law - 1) < STANDARD_ERRORS * standard_error + 0.01)
    middle = np.array([f[band].mean() for band in bands])
    assert np.polyfit(np.log(middle), np.log(level), 1)[0] == pytest.approx(-1.0, abs=0.03)


def test_dwell_times_of_a_trap_are_exponential_with_their_means():
    # One trap of 10 ms, filled for a quarter of the time: filled 13.3 ms, empty 40 ms on average.
    process, dt = dm.noise.Telegraph(tau_low=1e-2, tau_high=1.0001e-2, occupancy=0.25), 2e-4
    values = np.asarray(record(process, 50, 20_000, dt, jr.key(3)))
    for filled, mean in ((True, 1e-2 / 0.75), (False, 1e-2 / 0.25)):
        dwells = np.concatenate([runs(column < 0, filled) for column in values.T]) * dt
        assert len(dwells) > 1000
        # A record of steps sees a dwell plus up to one step: its law is geometric, not exponential, below 10 steps.
        assert abs(dwells.mean() - mean) < STANDARD_ERRORS * mean / math.sqrt(len(dwells)) + dt
        jittered = dwells - dt * np.random.default_rng(0).uniform(size=len(dwells))
        assert kstest(jittered, "expon", args=(0, mean)).pvalue > 1e-3


def runs(on, which):
    """Lengths of the whole runs of `which` in a boolean record, without those at its ends."""
    changes = np.flatnonzero(np.diff(on.astype(int))) + 1
    return np.array([b - a for a, b in itertools.pairwise(changes) if on[a] == which])


def test_steps_of_traps_are_uneven_at_the_same_variance():
    """Log-normal steps of 0.3: a mean square of one, a mean fourth power of exp(4 * 0.3^2)."""
    process, n = dm.noise.Telegraph(1e-3, 1.0, spread=0.3), 200_000
    value = np.asarray(process.value(process.initial((n,), key=jr.key(0))), np.float64)
    for power, expected in ((2, 1.0), (4, math.exp(0.36))):
        assert abs((value**power).mean() - expected) < 5 * (value**power).std() / math.sqrt(n)
    even = dm.noise.Telegraph(1e-3, 1.0)
    np.testing.assert_array_equal(np.sign(value), even.value(even.initial((n,), key=jr.key(0))))


def test_relaxation_times_of_traps_are_log_uniform_and_stay():
    process = PROCESSES["telegraph"]
    state = process.initial((CELLS,), key=jr.key(4))
    assert kstest(np.log10(np.asarray(state.tau)), "uniform", args=(-3, 3)).pvalue > 1e-3
    np.testing.assert_array_equal(process.advance(state, 0.1, key=jr.key(5)).tau, state.tau)


@pytest.mark.parametrize("occupancy", [0.5, 0.1])
def test_a_trap_has_two_values_of_mean_zero_and_variance_one(occupancy):
    process = dm.noise.Telegraph(1e-3, 1.0, occupancy)
    low, high = (float(process.value(dm.noise.Traps(jnp.asarray(1.0), jnp.asarray(on)))) for on in (True, False))
    assert occupancy * low + (1 - occupancy) * high == pytest.approx(0.0, abs=1e-6)
    assert occupancy * low**2 + (1 - occupancy) * high**2 == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: dm.noise.Flicker(f_low=10.0, f_high=1.0), "f_low < f_high"),
        (lambda: dm.noise.Flicker(f_low=1.0, f_high=10.0, per_decade=0), "at least 1"),
        (lambda: dm.noise.Telegraph(tau_low=0.0, tau_high=1.0), "`tau_low` must be positive"),
        (lambda: dm.noise.Telegraph(tau_low=1e-3, tau_high=1.0, occupancy=50.0), "Percent"),
        (lambda: dm.noise.Mixture((dm.noise.White(),), (0.5,)), "their sum 1"),
        (lambda: dm.noise.Mixture((dm.noise.White(),), (0.5, 0.5)), "one of `shares` for each"),
    ],
)
def test_bad_input_is_refused_with_its_remedy(make, says):
    with pytest.raises(ValueError, match=says):
        make()
