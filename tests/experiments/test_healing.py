"""The study of healing: its options, its remedies, its figure, and a quick run."""

import json

import numpy as np
import pytest
import xarray as xr

import memsim as ms
from memsim._cli import load_script


@pytest.fixture(scope="module")
def script():
    return load_script("experiments", "healing")


def test_unknown_laws_and_ways_are_told(script):
    for settings in ({"laws": ("forget",)}, {"ways": ("prayer",)}):
        with pytest.raises(ValueError, match="must be among"):
            script.Config(**settings)


def test_more_reads_are_more_updates_and_repeats(script):
    few, many = ([script.remedy(script.Config(), way, size) for way in script.WAYS] for size in (0.05, 1.0))
    assert [type(one).__name__ for one in few] == ["LineGains", "Adapters", "LastLayer", "Rewrite"]
    assert (few[0].reads, few[1].updates, few[2].updates, few[3].repeats) == (10, 10, 10, 1)
    assert (many[0].reads, many[1].updates, many[2].updates, many[3].repeats) == (200, 200, 200, 4)


def test_figure_has_a_panel_for_each_law_and_age(script):
    shape = {"way": list(script.WAYS), "size": [0.1, 1.0], "law": list(script.LAWS), "seed": [0], "time": [3600.0, 1e5]}
    values = np.random.default_rng(0).uniform(0.2, 1.0, [len(each) for each in shape.values()])
    reads = ("way", "size", "law", "seed", "chip"), np.full((4, 2, 3, 1, 2), 100.0)
    names = dict.fromkeys(("low", "regained", "high"), (tuple(shape), values))
    data = xr.Dataset(names | {"reads": reads}, shape | {"chip": [0, 1]})
    drawing = load_script("figures", "healing").figure(data, "nature")
    assert len(drawing.axes) == 6 and drawing.get_figwidth() * 25.4 == pytest.approx(183)


@pytest.mark.slow
def test_a_quick_run_is_labelled(script, tmp_path):
    result = script.run(script.Config(quick=True, out=tmp_path))
    assert set(result.accuracy.dims) == {"law", "seed", "chip", "time", "way", "size"}
    assert bool(result.accuracy.notnull().all()) and json.loads(result.config)["quick"]
    assert ms.study.open_result(tmp_path / "healing.nc").joules.attrs["units"] == "J"
