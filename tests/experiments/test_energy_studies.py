"""The studies of energy say what their closed forms say, in quick runs, and their figures can be drawn."""

import json

import numpy as np
import pytest
import xarray as xr

import memsim as ms
from memsim._cli import load_script

NAMES = ("energy_bars", "crossover", "energy_crossover_snn", "design")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Quick results by name, each computed once."""
    found = {}

    def quick(name):
        if name not in found:
            out = tmp_path_factory.mktemp(name)
            script = load_script("experiments", name)
            script.run(script.Config(quick=True, out=out))
            found[name] = ms.study.open_result(out / f"{name}.nc")
        return found[name]

    return quick


def test_spikes_pay_always_never_or_up_to_the_closed_form():
    affordable = load_script("experiments", "energy_crossover_snn").affordable
    assert affordable(6.0, 4.0, 0.5, 2.0, 4) == pytest.approx((6.0 - 2.0) / (2.0 - 1.0))
    assert affordable(60.0, 4.0, 0.5, 2.0, 4) == 4.0  # no more than a spike a step
    assert affordable(6.0, 8.0, 0.5, 2.0, 4) == 4.0  # each spike takes no more than its input, and steps take less
    assert affordable(6.0, 8.0, 2.0, 2.0, 4) == affordable(6.0, 0.0, 2.0, 2.0, 4) == 0.0


def test_a_design_is_beaten_by_the_cheapest_that_is_not_told_to_be_less_accurate():
    """Of ten chips each: one design is 1 % worse on all of them, one as good at half the energy."""
    spread = np.linspace(-0.02, 0.02, 10)
    ways = {"HERMES, 8 bits": (0.9, 4.0), "price 0.1": (0.9, 2.0), "price 1": (0.89, 1.0)}
    accuracy = xr.DataArray(
        [[[mean + spread] for mean, _ in ways.values()]],
        {"network": ["digits"], "way": list(ways), "seed": [0], "chip": np.arange(10)},
        ("network", "way", "seed", "chip"),
    )
    joules = xr.DataArray([joules for _, joules in ways.values()], {"way": list(ways)}, ("way",))
    found = xr.Dataset({"accuracy": accuracy, "joules": joules * xr.ones_like(accuracy).expand_dims(component=["adc"])})
    beaten = load_script("experiments", "design").beaten
    assert beaten(found.sel(network="digits"), "HERMES, 8 bits").startswith(
        "price 0.1: 0.50 of the energy, +0.0 points"
    )
    assert beaten(found.sel(network="digits"), "price 0.1") == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_result_is_labelled_and_its_figure_has_journal_width(name, results, tmp_path):
    result = results(name)
    for variable in result.variables.values():
        assert variable.dtype.kind in "TUO" or "units" in variable.attrs
    assert json.loads(result.config)["quick"] and "jax" in json.loads(result.versions)
    drawing = load_script("figures", name).figure(result, "nature")
    assert drawing.get_figwidth() * 25.4 == pytest.approx(89 if name == "crossover" else 183)


@pytest.mark.slow
def test_loihi_stands_still_for_its_104_milliwatts(results):
    loihi = results("energy_bars").sel(machine="Loihi", seed=0)
    np.testing.assert_allclose(loihi.joules.sel(component="static"), 104e-3 * 10 * 1e-3, rtol=1e-6)  # ten steps
    assert float(loihi.latency) == pytest.approx(10e-3)


@pytest.mark.slow
def test_odin_is_crossed_at_its_worked_number(results):
    found = results("crossover")
    np.testing.assert_allclose(found.crossover.sel(overhead=1.0), 15.84e6, rtol=1e-3)  # chips_and_energy.md, section 6
    np.testing.assert_allclose(found.clocked.isel(rate=-1), 476.9e-6, rtol=1e-3)  # published: 477 uW
    assert float(found.measured.sel(signal="camera, moving")) > 10 * float(found.measured.sel(signal="camera, still"))


@pytest.mark.slow
def test_at_the_break_even_a_matrix_takes_as_much_as_values_and_as_spikes(results):
    found = results("energy_crossover_snn")
    np.testing.assert_allclose(found.reproduced.sel(study="Davidson2021, a synapse"), 12 / 7, rtol=1e-6)
    steps, even = found.steps, found.break_even
    values = found.base + found.graded * even / steps
    spikes = found.idle * steps + found.spike * even
    inside = ((even > 0) & (even < steps)).values
    assert inside.any()
    np.testing.assert_allclose(
        values.transpose(*even.dims).values[inside], spikes.transpose(*even.dims).values[inside], rtol=1e-5
    )
    both = found.spiking_joules.sel(machine=["systolic", "processor"])  # spikes meet the same event-driven core
    np.testing.assert_array_equal(both.isel(machine=0), both.isel(machine=1))
