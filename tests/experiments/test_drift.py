"""The main job runs, goes on after an interruption, says where its numbers come from, and is drawn to specification."""

import csv
import inspect
import json
from concurrent.futures import Future

import jax
import numpy as np
import pytest

import memsim as ms
from memsim._cli import load_script


@pytest.fixture(scope="module")
def drift():
    return load_script("experiments", "drift")


@pytest.fixture(scope="module")
def quick(drift, tmp_path_factory):
    config = drift.Config(quick=True, seeds=2, write_noise=(1.0,), out=tmp_path_factory.mktemp("drift"))
    return config, drift.run(config)


@pytest.mark.slow
def test_the_result_is_labelled_with_units_configuration_and_sources(quick):
    config, _ = quick
    result = ms.study.open_result(config.out / "drift.nc")
    assert result.accuracy.dims == ("seed", "training", "write_noise", "compensation", "chip", "time")
    assert result.accuracy.shape == (2, 4, 1, 2, 3, 2)
    assert bool(((result.accuracy >= 0) & (result.accuracy <= 1)).all())
    assert [str(name) for name in result.training.values] == [
        "digital",
        "Gaussian noise",
        "sampled chip",
        "drift-aware",
    ]
    assert result.time.attrs["units"] == "s"
    assert json.loads(result.config)["device"] == "pcm_joshi2020"
    assert "10.1109/ICECS46596.2019.8964852" in result.device_numbers and "0.0244" in result.device_numbers
    assert "speaker" in result.data
    assert float(result.digital_accuracy.std("seed").max()) > 0  # seeds are different networks


@pytest.mark.slow
def test_the_table_is_the_result(quick):
    config, result = quick
    with open(config.out / "drift.csv") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * 1 * 2 * 2
    for row in rows:
        cell = result.accuracy.sel(
            training=row["training"], compensation=row["compensation"], write_noise=1.0, time=float(row["time"])
        )
        assert float(row["mean"]) == pytest.approx(float(cell.mean()), abs=1e-6)
        assert row["interval_over"] == "seed, chip, recording" and row["measured"] == "True"


class InTurn:
    """Computes points in this process, one after the other, until it is interrupted after so many."""

    def __init__(self, most):
        self.most, self.computed = most, 0

    def submit(self, function, *arguments):
        if self.computed == self.most:
            raise KeyboardInterrupt
        self.computed += 1
        future = Future()
        future.set_result(function(*arguments))
        return future


@pytest.mark.slow
def test_an_interrupted_run_goes_on_and_ends_with_the_same_numbers(drift, quick, tmp_path):
    config, whole = quick
    config = drift.dataclasses.replace(config, out=tmp_path)
    with pytest.raises(KeyboardInterrupt), ms.study.using(InTurn(3)):
        drift.run(config)
    assert not (tmp_path / "drift.nc").exists()
    rest = InTurn(8)
    with ms.study.using(rest):
        resumed = drift.run(config)
    assert rest.computed == 5
    np.testing.assert_array_equal(resumed.accuracy, whole.accuracy)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []


def test_all_trainings_start_from_the_same_weights_and_seeds_from_others(drift):
    recurrent_network = inspect.getmodule(drift.trained).recurrent_network
    first, again, other = (recurrent_network(13, 16, 10, key=jax.random.key(seed)) for seed in (0, 0, 1))
    same = jax.tree.map(np.array_equal, jax.tree.leaves(first), jax.tree.leaves(again))
    assert all(same)
    assert not np.array_equal(first.layers[0].weight, other.layers[0].weight)


@pytest.mark.slow
def test_the_figure_has_journal_width_embedded_truetype_and_the_data(quick, tmp_path):
    config, result = quick
    module = load_script("figures", "drift")
    for journal, millimetres in (("nature", 183), ("ieee", 7.16 * 25.4)):
        figure = module.figure(result, journal)
        assert figure.get_figwidth() * 25.4 == pytest.approx(millimetres)
    module.draw(config.out / "drift.nc", tmp_path / "drift", "nature")
    pdf = (tmp_path / "drift.pdf").read_bytes()
    assert b"/FontFile2" in pdf and b"/Type3" not in pdf
    assert (tmp_path / "drift.png").read_bytes().startswith(b"\x89PNG")
    drawn = figure.axes[0].lines[0].get_ydata()
    expected = 100 * result.accuracy.sel(training="digital", compensation="global", write_noise=1.0).mean(
        ["seed", "chip"]
    )
    np.testing.assert_allclose(drawn, expected, rtol=1e-6)
    said = (tmp_path / "drift.txt").read_text()
    assert "3 chips" in said and "no speaker labels" in said and "95 % interval of the mean" in said


@pytest.mark.slow
def test_drift_aware_training_survives_a_year(drift, tmp_path):
    config = drift.Config(chips=20, times=(0.0, drift.YEAR), out=tmp_path)
    result = drift.run(config)
    year = result.accuracy.sel(time=drift.YEAR, compensation="global").mean(["seed", "chip"])
    digital = result.digital_accuracy.mean("seed")
    assert float(digital.sel(training="digital").min()) >= 0.97
    for noise, points in ((1.0, 0.01), (4.0, 0.02)):
        aware = {"training": "drift-aware", "write_noise": noise}
        assert float(digital.sel(aware) - year.sel(aware)) < points
    poor = year.sel(write_noise=4.0)
    assert float(poor.sel(training="drift-aware") - poor.sel(training="digital")) > 0.03
