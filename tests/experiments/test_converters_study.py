"""The studies of converters and of one product's error measure what they say, and are drawn."""

import dataclasses
import inspect
import json

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr

import device_models as dm
import memsim as ms
from memsim._cli import load_script, main

pytestmark = pytest.mark.slow  # minutes together


@pytest.fixture(scope="module")
def converters():
    return load_script("experiments", "converters")


@pytest.fixture(scope="module")
def mvm():
    return load_script("experiments", "mvm_error")


def quantised(x, bits):
    """`x` in units of its range: 2^bits - 1 codes, zero among them; no converter for `None`."""
    if bits is None:
        return x
    largest = 2 ** (bits - 1) - 1
    return np.round(np.clip(x, -1, 1) * largest) / largest


@pytest.mark.parametrize("adc_bits, dac_bits", [(3, 5), (8, 2), (None, 4), (6, None)])
def test_variable_converters_round_to_codes_of_so_many_bits(converters, adc_bits, dac_bits):
    rng = np.random.default_rng(0)
    w, x = rng.normal(size=(4, 6)).astype(np.float32), rng.normal(size=(50, 6)).astype(np.float32)
    input_range, full_scale = 1.5, 2.0
    variable = inspect.getmodule(converters.Converters)
    crossbar = dataclasses.replace(
        converters.bare(dm.Ideal()),
        dac=variable.VariableDAC(variable.largest(dac_bits), jnp.asarray(input_range)),
        adc=variable.VariableADC(variable.largest(adc_bits), jnp.asarray(full_scale)),
    )
    found = crossbar.deploy(jnp.asarray(w), 0.0, key=jr.key(0))(jnp.asarray(x))
    scale = np.abs(w).max(1)  # the weight of one fully-on cell of each bit line
    cells = quantised(x.astype(float) / input_range, dac_bits) @ (w / scale[:, None]).T
    expected = quantised(cells / full_scale, adc_bits) * full_scale * input_range * scale
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_ranges_are_those_of_calibration_all_word_lines_or_ten_cells(converters):
    model = ms.nn.SpikingNetwork([ms.nn.Linear(6, 4, key=jr.key(0))])
    xs = jr.normal(jr.key(1), (20, 3, 6))
    full_scales = {
        name: [float(adc.full_scale) for adc in converters.Converters.of(model, xs, found, (8, 8), whole).adc.values()]
        for name, (found, whole) in converters.RANGES.items()
    }
    assert full_scales["maximal"] == [6.0] and full_scales["ten cells"] == [10.0]
    assert 0 < full_scales["percentile"][0] < 6


def test_enough_bits_are_the_fewest_within_a_point_of_no_converters(converters):
    bits = [2.0, 4.0, 6.0, np.inf]
    grid = np.array([[0.1, 0.2, 0.2, 0.3], [0.2, 0.8, 0.8, 0.905], [0.2, 0.89, 0.89, 0.91], [0.3, 0.85, 0.89, 0.91]])
    coordinates = {"adc_bits": bits, "dac_bits": bits, "seed": [0], "chip": [0]}
    chosen = xr.Dataset({"accuracy": (tuple(coordinates), grid[..., None, None])}, coordinates)
    accuracy = chosen.accuracy
    assert converters.enough(accuracy.sel(dac_bits=np.inf), "adc_bits") == "4"
    assert converters.enough(accuracy.sel(adc_bits=np.inf), "dac_bits") == "more than tried"


def test_each_case_has_one_effect_and_the_last_has_them_all(mvm):
    cases = mvm.cases(mvm.Config(size=8, inputs=20))
    effects = {case: ms.effects(design) for case, design in cases.items()}
    whole = effects.pop(mvm.TOGETHER)
    assert effects.pop(mvm.UNSATURATED) == tuple(effect for effect in whole if effect != "saturation")
    assert {case.split(",")[0]: (case.split(",")[0],) for case in effects} | {mvm.IV: ("I-V", "saturation")} == {
        case.split(",")[0]: found for case, found in effects.items()
    }
    assert set(whole) == set(ms.EFFECTS) - {"I-V", "sense amplifier"}


def test_the_error_of_an_adc_is_uniform_within_a_step(mvm):
    config = mvm.Config(size=32, inputs=1000)
    design = ms.Crossbar(dm.Ideal(), adc=ms.ADC(8, full_scale=16.0), compensation=None, tile=(32, 32))
    key = jr.key(0)
    exact, error = mvm.on_chip(config.workload, design, config.time, key=key)
    w, x = (np.asarray(values, float) for values in config.workload.draw(jr.split(key, 3)[0]))
    step = 16.0 / 127 * np.abs(w).max(1)  # of each output
    expected = np.sqrt(np.mean(step**2) / 12) / (x @ w.T).std()
    # 32 000 errors: the standard error of a uniform's mean square is sqrt(4 / 5 / n), 0.5 % of it, 0.25 % of its root.
    assert np.sqrt(np.mean(error**2)) == pytest.approx(expected, rel=5 * 0.0025)
    assert exact.std() == pytest.approx(1.0)


def test_the_gain_of_sinh_cells_is_that_of_their_curve(mvm):
    config = mvm.Config(size=32, inputs=1000)
    exact, error = mvm.on_chip(config.workload, mvm.cases(config)[mvm.IV], config.time, key=jr.key(0))
    gain = 1 + np.mean(exact * error) / np.mean(exact**2)
    x = np.clip(np.random.default_rng(0).normal(size=1_000_000), -3, 3) / 3
    slope = np.sinh(2.5 * 0.2 * x) / np.sinh(2.5 * 0.2)  # of the current at full input, 0.2 V
    # The gain varies by x^2 (kv)^2 / 6 < 0.04 from input to input; 1000 vectors leave less than 0.002 of it.
    assert gain == pytest.approx(np.mean(x * slope) / np.mean(x**2), abs=0.002)


@pytest.mark.parametrize(
    "name, options, words",
    [
        ("converters", {"adc_bits": (8, 4)}, "rising"),
        ("converters", {"dac_bits": (1, 4)}, "from 2"),
        ("converters", {"chips": 0}, "at least 1"),
        ("mvm_error", {"stuck": 1.0}, "fraction"),
        ("mvm_error", {"inputs": 0}, "at least 1"),
    ],
)
def test_settings_that_mean_nothing_are_refused(name, options, words):
    with pytest.raises(ValueError, match=words):
        load_script("experiments", name).Config(**options)


def test_the_map_is_drawn_with_a_line_of_equal_accuracy():
    bits, ranges = [2.0, 4.0, np.inf], ["percentile", "maximal"]
    grid = np.broadcast_to([[0.2, 0.3, 0.3], [0.3, 0.9, 0.9], [0.3, 0.9, 0.92]], (1, 1, 2, 2, 1, 3, 3))
    dims = ("seed", "network", "ranges", "cells", "chip", "adc_bits", "dac_bits")
    coordinates = {"seed": [0], "network": ["tanh"], "ranges": ranges, "cells": ["ideal", "pcm_joshi2020"]}
    data = xr.Dataset({"accuracy": (dims, grid)}, coordinates | {"adc_bits": bits, "dac_bits": bits})
    data.attrs["config"] = json.dumps({"device": "pcm_joshi2020", "recordings": 9, "hidden": 8, "calibration": 7})
    drawing = load_script("figures", "converters").figure(data, "nature")
    assert drawing.get_figwidth() * 25.4 == pytest.approx(183)
    panels = drawing.axes[:2]
    assert [axes.get_title(loc="left") for axes in panels] == ["tanh, percentile", "tanh, maximal"]
    assert [label.get_text() for label in panels[0].get_xticklabels()] == ["2", "4", "none"]
    np.testing.assert_allclose(panels[0].images[0].get_array(), 100 * grid[0, 0, 0, 0, 0])
    # From 30 to 90 % between 2 and 4 bits, so that 91 % lies between 4 bits and none.
    points = np.concatenate([path.vertices for path in panels[0].collections[0].get_paths()])
    assert ((points.max(1) <= 2) & (points.max(1) > 1) & (points.min(1) >= 1)).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["converters", "mvm_error"])
def test_the_experiment_runs_and_its_figure_is_drawn(name, tmp_path):
    assert main(["run", name, "--quick", "--out", str(tmp_path)]) == 0
    result = ms.study.open_result(tmp_path / f"{name}.nc")
    for variable in result.variables.values():
        assert variable.dtype.kind in "TUO" or "units" in variable.attrs
        assert bool(variable.notnull().all())
    assert json.loads(result.config)["quick"] and (tmp_path / f"{name}.csv").stat().st_size > 100
    assert main(["draw", name, "--result", str(tmp_path / f"{name}.nc"), "--out", str(tmp_path / "figure")]) == 0
    pdf = (tmp_path / "figure.pdf").read_bytes()
    assert b"/FontFile2" in pdf and b"/Type3" not in pdf
