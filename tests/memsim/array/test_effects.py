"""A device without one of its effects keeps what chance decided of the others; tests of every device ask the rest."""

import re

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import helpers

YEAR = 365.25 * 86400.0
N = 200
SAME_CLASS = (
    "pcm_hermes1",
    "pcm_hermes2",
    "pcm_li2023",
    "pcm_table",
    "sonos_xiao2022",
    "cmo_hfox_wide",
    "ecram_chen2023",
)
DEVICES = {
    name: device
    for name, device in helpers.DEVICES.items()
    if name not in (*SAME_CLASS, "gaussian_proportional", "gaussian_inverse", "mtj_generic", "ideal_milo")
}
PCMS = [name for name, device in DEVICES.items() if isinstance(device, dm.PCM)]

every_device = pytest.mark.parametrize(
    "device",
    [device if name in helpers.QUICK_DEVICES else helpers.slow(device) for name, device in DEVICES.items()],
    ids=DEVICES,
)


def targets(device):
    return jnp.linspace(device.g_min, device.g_max, N)


@eqx.filter_jit
def chip(device, target):
    """Cells of one chip, and their conductance just after the write and a year on."""
    cells = device.program(target, key=jr.key(0))
    return cells, *(device.conductance(cells, jnp.asarray(t)) for t in (0.0, YEAR))


def without(device, *effects):
    for effect in effects:
        device = device.without(effect)
    return device


@every_device
def test_an_unknown_effect_suggests_its_neighbours(device):
    for wrong, right in {"drfit": "drift", "readnoise": "read noise", "iv": "I-V"}.items():
        with pytest.raises(ValueError, match=f"Got '{wrong}'.*{re.escape(right)}"):
            device.without(wrong)


@pytest.mark.parametrize("name", PCMS)
def test_without_write_noise_targets_are_met_and_drift_as_before(name):
    device, target = DEVICES[name], targets(DEVICES[name])
    _, start, year = chip(device, target)
    _, exact, exact_year = chip(device.without("write noise"), target)
    np.testing.assert_array_equal(exact, target)
    # G(t) / G(0) shows the exponent of a cell, unless one of the two was written to zero.
    shows = (np.asarray(start) > 0) & (np.asarray(target) > 0)
    assert shows.sum() > 0.9 * N
    with_noise, clean = np.asarray(year)[shows] / start[shows], np.asarray(exact_year)[shows] / exact[shows]
    np.testing.assert_allclose(clean, with_noise, rtol=1e-5)
    assert len(set(np.asarray(with_noise))) > 0.9 * N


@every_device
def test_without_its_current_voltage_relation_a_cell_is_ohmic_and_otherwise_the_same(device):
    ohmic = device.without("I-V")
    _, start, year = chip(ohmic, targets(device))
    np.testing.assert_array_equal((start, year), chip(device, targets(device))[1:])
    v = jnp.full(N, 0.3)
    np.testing.assert_allclose(ohmic.current(start, v), 0.3 * np.asarray(start, np.float64), rtol=1e-6)
    conducts = np.asarray(start) > 0
    bent = np.abs(device.current(start, v) / ohmic.current(start, v) - 1)[conducts] > 1e-3
    assert bent.all() if "I-V" in device.effects else not bent.any()


def test_without_levels_a_cell_is_written_to_its_target():
    device = DEVICES["levels"]
    target = targets(device)
    np.testing.assert_array_equal(chip(device.without("levels"), target)[2], chip(dm.pcm_joshi2020(), target)[2])
    level = np.asarray(chip(without(device, "write noise"), target)[1], np.float64) / device.g_max * 15
    np.testing.assert_allclose(level, np.round(level), rtol=0, atol=1e-4)
    assert set(np.round(level)) == set(range(16))


def test_without_stuck_cells_the_others_are_the_same_cells():
    device = dm.StuckCells(dm.pcm_joshi2020(), p_on=0.1, p_off=0.2)
    target = jnp.full(N, 12.5e-6)
    cells, *history = chip(device, target)
    stuck = np.asarray(cells.on | cells.off)
    assert 0.1 < stuck.mean() < 0.5
    _, *sound = chip(device.without("stuck cells"), target)
    for g, g_sound in zip(history, sound, strict=True):
        np.testing.assert_array_equal(np.asarray(g)[~stuck], np.asarray(g_sound)[~stuck])
    assert not np.any(np.isin(np.asarray(sound)[:, stuck], [0.0, np.float32(device.g_max)]))


@pytest.mark.parametrize("effect", ["write noise", "drift", "read noise"])
def test_the_same_cells_are_stuck_without_another_effect(effect):
    device = dm.StuckCells(dm.pcm_joshi2020(), p_on=0.1, p_off=0.2)
    one, other = (chip(d, jnp.full(N, 12.5e-6))[0] for d in (device, device.without(effect)))
    np.testing.assert_array_equal((one.on, one.off), (other.on, other.off))


def test_verified_cells_take_the_same_pulses_without_drift():
    device = DEVICES["write_verify"]
    pulses = [np.asarray(chip(d, targets(device))[0].pulses) for d in (device, device.without("drift"))]
    np.testing.assert_array_equal(*pulses)
    assert pulses[0].max() > 1


def test_a_process_of_scale_zero_shows_no_such_effect():
    assert dm.pcm_joshi2020(nu_scale=0.0).effects == ("write noise", "read noise")
    assert dm.pcm_hermes1(write_noise_scale=0.0, read_noise_scale=0.0).effects == ("drift",)
