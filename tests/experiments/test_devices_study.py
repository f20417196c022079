"""The studies of cells measure what they say, label what they write, and are drawn to width."""

import csv
import functools
import json
import math

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from helpers import slow
from memsim._cli import load_script

QUICK = {
    "devices": {"devices": ("ideal", "rram_milo2021"), "hidden": 4, "steps": 4},
    "cells": {"devices": ("pcm_joshi2020", "sonos_agrawal2022", "fefet_jerry2017")},
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Small results by name, each computed once."""

    @functools.cache
    def result(name):
        script = load_script("experiments", name)
        script.QUICK |= QUICK[name]
        out = tmp_path_factory.mktemp(name)
        script.run(script.Config(quick=True, out=out))
        return out

    return result


@pytest.mark.parametrize("name", [slow("cells"), slow("devices")])
def test_a_result_is_labelled_and_drawn(name, results, tmp_path):
    result = ms.study.open_result(results(name) / f"{name}.nc")
    for coordinate in result.variables.values():
        assert coordinate.dtype.kind in "TUO" or "units" in coordinate.attrs
    config = json.loads(result.config)
    assert config["quick"] and "jax" in json.loads(result.versions)
    assert json.loads(result.device_numbers).keys() == set(config["devices"])
    with open(results(name) / f"{name}.csv") as file:
        assert len(list(csv.DictReader(file))) > 0
    module = load_script("figures", name)
    assert module.figure(result, "nature").get_figwidth() * 25.4 == pytest.approx(183)
    module.draw(results(name) / f"{name}.nc", tmp_path / name)
    assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_ideal_cells_lose_nothing_but_the_converter(results):
    result = ms.study.open_result(results("devices") / "devices.nc")
    assert result.accuracy.dims == ("seed", "training", "device", "chip", "time")
    ideal = result.sel(device="ideal")
    np.testing.assert_allclose(ideal.accuracy.isel(time=0), ideal.accuracy.isel(time=-1))
    np.testing.assert_allclose(ideal.accuracy.mean(["chip", "time"]), ideal.digital_accuracy, atol=0.05)


def test_the_error_of_cells_is_that_of_their_write_and_not_of_a_common_factor():
    """20 000 cells: the error of 2 % of the range is found within 4 standard errors, 1 / sqrt(2 n) each."""
    script = load_script("experiments", "devices")
    noisy = dm.Gaussian(0.0, 25e-6, write_noise=dm.curves.Constant(0.5e-6))
    falling = dm.Retention(noisy, onset=3600.0, exponent=0.2)
    for device in (noisy, falling):
        errors = script.cell_error(device)
        assert np.all(np.abs(np.asarray(errors) / 0.02 - 1) < 4 / math.sqrt(2 * 20_000) + 0.01)


def test_populations_have_the_published_spread_and_the_exponent_of_their_law(results):
    result = ms.study.open_result(results("cells") / "cells.nc")
    middle = result.isel(target=2)  # 50 cells, of which none is clipped
    for name in ("pcm_joshi2020", "sonos_agrawal2022", "fefet_jerry2017"):
        one = middle.sel(device=name)
        assert abs(float(one.error_std / one.published_std) - 1) < 4 / math.sqrt(2 * 50)
    script = load_script("experiments", "cells")
    device = dm.Gaussian(0.0, 25e-6)
    exponents = script.population(
        dm.Retention(device, onset=1.0, exponent=0.05), jnp.full((4, 1), 1e-5), jnp.asarray([0.0]), key=jr.key(0)
    ).exponent
    np.testing.assert_allclose(exponents, 0.05, rtol=1e-4)


@pytest.mark.parametrize(
    "name, settings, says",
    [
        ("devices", {"devices": ("pcm_joshi2002",)}, "pcm_joshi2020"),
        ("devices", {"devices": ()}, "must name a device"),
        ("cells", {"cells": 1}, "at least 2"),
        ("cells", {"times": (-1.0,)}, "`times` must be"),
    ],
)
def test_bad_options_are_refused_before_anything_is_computed(name, settings, says):
    with pytest.raises(ValueError, match=says):
        load_script("experiments", name).Config(**settings)
