"""Chance in pulsed devices has its moments: from device to device, from pulse to pulse, and in what is read."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
from device_models.pulsed._hash import fast_normal, fast_words, index_of

N = 40_000  # samples of each random quantity
SIDE = 200
STANDARD_ERRORS = 4  # tolerance of each moment; the keys are fixed, so what passes keeps passing


def assert_moments(samples, mean, std):
    """The mean and standard deviation of `samples` are these, within STANDARD_ERRORS."""
    samples = np.asarray(samples, np.float64).ravel()
    variance, fourth = np.var(samples), np.mean((samples - samples.mean()) ** 4)
    tolerance = STANDARD_ERRORS / math.sqrt(len(samples))
    assert abs(samples.mean() - mean) < tolerance * math.sqrt(variance)
    assert abs(samples.std() - std) < tolerance * math.sqrt((fourth - variance**2) / (4 * variance))


@eqx.filter_jit
def fabricate(device, key):
    return device.fabricate((SIDE, SIDE), key=key)


def test_step_sizes_differ_by_a_normal_gain_and_an_imbalance():
    # up + down = 2 dw (1 + 0.1 xi), up - down = 2 dw 0.05 xi': no device is near zero, where sizes are folded.
    steps = dm.pulsed.Steps(0.01, up_down_dtod=0.05, spread=dm.pulsed.NormalSpread(0.1))
    cells = fabricate(dm.pulsed.ConstantStep(steps), jr.key(0))
    assert_moments((cells.up + cells.down) / 0.02, 1.0, 0.1)
    assert_moments((cells.up - cells.down) / 0.02, 0.0, 0.05)


def test_log_normal_gains_have_a_normal_logarithm():
    cells = fabricate(
        dm.pulsed.ConstantStep(dm.pulsed.Steps(0.0949, spread=dm.pulsed.LogNormalSpread(0.7829))), jr.key(1)
    )
    assert_moments(jnp.log(cells.up / 0.0949), 0.0, 0.7829)
    np.testing.assert_array_equal(cells.up, cells.down)


def test_bounds_differ_at_either_end_and_keep_their_sign():
    bounds = dm.pulsed.Bounds(-0.75, 1.25, w_min_dtod=0.2, w_max_dtod=0.1)
    cells = fabricate(dm.pulsed.SoftBounds(dm.pulsed.Steps(0.01), bounds), jr.key(2))
    assert_moments(cells.w_min, -0.75, 0.15)
    assert_moments(cells.w_max, 1.25, 0.125)
    wide = fabricate(dm.pulsed.SoftBounds(dm.pulsed.Steps(0.01), dm.pulsed.Bounds(-1.0, 1.0, 3.0, 3.0)), jr.key(2))
    assert bool(jnp.all(wide.w_min <= -1e-3)) and bool(jnp.all(wide.w_max >= 1e-3))


@pytest.mark.slow
def test_slopes_exponents_and_references_differ():
    linear = fabricate(
        dm.pulsed.LinearStep(dm.pulsed.Steps(0.01), dm.pulsed.Bounds(-0.8, 1.2), 0.4, 0.7, gamma_dtod=0.05), jr.key(3)
    )
    assert_moments(linear.shape.up * 1.2, 0.4, 0.05)
    assert_moments(linear.shape.down * -0.8, 0.7, 0.05)
    power = fabricate(dm.pulsed.PowStep(dm.pulsed.Steps(0.01), dm.pulsed.Bounds(), 1.5, 0.9, gamma_dtod=0.1), jr.key(4))
    assert_moments(power.shape.up, 1.5, 0.1)
    reference = fabricate(dm.pulsed.SoftBoundsReference(dm.pulsed.Steps(0.01), reference_std=0.05), jr.key(5)).reference
    assert_moments(reference, 0.0, 0.05)


def test_what_chance_decides_of_devices_is_independent():
    # The correlation of N independent pairs has standard error 1 / sqrt(N).
    cells = fabricate(dm.pulsed.ecram_tang2018(), jr.key(6))
    quantities = [cells.up + cells.down, cells.up - cells.down, cells.w_min, cells.w_max]
    quantities += [cells.shape.up * cells.w_max, cells.shape.down * cells.w_min]
    correlation = np.corrcoef([np.asarray(q, np.float64).ravel() for q in quantities]) - np.eye(6)
    assert np.max(np.abs(correlation)) < STANDARD_ERRORS / math.sqrt(N)


def test_corrupt_devices_have_their_share_and_never_move():
    array = jax.jit(lambda key: dm.pulsed.PulsedArray.fabricate(corrupt(), (SIDE, SIDE), key=key))(jr.key(7))
    stuck = np.asarray(array.cells.w_min == array.cells.w_max)
    assert abs(stuck.mean() - 0.1348) < STANDARD_ERRORS * math.sqrt(0.1348 * (1 - 0.1348) / N)
    assert_moments(np.asarray(array.cells.w_min)[stuck], 0.0, 0.01 / math.sqrt(3))
    after = jax.jit(lambda a: a.burst(jnp.full((SIDE, SIDE), 5), most=5, key=jr.key(8)))(array)
    moved = np.asarray(after.hidden != array.hidden)
    assert not moved[stuck].any() and moved[~stuck].mean() > 0.99


def corrupt():
    return dm.pulsed.reram_array_om_gong2022(corrupt=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "noise, up_std, down_std",  # of a step from w = 0.5 with soft bounds at 1 and -1, in units of dw_min
    [
        (dm.pulsed.MultiplicativeNoise(0.3), 0.3 * 0.5, 0.3 * 1.5),
        (dm.pulsed.AdditiveNoise(0.3), 0.3, 0.3),
        (dm.pulsed.AbsoluteNoise(0.004), 0.4, 0.4),
        (dm.pulsed.ComplexNoise(0.3, added=0.002, slope=0.004), 0.3 * (0.5 + 0.2 + 0.2), 0.3 * (1.5 + 0.2 + 0.2)),
    ],
    ids=["multiplicative", "additive", "absolute", "complex"],
)
def test_one_pulse_has_the_mean_of_its_rule_and_the_spread_of_its_noise(noise, up_std, down_std):
    device = dm.pulsed.SoftBounds(dm.pulsed.Steps(0.01, noise=noise))

    @jax.jit
    def pulsed(key):
        array = dm.pulsed.PulsedArray.fabricate(device, jnp.full((SIDE, SIDE), 0.5), key=key)
        counts = jnp.ones((SIDE, SIDE), int)
        ways = (array.pulse(counts, key=key), array.pulse(-counts, key=key))
        return [a.hidden - 0.5 for a in (*ways, array.burst(counts, most=31, key=key))]

    up, down, burst = pulsed(jr.key(9))
    assert_moments(up / 0.01, 0.5, up_std)
    assert_moments(down / 0.01, -1.5, down_std)
    assert_moments(burst / 0.01, 0.5, up_std)


def test_a_read_finds_write_noise_that_stays_until_the_next_pulse():
    device = dm.pulsed.ConstantStep(dm.pulsed.Steps(0.001, write_noise=56.0))

    @jax.jit
    def history(key):
        array = dm.pulsed.PulsedArray.fabricate(device, (SIDE, SIDE), key=key)
        first = array.pulse(jnp.ones((SIDE, SIDE), int), key=key)
        half = jnp.zeros((SIDE, SIDE), int).at[: SIDE // 2].set(-1)
        return first, first.pulse(half, key=jr.fold_in(key, 1))

    first, second = history(jr.key(10))
    noise, later = (np.asarray(a.shown - a.hidden) for a in (first, second))
    assert_moments(noise, 0.0, 0.056)
    assert_moments(later[: SIDE // 2], 0.0, 0.056)
    np.testing.assert_array_equal(later[SIDE // 2 :], noise[SIDE // 2 :])
    correlation = np.corrcoef(noise[: SIDE // 2].ravel(), later[: SIDE // 2].ravel())[0, 1]
    assert abs(correlation) < STANDARD_ERRORS / math.sqrt(N / 2)
    np.testing.assert_allclose(second.hidden[: SIDE // 2], 0.0, atol=1e-7)  # the noise is not in the weight


def test_a_leaking_weight_decays_with_the_lifetime_of_its_device():
    upkeep = dm.pulsed.Upkeep(dm.pulsed.Leak(100.0, 0.1, towards=0.2))
    device = dm.pulsed.ConstantStep(dm.pulsed.Steps(0.01), upkeep=upkeep)
    array = dm.pulsed.PulsedArray.fabricate(device, jnp.full((SIDE, SIDE), 0.7), key=jr.key(11))
    after = array.decay().decay()
    lifetime = np.asarray(array.cells.lifetime, np.float64)
    assert_moments(lifetime, 100.0, 10.0)
    np.testing.assert_allclose(after.hidden, 0.2 + 0.5 * (1 - 1 / lifetime) ** 2, rtol=1e-5)
    np.testing.assert_allclose(array.decay(50.0).hidden, 0.2 + 0.5 * (1 - 1 / lifetime) ** 50, rtol=1e-5)
    still = dm.pulsed.PulsedArray.fabricate(dm.pulsed.gokmen2016(), (2, 2), key=jr.key(0))
    assert still.decay() is still


def test_a_reset_leaves_what_the_device_says_and_only_where_asked():
    reset = dm.pulsed.Upkeep(reset=dm.pulsed.Reset(0.3, dtod=0.02, std=0.01))
    device = dm.pulsed.ConstantStep(dm.pulsed.Steps(0.01), upkeep=reset)
    array = dm.pulsed.PulsedArray.fabricate(device, jnp.full((SIDE, SIDE), 0.7), key=jr.key(12))
    where = jnp.zeros((SIDE, SIDE), bool).at[:, : SIDE // 2].set(True)
    first, second = (np.asarray(array.reset(where, key=jr.key(i)).hidden) for i in (13, 14))
    assert_moments(first[:, : SIDE // 2], 0.3, math.hypot(0.02, 0.01))
    assert_moments(first[:, : SIDE // 2] - second[:, : SIDE // 2], 0.0, 0.01 * math.sqrt(2))
    np.testing.assert_array_equal(first[:, SIDE // 2 :], np.float32(0.7))


# The fast noise.


@jax.jit
def draws(key):
    return fast_normal(index_of((SIDE, SIDE)), key=key)


def test_fast_noise_has_the_moments_of_a_nearly_normal_number():
    x = np.asarray(draws(jr.key(20)), np.float64)
    assert_moments(x, 0.0, 1.0)
    # Binomial of 32 halves plus a uniform: kurtosis 3 - (4 + 1 / 120) / (8 + 1 / 12)^2.
    kurtosis = 3 - (32 / 8 + 1 / 120) / (8 + 1 / 12) ** 2
    assert abs(np.mean(x**4) - kurtosis) < STANDARD_ERRORS * math.sqrt(24 / N)  # of a normal
    assert abs(np.mean(x**3)) < STANDARD_ERRORS * math.sqrt(15 / N)
    assert len(np.unique(x)) > 0.99 * N


def test_fast_noise_is_uncorrelated_between_cells_and_keys():
    x = np.asarray(draws(jr.key(21)), np.float64)
    tolerance = STANDARD_ERRORS / math.sqrt(N)
    for lag in (1, 2, 3, 7, 32, 64, 128):
        for values in (x, x**2 - 1):  # neither the numbers nor their sizes
            scale = np.mean(values**2)
            for one, other in ((values[:, lag:], values[:, :-lag]), (values[lag:], values[:-lag])):
                assert abs(np.mean(one * other)) < STANDARD_ERRORS / math.sqrt(one.size) * scale
    for other in (jr.key(22), *jr.split(jr.key(21))):
        assert abs(np.mean(x * np.asarray(draws(other)))) < tolerance
    means = np.asarray(jax.jit(jax.vmap(lambda key: fast_normal(index_of((4,)), key=key)))(jr.split(jr.key(0), N // 4)))
    assert_moments(means, 0.0, 1.0)  # one cell over many keys
    assert np.max(np.abs(np.corrcoef(means.T) - np.eye(4))) < STANDARD_ERRORS / math.sqrt(N / 4)


def test_every_bit_of_a_fast_word_is_fair():
    words = np.asarray(jax.jit(lambda key: fast_words(index_of((SIDE, SIDE)), key=key))(jr.key(23))).ravel()
    bits = np.unpackbits(words.view(np.uint8)).reshape(N, 32)
    assert np.max(np.abs(bits.mean(0) - 0.5)) < STANDARD_ERRORS * 0.5 / math.sqrt(N)
    both = np.corrcoef(bits.T.astype(np.float64)) - np.eye(32)
    assert np.max(np.abs(both)) < 1.2 * STANDARD_ERRORS / math.sqrt(N)  # the largest of 496


# What cannot be.


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: dm.pulsed.Steps(0.0), "`dw_min` must be positive"),
        (lambda: dm.pulsed.Steps(0.01, up_down=2.0), r"`up_down` must be within \[-1, 1\]"),
        (lambda: dm.pulsed.Steps(0.01, noise=dm.pulsed.AdditiveNoise(-1.0)), "`std` must be finite and at least 0"),
        (lambda: dm.pulsed.Bounds(1.0, -1.0), "`w_min` must be less than `w_max`"),
        (
            lambda: dm.pulsed.SoftBounds(dm.pulsed.Steps(0.01), dm.pulsed.Bounds(0.0, 2.0)),
            "Shift the weight so that zero lies",
        ),
        (
            lambda: dm.pulsed.LinearStep(dm.pulsed.Steps(0.01), dm.pulsed.Bounds(), -0.1, 0.1),
            "`gamma_up` must be finite and at least 0",
        ),
        (
            lambda: dm.pulsed.PiecewiseStep(dm.pulsed.Steps(0.01), dm.pulsed.Bounds(), (1.0,), (1.0, 2.0)),
            "at least two factors",
        ),
        (lambda: dm.pulsed.neurosim(nonlinearity_down=4.88), "`nonlinearity_down` must be finite and at most 0"),
        (lambda: dm.pulsed.neurosim(nonlinearity_up=12.0), "within about -9 and 9"),
        (lambda: dm.pulsed.Corrupt(13.0), "Percent"),
        (lambda: dm.pulsed.Leak(0.5), "`lifetime` must be finite and at least 1"),
        (lambda: dm.pulsed.soft_bounds_pmax(r_min=0.0), "`r_min` must be negative and finite"),
    ],
)
def test_a_device_that_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_numbers_of_a_device_are_differentiable_through_its_staircase():
    """The last weight of a soft-bounds staircase is b (1 - (1 - s / b)^n): its derivative is n (1 - s / b)^(n - 1)."""

    def last(dw_min):
        device = dm.pulsed.SoftBounds(dm.pulsed.Steps(dw_min))
        array = dm.pulsed.PulsedArray.fabricate(device, (1,), key=jr.key(0))
        return array.staircase(jnp.ones(50, int), key=jr.key(1))[1][-1, 0]

    gradient = jax.jit(jax.grad(last))(jnp.asarray(0.02))
    np.testing.assert_allclose(gradient, 50 * (1 - 0.02) ** 49, rtol=1e-4)
