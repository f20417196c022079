"""The study of training in the array trains what it says, labels what it writes, and is drawn."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr

import device_models as dm
import memsim as ms
from memsim._cli import load_script

pytestmark = pytest.mark.slow  # minutes together


@pytest.fixture(scope="module")
def study():
    return load_script("experiments", "insitu")


@pytest.fixture(scope="module")
def result(study, tmp_path_factory):
    out = tmp_path_factory.mktemp("insitu")
    study.run(study.Config(quick=True, out=out))
    return out


def test_what_it_writes_has_units_provenance_and_the_source_of_every_number(result):
    data = ms.study.open_result(result / "insitu.nc")
    assert data.accuracy.dims == ("device", "algorithm", "seed", "epoch")
    assert data.accuracy.shape == (1, 2, 2, 2) and data.digital_accuracy.shape == (2, 2)
    assert all(data[name].attrs["units"] == "1" for name in ("accuracy", "loss", "epoch", "seed"))
    assert data.accuracy.attrs["long_name"]
    assert bool(((data.accuracy >= 0) & (data.accuracy <= 1)).all()) and bool(np.isfinite(data.loss).all())
    assert data.attrs["device_numbers"].count("ecram_tang2018: ") == len(dm.pulsed.PULSED["ecram_tang2018"].numbers)
    assert json.loads(data.attrs["config"])["quick"] is True
    rows = (result / "insitu.csv").read_text().splitlines()
    assert rows[0] == "device,algorithm,accuracy,low,high,interval_over,rate,written" and len(rows) == 3
    assert sorted(file.name for file in result.iterdir()) == ["insitu.csv", "insitu.nc"]


def test_the_figure_shows_every_device_and_algorithm_at_the_width_of_the_journal(result):
    data = ms.study.open_result(result / "insitu.nc")
    drawing = load_script("figures", "insitu").figure(data, "nature")
    np.testing.assert_allclose(drawing.get_figwidth(), ms.plotting.width("nature", 2))
    table, seeds = drawing.axes[:2]
    assert [label.get_text() for label in table.get_xticklabels()] == ["mixed precision", "AGAD"]
    assert len(seeds.lines) == 3 and len(seeds.lines[0].get_xdata()) == 2


def test_a_figure_of_many_devices_puts_the_best_first():
    devices, algorithms = ["poor", "good"], ["analog SGD"]
    accuracy = np.array([0.2, 0.8]).reshape(2, 1, 1, 1)
    data = xr.Dataset(
        {
            "accuracy": (("device", "algorithm", "seed", "epoch"), accuracy),
            "digital_accuracy": (("seed", "epoch"), np.array([[0.9]])),
        },
        {"device": devices, "algorithm": algorithms, "seed": [0], "epoch": [1]},
    )
    drawing = load_script("figures", "insitu").figure(data)
    assert [label.get_text() for label in drawing.axes[0].get_yticklabels()] == ["good", "poor"]


def test_devices_with_the_same_parts_share_a_compiled_function(study):
    fine, coarse = (study.traceable(dm.pulsed.ConstantStep(dm.pulsed.Steps(step))) for step in (1e-3, 1e-2))
    assert structure(fine) == structure(coarse)
    array = dm.pulsed.PulsedArray.fabricate(coarse, jnp.zeros((1, 1)), key=jr.key(0))
    assert np.isclose(array.burst(jnp.ones((1, 1), jnp.int32), most=1, key=jr.key(1)).shown, 1e-2)


def structure(device):
    return jax.tree.structure(device), [jnp.shape(leaf) for leaf in jax.tree.leaves(device)]


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"devices": ("pcm_joshi2020",)}, "`devices` must be among"),
        ({"algorithms": ("SGD",)}, "`algorithms` must be among"),
        ({"epochs": 0}, "`epochs` must be at least 1"),
        ({"recordings": 3}, "`batch_size` must be at most 3"),
    ],
)
def test_bad_options_are_told(study, settings, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(study.Config(), **settings)
