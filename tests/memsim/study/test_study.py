"""Studies give the same chips whatever the chunk, honest intervals, and files that are whole or not there."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr
from scipy import stats

import device_models as dm
import memsim as ms

TIMES = [0.0, 3600.0]


@pytest.fixture(scope="module")
def test_set():
    return ms.data.spoken_digits(steps=12).test.take(np.arange(60))


@pytest.fixture(scope="module")
def model():
    keys = jr.split(jr.key(0), 2)
    return ms.nn.SpikingNetwork(
        [ms.nn.Linear(13, 20, gain=2.0, key=keys[0]), ms.nn.LIF(20), ms.nn.Linear(20, 10, key=keys[1]), ms.nn.LI(10)]
    )


def crossbar(**settings):
    return ms.Crossbar(dm.pcm_joshi2020(write_noise_scale=4.0), adc=ms.ADC(8), **settings)


@pytest.mark.parametrize(
    "read_noise",
    ["per_read", *(pytest.param(name, marks=pytest.mark.slow) for name in ("per_moment", "off"))],
)
def test_a_study_is_a_loop_over_chips_whatever_the_chunk(model, test_set, read_noise):
    design, key = crossbar(reads=ms.Reads(read_noise)), jr.key(3)
    one, four = (
        ms.study.robustness(model, test_set, design, chips=5, times=TIMES, key=key, chunk=chunk) for chunk in (1, 4)
    )
    np.testing.assert_allclose(one.accuracy, four.accuracy, atol=1e-6)
    xs, labels = jnp.asarray(test_set.inputs), jnp.asarray(test_set.labels)

    @eqx.filter_jit
    def alone(chip, t):
        program_key, life_key = jr.split(jr.fold_in(key, chip))
        moment_key, read_key, _ = jr.split(jr.fold_in(life_key, jax.lax.bitcast_convert_type(t, jnp.uint32)), 3)
        moment = ms.at(ms.program(model, design, key=program_key), t, key=moment_key)
        return ms.train.accuracy(moment, xs, labels, key=read_key)

    for chip, place in np.ndindex(5, len(TIMES)):
        single = alone(jnp.asarray(chip), jnp.asarray(TIMES[place]))
        assert abs(float(single) - float(one.accuracy[chip, place])) < 1e-6


@pytest.mark.slow
def test_more_chips_do_not_change_the_first_ones(model, test_set):
    few, many = (ms.study.robustness(model, test_set, crossbar(), chips=n, times=TIMES, key=jr.key(0)) for n in (2, 3))
    np.testing.assert_array_equal(few.accuracy, many.accuracy[:2])


def test_a_result_says_where_it_comes_from(model, test_set):
    result = ms.study.robustness(model, test_set, crossbar(), chips=2, times=TIMES, key=jr.key(0))
    assert result.time.attrs["units"] == "s"
    assert "write_noise_scale=4.0" in result.attrs["design"]
    assert "10.1109/ICECS46596.2019.8964852" in result.attrs["device_numbers"]
    assert "CC BY-SA" in ms.data.spoken_digits().test.licence and result.attrs["data"]
    assert {"versions", "git", "backend"} <= set(result.attrs)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"times": [-1.0]}, "at least 0"),
        ({"times": []}, "one or more"),
        ({"times": [float("nan")]}, "at least 0"),
        ({"chips": 0}, "at least 1"),
        ({"chunk": 0}, "at least 1"),
    ],
)
def test_a_bad_study_is_refused(model, test_set, settings, message):
    arguments = {"chips": 1, "times": TIMES, "chunk": 1} | settings
    with pytest.raises(ValueError, match=message):
        ms.study.robustness(model, test_set, crossbar(), key=jr.key(0), **arguments)


def test_the_interval_covers_the_mean_95_times_in_100():
    samples = np.random.default_rng(0).normal(2.0, 3.0, (4000, 5))
    intervals = [ms.study.mean_interval(row) for row in samples]
    covered = np.mean([low < 2.0 < high for _, low, high in intervals])
    assert abs(covered - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 4000)  # 4 standard errors, n = 4000


def test_the_interval_is_that_of_scipy_and_unknown_for_one_value():
    values = np.array([1.0, 2.0, 4.0, 8.0])
    mean, low, high = ms.study.mean_interval(values)
    np.testing.assert_allclose((low, high), stats.t.interval(0.95, 3, values.mean(), stats.sem(values)))
    assert mean == 3.75
    assert np.isnan(ms.study.mean_interval(values[:1]).low)


def test_the_summary_takes_its_interval_over_seeds_and_chips():
    rng = np.random.default_rng(0)
    values = rng.normal(0.9, 0.01, (3, 1, 50)) + np.array([0.0, 0.05, 0.1])[:, None, None]
    accuracy = xr.DataArray(values, dims=("seed", "time", "chip"), coords={"time": [1.0]})
    several, single = ms.study.summary(accuracy).iloc[0], ms.study.summary(accuracy[:1]).iloc[0]
    means = ms.study.mean_interval(values.mean(axis=(1, 2)))  # seeds differ most by far, chips by their noise only
    np.testing.assert_allclose((several["mean"], several.low, several.high), means, rtol=1e-3)
    assert several.interval_over == "seed, chip; for this test set"
    assert single.interval_over == "chip; for one network and this test set"
    assert single.high - single.low < several.high - several.low
    assert np.isclose(several.p5, np.percentile(values, 5))
    seeds = ms.study.summary(accuracy, ("seed",)).iloc[0]
    np.testing.assert_allclose((seeds.low, seeds.high), means[1:])


def test_a_result_file_round_trips_and_a_broken_one_is_named(tmp_path):
    path = tmp_path / "folder" / "result.nc"
    result = xr.Dataset({"accuracy": ("chip", np.arange(1000.0))})
    ms.study.save_result(result, path)
    assert ms.study.open_result(path).identical(result)
    assert [file.name for file in path.parent.iterdir()] == ["result.nc"]
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ValueError, match=r"result\.nc, which cannot be read"):
        ms.study.open_result(path)
    path.write_text("not a result")
    with pytest.raises(ValueError, match="complete NetCDF4"):
        ms.study.open_result(path)
    with pytest.raises(ValueError, match=r"must be a file.*add the name of a file in it") as error:
        ms.study.open_result(path.parent)
    assert "Delete" not in str(error.value)
    with pytest.raises(FileNotFoundError, match="run its experiment first"):
        ms.study.open_result(tmp_path / "none.nc")


def test_no_flipped_bit_of_a_result_passes(tmp_path):
    path = tmp_path / "x.nc"
    values = {"accuracy": (("chip", "layer"), np.eye(2), {"units": "1"}), "name": ("chip", ["a", "bb"])}
    result = xr.Dataset(values, {"layer": ["one", "two"], "chip": [3, 4]}, {"config": "{}", "number": 1.5})
    ms.study.save_result(result, str(path))
    assert ms.study.open_result(str(path)).identical(result)
    assert xr.load_dataset(path, engine="h5netcdf").identical(result)  # any reader of NetCDF4 reads it
    whole, refused = path.read_bytes(), 0
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        with pytest.raises(ValueError, match="complete NetCDF4 of layout 1"):
            ms.study.open_result(path)
        refused += 1
    assert refused > 1000


def test_a_result_of_another_layout_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "x.nc"
    result = xr.Dataset({"accuracy": ("chip", np.arange(3.0))})
    result.to_netcdf(path, engine="h5netcdf")  # without a checksum, as older releases wrote
    with pytest.raises(ValueError, match=r"of another release\. Delete it and run its experiment again"):
        ms.study.open_result(path)
    ms.study.save_result(result, path)
    path.write_bytes(path.read_bytes().replace(b"memsim result, layout 1,", b"memsim result, layout 7,"))
    with pytest.raises(ValueError, match=r"its layout is 7.*run its experiment again"):
        ms.study.open_result(path)


def test_a_table_is_written_whole(tmp_path):
    table = ms.study.summary(xr.DataArray(np.ones((1, 1, 2)), dims=("seed", "time", "chip"), coords={"time": [1.0]}))
    ms.study.save_table(table, str(tmp_path / "deep" / "x.csv"), index=False)
    assert (tmp_path / "deep" / "x.csv").read_text() == table.to_csv(index=False)
    with pytest.raises(OSError, match="must be that of a file"):
        ms.study.save_table(table, tmp_path)


def test_an_unwritable_folder_is_named_before_any_work(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="must be writable"):
        ms.study.make_folder(tmp_path / "file" / "below")
