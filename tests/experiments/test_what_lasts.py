"""The study of what a correction lasts: its options, its digital parts, its figure, and a quick run."""

import json

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr

import device_models as dm
import memsim as ms
from memsim._cli import load_script


@pytest.fixture(scope="module")
def script():
    return load_script("experiments", "what_lasts")


def test_unknown_ways_are_told(script):
    with pytest.raises(ValueError, match="`ways` must be among"):
        script.Config(ways=("prayer",))


def test_laws_differ_in_the_path_only(script):
    cells = [script.cell(script.Config(), law) for law in script.LAWS]
    assert [type(cell.path) for cell in cells] == [dm.ageing.Keep, dm.ageing.Jumps, dm.ageing.Redraw]
    assert all(cell.remembering("keep") == cells[0] for cell in cells)


def test_what_digital_adds_is_a_matrix_beside_the_array(script):
    layer = ms.nn.Linear(3, 2, use_bias=False, key=jr.key(0))
    design = ms.Crossbar(dm.rram_relaxing("C"), reads=ms.Reads("off"))
    chip = ms.deploy(ms.nn.SpikingNetwork([layer]), design, 10.0, key=jr.key(1))
    (path,) = ms.nn.analog_layers(chip)
    added, x = jr.normal(jr.key(2), (3, 2)), jr.normal(jr.key(3), (4, 3))
    more = ms.heal.beside(chip, {path: ms.heal.Beside(factors=(added,))})(x) - chip(x)
    np.testing.assert_allclose(more, x @ added, atol=1e-5)


def test_figure_has_a_panel_for_each_law(script):
    shape = {"way": list(script.WAYS), "law": list(script.LAWS), "seed": [0, 1], "chip": [0], "time": [10.0, 1e5]}
    values = np.random.default_rng(0).uniform(0.9, 1.0, [len(each) for each in shape.values()])
    data = xr.Dataset(
        {"accuracy": (list(shape), values), "digital_accuracy": (("seed",), np.array([0.98, 0.97]))}, shape
    )
    drawing = load_script("figures", "what_lasts").figure(data, "nature")
    assert len(drawing.axes) == 3 and drawing.get_figwidth() * 25.4 == pytest.approx(183)


@pytest.mark.slow
def test_a_quick_run_is_labelled(script, tmp_path):
    result = script.run(script.Config(quick=True, out=tmp_path))
    assert result.accuracy.dims == ("way", "law", "seed", "chip", "time")
    assert bool(result.accuracy.notnull().all()) and "jumps" in result.attrs["assumes (as measured)"]
    assert json.loads(result.config)["quick"] and float(jnp.max(result.time.values)) == 1e5
