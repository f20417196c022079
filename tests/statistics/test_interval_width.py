"""A study that stops when its interval is narrow enough states one that covers, though it looked again and again."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import memsim as ms
from memsim.study._until import EXTRA

# Of mean zero and variance one: normal, and with most chips near the best and few far below (a skewness of -1.4).
KINDS = {
    "normal": lambda rng, size: rng.normal(size=size),
    "skewed": lambda rng, size: (rng.beta(8, 1, size=size) - 8 / 9) / np.sqrt(8 / 810),
}


def stopped(until, values, block):
    """The look at which a study in blocks of chips ends."""
    for chips in range(until.least, values.sizes["chip"] + 1, block):
        look = until.look(values[:chips])
        if not look.go_on:
            return look
    raise AssertionError("a study ends at `most` chips")


def stopped_at_once(y, width, least, block):
    """For each row of `y`, chips and the mean at the first look at which its t interval, widened, is narrow enough."""
    n = np.arange(1, y.shape[1] + 1)
    means = np.cumsum(y, 1) / n
    variances = (np.cumsum(y**2, 1) - n * means**2) / np.maximum(n - 1, 1)
    looks = np.arange(least, y.shape[1] + 1, block)
    widths = 2 * stats.t.ppf(0.975, looks - 1) * np.sqrt(variances[:, looks - 1] / looks)
    narrow = widths * (1 + EXTRA / (looks - 1)) <= width
    assert narrow.any(1).all()
    at = looks[narrow.argmax(1)]
    return at, means[np.arange(len(y)), at - 1]


@pytest.mark.slow
def test_the_interval_at_the_stop_covers_and_is_of_the_width_asked_for():
    """250 studies of normal chips: a standard error of 1.4 points. As the loop in plain numpy stops, so does it."""
    rng, until = np.random.default_rng(0), ms.study.IntervalWidth(0.8, of="numbers", most=150)
    y = KINDS["normal"](rng, (250, 150))
    at, means = stopped_at_once(y, 0.8, 20, 10)
    hits = 0
    for row, chips, mean in zip(y, at, means, strict=True):
        look = stopped(until, xr.DataArray(row, dims="chip"), 10)
        assert (look.chips, look.reason) == (chips, "narrow enough")
        np.testing.assert_allclose(look.interval, (mean, mean - 0.4, mean + 0.4), atol=1e-12)
        hits += look.interval.low <= 0 <= look.interval.high
    assert hits / 250 > 0.95 - 0.042


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("block", [1, 5, 10])
def test_it_covers_whatever_the_width_and_the_blocks(kind, block):
    """4000 studies of each width, of some 20 to 170 chips: a standard error of 0.34 points, at 94 % 0.38."""
    rng = np.random.default_rng(block)
    for ratio in (1.5, 2.0, 2.5, 3.0, 4.0, 6.0):  # of the standard deviation to half the width
        y = KINDS[kind](rng, (4000, int(4 * (1.96 * ratio) ** 2) + 150))
        _, means = stopped_at_once(y, 2 / ratio, 20, block)
        assert np.mean(np.abs(means) <= 1 / ratio) > 0.94 - 3 * 0.0038, ratio


@pytest.mark.slow
def test_it_covers_over_seeds_and_chips():
    """400 studies of five seeds and chips in blocks of ten, shared by all seeds: a standard error of 1.1 points. Some
    stop since seeds leave more than the width."""
    rng, hits, reasons = np.random.default_rng(4), 0, set()
    until = ms.study.IntervalWidth(1.0, over=("seed", "chip"), of="numbers", most=120)
    for _ in range(400):
        y = 0.25 * rng.normal(size=(5, 1)) + rng.normal(size=120) + 0.5 * rng.normal(size=(5, 120))
        look = stopped(until, xr.DataArray(y.T, dims=("chip", "seed")), 10)
        hits += look.interval.low <= 0 <= look.interval.high
        reasons.add(look.reason)
    assert hits / 400 > 0.95 - 0.033
    assert {"narrow enough", "chips alone cannot"} <= reasons


def test_without_the_widening_and_the_pilot_it_would_not():
    """As a naive rule has it: 4000 studies from 5 chips on, a standard error of 0.4 points."""
    y = KINDS["normal"](np.random.default_rng(1), (4000, 400))
    n = np.arange(1, 401)
    means = np.cumsum(y, 1) / n
    deviations = np.sqrt(np.maximum(np.cumsum(y**2, 1) - n * means**2, 0) / np.maximum(n - 1, 1))
    narrow = (1.96 * deviations / np.sqrt(n) <= 0.5)[:, 4:]
    at = narrow.argmax(1) + 4
    assert np.mean(np.abs(means[np.arange(4000), at]) <= 0.5) < 0.92


def test_every_time_must_be_narrow_enough_and_the_reason_is_said():
    rng = np.random.default_rng(2)
    y = rng.normal(size=(100, 2)) * [0.01, 0.03]
    values = xr.DataArray(0.9 + y, {"time": [0.0, 60.0]}, ("chip", "time"))
    until = ms.study.IntervalWidth(0.02)
    assert until.look(values[:1]).reason == until.look(values[:19]).reason == "too few chips"
    assert until.look(values[:20]).reason == "too wide" and until.goes_on(values[:20])
    assert until.look(values[:20].sel(time=[0.0])).reason == "narrow enough"
    assert until.look(values).reason == "narrow enough" and not until.goes_on(values)
    assert ms.study.IntervalWidth(0.002, most=100).look(values).reason == "all chips"
    result = xr.Dataset({"accuracy": values})
    assert until.look(result) == until.look(values)


def test_it_stops_where_seeds_leave_more_than_the_width():
    rng = np.random.default_rng(3)
    values = xr.DataArray(0.01 * rng.normal(size=(3, 1)) + 0.01 * rng.normal(size=(3, 40)), dims=("seed", "chip"))
    look = ms.study.IntervalWidth(0.01, over=("seed", "chip")).look(values)
    assert (look.go_on, look.reason) == (False, "chips alone cannot")
    np.testing.assert_allclose(look.interval, ms.study.interval(values))
    assert ms.study.IntervalWidth(0.01).look(values).reason == "narrow enough"  # of these three


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"width": 0.5}, "Points\\? Divide by 100"),
        ({"width": 0.2}, "0.002 is 0.2 points"),
        ({"width": 0.0}, "`width` must be positive"),
        ({"over": ("seed",)}, '`over` must name "chip"'),
        ({"over": ("chip", "seeds")}, "Did you mean seed"),
        ({"least": 30, "most": 20}, "`least` must not exceed"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(settings, says, unchecked):
    with pytest.raises(ValueError, match=says):
        ms.study.IntervalWidth(**({"width": 0.01} | settings))
    assert ms.study.IntervalWidth(2.0, of="numbers").width == 2.0
    with pytest.raises(ValueError, match='must have a dimension "chip"'):
        ms.study.IntervalWidth(0.01).look(xr.DataArray(np.ones(3), dims="seed"))
