"""Comparisons of several methods: p-values and intervals hold for all of them together."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import memsim as ms
from memsim.study._compare import adjusted

TRAININGS = ["digital", "gaussian", "sampled", "both"]


def accuracies(rng, gains=(0.0, 0.0, 0.0, 0.0), seeds=5, chips=8):
    """Methods that share seeds and chips, and differ by seed: 0.9, with differences of points."""
    y = 0.01 * rng.normal(size=(1, seeds, 1)) + 0.01 * rng.normal(size=(1, 1, chips)) + np.reshape(gains, (-1, 1, 1))
    y = y + 0.004 * rng.normal(size=(4, seeds, 1)) + 0.006 * rng.normal(size=(4, seeds, chips))
    return xr.DataArray(0.9 + y, {"training": TRAININGS}, ("training", "seed", "chip"))


@pytest.mark.slow
def test_a_difference_where_there_is_none_is_claimed_in_no_more_than_5_percent_of_studies():
    """400 studies of six correlated pairs: a standard error of 1.1 points. Uncorrected, it is claimed more often. All
    intervals hold zero as often."""
    rng, claimed, alone, held = np.random.default_rng(0), 0, 0, 0
    for _ in range(400):
        found = ms.study.compare(accuracies(rng))
        claimed += (found.p_adjusted < 0.05).any()
        alone += (found.p < 0.05).any()
        held += ((found.low <= 0) & (found.high >= 0)).all()
    assert claimed / 400 < 0.05 + 3 * 0.011
    assert held / 400 > 0.95 - 3 * 0.011
    assert alone > 2 * claimed


@pytest.mark.slow
def test_of_three_equal_methods_and_a_better_one_no_equal_pair_is_claimed_to_differ():
    """1500 studies: a standard error of 0.6 points. The better one is found, by Holm more often than by Bonferroni."""
    rng, wrong, found, bonferroni = np.random.default_rng(1), 0, 0, 0
    for _ in range(1500):
        table = ms.study.compare(accuracies(rng, (0.0, 0.0, 0.0, 0.012)))
        better = table.second == "both"
        wrong += (table.p_adjusted[~better] < 0.05).any()
        found += (table.p_adjusted[better] < 0.05).sum()
        bonferroni += (np.minimum(6 * table.p[better], 1) < 0.05).sum()
    assert wrong / 1500 < 0.05 + 3 * 0.006
    assert found > bonferroni > 1500


def test_of_one_factor_p_is_that_of_the_paired_t_test():
    y = accuracies(np.random.default_rng(2))[:2, :, 0]
    (row,) = ms.study.compare(y, correction="none").itertuples()
    expected = stats.ttest_rel(*y.to_numpy())
    np.testing.assert_allclose(row.p, expected.pvalue, rtol=1e-9)
    np.testing.assert_allclose((row.low, row.high), expected.confidence_interval(), rtol=1e-9)
    assert (row.first, row.second) == ("digital", "gaussian")


def test_p_is_the_level_at_which_the_interval_ends_at_zero():
    values = accuracies(np.random.default_rng(3), (0.0, 0.005, 0.01, 0.02))
    for row in ms.study.compare(values, baseline="digital", correction="none").itertuples():
        change = ms.study.difference(values.sel(training=row.first), values.sel(training="digital"))
        found = ms.study.interval(change, level=1 - row.p)
        assert min(abs(found.low), abs(found.high)) < 1e-6 * abs(row.mean)
        np.testing.assert_allclose((row.mean, row.low, row.high), ms.study.interval(change))


def test_holm_and_bonferroni_are_those_of_their_papers():
    p = np.array([0.04, 0.01, np.nan, 0.03, 0.005])
    np.testing.assert_allclose(adjusted(p, "holm"), [0.09, 0.04, np.nan, 0.09, 0.025])
    np.testing.assert_allclose(adjusted(p, "bonferroni"), [0.2, 0.05, np.nan, 0.15, 0.025])
    assert adjusted(p, "none") is p


def test_recordings_and_whole_results_are_compared_too():
    rng = np.random.default_rng(4)
    right = rng.random((2, 3, 80)) < np.reshape([0.6, 0.95], (2, 1, 1))
    coordinates = {"training": ["plain", "robust"]}
    result = xr.Dataset(ms.study.packed(right).variables(("training", "seed"), 80), coordinates)
    (row,) = ms.study.compare(result, baseline="plain").itertuples()
    assert (row.first, row.second, row.interval_over) == ("robust", "plain", "seed, recording")
    assert row.mean > 0.2 and row.p < 0.01 and row.low > 0
    same = ms.study.compare(result.isel(training=[0, 0]).assign_coords(training=["a", "b"]))
    assert same.p[0] == 1.0 and same["mean"][0] == 0.0
    constant = xr.DataArray([[0.5, 0.5], [0.75, 0.75]], dims=("training", "seed"))
    assert np.isnan(ms.study.compare(constant).p_adjusted[0])


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"along": "trainin"}, "Did you mean training"),
        ({"baseline": "digita"}, "Did you mean digital"),
        ({"baseline": 3}, "`baseline` must be a value of training"),
        ({"along": "seed"}, "vary with nothing but"),
        ({"over": ("recording",)}, "`over` must name dimensions"),
        ({"correction": "bonferoni"}, "`correction` must be"),
    ],
)
def test_a_comparison_that_cannot_be_is_refused(settings, says, unchecked):
    values = accuracies(np.random.default_rng(5))
    with pytest.raises(ValueError, match=says):
        ms.study.compare(values, **settings)


def test_a_result_of_other_measures_is_asked_for_one_of_them(unchecked):
    values = accuracies(np.random.default_rng(6))
    result = xr.Dataset({"rmse": values, "r2": values})
    for call in (ms.study.compare, ms.study.variance_components, ms.study.IntervalWidth(0.01).look):
        with pytest.raises(ValueError, match=r"one of its measures, such as `result.rmse`. Got rmse, r2"):
            call(result)
    assert len(ms.study.compare(result.rmse)) == 6
