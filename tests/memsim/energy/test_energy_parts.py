"""Components cost what was published, chips of spikes and digital machines what was counted."""

import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from memsim.energy._nodes import scaled_area, scaled_energy, switching_energy
from memsim.energy._periphery import sram_access

KEY = jr.key(0)
SANAFE = Path(__file__).parents[2] / "data" / "energy" / "loihi_energy_sanafe_0.npz"
NET = ms.nn.SpikingNetwork([ms.nn.Linear(3, 4, key=KEY), ms.nn.LIF(4), ms.nn.Linear(4, 2, key=KEY), ms.nn.LI(2)])
XS = jnp.asarray(jr.uniform(KEY, (2, 6, 3)) > 0.5, jnp.float32)


def test_a_conversion_costs_what_the_fit_says():
    nodes, joules = (14, 22, 28, 40, 65, 130), (0.3622, 0.8472, 1.3332, 2.6069, 6.4945, 23.905)
    for node, picojoules in zip(nodes, joules, strict=True):  # chips_and_energy.md, section 7
        found = ms.energy.adc_survey_energy(8.0, 1e8, node * 1e-9)
        np.testing.assert_allclose(1e12 * found, picojoules, rtol=2e-4)
    for bits, picojoules, area in ((4, 0.365, 1828), (6, 0.421, 1907), (8, 0.678, 2199), (10, 1.309, 2678)):
        # hwcomponents-adc 1.0.21 at 22 nm and 100 MS/s, which books a fifth as leakage
        adc = ms.energy.SurveyADC(1e8)
        np.testing.assert_allclose(0.8e12 * adc.joules(bits, 22e-9, 0.9), picojoules, rtol=2e-3)
        np.testing.assert_allclose(1e12 * adc.square_metres(bits, 22e-9), area, rtol=2e-3)
    slow, fast = (ms.energy.adc_survey_energy(12.0, rate, 28e-9) for rate in (1e8, 1e9))
    np.testing.assert_allclose(fast / slow, 4.6, rtol=0.02)
    slope = jax.grad(lambda enob: ms.energy.adc_survey_energy(enob, 1e8, 28e-9))(8.5)
    step = ms.energy.adc_survey_energy(8.51, 1e8, 28e-9) - ms.energy.adc_survey_energy(8.49, 1e8, 28e-9)
    np.testing.assert_allclose(slope, step / 0.02, rtol=1e-3)


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda: ms.energy.adc_survey_energy(3.9, 1e8, 28e-9), "effective bits, where the survey has converters"),
        (lambda: ms.energy.adc_survey_energy(8.0, 1e8, 180e-9), "from 7 to 130 nm"),
        (lambda: ms.energy.Periphery(node=5e-9), "from 7 to 130 nm"),
        (lambda: ms.energy.truenorth_merolla2014().watts({"event": 1.0}), "events"),
        (lambda: ms.energy.report(ms.energy.digital(NET, XS).drop_vars("joules")), "without joules"),
        (lambda: ms.energy.report(ms.energy.digital(NET, XS).isel(sample=0)), r"isel\(sample=\[0\]\)"),
        (lambda: ms.plotting.energy({}), "Got none"),
        (lambda: ms.plotting.energy([ms.energy.digital(NET, XS)]), r"\(a list\), without joules"),
        (lambda: ms.plotting.energy(ms.energy.digital(NET, XS).isel(layer=0)), "must have sample, layer, component"),
        (lambda: ms.plotting.energy(ms.energy.digital(NET, XS)[["joules"]] * np.nan), "finite joules"),
        (lambda: ms.energy.SurveyADC(lost_bits=5.0).joules(8, 28e-9, 0.9), "4 to 16 effective bits. Got 3: bits=8"),
        (lambda: ms.energy.digital(ms.program(NET, ms.Crossbar(dm.Ideal()), key=KEY), XS), "some on chips"),
        (lambda: ms.energy.digital(eqx.nn.Lambda(jnp.tanh), XS[0]), "Got none"),
    ],
)
def test_what_has_no_price_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_energies_of_other_nodes_are_those_of_the_table():
    # Polynomials of Stillmaker2017 by hand: 45 nm at 0.9 V, 14 nm at 0.8 V
    a, b = 1.103 * 0.81 - 0.362 * 0.9 + 0.2767, 0.2363 * 0.64 - 0.09675 * 0.8 + 0.02239
    np.testing.assert_allclose(scaled_energy(1.0, (45e-9, 0.9), 14e-9, 0.8), b / a, rtol=1e-9)
    middle = (switching_energy(32e-9, 0.9) + switching_energy(45e-9, 0.9)) / 2
    np.testing.assert_allclose(switching_energy(38.5e-9, 0.9), middle, rtol=1e-9)
    np.testing.assert_allclose(scaled_area(1.0, 130e-9, 45e-9), 0.16, rtol=1e-9)
    for size, picojoules in ((8192.0, 10.0), (32768.0, 20.0), (1048576.0, 100.0)):
        np.testing.assert_allclose(1e12 * sram_access(size, 45e-9, 0.9), picojoules, rtol=1e-9)


def test_loihi_costs_what_sanafe_counted_in_every_step():
    file = np.load(SANAFE)
    prices, chip = json.loads(str(file["meta"]))["pJ"], ms.energy.loihi_sanafe()
    assert prices["synapse_dense"] == 1e12 * chip.events["events"]
    counts = {name: file[name].astype(float) for name in ("events", "lif_updates", "packets", "hops", "spikes")}
    fired = counts["spikes"][:, 24:].sum(axis=1)
    for step in range(60):
        found = chip.joules(
            {
                "events": counts["events"][step],
                "accesses": 50.0,
                "updates": counts["lif_updates"][step],
                "spikes": fired[step],
                "messages": counts["packets"][step],
                "hops_north_south": counts["hops"][step],
            },
            seconds=0.0,
        )
        np.testing.assert_allclose(found, file["total_energy"][step], rtol=1e-12)


def test_a_network_on_a_chip_is_priced_by_its_counts():
    net = ms.nn.SpikingNetwork([ms.nn.Linear(3, 4, use_bias=False, gain=3.0, key=KEY), ms.nn.CuBaLIF(4)])
    with pytest.warns(UserWarning):
        placed = ms.chips.loihi1().deploy(net, input_shape=3)
    _, counts = placed(XS[0])
    found = ms.energy.of_counts(placed, counts, 1e-3)
    assert set(found) == {"events", "accesses", "updates", "spikes", "messages", "static"}
    np.testing.assert_allclose(found["events"], 35.5e-12 * float(jnp.sum(counts.events)), rtol=1e-6)
    np.testing.assert_allclose(found["accesses"], 51.2e-12 * 6 * 4, rtol=1e-6)
    np.testing.assert_allclose(found["static"], 104e-3 * 6e-3, rtol=1e-6)
    with pytest.raises(ValueError, match="must be that of the chip of the counts, 'loihi1'"):
        ms.energy.of_counts(placed, counts, 1e-3, power=ms.energy.truenorth_merolla2014())
    with pytest.warns(UserWarning):
        other = ms.chips.loihi2().deploy(net, input_shape=3)
    with pytest.raises(ValueError, match="must have published prices"):
        ms.energy.of_counts(other, counts, 1e-3)


def test_counts_and_prices_of_something_else_are_refused():
    net = ms.nn.SpikingNetwork([ms.nn.Linear(3, 4, use_bias=False, gain=3.0, key=KEY), ms.nn.CuBaLIF(4)])
    with pytest.warns(UserWarning):
        placed = ms.chips.loihi1().deploy(net, input_shape=3)
    _, batch = jax.vmap(placed)(XS)
    each = jax.vmap(lambda counts: ms.energy.of_counts(placed, counts, 1e-3)["static"])(batch)
    np.testing.assert_allclose(each, 104e-3 * 6e-3, rtol=1e-6)
    one = jax.tree.map(lambda x: x[0], batch)
    prices = ms.energy.EventPower
    for counts, power, says in (
        (batch, None, r"\(steps, 1\) of one recording. Got \(2, 6, 1\). A batch"),
        (jax.tree.map(lambda x: jnp.concatenate([x, x], 1), one), None, r"Got \(6, 2\)"),
        (jax.tree.map(lambda x: x - 100, one), None, "at least 0"),
        (one, prices({"evnts": 1e-12}), "Did you mean events"),
        (one, prices({"events": 1e-12}, clock=1e-12), "no cycles are counted"),
    ):
        with pytest.raises(ValueError, match=says):
            ms.energy.of_counts(placed, counts, 1e-3, power=power)
    with pytest.raises(ValueError, match=r"at least 0\. Got the number of 'events'=-1"):
        prices({"events": 1e-12}).watts({"events": -1.0})


def test_an_asynchronous_core_pays_up_to_the_crossover():
    rate = ms.energy.crossover(1.78e-12 * 75e6, 8.43e-12, overhead=1.0)
    np.testing.assert_allclose(rate, 15.84e6, rtol=1e-3)  # chips_and_energy.md, section 6: 42 % of 37.5 MSOP/s
    clocked = 1.78e-12 * 75e6 + rate * 8.43e-12
    np.testing.assert_allclose(clocked, rate * 8.43e-12 * 2, rtol=1e-6)
    assert ms.energy.crossover(1e-4, 1e-12, gated=0.99, static_difference=-1e-3) == 0.0


@pytest.mark.parametrize("bits", [8, 16])
def test_a_systolic_array_moves_what_is_counted_by_hand(bits):
    machine = ms.energy.Systolic(size=2, memory=8192.0)
    cost = ms.energy.digital(NET, XS, bits=bits, node=45e-9, v_dd=0.9, machine=machine)
    np.testing.assert_array_equal(cost.reads, [[6.0, 6.0, 0.0, 0.0]] * 2)
    update = 3.1e-12 / 4 + 48 * 0.1e-12 / 32 + 32 / 64 * 10e-12
    np.testing.assert_allclose(cost.joules.isel(layer=2, sample=0).sel(component="neurons"), 6 * 4 * update)
    first = cost.joules.isel(layer=0, sample=0)
    # (3, 4): two blocks of columns and two of rows; 6 products of a vector
    np.testing.assert_allclose(first.sel(component="arithmetic"), 6 * 12 * (3.1e-12 * (bits / 32) ** 2 + 0.1e-12))
    moved = 6 * (3 * 2 * bits + 4 * 3 * 32) + 12 * bits
    np.testing.assert_allclose(first.sel(component="on-chip memory"), moved / 64 * 10e-12)
    assert float(first.sel(component="off-chip memory")) == 0.0
    together = (12 + 8) * bits / 8  # each layer alone would fit
    away = ms.energy.digital(NET, XS, bits=bits, machine=ms.energy.Systolic(memory=together - 1, batch=2))
    np.testing.assert_allclose(away.joules.isel(layer=0, sample=0, component=3), 12 / 2 * bits / 64 * 1.3e-9)


def test_a_processor_moves_more_than_it_computes():
    cost = ms.energy.digital(NET, XS, node=45e-9, machine=ms.energy.Processor())
    found = ms.energy.report(cost)
    assert 0.05 < found.movement < 0.1 and next(iter(found.shares)) == "instructions"
    small = ms.energy.digital(NET, XS, node=45e-9, machine=ms.energy.Processor(memory=8.0))
    assert ms.energy.report(small).movement > 0.5


def chip_cost(**settings):
    design = ms.Crossbar(dm.Ideal(1e-6, 20e-6), adc=ms.ADC(8), compensation=None)
    return ms.energy.of(ms.program(NET, design, key=KEY), XS, periphery=ms.energy.Periphery(**settings))


def test_a_report_says_what_dominates_and_what_is_assumed():
    cost = chip_cost()
    found = ms.energy.report(cost)
    np.testing.assert_allclose(found.joules, cost.joules.sum() / 2)
    np.testing.assert_allclose(found.joules_per_product * 6 * (12 + 8), found.joules)
    np.testing.assert_allclose(found.operations_per_joule * found.joules_per_product, 2.0)
    np.testing.assert_allclose(sum(found.shares.values()), 1.0)
    pulses = np.asarray(XS).sum() / 2
    assert pulses / 7 <= found.spikes_per_synapse
    text = str(found)
    for word in (
        "pJ/MAC",
        "TOPS/W",
        "uJ an inference",
        "data movement",
        "ADC",
        "dominated by",
        "buffers (recalled)",
        "1.7",
    ):
        assert word in text
    assert "extrapolated in supply" in str(ms.energy.report(chip_cost(v_dd=1.5)))
    ramp = chip_cost(v_dd=1.5, adc=ms.energy.RampADC()).assumed.sel(component="adc")
    assert "extrapolated in supply" in str(ramp.item())
    assert "extrapolated" not in str(chip_cost(v_dd=1.5).assumed.sel(component="adc").item())  # of the node alone
    assert "extrapolated in size" in str(ms.energy.report(chip_cost(buffer=1024.0)))


def test_latency_is_one_way_and_interval_the_slowest_layer():
    cost = chip_cost(pulse=50e-9, settle=5e-9, columns_per_adc=4, clock=1e9, adc=ms.energy.SurveyADC(1e8))
    each = [6 * (50e-9 + 5e-9 + turns * 1e-8 + 1e-9) for turns in (4, 2)]
    np.testing.assert_allclose(cost.latency, sum(each), rtol=1e-6)
    np.testing.assert_allclose(cost.interval, max(each), rtol=1e-6)
    assert float(chip_cost(adc=ms.energy.RampADC(1e9)).latency[0]) > float(
        chip_cost(adc=ms.energy.FlashADC()).latency[0]
    )
    assert float(chip_cost(off_chip=True).joules.sel(component="off-chip memory").sum()) > 0
    analog = chip_cost(neuron_bias=1e-9).joules.sel(layer=".layers[1]", component="neurons")
    np.testing.assert_allclose(analog, 4 * 1e-9 * 0.9 * chip_cost().latency, rtol=1e-5)  # four currents all the while


def test_bars_stand_on_each_other():
    cost, digital = chip_cost(), ms.energy.digital(NET, XS)
    for given, bars in ((cost, 4), ({"analog": cost, "digital": digital}, 2)):
        axes = ms.plotting.energy(given).axes[0]
        assert len(axes.get_xticks()) == bars
        top = max(patch.get_y() + patch.get_height() for patch in axes.patches)
        dims = ["component"] if bars == 4 else ["component", "layer"]
        costs = [given] if bars == 4 else list(given.values())
        unit = {"Energy (pJ)": 1e-12, "Energy (nJ)": 1e-9}[axes.get_ylabel()]
        most = max(float(each.joules.mean("sample").sum(dims).max()) for each in costs)
        np.testing.assert_allclose(unit * top, most, rtol=1e-6)


def test_published_points_are_met_or_have_a_reason(capsys):
    from memsim._cli import main

    every = ms.energy.judged()
    points = [p for p in every if p.chip != "hwcomponents"]  # which may be installed or not
    assert [p for p in points if not p.met and not p.note.startswith("not met: ")] == []
    assert len([p for p in points if p.chip == "NeuRRAM"]) == 35 and sum(p.met for p in points) == 56
    assert main(["energy", "check"]) == 1
    printed = capsys.readouterr().out
    assert printed.count("NOT MET") == 4 and f"{sum(p.met for p in every)} of {len(every)} within" in printed
    assert len(points) == 60


def test_a_report_names_layers_without_a_dac_whose_inputs_are_taken_for_spikes():
    for dac, words in ((None, "inputs of .layers[0], .layers[2], without a DAC"), (ms.DAC(8), "")):
        chip = ms.program(NET, ms.Crossbar(dm.Ideal(), dac=dac, adc=ms.ADC(8)), key=KEY)
        found = str(ms.energy.report(ms.energy.of(chip, XS)))
        assert words in found and ("taken for spikes" in found) == bool(words)


def test_counts_name_their_chip_and_those_of_another_one_are_refused():
    net = ms.nn.SpikingNetwork([ms.nn.Linear(3, 4, use_bias=False, gain=3.0, key=KEY), ms.nn.CuBaLIF(4)])
    with pytest.warns(UserWarning):
        first, second = (target.deploy(net, input_shape=3) for target in (ms.chips.loihi1(), ms.chips.loihi2()))
    (_, counts), (_, others) = first(XS[0]), second(XS[0])
    assert (counts.target, others.target) == ("loihi1", "loihi2")
    assert [part.shape for part in counts] == [(6, 1)] * 4
    with pytest.raises(ValueError, match=r"which is on 'loihi1'\. Got those of 'loihi2'"):
        ms.energy.of_counts(first, others, 1e-3)
    unnamed = ms.chips.Counts(*others)
    assert float(ms.energy.of_counts(first, unnamed, 1e-3)["static"]) > 0
