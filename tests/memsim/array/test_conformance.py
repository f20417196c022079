"""Devices, mappings and wrappers together: on cells without noise a weight of 0 reads 0, 1 reads 1, and -1 reads -1."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from helpers import QUICK_DEVICES, quick_and_slow

W = 2.5 * np.array([[1, 0, -1, 0, 0], [0, -1, 0, 0, 1], [0, 0, 0, 0, 0]], np.float32)
MAPPINGS = {
    "pair": ms.DifferentialPair(),
    "interleaved": ms.DifferentialPair(arrangement="interleaved"),
    "digital": ms.OffsetColumn(),
    "column": ms.OffsetColumn(offset="column"),
    "sliced_pair": ms.BitSliced(ms.DifferentialPair(), 1, 3),
    "sliced_digital": ms.BitSliced(ms.OffsetColumn(), 2, 2),
    "sliced_column": ms.BitSliced(ms.OffsetColumn(offset="column"), 1, 3),
}
CELL = dm.Ideal(1e-6, 25e-6)
WRAPPED = {
    **{f"levels_{n}": dm.Levels(CELL, n) for n in (2, 4, 15, 16)},
    "of_levels": dm.Levels(dm.Levels(CELL, 31), 16),
    "parallel": dm.Parallel(dm.Levels(CELL, 16), 3),
    "of_parallel": dm.Levels(dm.Parallel(CELL, 3), 16),
    "stuck": dm.StuckCells(dm.Levels(CELL, 16)),
    "verified": dm.Levels(dm.WriteVerify(CELL, window=1e-6, max_pulses=2), 16),
    "retention": dm.Retention(dm.Levels(CELL, 16), onset=1.0, exponent=0.1),
    "pair_of_levels": dm.CellPair(dm.Levels(CELL, 16), dm.Levels(dm.Ideal(2e-6, 9e-6), 4), significance=4.0),
    "pair_with_fine_levels": dm.CellPair(CELL, dm.Levels(dm.Ideal(2e-6, 9e-6), 2), significance=4.0),
}

QUICK = ("levels_2", "levels_16", "pair_of_levels")  # with every mapping, wrappers, and too few levels


def without_noise(device):
    for effect in device.effects:
        device = device if effect == "levels" else device.without(effect)
    return device


def too_few(device, mapping):
    """Whether cells have no level for what the mapping asks."""
    if isinstance(mapping, ms.BitSliced):
        return device.levels is not None and device.levels < 2**mapping.bits_per_cell
    return isinstance(mapping, ms.OffsetColumn) and device.levels == 2


@pytest.mark.parametrize("name", quick_and_slow([name for name in QUICK_DEVICES if name in dm.DEVICES], dm.DEVICES))
def test_every_device_has_a_level_where_a_mapping_puts_zero_and_one(name):
    device = without_noise(dm.DEVICES[name].make())
    mapping = ms.DifferentialPair() if too_few(device, ms.OffsetColumn()) else ms.OffsetColumn()
    off, on = ms.Crossbar(device, mapping).cell_range
    target = jnp.asarray([off, on] if device.levels == 2 else [off, (off + on) / 2, on])
    g = device.conductance(device.program(target, key=jax.random.key(0)), jnp.zeros(()))
    np.testing.assert_allclose(g, target, rtol=0, atol=1e-6 * on)


@pytest.mark.parametrize("name", quick_and_slow(QUICK, WRAPPED))
def test_zero_and_one_are_what_they_are_on_every_mapping_or_levels_are_too_few(name):
    device, settings = WRAPPED[name], {"compensation": None, "reads": ms.Reads("off"), "tile": (3, 2)}
    for place in MAPPINGS if name == "levels_16" else ("digital", "sliced_column"):
        mapping = MAPPINGS[place]
        if too_few(device, mapping):
            with pytest.raises(ValueError, match="must have cells of at least"):
                ms.Crossbar(device, mapping, **settings)
            continue
        with jax.disable_jit():  # one operation after the other, each compiled once for all
            matrix = ms.Crossbar(device, mapping, **settings).deploy(W, 0.0, key=jax.random.key(0))
        np.testing.assert_allclose(matrix.effective_weight, W, rtol=0, atol=2e-5, err_msg=place)
        np.testing.assert_array_equal(matrix.effective_weight[2], 0)


def test_an_even_number_of_levels_gives_one_less_to_an_offset():
    """15 of 16 levels: a weight is rounded to sevenths, as CrossSim's offset mapping does with 2^4 - 2 steps."""
    w = np.linspace(-1, 1, 41, dtype=np.float32)[None]
    design = ms.Crossbar(dm.Levels(CELL, 16), ms.OffsetColumn(), compensation=None)
    found = design.deploy(w, 0.0, key=jax.random.key(0)).effective_weight
    np.testing.assert_allclose(found, np.round(7 * w.astype(float)) / 7, rtol=0, atol=1e-5)


def test_levels_that_are_none_of_the_device_are_refused():
    with pytest.raises(ValueError, match="31 steps do not divide into 14"):
        dm.Levels(dm.Levels(CELL, 32), 15)
