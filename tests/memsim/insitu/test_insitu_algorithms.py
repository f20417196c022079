"""What each algorithm of `memsim.insitu` does to weights: moments of one step, kept sums, and where it ends."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from memsim.insitu import Chopper, Fast, OuterProduct, Trains, Transfer

pytestmark = pytest.mark.slow  # minutes together

STEP = 0.01
EXACT = dm.pulsed.ConstantStep(
    dm.pulsed.Steps(STEP), dm.pulsed.Bounds(-10.0, 10.0)
)  # no noise, and bounds that nothing reaches
X = jnp.array([[1.0, -0.5, 0.25], [0.0, 0.5, -1.0]])  # (reads, inputs)
DELTA = jnp.array([[0.5, -1.0], [0.25, 1.0]])  # (reads, outputs)
RATE = 0.02
ALL = Transfer(columns=None)


def one_step(optimizer, gradient, weight):
    updates, _ = optimizer.update(gradient, optimizer.init(weight), weight)
    return updates


def many_steps(algorithm, gradient, draws, device=EXACT, rate=RATE, **settings):
    """The first update of many networks that differ in their keys."""
    weight = jnp.zeros((2, 3))

    def one(key):
        return one_step(algorithm(device, rate, scale=2.0, key=key, **settings), gradient, weight)

    return np.asarray(jax.jit(jax.vmap(one))(jr.split(jr.key(0), draws)), np.float64)


def test_an_update_by_coincidence_is_the_gradient_on_average_and_binomial_in_its_variance():
    draws, scale, length = 4000, 2.0, 31
    found = many_steps(
        ms.insitu.analog_sgd, OuterProduct(X, DELTA), draws, trains=Trains(scaling=dm.pulsed.BalancedScaling())
    )
    terms = RATE * np.asarray(DELTA)[:, :, None] * np.asarray(X)[:, None, :]  # (reads, outputs, inputs)
    probability = np.abs(terms) / (scale * STEP * length)  # of one coincidence: a pulse moves scale * STEP
    variance = np.sum((scale * STEP) ** 2 * length * probability * (1 - probability), axis=0)
    error = np.sqrt(np.maximum(variance, 1e-12) / draws)
    # 6 cells at 4 standard errors: one false alarm in 2600. A cell without variance is off by rounding only.
    assert (np.abs(found.mean(0) + terms.sum(0)) < 4 * error + 1e-7).all()
    # The variance of a binomial count is known to about sqrt((2 + 1 / count variance) / draws).
    counted = variance / (scale * STEP) ** 2
    tolerance = 4 * np.sqrt((2 + 1 / np.maximum(counted, 1e-3)) / draws)
    moving = counted > 1e-3
    assert (np.abs(found.var(0) / np.maximum(variance, 1e-12) - 1)[moving] < tolerance[moving]).all()


def test_an_update_by_rounded_counts_is_the_gradient_on_average_and_varies_by_rounding_only():
    draws, scale = 4000, 2.0
    gradient = DELTA.T @ X
    found = many_steps(ms.insitu.analog_sgd, gradient, draws)
    wanted = -RATE * np.asarray(gradient, np.float64)
    share = wanted / (scale * STEP) - np.floor(wanted / (scale * STEP))
    variance = (scale * STEP) ** 2 * share * (1 - share)
    assert (np.abs(found.mean(0) - wanted) < 4 * np.sqrt(variance / draws) + 1e-6).all()
    # A two-valued number of variance v has the fourth moment v (1 - 3 v) about its mean, in steps.
    v = share * (1 - share)
    assert (np.abs(found.var(0) - variance) < 4 * (scale * STEP) ** 2 * np.sqrt(v * (1 - 4 * v) / draws) + 1e-5).all()


def test_a_read_moves_a_cell_by_at_most_the_length_of_a_train():
    for gradient in (OuterProduct(100.0 * X[:1], 100.0 * DELTA[:1]), 1e4 * DELTA[:1].T @ X[:1]):
        found = many_steps(ms.insitu.analog_sgd, gradient, 1, trains=Trains(7))
        np.testing.assert_allclose(np.abs(found).max(), 7 * 2.0 * STEP, rtol=1e-5)


def histories(algorithm, device, gradients, **settings):
    """Weights and states after each of the `gradients`, at a rate and a scale of 1."""
    optimizer = algorithm(device, 1.0, scale=1.0, key=jr.key(3), **settings)
    weight = jnp.zeros(gradients.shape[1:])

    def step(carry, gradient):
        weight, state = carry
        updates, state = optimizer.update(gradient, state, weight)
        weight = weight + updates
        return (weight, state), (weight, state)

    return eqx.filter_jit(lambda: jax.lax.scan(step, (weight, optimizer.init(weight)), gradients))()[1]


def test_mixed_precision_writes_all_but_less_than_a_step_of_what_it_was_given():
    gradients = 0.03 * jr.normal(jr.key(1), (50, 2, 3))
    weights, states = histories(ms.insitu.mixed_precision, EXACT, gradients)
    waiting = states.arrays[""].accumulated
    np.testing.assert_allclose(weights + waiting, -jnp.cumsum(gradients, axis=0), atol=1e-5)
    assert float(jnp.abs(waiting).max()) < STEP + 1e-6
    # What the device makes of it is not looked at: the accumulator is the same with noisy, saturating cells.
    noisy = dm.pulsed.SoftBounds(dm.pulsed.Steps(STEP, noise=dm.pulsed.MultiplicativeNoise(0.5)))
    _, states = histories(ms.insitu.mixed_precision, noisy, gradients)
    np.testing.assert_array_equal(states.arrays[""].accumulated, waiting)


def test_mixed_precision_keeps_what_exceeds_the_pulses_of_a_step():
    gradients = jnp.zeros((4, 1, 1)).at[0].set(-1.005)
    weights, _ = histories(ms.insitu.mixed_precision, EXACT, gradients, length=31)
    np.testing.assert_allclose(weights[:, 0, 0], [0.31, 0.62, 0.93, 1.0], atol=1e-5)


def test_columns_are_transferred_in_turn():
    gradients = jnp.zeros((6, 2, 3)).at[0].set(-0.5)  # A is 0.31, all its pulses, from the first step on
    transfer = Transfer(STEP / 0.31, every=2, columns=1)
    weights, _ = histories(ms.insitu.tiki_taka, EXACT, gradients, transfer=transfer)
    written = np.asarray(jnp.abs(jnp.diff(weights, axis=0, prepend=0.0)).sum(axis=1) > 0)
    np.testing.assert_array_equal(written.argmax(axis=1)[1::2], [0, 1, 2])
    np.testing.assert_array_equal(written.sum(axis=1), [0, 1, 0, 1, 0, 1])


def test_the_buffer_releases_a_pulse_when_it_is_worth_one():
    gradients = jnp.zeros((8, 1, 1)).at[0].set(-0.2)
    transfer = Transfer(0.026 / 2, columns=None)  # 0.0026 a step, a quarter of a pulse
    weights, states = histories(ms.insitu.tiki_taka_v2, EXACT, gradients, transfer=transfer)
    np.testing.assert_allclose(weights[:, 0, 0], [0, 0, 0, STEP, STEP, STEP, STEP, 2 * STEP], atol=1e-6)
    total = 0.0026 * np.arange(1, 9)
    np.testing.assert_allclose(states.arrays[""].buffer[:, 0, 0] + weights[:, 0, 0], total, atol=1e-5)


def test_without_a_gradient_a_fast_array_at_its_reference_transfers_nothing():
    skewed = dm.pulsed.SoftBounds(dm.pulsed.Steps(STEP, up_down=0.4, up_down_dtod=0.1))
    for algorithm in (ms.insitu.tiki_taka, ms.insitu.agad):
        weights, _ = histories(algorithm, skewed, jnp.zeros((5, 2, 3)), transfer=ALL)
        np.testing.assert_array_equal(weights, jnp.zeros((5, 2, 3)))


def test_a_chopper_changes_sign_after_its_period_and_takes_the_last_mean_as_reference():
    gradients = jnp.full((6, 1, 1), -0.05)
    settings = {"chopper": Chopper(2, 1.0), "transfer": Transfer(0.5, columns=None)}
    _, states = histories(ms.insitu.agad, EXACT, gradients, **settings)
    state = states.arrays[""]
    # By hand: A goes up for two steps of 0.05, down for two, and up again; P is A at each change of sign.
    np.testing.assert_array_equal(state.sign[:, 0], [1, -1, -1, 1, 1, -1])
    np.testing.assert_allclose(state.fast.shown[:, 0, 0], [0.05, 0.1, 0.05, 0.0, 0.05, 0.1], atol=1e-6)
    np.testing.assert_allclose(state.past[:, 0, 0], [0, 0.1, 0.1, 0, 0, 0.1], atol=1e-6)
    # H + C sums 0.5 c (A - P) from the third step: 0.025, 0.05, 0.025, 0.05.
    total = state.buffer[:, 0, 0] + state.slow.shown[:, 0, 0]
    np.testing.assert_allclose(total, [0, 0, 0.025, 0.075, 0.1, 0.15], atol=1e-5)


SKEWED = dm.pulsed.SoftBounds(dm.pulsed.Steps(0.005, up_down=0.4, noise=dm.pulsed.MultiplicativeNoise(0.3)))
SYMMETRY = 0.25  # (1 - 0.6) / (1 + 0.6): where its steps up and down are equal
TARGET = jnp.array([[0.45, -0.3]])


def regression(algorithm, seeds=8, steps=2000, **settings):
    """Error of the weights that a noisy linear regression ends with, mean over its last half, for each seed."""

    def loss(weight, x, y):
        return jnp.mean((x @ weight.T - y) ** 2) / 2

    def one(key):
        optimizer = algorithm(SKEWED, 0.05, scale=1.0, key=key, **settings)

        def step(carry, key):
            (weight, state), (x_key, noise_key) = carry, jr.split(key)
            x = jr.normal(x_key, (4, 2))
            y = x @ TARGET.T + 0.3 * jr.normal(noise_key, (4, 1))
            _, gradient = ms.insitu.value_and_outer(loss)(weight, x, y)
            updates, state = optimizer.update(gradient, state, weight)
            return (weight + updates, state), weight

        start = jnp.zeros((1, 2))
        _, weights = jax.lax.scan(step, (start, optimizer.init(start)), jr.split(jr.fold_in(key, 1), steps))
        return weights[-steps // 2 :].mean(0) - TARGET

    found = eqx.filter_jit(jax.vmap(one))(jr.split(jr.key(0), seeds))
    return np.asarray(found, np.float64)[:, 0]  # (seed, weight)


def standard_errors(errors):
    return errors.mean(0) / (errors.std(0, ddof=1) / np.sqrt(len(errors)))


def test_plain_descent_ends_on_the_way_to_the_symmetry_point_and_two_arrays_at_the_minimum():
    plain, twofold = regression(ms.insitu.analog_sgd), regression(ms.insitu.tiki_taka, transfer=Transfer(0.05))
    toward = np.sign(SYMMETRY - np.asarray(TARGET[0]))
    assert (toward * standard_errors(plain) > 10).all()
    # A tenth of the bias of plain descent, with 3 standard errors for the 8 seeds.
    margin = 3 * twofold.std(0, ddof=1) / np.sqrt(len(twofold))
    assert (np.abs(twofold.mean(0)) < 0.1 * np.abs(plain.mean(0)) + margin).all()


@pytest.mark.slow
def test_a_wrong_reference_misleads_a_buffered_transfer_and_not_choppers():
    right = regression(ms.insitu.tiki_taka_v2, transfer=Transfer(0.05))
    misled = regression(ms.insitu.tiki_taka_v2, transfer=Transfer(0.05), fast=Fast(reference_std=0.2))
    assert np.abs(right).max() < 0.05
    # The fast array of AGAD starts at zero, a quarter of the range away from its symmetry point, and is told nothing.
    chopped = regression(ms.insitu.agad, transfer=Transfer(0.05), chopper=Chopper(20))
    assert np.sqrt((chopped**2).mean()) < 0.5 * np.sqrt((misled**2).mean())
    assert np.abs(chopped).max() < 0.05


def test_tiki_taka_without_a_symmetry_point_starts_in_the_middle_and_says_so():
    # Constant steps of which one is always larger: the symmetry point of every cell is a bound.
    skewed = dm.pulsed.ConstantStep(dm.pulsed.Steps(STEP, up_down_dtod=0.05))
    with pytest.warns(UserWarning, match="100% of the cells of this device have none"):
        optimizer = ms.insitu.tiki_taka(skewed, 0.1, scale=1.0, key=jr.key(0))
    two = optimizer.init(jnp.zeros((4, 5))).arrays[""]
    np.testing.assert_array_equal(two.fast.hidden, jnp.zeros((4, 5)))
    np.testing.assert_array_equal(two.reference, jnp.zeros((4, 5)))


def learned(algorithm, device, seeds=3, steps=6000, size=16):
    """Root mean square error of the weights of a linear regression, learned sample by sample, for each seed."""

    def one(key):
        target_key, device_key, key = jr.split(key, 3)
        target = jnp.clip(0.25 * jr.normal(target_key, (size, size)), -0.5, 0.5)
        optimizer = algorithm(device, 0.05, scale=1.0, key=device_key)

        def step(carry, key):
            weight, state = carry
            x = jr.uniform(key, (1, size), minval=-1.0)
            updates, state = optimizer.update(OuterProduct(x, x @ (weight - target).T), state, weight)
            return (weight + updates, state), None

        start = jnp.zeros((size, size))
        (weight, _), _ = jax.lax.scan(step, (start, optimizer.init(start)), jr.split(key, steps))
        return jnp.sqrt(jnp.mean((weight - target) ** 2))

    return np.asarray(eqx.filter_jit(jax.vmap(one))(jr.split(jr.key(0), seeds)), np.float64)


WITHIN = dm.pulsed.Bounds(-0.6, 0.6)  # the default of aihwkit's devices
CELLS = {
    "constant": dm.pulsed.ConstantStep(dm.pulsed.Steps(0.002, up_down_dtod=0.01), WITHIN),
    "soft": dm.pulsed.SoftBounds(dm.pulsed.Steps(0.02), WITHIN),
}
AIHWKIT = {  # 1.2.0, mean of three seeds of the same problem
    ("constant", "tiki_taka"): 0.19,
    ("constant", "tiki_taka_v2"): 0.18,
    ("constant", "agad"): 0.0039,
    ("constant", "analog_sgd"): 0.0030,
    ("constant", "mixed_precision"): 0.0007,
    ("soft", "tiki_taka"): 0.052,
    ("soft", "tiki_taka_v2"): 0.053,
    ("soft", "agad"): 0.031,
    ("soft", "analog_sgd"): 0.082,
    ("soft", "mixed_precision"): 0.009,
}
QUICK = ("constant", "tiki_taka")


@pytest.mark.filterwarnings("ignore:Tiki-Taka is built on")
@pytest.mark.parametrize("cell, name", [QUICK, *(pytest.param(*case, marks=pytest.mark.slow) for case in AIHWKIT)])
def test_a_regression_ends_no_further_from_its_weights_than_in_aihwkit(cell, name):
    found = learned(getattr(ms.insitu, name), CELLS[cell])
    # Seeds scatter by a fifth, here and there; the targets and inputs are not the same draws.
    assert found.mean() < 1.3 * AIHWKIT[cell, name] + 2 * found.std(ddof=1) / np.sqrt(len(found))


def test_a_buffer_keeps_its_momentum_or_forgets():
    buffer = ms.insitu.Buffer(threshold=2.0, momentum=0.25)
    held, step = jnp.array([[0.079, -0.1]]), jnp.asarray(STEP)
    pulses, left = buffer.released(held, step, 16.0, 31)
    np.testing.assert_array_equal(pulses, [[3, -5]])  # thresholds of 0.02
    np.testing.assert_allclose(left, [[0.079 - 0.75 * 0.06, -0.1 + 0.75 * 0.1]], atol=1e-7)
    _, left = ms.insitu.Buffer(2.0, 0.25, forgets=True).released(held, step, 16.0, 31)
    np.testing.assert_allclose(left, [[0.079 / 4, -0.1 / 4]], atol=1e-7)
    # 1000 products to cross, of which one in 16 reads the column: 62.5 times the threshold.
    pulses, left = ms.insitu.Buffer(crossing=1000.0).released(held * 62.5, step, 16.0, 31)
    np.testing.assert_array_equal(pulses, [[7, -10]])


def test_a_coupled_transfer_follows_the_learning_rate():
    gradients = jnp.zeros((2, 1, 1)).at[0].set(-0.31)  # A is 0.31 from the first step on
    schedule = lambda count: jnp.where(count == 0, 1.0, 0.5)  # noqa: E731
    optimizer = ms.insitu.tiki_taka_v2(
        EXACT, schedule, transfer=Transfer(0.1, columns=None, coupled=True), scale=1.0, key=jr.key(0)
    )
    weight, held = jnp.zeros((1, 1)), []
    state = optimizer.init(weight)
    for gradient in gradients:
        updates, state = jax.jit(optimizer.update)(gradient, state, weight)
        weight = weight + updates
        held.append(float(weight[0, 0] + state.arrays[""].buffer[0, 0]))
    np.testing.assert_allclose(held, [0.031, 0.031 + 0.0155], atol=1e-5)


def test_a_chopper_cancels_a_wrong_reference():
    # Without a gradient a reference that is off by r transfers -lambda r a step: with a chopper, up and down in turn.
    still, settings = jnp.zeros((8, 2, 3)), {"transfer": ALL}
    plain, _ = histories(ms.insitu.tiki_taka_v2, EXACT, still, fast=Fast(reference_std=0.3), **settings)
    chopped, _ = histories(ms.insitu.tiki_taka_v2, EXACT, still, fast=Fast(reference_std=0.3, period=2), **settings)
    np.testing.assert_allclose(chopped[-1], jnp.zeros((2, 3)), atol=2 * STEP)
    assert float(jnp.abs(plain[-1]).max()) > 0.2


def test_eapu_writes_seldom_in_steps_of_its_threshold_and_right_on_average():
    draws, threshold, scale = 2000, 0.1, 2.0
    gradient = DELTA.T @ X
    found = many_steps(ms.insitu.eapu, gradient, draws, threshold=threshold)
    wanted, size = -RATE * np.asarray(gradient, np.float64), scale * threshold
    assert set(np.unique(np.round(found / size, 3))) <= {-1.0, 0.0, 1.0}
    p = np.abs(wanted) / size
    assert (np.abs(found.mean(0) - wanted) <= 4 * size * np.sqrt(p * (1 - p) / draws) + 1e-7).all()
    writes = np.mean(found != 0, axis=0)
    assert (np.abs(writes - p) <= 4 * np.sqrt(p * (1 - p) / draws)).all()


def test_the_threshold_of_eapu_is_the_error_of_its_writes():
    # Write noise of 0.03 and pulses that vary by 0.02 each: D^2 = 0.03^2 + D 0.02^2 / 0.01, so D = 0.056055.
    noisy = dm.pulsed.ConstantStep(
        dm.pulsed.Steps(STEP, noise=dm.pulsed.MultiplicativeNoise(2.0), write_noise=3.0), dm.pulsed.Bounds(-10.0, 10.0)
    )
    found = many_steps(ms.insitu.eapu, jnp.full((2, 3), -1e3), 400, device=noisy, length=6)
    # A large update is a write of as many pulses as a write may have, here six: of error D in units of 2, of mean 6.
    assert found.mean() == pytest.approx(2.0 * 6 * STEP, abs=4 * found.std() / np.sqrt(found.size))
    assert found.std() == pytest.approx(2.0 * np.sqrt(0.03**2 + 6 * 0.02**2), rel=0.06)
    from memsim.insitu._eapu import least_variance

    assert float(least_variance(noisy)) == pytest.approx(0.02 + np.sqrt(0.02**2 + 0.03**2), rel=1e-5)
