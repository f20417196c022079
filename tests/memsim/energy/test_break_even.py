"""Spikes pay up to where published studies say, by their own constants, and up to where two energies are one."""

import csv
import math
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from memsim.energy._break_even import davidson, spyx
from memsim.energy._conversions import adc_survey_area

KEY = jr.key(0)
HWCOMPONENTS = Path(__file__).parents[2] / "data" / "energy" / "hwcomponents_adc.csv"


def test_at_the_break_even_both_networks_take_the_same():
    product, spike, step, steps = 3e-12, 2e-12, 0.1e-12, 6
    found = ms.energy.break_even(product, spike, step=step, steps=steps)
    np.testing.assert_allclose(found * spike + steps * step, product, rtol=1e-6)
    assert ms.energy.break_even(product, spike, step=1e-12, steps=4) == 0.0  # a silent one takes more already


def test_its_gradient_is_that_of_the_closed_form():
    slopes = jax.grad(lambda p, s, e: ms.energy.break_even(p, s, step=e, steps=6), (0, 1, 2))(3.0, 2.0, 0.1)
    np.testing.assert_allclose(slopes, (1 / 2.0, -(3.0 - 0.6) / 4.0, -6 / 2.0), rtol=1e-6)


def test_published_break_evens_come_out_of_their_constants():
    assert round(davidson(), 1) == 1.7  # 12 over 7 units of Davidson and Furber
    # anchors.md: Spyx's pull request 76, in percent of steps, and their mean over 5 to 10 steps
    assert [round(100 * spyx(steps), 2) for steps in (5, 6, 7)] == [7.50, 6.25, 5.36]
    np.testing.assert_allclose(np.mean([spyx(steps) for steps in range(5, 11)]), 0.0599, atol=5e-5)
    for steps in range(2, 40):  # what they approximate it by: 8 bits of weights against so many
        np.testing.assert_allclose(spyx(steps), math.ceil(math.log2(steps + 1)) / (8 * steps), rtol=4e-3)


def layered():
    layers = [ms.nn.Linear(3, 4, key=KEY), ms.nn.LIF(4), ms.nn.Linear(4, 2, key=KEY), ms.nn.LI(2)]
    return ms.nn.SpikingNetwork(layers)


def test_an_event_driven_core_works_for_spikes_only():
    x = jnp.asarray(jr.uniform(KEY, (1, 6, 3)) > 0.5, jnp.float32)
    machine = ms.energy.EventDriven(memory=8192.0, membrane_bits=16)
    cost = ms.energy.digital(layered(), x, node=45e-9, machine=machine)
    first, spikes = cost.joules.isel(layer=0, sample=0), float(x.sum())
    np.testing.assert_allclose(cost.spikes.isel(layer=0), [spikes])
    np.testing.assert_allclose(first.sel(component="arithmetic"), spikes * 4 * 0.1e-12)
    np.testing.assert_allclose(first.sel(component="on-chip memory"), spikes * 4 * (8 + 2 * 16) / 64 * 10e-12)
    assert float(first.sel(component="off-chip memory")) == float(first.sel(component="instructions")) == 0.0
    small = ms.energy.digital(layered(), x, node=45e-9, machine=ms.energy.EventDriven(memory=8.0))
    np.testing.assert_allclose(
        small.joules.isel(layer=0, sample=0).sel(component="off-chip memory"), spikes * 4 * 8 / 64 * 1.3e-9
    )
    silent = ms.energy.digital(layered(), 0.0 * x, machine=machine)
    assert float(silent.joules.sum(("layer", "sample")).drop_sel(component="neurons").sum()) == 0.0


def test_each_patch_of_a_kernel_that_holds_a_spike_counts():
    layer = ms.nn.Conv2d(2, 4, 3, groups=2, key=KEY)
    x = jnp.zeros((1, 2, 5, 5)).at[0, 0, 2, 2].set(2.0)  # a pixel of nine patches, with two spikes
    cost = ms.energy.digital(layer, x, node=45e-9, v_dd=0.9, machine=ms.energy.EventDriven())
    arithmetic = cost.joules.isel(layer=0, sample=0).sel(component="arithmetic")
    np.testing.assert_allclose(arithmetic, 9 * 2 * 2 * 0.1e-12)  # of its group's two outputs


@pytest.mark.parametrize("machine", [ms.energy.Systolic(memory=4096.0), ms.energy.Processor(memory=2.0**21)])
def test_a_digital_machine_says_where_its_memory_is_beyond_what_was_published(machine):
    x = jnp.ones((1, 6, 3))
    cost = ms.energy.digital(layered(), x, v_dd=1.5, machine=machine)
    assert f"extrapolated in size, {machine.memory:g} B is not 8 KiB to 1 MiB" in str(ms.energy.report(cost))
    assert "extrapolated in supply, beyond 1.2 V" in str(cost.assumed.sel(component="arithmetic").item())
    assert "extrapolated" not in str(cost.assumed.sel(component="off-chip memory").item())


def test_a_rate_beyond_the_survey_is_said():
    told = ms.energy.SurveyADC(2e11).told
    assert "not of the survey's 1000 to 9e+10 a second" in told[0] and ms.energy.SurveyADC(1e8).told == []


def test_a_supply_where_the_law_of_the_node_turns_is_refused():
    # 65 nm: 4.398 / (2 * 3.755) = 0.586 V
    with pytest.raises(ValueError, match=r"at least 0\.586 V at 65 nm.*Got v_dd=0\.55"):
        ms.energy.Periphery(node=65e-9, v_dd=0.55)
    with pytest.raises(ValueError, match=r"at least 0\.586 V"):
        ms.energy.digital(layered(), jnp.ones((1, 6, 3)), node=65e-9, v_dd=0.55)
    assert ms.energy.Periphery(node=65e-9, v_dd=0.6).neuron_update > 0
    low, high = (ms.energy.Periphery(node=65e-9, v_dd=v).neuron_update for v in (0.59, 0.7))
    assert low < high


def test_a_conversion_costs_what_hwcomponents_says_with_the_fifth_that_it_books_as_leakage():
    with open(HWCOMPONENTS) as file:
        rows = np.asarray([[float(each) for each in row.values()] for row in csv.DictReader(file)])
    node, bits, rate, convert, leakage, area = rows.T
    price = eqx.filter_jit(jax.vmap(lambda bits, rate, node: ms.energy.adc_survey_energy(bits, rate, node)))
    ours = np.stack([price(*(jnp.asarray(each) for each in (bits, rate, node * 1e-9)))])[0]
    # their cap of the figure of merit grows by 3.22051 dB a bit instead of 3.2205
    np.testing.assert_allclose(ours, convert + leakage / rate, rtol=1e-4)
    np.testing.assert_allclose(0.8 * ours, convert, rtol=1e-4)
    some = rows[::29]
    for node, bits, rate, _, _, area in some:
        np.testing.assert_allclose(adc_survey_area(bits, rate, node * 1e-9), area, rtol=1e-4)


def test_an_oscillator_takes_what_its_core_does_and_no_time_after_the_pulse():
    adc = ms.energy.OscillatorADC()
    # a core of 256 x 256 at 10.5 TOPS/W: two operations a cell, 127 steps of 1 ns
    np.testing.assert_allclose(adc.joules(8, 14e-9, 0.8), 2 * 256 / 10.5e12, rtol=2e-3)
    np.testing.assert_allclose(256 * adc.square_metres(8, 14e-9), 2 * 256**2 / 127e-9 / 1.59e18, rtol=2e-3)
    assert adc.seconds(8) == 0.0
    with pytest.raises(ValueError, match=r"an oscillator of its own.*Got columns_per_adc=8"):
        ms.energy.Periphery(adc=adc)
