"""The table of chips: each network on what takes it, judged on data that no chip was calibrated on."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from memsim import nn

KEYS = jr.split(jr.key(0), 6)
SPIKES = (jr.uniform(KEYS[0], (12, 30, 6)) < 0.3).astype(jnp.float32)
VALUES = jr.uniform(KEYS[1], (40, 6))
LABELS = np.arange(40) % 3


def spiking():
    firing = nn.Firing(reset="zero")
    layers = [nn.Linear(6, 20, gain=2.0, key=KEYS[2]), nn.CuBaLIF(20, firing=firing)]
    return nn.SpikingNetwork([*layers, nn.Linear(20, 3, key=KEYS[3]), nn.LI(3)])


def of_values():
    return eqx.nn.MLP(6, 3, 20, 1, key=KEYS[4])


def said(table, name):
    return str(table.refused.sel(target=name).item())


def test_a_spiking_network_is_refused_by_chips_for_values_with_the_reason():
    table = ms.chips.compare(
        spiking(),
        (SPIKES, LABELS[:12]),
        key=KEYS[5],
        targets=["loihi1", "akida"],
        crossbars={"sonos": ms.recipes.sonos()},
    )
    assert said(table, "loihi1") == "" and "CuBaLIF, which has a state" in said(table, "akida")
    assert np.isnan(table.accuracy.sel(target="akida")) and float(table.agreement.sel(target="loihi1")) > 0.8
    assert bool(table.accuracy.sel(target=["network", "loihi1", "sonos"]).notnull().all())


def test_a_network_of_values_is_judged_where_chips_take_values():
    names = ["loihi1", "akida", "brainscales2_vmm", "neurogrid"]
    crossbars = {"hermes": ms.recipes.hermes()}
    data = VALUES, LABELS
    table = ms.chips.compare(of_values(), data, key=KEYS[5], calibration=VALUES, targets=names, crossbars=crossbars)
    assert "a network in a row" in said(table, "loihi1") and "populations" in said(table, "neurogrid")
    assert float(table.agreement.sel(target="akida")) > 0.9
    taken = table.sel(target=["akida", "brainscales2_vmm"])
    assert bool((taken.agreement > 0.6).all()) and bool((taken.events > 0).all()) and bool((taken.cores > 0).all())
    assert float(table.agreement.sel(target="hermes")) > 0.6


def test_each_step_of_a_network_of_values_over_time_is_one_input():
    model = nn.SpikingNetwork([nn.Linear(6, 9, key=KEYS[2]), eqx.nn.Lambda(jax.nn.relu), nn.Linear(9, 3, key=KEYS[3])])
    table = ms.chips.compare(
        model, (SPIKES, LABELS[:12]), key=KEYS[5], calibration=SPIKES, targets=["akida"], crossbars={}
    )
    assert float(table.agreement.sel(target="akida")) > 0.9


def test_what_is_judged_is_not_what_ranges_are_of():
    """A chip in the table is the one that `deploy` gives for the same calibration, whatever data it is judged on."""
    model, few = of_values(), 0.2 * VALUES[:5]
    placed = ms.chips.akida().deploy(model, calibration=few)
    outputs, _ = placed(VALUES)
    same = np.argmax(outputs, axis=1) == np.argmax(jax.vmap(model)(VALUES), axis=1)
    for part in (slice(0, 15), slice(15, 40)):
        table = ms.chips.compare(
            model, (VALUES[part], LABELS[part]), key=KEYS[5], calibration=few, targets=["akida"], crossbars={}
        )
        assert float(table.agreement.sel(target="akida")) == pytest.approx(np.mean(same[part]))


def test_ranges_without_calibration_are_a_row_with_the_reason():
    table = ms.chips.compare(of_values(), (VALUES, LABELS), key=KEYS[5], targets=["akida"], crossbars={})
    assert "`calibration` must be samples" in said(table, "akida")


@pytest.mark.parametrize("wrong", [VALUES[:, :5], VALUES[:0], (SPIKES, LABELS[:12])])
def test_a_calibration_that_is_no_input_is_an_error(wrong):
    with pytest.raises(ValueError, match="calibration"):
        ms.chips.compare(of_values(), (VALUES, LABELS), key=KEYS[5], calibration=wrong, targets=["akida"], crossbars={})


def test_a_calibration_must_be_finite_and_one_of_zeros_gives_no_range():
    judged = {"key": KEYS[5], "targets": ["akida", "brainscales2_vmm"], "crossbars": {}}
    with pytest.raises(ValueError, match="`calibration` must be inputs as those of `data`, all of them finite"):
        ms.chips.compare(of_values(), (VALUES, LABELS), calibration=VALUES.at[0, 0].set(jnp.nan), **judged)
    table = ms.chips.compare(of_values(), (VALUES, LABELS), calibration=0 * VALUES, **judged)
    assert all("Got zeros" in said(table, name) for name in judged["targets"])


def test_two_rows_of_one_name_and_labels_without_a_score_are_refused():
    loihi = ms.chips.loihi2_sigma_delta
    for targets, crossbars in (([loihi(), loihi(0.5)], {}), (["akida"], {"akida": ms.recipes.sonos()})):
        with pytest.raises(ValueError, match=r"a name of their own for each row. Got .* twice"):
            ms.chips.compare(of_values(), (VALUES, LABELS), key=KEYS[5], targets=targets, crossbars=crossbars)
    for data, says in (((VALUES, LABELS + 3), "6 of them by the labels. Got 3"), ((VALUES[:, :5], LABELS), "shape")):
        with pytest.raises(ValueError, match=says):
            ms.chips.compare(of_values(), data, key=KEYS[5], targets=["akida"], crossbars={})
