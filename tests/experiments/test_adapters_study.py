"""The study of adapters: its options, its remedies, its figure, and a quick run."""

import json

import numpy as np
import pytest
import xarray as xr

import memsim as ms
from memsim._cli import load_script


@pytest.fixture(scope="module")
def script():
    return load_script("experiments", "adapters")


def test_unknown_networks_cells_and_ways_are_told(script):
    for settings in ({"networks": ("AlexNet",)}, {"cells": ("DRAM",)}, {"ways": ("prayer",)}):
        with pytest.raises(ValueError, match="must be among"):
            script.Config(**settings)


def test_the_closed_form_takes_no_updates_and_digits_get_fewer_adapters(script):
    config = script.Config()
    closed, learnt = (script.remedy(config, "digits", way) for way in script.WAYS)
    assert (closed.updates, learnt.updates, learnt.layers) == (0, 200, (script.FIRST, script.LAST))
    assert script.remedy(config, "LeNet-5", "learnt").layers is None
    assert script.remedy(script.Config(everywhere=True), "digits", "learnt").layers is None


def test_figure_has_a_panel_for_each_network(script):
    shape = {"network": list(script.NETWORKS), "cell": list(script.CELLS), "seed": [0], "remedy": list(script.WAYS)}
    sizes = {name: len(each) for name, each in shape.items()} | {"chip": 3, "recording": 8}
    rng = np.random.default_rng(0)
    values = {"loss": 0.2, "before_loss": 0.5, "digital_loss": 0.1}
    ones = xr.DataArray(np.ones(list(sizes.values())), dims=list(sizes))
    data = {name: each * (1 + 0.1 * rng.normal(size=ones.shape)) * ones for name, each in values.items()}
    for name, share in {"right": 0.9, "before_right": 0.5, "digital_right": 1.0}.items():
        outcome = ms.study.Outcome(
            np.full(ones.shape[:-1], share), np.packbits(rng.random(ones.shape) < share, axis=-1)
        )
        data |= outcome.variables(list(sizes)[:-1], 8, name.replace("right", "{}"))
    drawing = load_script("figures", "adapters").figure(xr.Dataset(data, shape), "nature")
    assert len(drawing.axes) == 2 and drawing.get_figwidth() * 25.4 == pytest.approx(183)


@pytest.mark.slow
def test_a_quick_run_is_labelled(script, tmp_path):
    result = script.run(script.Config(quick=True, out=tmp_path))
    assert set(result.accuracy.dims) == {"network", "cell", "seed", "chip", "remedy"}
    assert bool(result.accuracy.notnull().all()) and json.loads(result.config)["quick"]
    assert (tmp_path / "adapters.csv").exists()
