"""A sweep labels its grid, pairs its keys, computes nothing twice, and says what failed."""

import ast
import functools
import json
import pickle
import re
import tempfile
from pathlib import Path

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr

import memsim as ms
from memsim._keeping import claimed

KEY = jr.key(0)
LOG = Path(tempfile.mkdtemp()) / "calls"  # a list would be what a measure captures, and make another of it


def note(*arguments):
    with open(LOG, "a") as file:
        file.write(f"{arguments!r}\n")


def calls():
    return [ast.literal_eval(line) for line in LOG.read_text().splitlines()]


@pytest.fixture(autouse=True)
def no_calls():
    LOG.write_text("")


def product(bits, gain=1.0, *, key=None):
    note(bits, gain)
    return bits * gain


def drawn(training, seed, *, key):
    return jr.uniform(key)


def noted(measure, folder, grid, **given):
    """The result, and with which arguments the measure was called."""
    before = len(calls())
    result = ms.study.sweep(measure, grid, folder=folder, **given)
    return result, calls()[before:]


def test_the_result_has_the_values_of_every_point_under_their_coordinates():
    result = ms.study.sweep(product, {"bits": [4, 6, 8], "gain": np.array([0.5, 2.0])})
    assert result["value"].dims == ("bits", "gain")
    np.testing.assert_array_equal(result["value"], np.outer([4, 6, 8], [0.5, 2.0]))
    assert result.sel(bits=6, gain=2.0)["value"].item() == 12.0
    assert json.loads(result.swept) == {"bits": [4, 6, 8], "gain": [0.5, 2.0]}
    assert {"versions", "source", "git", "backend"} <= result.attrs.keys() and "failed" not in result.attrs
    assert all(type(gain) is float for _, gain in calls())  # what NumPy holds reaches a measure as a plain number


def test_names_of_a_mapping_and_of_functions_are_labels():
    def named(training, loss):
        return {"is_none": training is None, "found": loss(2.0)}

    trainings = {"digital": None, "noisy": ms.train.GaussianNoise(0.1)}
    result = ms.study.sweep(named, {"training": trainings, "loss": [np.square, np.sqrt, lambda x: x, lambda x: -x]})
    assert result.training.values.tolist() == ["digital", "noisy"]
    assert result.found.dims == ("training", "loss") and result.found[0].values.tolist() == [4, 2**0.5, 2, -2]
    assert result.loss.values.tolist() == ["square", "sqrt", "<lambda>", "<lambda> (2)"]
    assert json.loads(result.swept)["training"] == {"digital": "None", "noisy": "GaussianNoise(std=0.1)"}


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([None, 4, "max"], ["None", "4", "max"]),
        ([functools.partial(np.add, 1), functools.partial(np.add, 2)], ["add", "add (2)"]),
        ([ms.Percentile(), ms.Maximal()], None),
        ((True, False), [True, False]),
        (range(2), [0, 1]),
        (jnp.arange(2), [0, 1]),
    ],
)
def test_any_values_have_labels_of_their_own(values, labels):
    result = ms.study.sweep(lambda x: 1.0, {"x": values})
    found = result.x.values.tolist()
    assert found == labels if labels else len(set(found)) == 2 and not any("0x" in label for label in found)


@pytest.mark.parametrize("kept", [False, True])
def test_a_coordinate_that_no_variable_has_stays(tmp_path, kept):
    result = ms.study.sweep(
        lambda bits: xr.Dataset({"error": 2.0**-bits}, {"time": ("time", [60.0], {"units": "s"})}),
        {"bits": [4, 6]},
        folder=tmp_path if kept else None,
    )
    assert result.error.dims == ("bits",) and result.time.values.tolist() == [60.0] and result.time.units == "s"


def test_own_dimensions_coordinates_and_attributes_of_a_result_stay(tmp_path):
    def measure(steps, seed, *, key):
        time = np.arange(steps)
        trace = xr.DataArray(np.full(steps, seed), {"step": time}, attrs={"units": "V"})
        return xr.Dataset({"trace": trace, "on": True, "name": "a" * steps}, {"age": ("step", 2.0 * time)}, {"a": 1})

    result = ms.study.sweep(measure, {"steps": [2, 3], "seed": range(2)}, folder=tmp_path, key=KEY)
    assert result.trace.dims == ("steps", "seed", "step") and result.trace.attrs == {"units": "V"}
    np.testing.assert_array_equal(result.trace[:, 1], [[1, 1, np.nan], [1, 1, 1]])
    assert result.on.dtype == bool and result["name"].values[:, 0].tolist() == ["aa", "aaa"]
    assert result.attrs["a"] == 1 and "age" in result.coords
    again = ms.study.sweep(measure, {"steps": [2, 3], "seed": range(2)}, folder=tmp_path, key=KEY)
    xr.testing.assert_identical(result, again)


def test_packed_outcomes_stay_packed():
    right = np.array([[True, False, True], [True, True, True]])

    def measure(seed):
        return xr.Dataset(ms.study.packed(right[seed]).variables((), 3))

    result = ms.study.sweep(measure, {"seed": range(2)})
    np.testing.assert_array_equal(ms.study.right(result), right)


def test_a_grid_that_grows_or_turns_computes_only_what_is_new(tmp_path):
    first, called = noted(product, tmp_path, {"bits": [4, 6], "gain": [1.0, 2.0]})
    assert len(called) == 4
    again, called = noted(product, tmp_path, {"gain": [2.0, 1.0], "bits": [6, 4]})
    assert called == []
    np.testing.assert_array_equal(again["value"].sel(bits=[4, 6], gain=[1.0, 2.0]).T, first["value"])
    grown, called = noted(product, tmp_path, {"bits": [4, 5, 6], "gain": [1.0, 2.0]})
    assert called == [(5, 1.0), (5, 2.0)]
    np.testing.assert_array_equal(grown["value"], np.outer([4, 5, 6], [1.0, 2.0]))
    _, called = noted(product, tmp_path, {"bits": [4], "gain": [1.0]}, key=KEY)  # a key makes another point of it
    assert called == [(4, 1.0)]
    ms.study.remove_parts(tmp_path / first.parts)
    assert list(tmp_path.iterdir()) == []


def test_another_code_default_or_captured_value_is_computed_anew(tmp_path):
    def of(text, **names):
        space = {"__name__": "somebodys"} | names
        exec(text, space)
        return space["measure"]

    one = "def measure(n, m=1):\n    return n * m"
    measures = [
        of(one),
        of(one),
        of(one.replace("m=1", "m=2")),
        of(one.replace("n * m", "n + m")),
        of("def measure(n):\n    return n * factor", factor=5),
        of("def measure(n):\n    return n * factor", factor=6),
        functools.partial(of(one), m=7),
        functools.partial(of(one), m=8),
    ]
    found = [ms.study.sweep(measure, {"n": [3]}, folder=tmp_path)["value"].item() for measure in measures]
    assert found == [3, 3, 6, 4, 15, 18, 21, 24]
    assert len(list(tmp_path.glob("parts-*/*.nc"))) == 7


def test_points_share_keys_but_along_what_is_drawn_and_what_is_unpaired(tmp_path):
    grid = {"training": ["digital", "noisy"], "seed": [0, 5]}
    result = ms.study.sweep(drawn, grid, key=KEY)
    expected = [jr.uniform(jr.fold_in(KEY, seed)) for seed in (0, 5)]
    np.testing.assert_array_equal(result["value"], [expected, expected])
    assert "the same keys, so the same chance, at every value of training" in result.shared
    assert "keys of its own at each value of seed" in result.shared
    turned = ms.study.sweep(drawn, {"seed": [9, 5, 0], "training": ["noisy", "other", "digital"]}, key=KEY)
    xr.testing.assert_equal(turned["value"].sel(grid).transpose(*grid), result["value"])
    apart = ms.study.sweep(drawn, grid, key=KEY, unpaired=("training",))
    assert len(np.unique(apart["value"])) == 4 and "at each value of seed, training" in apart.shared
    alone = ms.study.sweep(drawn, {"seed": [5], "training": ["noisy"]}, key=KEY, unpaired=("training",))
    assert alone["value"].item() == apart["value"].sel(seed=5, training="noisy").item()


def failing(n, seed):
    note(n, seed)
    if n == 2:
        raise RuntimeError("no convergence")
    return {"loss": n + seed, "curve": np.arange(2)}


def test_finished_points_stay_as_long_as_another_process_reads_them(tmp_path):
    folder = tmp_path / ms.study.sweep(product, {"bits": [1]}, folder=tmp_path).parts
    with claimed(folder / "in-use", shared=True):
        ms.study.remove_parts(folder)
        assert len(list(folder.glob("*.nc"))) == 1
    ms.study.remove_parts(folder)
    ms.study.remove_parts(folder)
    assert not folder.exists()


def test_a_failed_point_is_told_and_tried_again_and_the_rest_goes_on(tmp_path):
    grid = {"n": [1, 2], "seed": [0, 1]}
    with pytest.warns(UserWarning, match=r"(?s)n=2, seed=[01].*in failing.*RuntimeError: no convergence") as told:
        result, called = noted(failing, tmp_path, grid)
    assert len(told) == 2 and len(called) == 4
    assert json.loads(result.failed) == dict.fromkeys(("n=2, seed=0", "n=2, seed=1"), "RuntimeError: no convergence")
    np.testing.assert_array_equal(result.loss, [[1, 2], [np.nan, np.nan]])
    assert result.curve.sel(n=2).isnull().all() and result.curve.sel(n=1).notnull().all()
    with pytest.warns(UserWarning, match="no convergence"):
        _, called = noted(failing, tmp_path, grid)
    assert called == [(2, 0), (2, 1)]


def test_a_large_sweep_can_be_saved(tmp_path):
    def measure(n, design):
        if n >= 5000:
            raise ValueError("x" * 1000)
        return n

    with pytest.warns(UserWarning, match="xxx"):
        result = ms.study.sweep(measure, {"n": [*range(300), *range(5000, 5500)], "design": {"a": np.ones(9999)}})
    assert len(json.loads(result.failed)) == 101 and "and 400 more" in result.failed
    ms.study.save_result(result, tmp_path / "whole.nc")
    xr.testing.assert_identical(ms.study.open_result(tmp_path / "whole.nc"), result)


def test_if_all_points_fail_the_first_error_is_the_cause():
    with (
        pytest.warns(UserWarning, match="no convergence"),
        pytest.raises(RuntimeError, match=r"error at all 2, first at n=2, seed=0: RuntimeError: no conv") as caught,
    ):
        ms.study.sweep(failing, {"n": [2], "seed": [0, 1]})
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_an_interruption_keeps_what_is_finished(tmp_path):
    def measure(n):
        note(n)
        if n == 3 and len(calls()) == 3:
            raise KeyboardInterrupt
        return n

    with pytest.raises(KeyboardInterrupt):
        ms.study.sweep(measure, {"n": [1, 2, 3, 4]}, folder=tmp_path)
    result, called = noted(measure, tmp_path, {"n": [1, 2, 3, 4]})
    assert called == [(3,), (4,)] and result["value"].values.tolist() == [1, 2, 3, 4]


def test_a_damaged_part_is_computed_again(tmp_path, capsys):
    noted(product, tmp_path, {"bits": [4, 6]})
    (file,) = tmp_path.glob("parts-*/bits6-*.nc")
    file.write_bytes(file.read_bytes()[:-300] + bytes(300))
    result, called = noted(product, tmp_path, {"bits": [4, 6]})
    assert called == [(6, 1.0)] and result["value"].values.tolist() == [4, 6]
    assert "is computed again" in capsys.readouterr().err


def test_a_point_of_another_process_is_waited_for(tmp_path):
    first, _ = noted(product, tmp_path, {"bits": [4]})
    (folder,) = tmp_path.iterdir()
    (file,) = folder.glob("*.nc")
    content = file.read_bytes()
    file.unlink()
    with claimed(file.with_suffix(".claim")):

        class Elsewhere:
            """The other process finishes when it is asked for the second time."""

            def submit(self, work, carried):
                note()
                if len(calls()) > 2:
                    file.write_bytes(content)
                return Ready(work(carried))

        result = ms.study.sweep(product, {"bits": [4]}, folder=tmp_path, executor=Elsewhere())
    xr.testing.assert_identical(result, first)
    assert calls() == [(4, 1.0), (), ()]


class Ready:
    """The least a future is."""

    def __init__(self, value):
        self.value = pickle.loads(pickle.dumps(value))

    def result(self):
        return self.value


class Here:
    def submit(self, work, carried):
        return Ready(work(pickle.loads(pickle.dumps(carried))))


def test_an_executor_around_is_taken_and_results_come_back_without_a_folder():
    grid = {"training": ["digital"], "seed": [0, 1]}
    here = ms.study.sweep(drawn, grid, key=KEY)
    with ms.study.using(Here()):
        there = ms.study.sweep(drawn, grid, key=KEY)
    xr.testing.assert_identical(here, there)


class Broken:
    """The second point breaks it, as a process that is killed breaks a pool."""

    def __init__(self):
        self.left = 1

    def submit(self, work, carried):
        self.left -= 1
        if self.left < 0:
            raise OSError("the pool is broken")
        return Ready(work(carried))


def test_what_a_broken_executor_leaves_is_told_and_done_by_the_next_call(tmp_path):
    grid = {"bits": [4, 6, 8]}
    with pytest.warns(UserWarning, match=r"(?s)bits=[68].*the same call tries it again.*the pool is broken") as told:
        result, called = noted(product, tmp_path, grid, executor=Broken())
    assert len(told) == 2 and called == [(4, 1.0)]
    assert list(json.loads(result.failed)) == ["bits=6", "bits=8"]
    result, called = noted(product, tmp_path, grid)
    assert called == [(6, 1.0), (8, 1.0)] and result["value"].values.tolist() == [4, 6, 8]


def refuse(measure, grid, match, **given):
    with pytest.raises(ValueError, match=match):
        ms.study.sweep(measure, grid, **given)


def test_what_does_not_fit_is_refused_before_any_work():
    refuse(product, {"bit": [1]}, "argument of `measure`. Got 'bit'. Did you mean bits")
    refuse(drawn, {"seed": [1]}, "a value or more for `training`", key=KEY)
    refuse(drawn, {"seed": [1], "training": [0]}, "must be given: `key`")
    refuse(failing, {"n": [1], "seed": [0]}, "`measure` must take `key`", key=KEY)
    refuse(product, {"bits": []}, "at least one value for `bits`")
    refuse(product, {}, "one or more arguments")
    refuse(product, {"bits": [4, 6, 4]}, "each value of `bits` once. Got 4 again")
    refuse(product, {"bits": [1, True]}, "once. Got True again")
    refuse(product, {"bits": [1.0, float("nan")]}, "NaN")
    refuse(product, {"bits": 4}, r"write \[value\]")
    refuse(product, {"bits": "abc"}, r"a list")
    refuse(product, {"bits": np.ones((2, 2))}, "one axis")
    refuse(product, {"bits": [np.random.default_rng(0)]}, "told from others.*Generator")
    refuse(product, {"key": [1]}, "other than `key`")
    refuse(product, {"bits": [4]}, "Did you mean bits", unpaired=("bit",))
    refuse(product, {"bits": [4]}, "`executor` must have a method `submit`", executor=4)
    assert calls() == []


@pytest.mark.parametrize(
    ("returned", "match"),
    [
        (lambda n: None, r"must return numbers. Got None.*The point: n=1"),
        (lambda n: {}, "must return something"),
        (lambda n: {"a/b": 1}, "without slashes"),
        (lambda n: 1j, "real numbers"),
        (lambda n: object(), "must return numbers"),
        (lambda n: xr.Dataset({"v": ("n", [1])}, {"n": [1]}), "leave the names of the grid"),
        (lambda n: {"v": np.ones(n)}, r"1 and 2 along `v_0`.* n=1 and n=2"),
        (lambda n: {"v": 1} if n == 1 else {"w": 1}, r"`v, w` at one of the points n=1 and n=2"),
        (lambda n: {"v": 1.0} if n == 1 else {"v": np.ones(2)}, r"alike at every point.*n=1 and n=2"),
    ],
)
def test_results_that_do_not_fit_are_refused_with_their_points(returned, match):
    with pytest.raises(ValueError, match=match) as caught:
        ms.study.sweep(returned, {"n": [1, 2]})
    assert re.search(match, str(caught.value))


def test_no_two_values_of_a_measure_that_captures_what_is_unknown_are_confused(tmp_path):
    rng = np.random.default_rng(0)
    with pytest.warns(UserWarning, match="Generator, of which only the class is known"):
        ms.study.sweep(lambda n: n + 0 * rng.random(), {"n": [1]}, folder=tmp_path)


def test_a_point_may_keep_what_it_has_so_far_until_it_is_saved(tmp_path):
    def measure(n):
        file = ms.study.checkpoint()
        began = file.exists()
        file.touch()
        if n == 2 and not began:
            raise RuntimeError("once more")
        return began

    assert ms.study.checkpoint() is None
    grid = {"n": [1, 2]}
    with pytest.warns(UserWarning, match="once more"):
        ms.study.sweep(measure, grid, folder=tmp_path)
    assert len(list(tmp_path.glob("parts-*/n2-*.training.checkpoint"))) == 1
    assert ms.study.sweep(measure, grid, folder=tmp_path)["value"].values.tolist() == [False, True]
    assert list(tmp_path.glob("parts-*/*.checkpoint")) == []
    with pytest.raises(ValueError, match="one word"):
        ms.study.checkpoint("a/b")
