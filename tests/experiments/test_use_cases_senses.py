"""The use cases of senses that fail and sensors that drift compute what their fields define, run, and are drawn."""

import json
import sys

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

import memsim as ms
from memsim._cli import load_script, main

NAMES = ("fusion", "gas")
MACHINES = {"fusion": ["systolic", "PCM", "Loihi"], "gas": ["PCM", "Loihi"]}


@pytest.fixture(scope="module")
def senses():
    return _shared("fusion", "_senses")


@pytest.fixture(scope="module")
def nose():
    return _shared("gas", "_nose")


def _shared(script, name):
    load_script("experiments", script)
    return sys.modules[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_use_case_of_senses_runs_and_its_figure_is_drawn(name, tmp_path):
    assert main(["run", name, "--quick", "--out", str(tmp_path)]) == 0
    result = ms.study.open_result(tmp_path / f"{name}.nc")
    for variable in result.variables.values():
        assert variable.dtype.kind in "TUO" or "units" in variable.attrs
    assert json.loads(result.config)["quick"] and result.machine.values.tolist() == MACHINES[name]
    assert bool(result.joules.sum("component", skipna=False).notnull().all()) and float(result.accuracy.max()) <= 1
    drawing = load_script("figures", name).figure(result, "nature")
    assert drawing.get_figwidth() * 25.4 == pytest.approx(183)


def test_a_failing_sense_is_silent_thinned_or_random_and_the_other_is_untouched(senses):
    data = senses.pairs(20, 60, True).test
    sound, image = senses.CHANNELS["sound"], senses.CHANNELS["image"]
    for harm in senses.HARMS:
        hit = senses.failed(data, f"image {harm}")
        np.testing.assert_array_equal(hit.inputs[:, :, sound], data.inputs[:, :, sound])
    before = data.inputs[:, :, image]
    spikes, size = before.sum(), before[..., 0].size
    assert senses.failed(data, "image dead").inputs[:, :, image].sum() == 0
    faded = senses.failed(data, "image fades").inputs[:, :, image]
    # Half of the spikes are left: binomial, within five standard errors; none is new.
    assert abs(faded.sum() - spikes / 2) < 5 * (spikes / 4) ** 0.5 and np.all(faded <= before)
    noisy = senses.failed(data, "image noise").inputs[:, :, image]
    # As many spikes as before, whose random half has the variance of a binomial; five standard errors.
    rates = before.mean((0, 1))
    assert abs(noisy.sum() - spikes) < 5 * (size * np.sum(rates * (1 - rates))) ** 0.5
    # What stays is half of all steps, and the other half agrees by chance.
    alike = 0.5 + 0.5 * np.mean(rates**2 + (1 - rates) ** 2)
    np.testing.assert_allclose(np.mean(noisy == before), alike, atol=5 * (0.25 / before.size) ** 0.5)


def test_each_way_to_learn_hears_and_sees_what_it_says(senses):
    data = senses.pairs(20, 60, True).train  # 200 pairs
    silent = {
        name: np.array(
            [(given.inputs[:, :, channels].sum((1, 2)) == 0).mean() for channels in senses.CHANNELS.values()]
        )
        for name in senses.SENSES
        for given in [senses.as_learnt(data, name)]
    }
    np.testing.assert_array_equal(silent["both"], [0, 0])
    np.testing.assert_array_equal(silent["sound only"], [0, 1])
    np.testing.assert_array_equal(silent["image only"], [1, 0])
    # A quarter of 200 each: five standard errors.
    np.testing.assert_allclose(silent["both, one dropped"], 0.25, atol=5 * (0.25 * 0.75 / 200) ** 0.5)


def test_a_pair_is_one_digit_heard_and_seen(senses):
    data = senses.pairs(20, 60, True).test
    images = ms.data.written_digits().test
    seen = data.inputs[:, :, senses.CHANNELS["image"]].sum(1)  # spikes of 20 steps: half of the ink of each pixel
    still = np.floor(20 * senses.BRIGHT * images.inputs.reshape(len(images), -1) / 16 + 1e-4)
    for spikes, digit in zip(seen[:10], data.labels[:10], strict=True):
        off = np.abs(still[images.labels == digit] - spikes).max(1)
        assert off.min() <= 1


def test_the_metric_of_a_way_to_fail_sees_its_own_pairs(senses):
    count = len(senses.FAILING)
    labels = jnp.tile(jnp.arange(4), count)
    scores = jnp.eye(4)[jnp.where(jnp.arange(4 * count) < 2, 3 - labels, labels)]
    found = [float(metric(scores, labels)) for metric in senses.RIGHT]
    assert found == [0.5] + [1.0] * (count - 1)


def test_what_is_foretold_adds_losses_or_multiplies_what_is_left():
    script = load_script("experiments", "fusion")
    coords = {"machine": ["systolic", "PCM"], "failing": ["nothing", "sound dead"]}
    found = script.foretold(xr.DataArray([[0.9, 0.6], [0.6, 0.5]], coords, ("machine", "failing")))
    pcm = found.sel(machine="PCM", failing="sound dead")
    assert float(pcm.added) == pytest.approx(0.3) and float(pcm.multiplied) == pytest.approx(0.4)


def test_a_sensor_follows_the_power_law_and_comes_and_goes_in_time(nose):
    sensors, rng = nose.Nose.drawn(np.random.default_rng(0)), np.random.default_rng(1)
    gas, ppm = np.array([4, 4]), np.array([50.0, 100.0])
    over = np.expm1(sensors.smells(gas, ppm, rng, noise=0.0))  # G / B - 1
    np.testing.assert_allclose(over[1], over[0] * 2 ** sensors.exponent[:, 4], rtol=1e-9)
    end, tau = nose.EXPOSED - 1, sensors.rise[:, 4]
    np.testing.assert_allclose(over[0, end] / over[0, 4], (1 - np.exp(-20 / tau)) / (1 - np.exp(-5 / tau)), rtol=1e-9)
    np.testing.assert_allclose(over[0, end + 10] / over[0, end], np.exp(-10 / sensors.fall[:, 4]), rtol=1e-9)
    middle = np.sqrt(10.0 * 600.0)
    full = sensors.response[:, 4] * (50.0 / middle) ** sensors.exponent[:, 4]
    np.testing.assert_allclose(over[0, end], full * (1 - np.exp(-20 / tau)), rtol=1e-9)


def test_sensors_drift_as_far_as_is_said(nose):
    """400 noses, 9 months: the logarithm of a response loses 9 ln(1 - loss) and spreads by 3 sqrt(0.15^2 + 0.1^2)."""
    rng = np.random.default_rng(0)
    new = nose.Nose.drawn(rng)._replace(loss=np.full(nose.SENSORS, 0.02))
    moved = np.array([np.log(new.after(9.0, rng).response / new.response)[:, 0] for _ in range(400)]).ravel()
    spread = 3 * np.hypot(nose.WALKS["sensitivity"], nose.WALKS["each gas"])
    # 6400 values: standard errors of the mean spread / 80, of the deviation spread / 113; five of each.
    assert abs(moved.mean() - 9 * np.log(0.98)) < 5 * spread / 80
    assert abs(moved.std() - spread) < 5 * spread / 113


def test_a_reference_gas_undoes_what_all_gases_of_a_sensor_share(nose):
    sensors, gas = nose.Nose.drawn(np.random.default_rng(0)), np.arange(6)
    ppm = nose.RANGES[:, 0] * 2
    lost = np.linspace(0.4, 1.5, nose.SENSORS)
    weak = sensors._replace(response=sensors.response * lost[:, None])
    before, after = (each.smells(gas, ppm, np.random.default_rng(1), noise=0.0) for each in (sensors, weak))
    np.testing.assert_allclose(nose.corrected(after, lost), before, rtol=1e-9)
    gains = nose.reference(weak, np.random.default_rng(2), 2000) / nose.reference(
        sensors, np.random.default_rng(3), 2000
    )
    # Each of 2000 readings differs by 20 %: the ratio of means by 0.2 * sqrt(2 / 2000) = 0.6 %; five of that.
    np.testing.assert_allclose(gains, lost, rtol=0.035)


def test_an_affine_map_is_ridge_regression():
    affine = load_script("experiments", "gas").Affine
    rng = np.random.default_rng(0)
    seen, true = rng.normal(size=(30, 4)), rng.normal(size=(30, 6))
    wide = np.concatenate([seen, np.ones((30, 1))], axis=1)
    stacked = np.concatenate([wide, np.sqrt(0.5) * np.eye(5)]), np.concatenate([true, np.zeros((5, 6))])
    solved = np.linalg.lstsq(*stacked)[0]
    np.testing.assert_allclose(affine.fitted(seen, true, ridge=0.5)(seen), wide @ solved, rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("fusion", {"machines": ("abacus",)}, "`machines` must be of"),
        ("gas", {"machines": ("abacus",)}, "`machines` must be of"),
        ("gas", {"months": (3.0, 6.0)}, "`months` must begin with 2"),
        ("gas", {"months": (2.0, 1.0)}, "`months` must begin with 2"),
    ],
)
def test_a_use_case_of_senses_that_cannot_be_is_refused(name, options, words):
    with pytest.raises(ValueError, match=words):
        load_script("experiments", name).Config(**options)
