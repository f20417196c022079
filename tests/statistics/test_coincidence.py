"""Stochastic updates: how many pulses coincide, what they do on average, and how much that varies."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm

DRAWS = 4000
STANDARD_ERRORS = 4.5  # tolerance of each of some hundred moments; the keys are fixed, so what passes keeps passing
X, D = jnp.array([0.5, -1.0, 0.1, 0.0]), jnp.array([0.8, -0.2, 0.05])
OUTER = np.outer(D, X)


@eqx.filter_jit
def counted(strength, length, scaling, draws=DRAWS):
    def one(key):
        return dm.pulsed.coincidences(X, D, strength, length=length, scaling=scaling, key=key)

    return jax.vmap(one)(jr.split(jr.key(0), draws))


def assert_binomial(counts, sign, trials, p):
    """Counts over their first axis are `sign` times binomial numbers: mean and variance in standard errors."""
    n, mean, variance = len(counts), trials * p, trials * p * (1 - p)
    fourth = 3 * variance**2 + variance * (1 - 6 * p * (1 - p))
    np.testing.assert_array_less(
        np.abs(counts.mean(0) - sign * mean), STANDARD_ERRORS * np.sqrt(variance / n) + 1e-9, strict=False
    )
    np.testing.assert_array_less(
        np.abs(counts.var(0) - variance), STANDARD_ERRORS * np.sqrt((fourth - variance**2) / n) + 1e-9 + variance / n
    )


@pytest.mark.slow
@pytest.mark.parametrize("length", [1, 31, 40])
@pytest.mark.parametrize("scaling", [dm.pulsed.EqualScaling(), dm.pulsed.BalancedScaling()], ids=["equal", "balanced"])
def test_pulses_coincide_binomially_with_the_mean_of_the_outer_product(length, scaling):
    strength = 0.9 * length / 0.8 if isinstance(scaling, dm.pulsed.BalancedScaling) else 0.9 * length
    counts = np.asarray(counted(strength, length, scaling), np.float64)
    assert_binomial(counts, np.sign(OUTER), length, np.abs(OUTER) * strength / length)


def test_likelier_pulses_in_shorter_trains_have_the_same_mean_and_less_variance():
    # strength 6: the largest product, 0.8, needs ceil(4.8) = 5 pulses of probability 0.96.
    short, long = (
        np.asarray(counted(6.0, 31, s), np.float64) for s in (dm.pulsed.ShortestTrains(), dm.pulsed.BalancedScaling())
    )
    assert_binomial(short, np.sign(OUTER), 5, np.abs(OUTER) * 6 / 5)
    assert_binomial(long, np.sign(OUTER), 31, np.abs(OUTER) * 6 / 31)
    assert np.abs(short).max() == 5 and short[:, 0, 1].var() < 0.1 * long[:, 0, 1].var()


def test_a_probability_is_clipped_at_one_and_the_update_at_the_length_of_the_train():
    # c_x c_d = 100 / 10: with a balance of 0.8, p_x = |x| sqrt(8) and p_d = |d| sqrt(12.5), cut off at 1.
    counts = np.asarray(counted(100.0, 10, dm.pulsed.BalancedScaling()), np.float64)
    p = np.outer(np.minimum(np.abs(D) * 12.5**0.5, 1), np.minimum(np.abs(X) * 8**0.5, 1))
    assert_binomial(counts, np.sign(OUTER), 10, p)
    assert np.all(counts[:, 0, 1] == -10)


def test_nothing_comes_of_nothing():
    zero = jnp.zeros(3)
    count = eqx.filter_jit(dm.pulsed.coincidences)
    for scaling in (dm.pulsed.EqualScaling(), dm.pulsed.BalancedScaling(), dm.pulsed.ShortestTrains()):
        assert not np.any(count(X, zero, jnp.asarray(5.0), scaling=scaling, key=jr.key(0)))
        assert not np.any(count(X, D, jnp.asarray(0.0), scaling=scaling, key=jr.key(0)))


def test_trains_of_different_lines_and_updates_are_independent():
    """Cells of one row share its train, so their counts correlate by the law of a product; others do not.

    With p = p_x p_d of each, two cells of a row have covariance length p_x p_x' p_d (1 - p_d).
    """
    p_x, p_d, length = np.array([0.5, 0.8]), np.array([0.6, 0.3]), 31

    @jax.jit
    def draw(keys):
        scaling, strength = dm.pulsed.EqualScaling(), 31.0  # factors of one: the signals are the probabilities
        one = lambda key: dm.pulsed.coincidences(jnp.asarray(p_x), jnp.asarray(p_d), strength, scaling=scaling, key=key)  # noqa: E731
        return jax.vmap(one)(keys)

    n = np.asarray(draw(jr.split(jr.key(1), DRAWS)), np.float64)
    covariance = np.cov(n.reshape(DRAWS, 4).T)
    std = np.sqrt(np.diag(covariance))
    error = STANDARD_ERRORS * np.outer(std, std) * math.sqrt(2 / DRAWS)
    for row in range(2):
        expected = length * p_x[0] * p_x[1] * p_d[row] * (1 - p_d[row])
        assert abs(covariance[2 * row, 2 * row + 1] - expected) < error[2 * row, 2 * row + 1]
    assert abs(covariance[0, 3]) < error[0, 3]  # neither row nor column in common
    assert abs(np.corrcoef(n[1:, 0, 0], n[:-1, 0, 0])[0, 1]) < STANDARD_ERRORS / math.sqrt(DRAWS)


# Updates of arrays.


@eqx.filter_jit
def updated(device, x, d, learning_rate, draws=DRAWS, **settings):
    """Change of an array from zero, many times; the array is the same."""
    array = dm.pulsed.PulsedArray.fabricate(device, (3, 4), key=jr.key(0))

    def one(key):
        return array.update(x, d, learning_rate, key=key, **settings).hidden - array.hidden

    return jax.vmap(one)(jr.split(jr.key(2), draws))


def test_an_update_adds_the_outer_product_on_average_with_the_variance_of_its_pulses():
    """The variance is that of the number, and that of the noise of each: dw^2 (n p (1 - p) + 0.3^2 n p)."""
    dw, rate = 1e-3, 0.02
    change = np.asarray(
        updated(dm.pulsed.ConstantStep(dm.pulsed.Steps(dw, noise=dm.pulsed.AdditiveNoise(0.3))), X, D, rate), np.float64
    )
    p = np.abs(OUTER) * rate / dw / 31
    variance = dw**2 * 31 * p * (1 - p + 0.3**2)
    np.testing.assert_array_less(
        np.abs(change.mean(0) - rate * OUTER), STANDARD_ERRORS * np.sqrt(variance / DRAWS) + 1e-9
    )
    # The kurtosis of a sum of pulses is that of a Poisson number at most, 3 + 1 / (31 p).
    error = variance * np.sqrt((2 + 1 / np.maximum(31 * p, 1e-9)) / DRAWS)
    np.testing.assert_array_less(np.abs(change.var(0) - variance), STANDARD_ERRORS * error + 1e-12)


@pytest.mark.slow
def test_a_batch_is_its_samples_one_after_another():
    device, key = dm.pulsed.SoftBounds(dm.pulsed.Steps(5e-3)), jr.key(3)
    array = dm.pulsed.PulsedArray.fabricate(device, (3, 4), key=jr.key(0))
    xs, ds = jr.normal(jr.key(1), (5, 4)), jr.normal(jr.key(2), (5, 3))
    batch = eqx.filter_jit(lambda a: a.update(xs, ds, 0.1, key=key))(array)
    one = eqx.filter_jit(lambda a, x, d, k: a.update(x, d, 0.1, key=k))
    for x, d, sample_key in zip(xs, ds, jr.split(key, 5), strict=True):
        array = one(array, x, d, sample_key)
    np.testing.assert_allclose(batch.hidden, array.hidden, rtol=1e-5, atol=1e-6)


SIDE = 100
NUMBERS = (-31, -3, 2, 7, 31)
CHOSEN = [  # each rule with each kind of noise; the others on request
    "reram_es_gong2018",
    "capacitor_li2018",
    "gokmen2016",
    "pcm_onesided_nandakumar2020",
    "reram_array_om_gong2022",
    *(pytest.param(name, marks=pytest.mark.slow) for name in ("reram_sb_gong2018", "ecram_mo_kim2019")),
    pytest.param("reram_array_hfo2_gong2022", marks=pytest.mark.slow),
]
COARSE = {  # devices that are noisier than their range: a burst is clipped once, not at every pulse
    "reram_array_om_gong2022": 0.3,
    "reram_array_hfo2_gong2022": 0.3,
}


@eqx.filter_jit
def burst_and_pulses(device, start):
    """Many copies of the median device of an array, pulsed at once and one by one: (numbers, copies)."""
    fabricated = device.fabricate((50, 50), key=jr.key(0))
    shape = (len(NUMBERS), SIDE * SIDE)
    cells = jax.tree.map(lambda v: jnp.broadcast_to(jnp.median(v), shape), fabricated)
    w = jnp.clip(jnp.full(shape, start), cells.w_min, cells.w_max)
    array = dm.pulsed.PulsedArray(device, cells, w, w)
    counts = jnp.broadcast_to(jnp.array(NUMBERS)[:, None], shape)
    return array.burst(counts, most=31, key=jr.key(1)).hidden, array.pulse(counts, key=jr.key(2)).hidden


@pytest.mark.slow
@pytest.mark.parametrize("name", CHOSEN)
def test_a_burst_has_the_mean_and_the_spread_of_pulses_one_by_one(name):
    """Within 4 % of the deviation in mean and deviation, and the standard errors of both: 10 000 cells each."""
    tolerance = COARSE.get(name, 0.04)
    burst, exact = (np.asarray(w, np.float64) for w in burst_and_pulses(dm.pulsed.PULSED[name].make(), 0.5))
    deviation, error = exact.std(1), STANDARD_ERRORS / SIDE
    assert np.all(np.abs(burst.mean(1) - exact.mean(1)) < (tolerance + error * 2**0.5) * deviation)
    assert np.all(np.abs(burst.std(1) - deviation) < (tolerance + error) * deviation)


@pytest.mark.slow
@pytest.mark.parametrize(
    "device",
    [
        dm.pulsed.ConstantStep(dm.pulsed.Steps(0.01, 0.3)),
        dm.pulsed.LinearStep(dm.pulsed.Steps(0.05), dm.pulsed.Bounds(-0.8, 1.0), 0.4, 0.9),
        dm.pulsed.SoftBounds(dm.pulsed.Steps(0.4), dm.pulsed.Bounds(-0.3, 1.0)),  # a pulse down overshoots the bound
        dm.pulsed.SoftBoundsReference(dm.pulsed.Steps(0.05), dm.pulsed.Bounds(-0.8, 1.0)),
    ],
    ids=lambda device: type(device).__name__,
)
def test_without_noise_a_burst_of_a_linear_rule_is_exactly_its_pulses(device):
    counts = jnp.arange(-40, 41)
    array = dm.pulsed.PulsedArray.fabricate(device, jnp.full((81,), 0.2), key=jr.key(0))
    exact = jax.jit(lambda a: a.pulse(counts, key=jr.key(0)).hidden)(array)
    burst = jax.jit(lambda a: a.burst(counts, most=40, key=jr.key(0)).hidden)(array)
    np.testing.assert_allclose(burst, exact, atol=2e-6)


def test_without_noise_a_burst_of_a_curved_rule_is_of_second_order():
    """Its error is of third order: half the step, an eighth of the error."""
    array = dm.pulsed.PulsedArray.fabricate(
        dm.pulsed.PowStep(dm.pulsed.Steps(0.04), dm.pulsed.Bounds(), 2.0, 2.0), jnp.zeros((1,)), key=jr.key(0)
    )
    counts = jnp.full((1,), 16)

    @jax.jit
    def error(share):
        half = eqx.tree_at(lambda a: a.cells.up, array, share * array.cells.up)
        exact, burst = half.pulse(counts, key=jr.key(0)), half.burst(counts, most=16, key=jr.key(0))
        return jnp.abs(burst.hidden - exact.hidden)[0]

    whole, part = error(jnp.asarray(1.0)), error(jnp.asarray(0.5))
    assert whole < 2e-3 and 6 < whole / part < 10


@pytest.mark.parametrize(
    "x, d, rate, length, message",
    [
        (jnp.ones(3), jnp.ones(3), 0.1, 31, "as many entries as the array has columns and rows"),
        (jnp.ones((2, 4)), jnp.ones((3, 3)), 0.1, 31, "the same batch axis"),
        (jnp.ones(4), jnp.ones(3), -0.1, 31, "Put the sign into `d`"),
        (jnp.ones(4), jnp.ones(3), 0.1, 0, "`length` must be a whole number of at least 1"),
    ],
)
def test_an_update_that_cannot_be_is_refused(x, d, rate, length, message, unchecked):
    array = dm.pulsed.PulsedArray.fabricate(dm.pulsed.gokmen2016(), (3, 4), key=jr.key(0))
    with pytest.raises(ValueError, match=message):
        array.update(x, d, rate, length=length, key=jr.key(1))
