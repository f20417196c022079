"""Intervals of variance components cover the truth as often as they claim, crossed and nested."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import memsim as ms
from helpers import slow
from memsim.study._components import component_intervals, nesting
from memsim.study._variance import components, mean_squares

THREE = ("seed", "chip", "recording")


def normal(rng, sizes, true):
    """Sum of normal effects, `true` from the axes of each to its standard deviation."""
    parts = [
        std * rng.normal(size=[n if axis in of else 1 for axis, n in enumerate(sizes)]) for of, std in true.items()
    ]
    return np.sum(np.broadcast_arrays(*parts), axis=0)


def coverage(draw, names, true, studies, design="crossed"):
    """How often the interval of each effect holds its standard deviation."""
    hits = dict.fromkeys(true, 0)
    for _ in range(studies):
        table = ms.study.variance_components(xr.DataArray(draw(), dims=names), design=design)
        for row in table.itertuples():
            hits[row.effect] += row.low <= true[row.effect] <= row.high
    return {effect: found / studies for effect, found in hits.items()}


@pytest.mark.slow
def test_crossed_components_are_covered():
    """400 studies: the standard error of 95 % is 1.1 points; of a component of zero 97.5 % or more is claimed."""
    rng = np.random.default_rng(0)
    axes = {(0,): 1.0, (1,): 0.3, (2,): 2.0, (0, 2): 0.5, (0, 1, 2): 1.5}
    names = ["seed", "chip", "recording", "seed x chip", "seed x recording", "chip x recording", "residual"]
    true = dict(zip(names, [1.0, 0.3, 2.0, 0.0, 0.5, 0.0, 1.5], strict=True))
    found = coverage(lambda: normal(rng, (3, 8, 40), axes), THREE, true, 400)
    assert all(found[effect] > 0.95 - 3 * 0.011 for effect in names), found
    assert all(found[effect] < 0.95 + 3 * 0.011 for effect in ("seed", "chip")), found


@pytest.mark.parametrize("chip", [slow(0.0), slow(0.1), slow(0.6)])
def test_nested_components_are_covered(chip):
    rng = np.random.default_rng(1)
    true = {"seed": 1.0, "chip in seed": chip, "moment in chip": 0.5}
    axes = {(0,): 1.0, (0, 1): chip, (0, 1, 2): 0.5}
    found = coverage(lambda: normal(rng, (4, 6, 5), axes), ("seed", "chip", "moment"), true, 400, "nested")
    assert all(share > 0.95 - 3 * 0.011 for share in found.values()), found


@pytest.mark.slow
def test_components_of_what_is_right_or_wrong_are_covered_but_for_those_of_recordings():
    """By a logistic law; the truth from 60 large studies. 400 studies, a standard error of 1.1 points."""
    rng = np.random.default_rng(2)

    def draw(seeds=4, chips=8, recordings=600):
        ability = 6.0 + normal(rng, (seeds, chips, recordings), {(0,): 0.3, (1,): 0.3, (2,): 4.0})
        return rng.random(ability.shape) < 1 / (1 + np.exp(-ability))

    large = np.mean([list(components(draw(20, 20, 2000).astype(float)).values()) for _ in range(60)], axis=0)
    names = ["seed", "chip", "recording", "seed x chip", "seed x recording", "chip x recording", "residual"]
    found = coverage(draw, THREE, dict(zip(names, np.sqrt(np.clip(large, 0, None)), strict=True)), 400)
    assert all(found[effect] > 0.95 - 3 * 0.011 for effect in ("seed", "chip")), found
    assert all(share > 0.84 for share in found.values()), found


def test_one_factor_has_the_interval_of_the_textbook():
    """Chi-squared; within the error of a quantile of 20 000 draws, four standard errors of 1 %."""
    y = np.random.default_rng(3).normal(size=12)
    ((low, high),) = component_intervals(y, {}, None).values()
    expected = 11 * y.var(ddof=1) / stats.chi2.ppf([0.975, 0.025], 11)
    np.testing.assert_allclose([low, high], expected, rtol=0.04)


def test_the_difference_of_two_mean_squares_has_the_modified_large_sample_interval():
    """Of seeds with chips nested in them (BurdickGraybill1992): another method, within a twentieth."""
    y = normal(np.random.default_rng(4), (10, 5), {(0,): 1.0, (0, 1): 1.0})
    inside = nesting(("seed", "chip"))
    (one, n), (two, m) = mean_squares(y, inside).values()
    assert (n, m) == (9, 40)
    f = stats.f.ppf
    g, h, ratio = 1 - 1 / f(0.975, n, 1e9), 1 / f(0.025, m, 1e9) - 1, f(0.975, n, m)
    cross = ((ratio - 1) ** 2 - g**2 * ratio**2 - h**2) / ratio
    low = one - two - np.sqrt(g**2 * one**2 + h**2 * two**2 + cross * one * two)
    g, h, ratio = 1 - 1 / f(0.975, m, 1e9), 1 / f(0.025, n, 1e9) - 1, f(0.025, n, m)
    cross = ((1 - ratio) ** 2 - h**2 * ratio**2 - g**2) / ratio
    high = one - two + np.sqrt(h**2 * one**2 + g**2 * two**2 + cross * one * two)
    np.testing.assert_allclose(component_intervals(y, inside, None)[(0,)], (low / 5, high / 5), rtol=0.05)


def test_nested_mean_squares_are_those_of_the_textbook():
    y = np.random.default_rng(5).normal(size=(3, 4, 5))
    seed, chip = y.mean((1, 2), keepdims=True), y.mean(2, keepdims=True)
    found = mean_squares(y, nesting(("seed", "chip", "moment")))
    assert list(found) == [(0,), (0, 1), (0, 1, 2)]
    np.testing.assert_allclose(found[(0,)], (20 * np.sum((seed - y.mean()) ** 2) / 2, 2))
    np.testing.assert_allclose(found[(0, 1)], (5 * np.sum((chip - seed) ** 2) / 9, 9))
    np.testing.assert_allclose(found[(0, 1, 2)], (np.sum((y - chip) ** 2) / 48, 48))
    variances = components(y, nesting(("seed", "chip", "moment")))
    np.testing.assert_allclose(variances[(0, 1)], (found[(0, 1)][0] - found[(0, 1, 2)][0]) / 5)


def test_the_rows_of_a_nested_design_say_what_is_in_what():
    values = xr.DataArray(
        np.random.default_rng(6).normal(size=(3, 4, 2, 9)), dims=("seed", "chip", "moment", "recording")
    )
    rows = ms.study.variance_components(values, design="nested").set_index("effect")
    nested = ["seed", "recording", "chip in seed", "seed x recording", "moment in chip", "chip in seed x recording"]
    assert list(rows.index) == [*nested, "residual"]
    assert rows.levels.to_dict()["moment in chip"] == 24
    assert (rows.low <= rows["std"]).all() and (rows["std"] <= rows.high).all()
    plain = ms.study.variance_components(values.mean(("recording", "moment")), design="nested")
    assert list(plain.effect) == ["seed", "chip in seed"]
    assert list(ms.study.variance_components(values[:1, :, 0, 0], design="nested").effect) == ["chip"]
    with pytest.raises(ValueError, match='must be "crossed" or "nested"'):
        ms.study.variance_components(values, design="nest")
