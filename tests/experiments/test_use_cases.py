"""Use cases from sensor to chip: each writes a labelled table, is drawn, and its closed forms hold."""

import hashlib
import json

import jax.random as jr
import numpy as np
import pytest
import xarray as xr

import memsim as ms
import memsim.data._spar as reader
from memsim import nn
from memsim._cli import load_script

NAMES = ("ecg", "event_vision", "keywords")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Quick results by name, each computed once."""
    found = {}

    def quick(name):
        if name not in found:
            out = tmp_path_factory.mktemp(name)
            script = load_script("experiments", name)
            script.run(script.Config(quick=True, out=out))
            found[name] = ms.study.open_result(out / f"{name}.nc")
        return found[name]

    return quick


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_use_case_is_labelled_and_its_figure_has_journal_width(name, results):
    result = results(name)
    for variable in result.variables.values():
        assert variable.dtype.kind in "TUO" or "units" in variable.attrs
    assert json.loads(result.config)["quick"] and result.sizes["chip"] == 2
    assert float(result.joules.min()) >= 0 and bool(result.latency.notnull().any())
    drawing = load_script("figures", name).figure(result, "nature")
    assert drawing.get_figwidth() * 25.4 == pytest.approx(183)


@pytest.mark.slow
def test_a_still_scene_costs_an_array_nearly_as_much_and_synapses_of_loihi_less(results):
    joules = results("event_vision").isel(seed=0, training=0).joules
    still, moving = joules.sel(speed=0.0), joules.sel(speed=100.0)
    array = still.sel(machine="PCM").sum() / moving.sel(machine="PCM").sum()
    synapses = (still / moving).sel(machine="Loihi", component="synapses")
    assert float(array) > 0.8 and float(synapses) < 0.5


def test_a_day_is_its_words_and_its_silences():
    """A machine of 1 J a word, 0.25 J a silence and 0.5 J static power in each half second; 1000 words."""
    script = load_script("experiments", "keywords")
    joules = xr.DataArray([1.0, 0.5], {"component": ["adc", "static"]}, "component")
    given = {"silent": 0.25, "missed": 0.1, "false_calls": 0.01, "counter_word": 2e-3, "counter_silent": 1e-3}
    found = script.of_a_day(xr.Dataset({"joules": joules, "accuracy": 0.8} | given), (1000.0,)).isel(words=0)
    silences = 2 * 86400 - 1000
    always, woken = found.dynamic.values
    assert always == pytest.approx(1000 + 0.25 * silences)
    assert woken == pytest.approx(900 + 0.01 * silences * 0.25 + 2 + 1e-3 * silences)
    np.testing.assert_allclose(found.day - found.dynamic, [0.5 * 2 * 86400, 0.5 * (900 + 0.01 * silences)], rtol=1e-9)
    np.testing.assert_allclose(found.accuracy, [0.8, 0.72])


def test_louder_bands_fire_more_often_and_quiet_ones_not_at_all():
    """Half of the range is a spike in every other step, and steady: events only where the sound sets in."""
    script = load_script("experiments", "keywords")
    loud = np.tile(np.array([0.0, 0.5, 1.0], np.float32), (1, 40, 1))
    spikes = np.asarray(script.as_spikes(loud, 0.15))[0]
    assert spikes.shape == (40, 9)
    np.testing.assert_array_equal(spikes[:, :3].sum(0), [0, 20, 40])
    words, silence = script.heard(20, 7.5, 0.0, 40, True)
    assert set(np.unique(words.test.inputs)) == {0.0, 1.0} and words.test.inputs.sum((1, 2)).min() > 0
    assert not silence.inputs.any()


def test_what_stands_still_is_seen_as_noise_alone():
    seen = load_script("experiments", "event_vision").scenes("clothes", None, (0.0, 100.0), 2.0, 40)
    still, moving = (seen.tests[speed].inputs.sum((1, 2)) for speed in (0.0, 100.0))
    # 400 pixels, 2 Hz, 0.3 s: 240 events of 10 recordings each; the mean within five standard errors.
    np.testing.assert_allclose(still.mean(), 240.0, atol=5 * (240.0 / len(still)) ** 0.5 + 2.4)
    assert moving.min() > 1.5 * still.max()


def test_recorded_digits_are_binned_beside_a_scene_at_rest(tmp_path):
    rng = np.random.default_rng(0)
    for part in ("Train", "Test"):
        for digit in range(10):
            for number in range(2):
                file = tmp_path / "nmnist" / part / str(digit) / f"{number}.bin"
                file.parent.mkdir(parents=True, exist_ok=True)
                t, x, y = np.sort(rng.integers(0, 300_000, 200)), *rng.integers(0, 34, (2, 200))
                ms.data.write_events(file, ms.data.event_array(t, x, y, rng.integers(0, 2, 200)), size=(34, 34))
    seen = load_script("experiments", "event_vision").scenes("nmnist", tmp_path, (0.0,), 1.0, 40)
    assert list(seen.tests) == [0.0, 1.0] and seen.splits.train.inputs.shape[1:] == (30, 800)
    assert 150 < seen.tests[1.0].inputs.sum((1, 2)).mean() <= 200  # some fall on one pixel within one step
    # 400 pixels, 1 Hz, 0.3 s: 120 events; the mean of ten recordings within five standard errors.
    np.testing.assert_allclose(seen.tests[0.0].inputs.sum((1, 2)).mean(), 120.0, atol=5 * (120.0 / 10) ** 0.5)


@pytest.mark.slow
def test_exercises_are_a_use_case_where_their_file_is(tmp_path, monkeypatch):
    place = tmp_path / reader.FILE
    rng, people = np.random.default_rng(0), np.repeat(np.arange(1, 11), 7)
    signals = [rng.standard_normal((950, 6)) for _ in people]
    np.save(place, np.array({"X": signals, "y": np.tile(np.arange(7), 10), "subject": people}, dtype=object))
    monkeypatch.setattr(reader, "SHA256", hashlib.sha256(place.read_bytes()).hexdigest())
    script = load_script("experiments", "wearable")
    found = script.run(script.Config(quick=True, folder=tmp_path, out=tmp_path / "out"))
    assert found.accuracy.dims == ("seed", "training", "machine", "chip") and bool(found.accuracy.notnull().all())
    xylo = found.sel(machine="Xylo IMU")
    assert bool(xylo.joules.sum("component", skipna=False).isnull().all())  # nobody publishes prices of its events
    np.testing.assert_allclose(xylo.latency, 100 * 0.04)
    assert load_script("figures", "wearable").figure(found, "nature").get_figwidth() * 25.4 == pytest.approx(183)


def test_an_unknown_machine_and_more_words_than_a_day_holds_are_refused():
    for name in NAMES:
        with pytest.raises(ValueError, match="`machines` must be of"):
            load_script("experiments", name).Config(machines=("abacus",))
    with pytest.raises(ValueError, match="which leave no silence"):
        load_script("experiments", "keywords").Config(words=(2e5,))
    with pytest.raises(ValueError, match="at which something moves"):
        load_script("experiments", "event_vision").Config(speeds=(0.0,))


def test_heartbeats_are_spikes_and_learnt_classes_are_balanced():
    script = load_script("experiments", "ecg")
    data = script.beats(script.Config(quick=True, patients=4, seconds=60.0, beats=200))
    normal = int(np.sum(data.train.labels == 0))
    assert set(np.unique(data.train.inputs)) == {0.0, 1.0} and data.train.inputs.shape[1:] == (84, 8)
    assert normal <= len(data.train) - normal


def test_a_network_that_does_not_fit_is_a_row_that_says_why():
    script = load_script("experiments", "ecg")
    data = ms.data.spoken_digits(10)
    some = ms.data.Splits(*(part.take(np.arange(8)) for part in (data.train, data.validation, data.test)))
    task, learning = script.Task(1e-3, chips=2), script.Learning(1, 1, 8)

    def make(*, key):
        layers = [nn.Linear(13, 20, key=key), nn.LIF(20, tau_mem=10e-3), nn.Linear(20, 10, key=key), nn.LI(10)]
        return nn.SpikingNetwork(layers, chunk=None)

    use = script.Use(some, task, learning, make)
    found = use.row(0, "as floats", "Speck", key=jr.key(0))
    assert "do not leak" in str(found.refused.item()) and bool(found.accuracy.isnull().all())
