"""The study of wire resistance: its path, and its figure."""

import inspect
import json

import numpy as np
import pytest
import xarray as xr

import memsim as ms
from circuits import dense_crossbar
from memsim._cli import load_script

pytestmark = pytest.mark.slow  # minutes together


def test_tiles_larger_than_the_matrices_are_measured_once():
    script = load_script("experiments", "ir_drop")
    config = script.Config(tiles=(512, 64, 256, 128))
    assert [script.tiles(config, n) for n in (10, 128, 200, 512)] == [
        [64],
        [64, 128],
        [64, 128, 256],
        [64, 128, 256, 512],
    ]


def test_bad_resistances_are_told():
    script = load_script("experiments", "ir_drop")
    with pytest.raises(ValueError, match=r"`resistances` must be .* in ohm"):
        script.Config(resistances=(-1.0,))


def test_the_figure_shows_networks_arrays_and_voltages():
    rng = np.random.default_rng(0)
    names = {"network": ["recurrent, 8 neurons", "feed-forward, 8 neurons"], "training": ["ideal wires", "exact"]}
    sizes = {"seed": 3, "tile": 2, "resistance": 4}
    coordinates = names | {"seed": range(3), "tile": [4, 8], "resistance": [0.0, 1.0, 2.0, 5.0]}
    accuracy = rng.uniform(0.5, 1.0, (2, 2, *sizes.values()))
    accuracy[0, :, :, 1] = np.nan  # a tile that the first network does not need
    errors = {"array_error": (("size", "model"), rng.uniform(0.01, 1, (3, 2)))}
    data = xr.Dataset(
        {"accuracy": (("network", "training", *sizes), accuracy), **errors}
        | {"lost_voltage": (("word_line", "bit_line"), rng.random((8, 8)))},
        coordinates | {"size": [16, 32, 64], "model": ["ideal wires", "closed form"]},
        {"config": json.dumps({"training_resistance": 2.0})},
    )
    figure = load_script("figures", "ir_drop").figure(data, "nature")
    assert figure.get_figwidth() * 25.4 == pytest.approx(183)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[2:4] == ["recurrent, 8 neurons", "feed-forward, 8 neurons"]
    labels = [text.get_text() for text in figure.axes[2].get_legend().get_texts()]
    assert labels == ["ideal wires, tile 4", "exact, tile 4"]


def test_the_study_runs_and_says_what_it_found(tmp_path):
    script = load_script("experiments", "ir_drop")
    result = script.run(script.Config(quick=True, out=tmp_path))
    assert result.accuracy.dims == ("network", "training", "seed", "tile", "resistance")
    # Without resistance the exact wires are ideal ones.
    first = result.accuracy.isel(resistance=0, tile=0).sel(training="ideal wires")
    np.testing.assert_allclose(first, result.digital_accuracy.sel(training="ideal wires"), atol=1e-6)
    assert bool((result.array_error.sel(model="closed form") < result.array_error.sel(model="ideal wires")).all())
    square = inspect.getmodule(script.lost_voltage)
    g = np.asarray(square.Cells(1e-6, 1e-4).array(8), float)
    dense = dense_crossbar(g, np.full(8, 0.2), 20.0, 20.0)
    lost = 1 - (dense.word_line - dense.bit_line) / 0.2
    np.testing.assert_allclose(result.lost_voltage, lost, rtol=1e-3)
    assert lost[0, 7] > lost[7, 0]  # far from drivers and sinks, and next to both
    assert "versions" in ms.study.open_result(tmp_path / "ir_drop.nc").attrs
