"""The study of chips gives each the network that fires and resets as its neurons do."""

import jax.random as jr
import pytest

import memsim as ms
from memsim._cli import load_script

CHOSEN = {
    "loihi1": "recurrent",
    "spinnaker1": "recurrent, fires at its threshold",
    "xylo_imu": "subtracting",
    "truenorth": "integrators",
    "speck": "integrators, fire often",
}


@pytest.fixture(scope="module")
def study():
    return load_script("experiments", "chips")


@pytest.mark.parametrize("name", CHOSEN)
def test_a_chip_gets_the_network_of_its_conventions_and_no_warning(study, name):
    chip, config = ms.chips.target(name), study.Config(hidden=20)
    assert study.chosen(chip, 13, config) == CHOSEN[name]
    fit = chip.fits(study.NETWORKS[CHOSEN[name]](13, 20, 10, key=jr.key(1)))
    assert fit and not fit.warnings


def test_a_network_that_is_asked_for_is_taken_and_memristors_get_the_first(study):
    assert study.chosen(ms.chips.xylo_imu(), 13, study.Config(network="recurrent")) == "recurrent"
    assert study.chosen(None, 13, study.Config()) == "recurrent"
