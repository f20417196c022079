"""Remedies side by side: the chips of a study, the same numbers whatever the chunk, shares with intervals."""

import jax.random as jr
import numpy as np
import pytest
import xarray as xr

import device_models as dm
import memsim as ms

DEVICE = dm.Gaussian(0.0, 25e-6, write_noise=dm.curves.Constant(7e-6))
CROSSBAR = ms.Crossbar(DEVICE, compensation=None)
REMEDIES = {"gains": ms.heal.LineGains(16), "last": ms.heal.LastLayer(100, batch=32, rate=5e-2)}


def model():
    return ms.nn.SpikingNetwork([ms.nn.Linear(4, 3, key=jr.key(0))])


def splits():
    """Samples whose class is the largest output of the model: it is right of all."""
    xs = np.random.default_rng(0).uniform(size=(384, 1, 4)).astype(np.float32)
    layer = model().layers[0]
    labels = np.argmax(xs[:, 0] @ np.asarray(layer.weight).T, axis=1)
    parts = [ms.data.Dataset(xs[part], labels[part]) for part in (slice(256), slice(256, 288), slice(288, 384))]
    return ms.data.Splits(*parts)


def compared(**settings):
    chosen = {"chips": 3, "time": 0.0, "key": jr.key(1), "remedies": REMEDIES} | settings
    return ms.heal.compare(model(), splits(), CROSSBAR, **chosen)


@pytest.fixture(scope="module")
def result():
    return compared()


def test_chips_are_those_of_a_study(result):
    study = ms.study.robustness(model(), splits().test, CROSSBAR, chips=3, times=[0.0], key=jr.key(1))
    np.testing.assert_array_equal(result.before_accuracy, study.accuracy)
    assert float(result.digital_accuracy) == 1.0


def test_the_share_regained_is_the_ratio_of_means_within_its_interval(result):
    before = result.before_accuracy.mean()
    for name in result.remedy.values:
        one = result.sel(remedy=name).isel(time=0)
        wanted = float((one.accuracy.mean() - before) / (1.0 - before))
        assert float(one.regained) == pytest.approx(wanted, abs=1e-6)
        assert float(one.low) <= wanted <= float(one.high)
    assert float(result.regained.sel(remedy="last")[0]) > float(result.regained.sel(remedy="gains")[0])


def test_what_it_took_stands_beside(result):
    assert result.reads.sel(remedy="gains").values.tolist() == [16.0] * 3
    assert result.reads.sel(remedy="last").values.tolist() == [100.0 * 32] * 3
    assert result.parameters.values.tolist() == [3, 12]
    np.testing.assert_allclose(result.parameter_share, [3 / 15, 12 / 15])
    assert bool((result.joules > 0).all()) and "chip" in result.interval_over


@pytest.mark.slow
def test_numbers_are_the_same_whatever_the_chunk_and_the_number_of_chips(result, monkeypatch):
    monkeypatch.setattr("memsim.heal._many.BLOCK", 2)
    for other in (compared(chunk=2), compared(chips=2)):
        chips = other.sizes["chip"]
        np.testing.assert_array_equal(other.accuracy, result.accuracy.isel(chip=slice(chips)))


@pytest.mark.slow
def test_what_is_rewritten_is_judged_later_by_its_own_age():
    found = compared(remedies={"rewritten": ms.heal.Rewrite(0.25)}, later=(3600.0,))
    assert found.accuracy.dims == ("remedy", "chip", "time") and found.time.values.tolist() == [0.0, 3600.0]
    assert bool((found.writes <= 3).all()) and bool(found.accuracy.notnull().all())


def test_what_does_not_fit_is_told_before_any_work():
    with pytest.raises(ValueError, match="of different names"):
        compared(remedies=[ms.heal.LineGains(4), ms.heal.LineGains(8)])
    with pytest.raises(ValueError, match=r"`later` must be ages from `time` on, 60 s\. Got 1 s"):
        compared(time=60.0, later=(3600.0, 1.0))
    with pytest.raises(ValueError, match="`remedies`"):
        compared(remedies={"gains": ms.heal.LineGains})
    with pytest.raises(ValueError, match=r"`budget.parameters` must be at least 12"):
        compared(remedies=[ms.heal.LastLayer()], budget=ms.heal.Budget(parameters=3), chips=1)


def test_the_share_of_the_loss_is_the_ratio_of_mean_losses(result):
    one = result.sel(remedy="last").isel(time=0)
    lost = float((one.before_loss - one.digital_loss).mean())
    wanted = float((one.before_loss - one.loss).mean()) / lost
    found = ms.heal.regained(one, "loss")
    assert found.mean == pytest.approx(wanted, rel=1e-5) == pytest.approx(float(one.loss_regained), rel=1e-5)
    assert found.low < found.mean < found.high


def test_what_was_lost_tells_chips_as_good_as_the_digital_model_from_better_ones():
    ones = xr.DataArray(np.ones((3, 4)), dims=["chip", "recording"])
    for before, wanted in ((0.5, 0.4), (0.1, 0.0), (0.05, -0.05)):
        losses = {"digital_loss": 0.1 * ones, "before_loss": before * ones, "loss": 0.1 * ones}
        one = xr.Dataset(losses)
        assert ms.heal.lost(one, "loss").mean == pytest.approx(wanted, abs=1e-12)
        assert np.isnan(ms.heal.regained(one, "loss").mean) == (wanted <= 0)


def test_no_share_is_told_of_what_only_rounding_has_lost():
    ones = xr.DataArray(np.ones((3, 4), np.float32), dims=["chip", "recording"])
    losses = {"digital_loss": 0.5 * ones, "before_loss": np.nextafter(0.5 * ones, np.float32(1)), "loss": 0.4 * ones}
    one = xr.Dataset(losses)
    assert 0 < ms.heal.lost(one, "loss").mean < 1e-7
    assert np.isnan(ms.heal.regained(one, "loss")).all()


def test_what_was_lost_stands_beside_the_shares(result):
    lost = ms.heal.lost(result.isel(remedy=0, time=0))
    assert float(result.lost[0]) == pytest.approx(lost.mean) == pytest.approx(float(1 - result.before_accuracy.mean()))
    assert lost.low < lost.mean < lost.high and result.loss_lost.dims == ("time",)
