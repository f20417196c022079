"""What no cell was measured at is marked in results, tables, sentences and figures."""

import logging

import jax.random as jr
import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import device_models as dm
import memsim as ms
from right_parts import attribution

KEY = jr.key(0)
DAY, YEAR = 86400.0, 365.25 * 86400.0


@pytest.fixture(scope="module")
def data():
    return ms.data.spoken_digits(steps=4).test.take(np.arange(20))


@pytest.fixture(scope="module")
def model():
    return ms.nn.SpikingNetwork([ms.nn.Linear(13, 10, key=KEY), ms.nn.LI(10), ms.nn.Linear(10, 10, key=KEY)])


def test_ages_beyond_the_five_days_of_sonos_are_marked(model, data, caplog, tmp_path):
    design = ms.Crossbar(dm.sonos_agrawal2022(), compensation=None)
    with caplog.at_level(logging.WARNING, "memsim"):
        found = ms.study.robustness(model, data, design, chips=1, times=[0.0, 5 * DAY, 10 * YEAR], key=KEY)
    assert found.measured.values.tolist() == [True, True, False]
    (line,) = [record.getMessage() for record in caplog.records]
    assert "3.16e+08 s" in line and "0 to 432000 s" in line
    assert "432000 s" in found.attrs["span"] and "keeps its rank" in found.attrs["assumes"]
    assert ms.study.summary(found).measured.tolist() == [True, True, False]
    ms.study.save_result(found, tmp_path / "x.nc")
    assert ms.study.open_result(tmp_path / "x.nc").identical(found)


@pytest.mark.slow
def test_a_design_of_two_cells_was_measured_where_both_were(model, data):
    def design(path, layer):
        return ms.Crossbar(dm.sonos_agrawal2022() if path == ".layers[0]" else dm.rram_wan2022(), compensation=None)

    found = ms.study.robustness(model, data, design, chips=1, times=[2 * DAY, 4 * DAY], key=KEY)
    assert found.measured.values.tolist() == [True, False]
    assert len(found.attrs["assumes"].splitlines()) == 2


def test_where_no_age_is_stated_only_what_is_just_written_is_measured():
    assert ms.study.is_measured(dm.Span(), [0.0, 1.0]).tolist() == [True, False]
    assert ms.study.is_measured(dm.Ideal().span, [0.0, 1e9]).tolist() == [True, True]


def test_an_explanation_says_which_ages_were_not_measured():
    found = attribution().isel(time=[0]).assign_coords(measured=("time", [False]), time=[YEAR])
    found = found.assign_attrs(span="time 0 to 432000 s", assumes="drift: each cell keeps its rank for life")
    said = ms.study.explain(found)
    assert "measured at 3.16e+07 s (span: time 0 to 432000 s)" in said[-1]
    assert said[-1].endswith("Assumed: drift: each cell keeps its rank for life.")
    assert not ms.study.attribution_table(found).measured.any()
    known = found.assign_coords(measured=("time", [True]))
    assert not [line for line in ms.study.explain(known) if "Assumed" in line]


@pytest.mark.slow
def test_an_attribution_names_ages_that_were_not_measured_and_clipped_patterns(model, data):
    compensation = ms.GlobalDriftCompensation(amplitude=1.0)
    design = ms.Crossbar(dm.sonos_agrawal2022(), adc=ms.ADC(8, 0.5), compensation=compensation)
    found = ms.study.attribute(model, data, design, chips=2, recordings=4, times=[0.0, YEAR], key=KEY)
    assert found.measured.values.tolist() == [True, False] and "432000 s" in found.attrs["span"]
    clipped = found.patterns_clipped_together.sel(layer=".layers[0]").mean("chip").max().item()
    assert clipped > 0.1
    said = [line for line in ms.study.explain(found) if line.startswith("Drift compensation measures .layers[0]")]
    assert len(said) == 1 and f"clips {100 * clipped:.1f} %" in said[0]


def test_a_line_is_dashed_where_no_cell_was_measured():
    values = np.linspace(0.5, 1.0, 12).reshape(3, 4)
    result = xr.Dataset({"accuracy": (("chip", "time"), values)}, {"time": [1.0, 10.0, 100.0, 1000.0]})
    marked = result.assign_coords(measured=("time", [True, True, False, False]))
    plain, dashed = (ms.plotting.accuracy_over_time(each).axes[0] for each in (result, marked))
    assert [line.get_linestyle() for line in plain.lines] == ["-"]
    points, *segments, named = dashed.lines
    np.testing.assert_allclose(points.get_ydata(), 100 * values.mean(0))
    assert [line.get_linestyle() for line in segments] == ["-", "--", "--"]
    assert len(named.get_xdata()) == 0
    axes = Figure().subplots()
    ms.plotting.draw_line(axes, np.arange(2.0), np.arange(2.0), np.array([True, True]), label="a")
    assert len(axes.lines) == 1


def test_bars_are_intervals_over_recordings_where_these_were_kept():
    right = np.random.default_rng(0).random((4, 3, 200)) < 0.8
    result = xr.Dataset(ms.study.packed(right).variables(("chip", "time"), 200), {"time": [1.0, 10.0, 100.0]})
    axes = ms.plotting.accuracy_over_time(result).axes[0]
    _, thick = axes.collections
    bars = thick.get_segments()
    found = [ms.study.interval(ms.study.right(result).isel(time=place)) for place in range(3)]
    np.testing.assert_allclose([bar[:, 1] for bar in bars], [(100 * f.low, 100 * f.high) for f in found])
