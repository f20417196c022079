"""The study of adapters: its options, its remedies, its figure, and a quick run."""

import inspect
import json

import jax.random as jr
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import memsim as ms
from memsim._cli import load_script


@pytest.fixture(scope="module")
def script():
    return load_script("experiments", "adapters")


def test_unknown_networks_cells_and_ways_are_told(script):
    wrong = [{"networks": (name,)} for name in ("AlexNet", "digits", "digits-0", "digits--1", "digits-many")]
    for settings in (*wrong, {"cells": ("DRAM",)}, {"ways": ("prayer",)}, {"targets": "hopes"}, {"most": 2.0}):
        with pytest.raises(ValueError, match="must be"):
            script.Config(**settings)


def numbers(remedy, model):
    """Of adapters of rank 1, from the sizes of the layers."""
    layers = ms.nn.analog_layers(model)
    return sum(sum(layers[path].weight.shape) for path in remedy.layers)


@pytest.mark.parametrize(("hidden", "layers", "wanted"), [(128, 2, 279), (256, 3, 1047)])
def test_adapters_are_beside_all_layers_where_two_hundredths_of_the_numbers_allow_it(script, hidden, layers, wanted):
    recurrent_network = inspect.getmodule(script.trained).recurrent_network
    config, model = script.Config(), recurrent_network(13, hidden, 10, key=jr.key(0))
    closed, learnt = (script.remedy(config, f"digits-{hidden}", model, way) for way in script.WAYS)
    assert (closed.updates, learnt.updates, len(learnt.layers)) == (0, config.updates, layers)
    assert closed.layers == learnt.layers and numbers(learnt, model) == wanted and learnt.targets == config.targets
    with pytest.raises(ValueError, match=f"`most` must be at least 0.0.* for adapters of digits-{hidden}"):
        script.remedy(script.Config(most=1e-3), f"digits-{hidden}", model, "learnt")


def test_convolutions_count_as_the_matrices_that_they_are_on_chips(script):
    model = script.network(script.LENET, 8, key=jr.key(0))
    remedy = script.remedy(script.Config(), script.LENET, model, "learnt")
    shapes = {path: layer.weight.shape for path, layer in ms.nn.analog_layers(model).items()}
    known = [shape[0] + int(np.prod(shape[1:])) for shape in shapes.values()]
    assert remedy.layers == tuple(shapes) and remedy.targets == "labels" and sum(known) == 1015  # of 61706


def test_a_share_of_nothing_is_told_in_words(script):
    row = {"loss_regained": 0.9, "loss_low": 0.8, "loss_high": 1.0}
    words = [script.told(pd.Series(row | {"loss_lost": lost}), "loss") for lost in (0.1, 0.0, -0.1)]
    assert words == ["90 [80, 100]", "nothing lost", "better than digital"]


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
    assert len(drawing.axes) == 3 and drawing.get_figwidth() * 25.4 == pytest.approx(183)


@pytest.mark.slow
def test_a_quick_run_is_labelled(script, tmp_path):
    result = script.run(script.Config(quick=True, out=tmp_path))
    assert set(result.accuracy.dims) == {"network", "cell", "seed", "chip", "remedy"}
    assert bool(result.accuracy.notnull().all()) and json.loads(result.config)["quick"]
    assert (tmp_path / "adapters.csv").exists()
