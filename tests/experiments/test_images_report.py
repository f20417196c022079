"""What the study of images says in words is what its numbers are."""

import inspect

import numpy as np
import pytest
import xarray as xr

from memsim._cli import load_script

DIMS = ("seed", "network", "training", "norms", "chip", "time")


@pytest.fixture(scope="module")
def script():
    return inspect.getmodule(load_script("experiments", "images").report)


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_the_gain_of_new_norms_is_theirs_over_those_as_trained(script, seeds, capsys):
    found = np.full((seeds, 2, 1, 2, 3, 1), np.nan)
    found[:, 1, 0, 0, :, 0] = 0.5 + 0.01 * np.arange(3)  # as trained, of the second network; the first has no norms
    found[:, 1, 0, 1, :, 0] = 0.75 + 0.01 * np.arange(3)
    coordinates = {"network": ["LeNet-5", "ResNet-8"], "training": ["digital"], "norms": ["as trained", "re-estimated"]}
    script.norms(xr.Dataset({"norms_accuracy": (DIMS, found)}, coordinates | {"time": [3600.0]}))
    row = next(line for line in capsys.readouterr().out.splitlines() if "3600" in line)
    assert "51.0" in row and "76.0" in row and "+25.00" in row
