"""The number of chips that a pilot asks for gives the width that was asked for."""

import numpy as np
import pytest
import xarray as xr

import memsim as ms

DIMS = ("seed", "chip", "recording")


def study(rng, seeds, chips, recordings):
    """Values that vary by 0.01 with seeds, 0.02 with chips and 0.1 with recordings, and otherwise."""
    y = 0.9 + 0.01 * rng.normal(size=(seeds, 1, 1)) + 0.02 * rng.normal(size=(1, chips, 1))
    y = y + 0.1 * rng.normal(size=(1, 1, recordings)) + 0.005 * rng.normal(size=(seeds, chips, 1))
    return xr.DataArray(y + 0.1 * rng.normal(size=(seeds, chips, recordings)), dims=DIMS)


def mean_half_width(rng, studies, *sizes):
    return np.mean([np.ptp(ms.study.interval(study(rng, *sizes))[1:]) / 2 for _ in range(studies)])


def test_of_chips_alone_it_is_the_number_of_the_textbook():
    """The least n with t s / sqrt(n) below the half width."""
    from scipy import stats

    pilot = xr.DataArray(np.random.default_rng(0).normal(size=30), dims="chip")
    found = ms.study.chips_needed(pilot, 0.2)
    n = np.arange(2, 500)
    widths = stats.t.ppf(0.975, n - 1) * float(pilot.std(ddof=1)) / np.sqrt(n)
    assert found.chips == n[widths <= 0.2][0] and found.leaves == {}
    np.testing.assert_allclose(found.half_width, widths[widths <= 0.2][0])
    assert found.floor < 1e-6
    assert found.in_words() == f"{found.chips} chips, for ± 0.2"


@pytest.mark.slow
def test_the_number_gives_the_half_width_on_average():
    """40 studies of the number that a large pilot says: half widths scatter by a sixth, their mean by 3 %; the pilot's
    own standard deviations are within 8 %."""
    rng = np.random.default_rng(1)
    pilot = study(rng, 40, 80, 400)
    for half_width, seeds in ((0.015, 10), (0.02, 5), (0.012, 20)):
        found = ms.study.chips_needed(pilot, half_width, seeds=seeds)
        assert found.half_width <= half_width
        assert abs(mean_half_width(rng, 40, seeds, found.chips, 400) / half_width - 1) < 0.15


def test_where_chips_alone_cannot_it_says_what_would():
    rng = np.random.default_rng(2)
    pilot = study(rng, 40, 80, 400)
    found = ms.study.chips_needed(pilot, 0.012, seeds=5)
    assert found.chips is None and found.floor == found.half_width > 0.012
    assert found.leaves["seed"] > found.leaves["recording"] > 0
    seeds, chips = found.instead["seed"]
    assert abs(mean_half_width(rng, 40, seeds, chips, 400) / 0.012 - 1) < 0.15
    assert f"{seeds} seeds with {chips} chips" in found.in_words()
    never = ms.study.chips_needed(pilot, 0.001, seeds=5)
    assert never.instead == {} and "no number of one other factor" in never.in_words()
    more = ms.study.chips_needed(pilot, 0.012, seeds=20, recordings=2000)
    assert more.chips < ms.study.chips_needed(pilot, 0.012, seeds=20).chips


def test_of_what_is_right_or_wrong_it_holds_too():
    """30 studies of a logistic law, of which half widths scatter by a tenth."""
    rng = np.random.default_rng(3)

    def right(chips):
        ability = 3.0 + rng.normal(size=(chips, 1)) - 2 * rng.normal(size=(1, 2000))
        return xr.DataArray(rng.random(ability.shape) < 1 / (1 + np.exp(-ability)), dims=("chip", "recording"))

    found = ms.study.chips_needed(right(200), 0.02)
    widths = [np.ptp(ms.study.interval(right(found.chips))[1:]) / 2 for _ in range(30)]
    assert abs(np.mean(widths) / 0.02 - 1) < 0.15


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"half_width": 0.0}, "`half_width` must be positive"),
        ({"over": ("seed",)}, "must have several chips"),
        ({"recordings": 100}, "`recordings` must go with a pilot"),
        ({"seeds": 1}, "`seeds` must be a whole number"),
    ],
)
def test_a_number_that_cannot_be_told_is_refused(settings, says, unchecked):
    pilot = study(np.random.default_rng(4), 3, 5, 4).mean("recording")
    with pytest.raises(ValueError, match=says):
        ms.study.chips_needed(pilot, **({"half_width": 0.01} | settings))
    with pytest.raises(ValueError, match="values that differ"):
        ms.study.chips_needed(xr.ones_like(pilot), 0.01)
