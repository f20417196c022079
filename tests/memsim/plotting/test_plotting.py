"""Figures go whole to where they are asked for, and their time axes tell the scale whatever the times are."""

import re

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import device_models as dm
import memsim as ms

YEAR = 365.25 * 86400.0
SECONDS = {
    "ns": 1e-9,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "mo": 2592e3,
    "y": YEAR,
}


def result(times):
    values = np.linspace(0.5, 1.0, 3 * len(times)).reshape(3, len(times))
    return xr.Dataset({"accuracy": (("chip", "time"), values)}, {"time": list(times)})


def ticks(times):
    axes = ms.plotting.accuracy_over_time(result(times)).axes[0]
    return dict(zip(axes.get_xticks(), (label.get_text() for label in axes.get_xticklabels()), strict=True))


@pytest.mark.parametrize(
    "times",
    [
        (20.0, 200.0, 2000.0),
        (0.0, 1e-6, 1e-3, 0.1),
        (1e-9, 2e-9),
        (0.0, 5.0, 7.0),
        (3.0,),
        (0.0, 3600.0, 7200.0),
        (2000.0, 7200.0),
        (1e-9, 1.0),
        (30 * YEAR, 300 * YEAR),
        (2e6, 3e7),
        (0.0, 3600.0, 86400.0, YEAR, 10 * YEAR),
    ],
)
def test_ticks_stand_where_their_labels_say_and_tell_the_scale(times):
    found = ticks(times)
    positive = [t for t in times if t > 0]
    named = {at: label for at, label in found.items() if label != "0"}
    assert len(named) >= min(2, len(positive)) and ("0" in found.values()) == (0.0 in times)
    for at, label in named.items():
        number, unit = label.split()
        # Three digits are written; a month is 30 days.
        assert float(number) * SECONDS[unit] == pytest.approx(at, rel=6e-3)
        assert 0.98 * min(positive) <= at <= 1.02 * max(positive)
    assert len(found) <= 12


def test_ten_years_have_the_ticks_that_people_say():
    assert list(ticks((0.0, 3600.0, 86400.0, 30 * 86400.0, YEAR, 10 * YEAR)).values()) == [
        *("1 h", "1 d", "1 mo", "1 y", "10 y", "0"),
    ]
    assert list(ticks((60.0, 3600.0, 86400.0)).values()) == ["1 h", "1 d", "60 s"]
    assert set(ticks((20.0, 200.0, 2000.0)).values()) == {"100 s", "1000 s"}
    assert set(ticks((0.0, 1e-6, 1e-3, 0.1)).values()) == {"0", "1 µs", "1 ms"}


def test_two_times_that_are_said_alike_have_one_tick():
    assert ticks([1.0, 1.0001]) == {1.0: "1 s"}
    assert len(set(ticks([0.995, 1.0001]).values())) == len(ticks([0.995, 1.0001]))


def test_values_that_cannot_be_drawn_are_counted_in_a_warning():
    with pytest.warns(UserWarning, match="6 of 6 values to draw are NaN"):
        ms.plotting.accuracy_over_time(result([1.0, 2.0]) * np.nan)
    holed = result([1.0, 2.0])
    holed.accuracy[0, 1] = np.nan
    with pytest.warns(UserWarning, match="1 of 6"):
        line = ms.plotting.accuracy_over_time(holed).axes[0].lines[0]
    assert np.isfinite(line.get_ydata()).tolist() == [True, False]  # not the mean of the chips that are left


def test_a_name_with_dots_is_kept_and_text_is_a_path(tmp_path):
    for name in ("fig_r0.5", "fig_r0.5.pdf", "fig_r0.5.png"):
        files = ms.plotting.save(Figure(), str(tmp_path / "deep" / name))
        assert [file.name for file in files] == ["fig_r0.5.pdf", "fig_r0.5.png"]
    assert sorted(file.name for file in (tmp_path / "deep").iterdir()) == ["fig_r0.5.pdf", "fig_r0.5.png"]
    assert files[0].read_bytes().startswith(b"%PDF") and files[1].read_bytes().startswith(b"\x89PNG")


def test_a_figure_that_cannot_be_drawn_leaves_the_old_file(tmp_path):
    (tmp_path / "x.pdf").write_text("old")

    class Full(Figure):
        def savefig(self, path, **settings):
            path.write_text("half")
            raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        ms.plotting.save(Full(), tmp_path / "x")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("x.pdf", "old")]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ms.plotting.width("natur"), "nature"),
        (lambda: ms.plotting.width("nature", 3), "`columns` must be"),
        (lambda: ms.plotting.width("nature", 1.5), "`columns` must be"),
        (lambda: ms.plotting.width(None), "`journal` must be text"),
        (lambda: ms.plotting.accuracy_over_time(xr.Dataset()), "`memsim.study.robustness`"),
        (lambda: ms.plotting.attribution(result([1.0])), "`memsim.study.attribute`"),
        (lambda: ms.plotting.save("figure", "x"), "`figure` must be a Figure"),
        (lambda: ms.plotting.save(Figure(), ""), "`path` must end in the name of a file"),
        (lambda: ms.plotting.save(Figure(), "folder/"), "`path` must end in the name of a file"),
        (lambda: ms.plotting.save(Figure(), ".."), "`path` must end in the name of a file"),
        (lambda: ms.plotting.shown_time(np.array([-1.0])), "all at least 0"),
        (lambda: ms.plotting.accuracy_over_time(result([1.0]), journal="ieeee"), "ieee"),
    ],
)
def test_a_bad_argument_is_named(call, says, unchecked):
    with pytest.raises(ValueError, match=re.escape(says)):
        call()


def test_a_network_that_is_one_layer_has_a_name_in_the_legend_of_its_attribution():
    key = jr.key(0)
    crossbar, network = ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8)), ms.nn.Linear(4, 3, key=key)
    data = jnp.eye(4)[:3], jnp.arange(3)
    found = ms.study.attribute(network, data, crossbar, key=key, chips=2, times=[0.0])
    said = ms.plotting.attribution(found, label={"": "readout"}).axes[2].get_legend_handles_labels()[1]
    assert said == ["readout"] and ms.plotting.attribution(found).axes[2].lines[0].get_label() == "itself"


def test_an_attribution_at_no_time_is_refused(unchecked):
    names = ("case", "effect", "chip", "time", "layer")
    variables = ("accuracy", "accuracy_ideal", "accuracy_together", "layer_error", "output_error")
    attributed = xr.Dataset({name: (names, np.zeros((2, 1, 1, 1, 1))) for name in variables})
    attributed = attributed.assign_coords(case=["alone", "left out"], effect=["drift"], time=[0.0], layer=[""])
    with pytest.raises(ValueError, match="one of 1 times"):
        ms.plotting.attribution(attributed, time=3)
