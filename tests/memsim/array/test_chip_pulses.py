"""A chip tells how often its cells were written, whatever is around them."""

import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms

KEY = jr.key(0)
VERIFIED = dm.WriteVerify(dm.pcm_joshi2020(), 1e-6, 5)


@pytest.mark.parametrize(
    "device, mean",
    [
        (dm.pcm_joshi2020(), lambda chip: np.ones(chip.pulses.shape)),
        (VERIFIED, lambda chip: chip.cells.pulses),
        (dm.Parallel(VERIFIED, 3), lambda chip: np.mean(chip.cells.pulses, axis=0)),
        (dm.CellPair(VERIFIED, VERIFIED, 4.0), lambda chip: (chip.cells.coarse.pulses + chip.cells.fine.pulses) / 2),
    ],
)
def test_pulses_of_cells_side_by_side_are_their_mean(device, mean):
    chip = ms.Crossbar(device, reads=ms.Reads("off")).program(jr.normal(KEY, (4, 6)), key=KEY)
    assert chip.pulses.shape == (2, 6, 4)
    np.testing.assert_allclose(chip.pulses, mean(chip), rtol=1e-6)
