"""Intervals are over what they say: seeds, chips and recordings, and cover what they are of as often as they claim."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr
from scipy import stats

import device_models as dm
import memsim as ms
from memsim.study._interval import resampled
from memsim.study._variance import components, mean_squares, spreads

pytestmark = pytest.mark.slow  # minutes together

KEY = jr.key(0)
DIMS = ("seed", "recording")
ABLE, HARD = 0.2, 4.0  # logits: std of the seeds' ability, and of the recordings' difficulty
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(80)


def logistic(x):
    return 1 / (1 + np.exp(-x))


def answers(rng, seeds, difficulty, ability=7.8):
    """Right or wrong by a logistic law: 96.6 %, seeds 0.3 points apart, most recordings easy for all seeds."""
    each = ability + ABLE * rng.normal(size=seeds)
    return xr.DataArray(rng.random((seeds, len(difficulty))) < logistic(each[:, None] - difficulty), dims=DIMS)


def truth(ability=7.8):
    """Accuracy over all seeds and recordings, by quadrature over their normal distributions."""
    return float(WEIGHTS @ logistic(ability + np.hypot(ABLE, HARD) * NODES) / WEIGHTS.sum())


def covered(rng, seeds, n, **settings):
    """How often the interval over `seeds` and 600 recordings holds the truth, or the mean of 40 seeds on others."""
    hits = 0
    for _ in range(n):
        found = ms.study.interval(answers(rng, seeds, HARD * rng.normal(size=600)), **settings)
        target = truth()
        if "another" in settings:
            target = float(answers(rng, 40, HARD * rng.normal(size=600)).mean())
        hits += found.low <= target <= found.high
    return hits / n


def test_an_interval_over_seeds_and_recordings_covers_and_one_over_seeds_does_not():
    """400 studies: the standard error of a coverage of 95 % is 1.1 points, of 75 % 2.2."""
    rng = np.random.default_rng(0)
    assert covered(rng, 3, 400) > 0.93
    assert covered(rng, 3, 200, over=("seed",)) < 0.85


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 5, 10, 20])
def test_intervals_cover_at_every_number_of_seeds(seeds):
    """1000 studies: the standard error is 0.7 points. The second is of 40 seeds on 600 other recordings."""
    rng = np.random.default_rng(seeds)
    assert covered(rng, seeds, 1000) > 0.93
    assert covered(rng, seeds, 1000, another=600) > 0.93
    assert covered(rng, seeds, 300, method="bootstrap") > 0.91
    assert covered(rng, seeds, 300, over=("seed",)) < 0.85


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 10])
def test_intervals_of_a_paired_difference_cover(seeds):
    """The second network finds its own recordings hard, too; 1000 studies, a standard error of 0.7 points."""
    rng, hits, target = np.random.default_rng(seeds), 0, truth() - truth(7.3)
    for _ in range(1000):
        hard = HARD * rng.normal(size=600)
        turned = 0.9 * hard + np.sqrt(1 - 0.9**2) * HARD * rng.normal(size=600)
        gain = ms.study.difference(answers(rng, seeds, hard), answers(rng, seeds, turned, 7.3))
        found = ms.study.interval(gain)
        hits += found.low <= target <= found.high
    assert hits / 1000 > 0.93


def test_mean_squares_are_those_of_the_textbook_and_components_of_the_truth():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(3, 4, 5))
    rows = y.mean((1, 2)) - y.mean()
    both = y.mean(2) - y.mean((1, 2))[:, None] - y.mean((0, 2))[None] + y.mean()
    found = mean_squares(y)
    np.testing.assert_allclose(found[(0,)], (20 * np.sum(rows**2) / 2, 2))
    np.testing.assert_allclose(found[(0, 1)], (5 * np.sum(both**2) / 6, 6))
    # Known variances of 3 seeds, 4 chips and 50 recordings, 300 times; within 4 standard errors.
    true = {(0,): 1.0, (1,): 0.0, (2,): 4.0, (0, 1): 0.25, (0, 1, 2): 9.0}
    draws = []
    for _ in range(300):
        y = sum(
            np.sqrt(var) * rng.normal(size=[n if axis in of else 1 for axis, n in enumerate((3, 4, 50))])
            for of, var in true.items()
        )
        draws.append(list(components(y).values()))
    effects = list(components(y))
    off = (np.mean(draws, 0) - [true.get(effect, 0.0) for effect in effects]) / (np.std(draws, 0) / 300**0.5)
    assert np.abs(off).max() < 4


def test_the_variance_of_a_mean_of_two_factors_is_the_sum_of_its_parts():
    y = np.random.default_rng(0).normal(size=(4, 30)) + np.arange(4.0)[:, None]
    seed, recording = spreads(y)
    assert (seed.axis, seed.freedom, recording.axis, recording.freedom) == (0, 3, 1, 29)
    np.testing.assert_allclose(seed.variance, y.mean(1).var(ddof=1) / 4)
    squares = mean_squares(y)
    np.testing.assert_allclose(recording.variance, max(squares[(1,)][0] - squares[(0, 1)][0], 0) / 120)


def test_of_one_network_on_one_chip_the_interval_is_that_of_wilson():
    """Within the difference of n and n - 1 recordings, and of Student's t and the normal one."""
    right = xr.DataArray(np.arange(600) >= 20, dims="recording")
    found = ms.study.interval(right)
    other = stats.binomtest(580, 600).proportion_ci(method="wilson")
    np.testing.assert_allclose(found, (580 / 600, other.low, other.high), atol=1e-4)
    perfect = ms.study.interval(right | True)
    other = stats.binomtest(600, 600).proportion_ci(method="wilson")
    np.testing.assert_allclose(perfect[1:], (other.low, 1.0), atol=1e-4)


def test_the_bootstrap_draws_seeds_and_recordings_anew():
    """Its variance is the sum of those of the marginal means, over the numbers of levels (Owen2007, without terms of
    1 / n m); 2000 draws have a relative standard error of 1 / sqrt(1000)."""
    y = np.random.default_rng(0).random((5, 80)) + np.linspace(0, 1, 5)[:, None]
    residual = np.var(y - y.mean(0) - y.mean(1)[:, None])
    expected = y.mean(1).var() / 5 + y.mean(0).var() / 80 + residual / 400
    assert abs(resampled(y).var() / expected - 1) < 4 / 1000**0.5
    assert len(resampled(np.ones((3, 4, 5)), draws=7)) == 7


def test_an_interval_says_what_it_is_over_and_what_it_holds_for():
    right = xr.DataArray(np.random.default_rng(0).random((3, 2, 50)) < 0.9, dims=("seed", "chip", "recording"))
    over = ms.study.interval_over
    assert over(right) == "seed, chip, recording"
    assert over(right, ("seed", "recording")) == "seed, recording; for these chips"
    assert over(right.mean("recording")) == "seed, chip; for this test set"
    assert over(right.mean(("recording", "chip"))) == "seed; for this test set"
    assert over(right[0, :1]) == "recording; for one network and one chip"
    assert over(right[0].mean("recording")) == "chip; for one network and this test set"
    row = ms.study.summary(right.expand_dims(time=[0.0])).iloc[0]
    assert row.interval_over == "seed, chip, recording" and row.low < row["mean"] < row.high
    table = ms.study.variance_components(right).set_index("effect")
    assert list(table.index)[:3] == ["seed", "chip", "recording"] and table.index[-1] == "residual"
    assert (table.of_mean <= table["std"]).all()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda right: ms.study.interval(right, ("seeds",)), "Did you mean seed"),
        (lambda right: ms.study.interval(right, ("chip",)), "`over` must name dimensions of the values"),
        (lambda right: ms.study.interval(right, "seed"), "`over` must be"),
        (lambda right: ms.study.interval(right.rename(seed="training")), "Got training, too; choose one with `sel`"),
        (lambda right: ms.study.interval(right * np.nan), "`values` must be finite"),
        (lambda right: ms.study.interval(right, ("seed",), another=600), "`another` must go with"),
        (lambda right: ms.study.right(xr.Dataset({"accuracy": right})), "must have kept what was right"),
        (lambda right: ms.study.difference(right, 1.0), "`second` must be"),
    ],
)
def test_an_interval_that_cannot_be_is_refused(call, says, unchecked):
    with pytest.raises(ValueError, match=says):
        call(xr.DataArray(np.ones((2, 9), bool), dims=DIMS))


# What is kept of each recording.


@pytest.fixture(scope="module")
def data():
    return ms.data.spoken_digits(steps=4).test.take(np.arange(43))


@pytest.fixture(scope="module")
def model():
    return ms.nn.SpikingNetwork([ms.nn.Linear(13, 10, gain=2.0, key=KEY), ms.nn.LI(10)])


def test_a_study_keeps_what_is_right_of_each_recording(model, data, tmp_path):
    design = ms.Crossbar(dm.pcm_joshi2020(write_noise_scale=4.0))
    found = ms.study.robustness(model, data, design, chips=3, times=[0.0, 3600.0], key=KEY)
    assert (found.right.dtype, found.right.shape) == (np.uint8, (3, 2, 6))  # 43 bits
    right = ms.study.right(found)
    assert (right.dtype, right.dims) == (bool, ("chip", "time", "recording"))
    np.testing.assert_allclose(right.mean("recording"), found.accuracy, atol=1e-6)
    ms.study.save_result(found, tmp_path / "x.nc")
    assert ms.study.right(ms.study.open_result(tmp_path / "x.nc")).identical(right)
    one = ms.study.outcome(model, jnp.asarray(data.inputs), jnp.asarray(data.labels))
    named = np.argmax(np.mean(jax.vmap(model)(jnp.asarray(data.inputs)), axis=1), axis=-1) == data.labels
    np.testing.assert_array_equal(np.unpackbits(np.asarray(one.right), count=43), named)
    assert set(ms.study.summary(found).interval_over) == {"chip, recording; for one network"}
    assert set(ms.study.summary(found.accuracy).interval_over) == {"chip; for one network and this test set"}


def test_what_is_not_finite_is_not_right_or_wrong():
    right = np.random.default_rng(0).random((2, 20)) < 0.5
    variables = ms.study.packed(right).variables(("chip",), 20)
    result = xr.Dataset(variables)
    result["accuracy"] = result.accuracy.where([True, False])
    assert np.isnan(ms.study.right(result)[1]).all()
    with pytest.raises(ValueError, match="must be finite"):
        ms.study.interval(ms.study.right(result))
