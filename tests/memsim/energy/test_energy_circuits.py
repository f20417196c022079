"""Amplifiers off ground, settling lines, converters of inputs and pulses that program cost what circuits by hand do."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from memsim.energy._periphery import settling

KEY = jr.key(0)
LAYER = ms.nn.Linear(5, 3, use_bias=False, key=KEY)
NM130 = {"node": 130e-9, "v_dd": 1.8}  # where the line's capacitance was published


def chip_of(layer=LAYER, device=None, *, adc=8, **settings):
    device = dm.Ideal(1e-6, 20e-6) if device is None else device
    reads = settings.pop("reads", ms.Reads("off"))
    design = ms.Crossbar(device, adc=None if adc is None else ms.ADC(adc), compensation=None, reads=reads, **settings)
    return ms.program(layer, design, key=jr.key(1))


def delivered(g, volts, ohm, offsets):
    """Watts from the drivers of an array whose bit lines end at offsets behind a resistance, from every node."""
    nodes = np.diag(g.sum(axis=0) + 1 / ohm)
    lines = np.linalg.solve(nodes, g.T @ volts + offsets / ohm)
    return volts @ (g * (volts[:, None] - lines[None])).sum(axis=1)


@pytest.mark.parametrize("dac", [ms.DAC(4), ms.PulseWidthDAC(4)], ids=["levels", "widths"])
@pytest.mark.parametrize("offset", [0.0, 0.02])
def test_before_an_amplifier_off_ground_the_drivers_deliver_what_its_nodes_say(dac, offset):
    sense = ms.SenseAmplifier(series_resistance=2e3, offset=offset)
    chip = chip_of(dac=dac, tile=(3, 2), reads=ms.Reads("off", v_read=0.3, sense=sense))
    x = jnp.asarray([0.9, -0.45, 0.0, 0.3, 0.7])
    found = ms.energy.joules(chip, x[None], periphery=ms.energy.Periphery(pulse=50e-9))[0, 0, 0]
    g = np.asarray(chip.weight.conductances(0.0), np.float64)
    offsets = np.asarray(chip.weight.offsets, np.float64)
    codes = np.round(np.asarray(x, np.float64) * 7)
    steps = [codes / 7] if not dac.fixed_voltage else [np.sign(codes) * (np.abs(codes) > step) for step in range(7)]
    expected = sum(
        delivered(g[plane, rows], 0.3 * share[rows], 2e3, offsets[plane, tile]) * 50e-9 / len(steps)
        for share in steps
        for plane in range(2)
        for tile, rows in enumerate((slice(0, 3), slice(3, 5)))
    )
    np.testing.assert_allclose(found, expected, rtol=2e-5)  # float32


def test_what_amplifiers_off_ground_take_behind_wires_or_of_groups_is_refused():
    reads = ms.Reads("off", sense=ms.SenseAmplifier(series_resistance=10.0))
    with pytest.raises(ValueError, match="is known for wires without resistance"):
        ms.energy.joules(chip_of(reads=reads, wires=ms.ResistiveWires(1.0, 1.0)), jnp.ones((1, 5)))
    grouped = chip_of(ms.nn.Conv1d(4, 4, 2, groups=2, key=KEY), reads=reads)
    with pytest.raises(ValueError, match="each word line must carry one input"):
        ms.energy.joules(grouped, jnp.ones((1, 4, 6)))


def slowest(ohm, farad, siemens, sink):
    """Seconds of the slowest mode of a line of 400 segments with cells to ground along it, which ends in a sink."""
    n = 400
    along = np.full(n, n / ohm)
    along[-1] = 1 / (ohm / n + sink)  # the last segment, and what is behind it
    nodes = np.diag(along + np.r_[0.0, along[:-1]] + siemens / n)
    nodes -= np.diag(along[:-1], 1) + np.diag(along[:-1], -1)
    return farad / n / np.linalg.eigvalsh(nodes)[0]


@pytest.mark.parametrize("ohm, siemens, sink", [(320.0, 1e-5, 0.0), (320.0, 5e-3, 0.0), (64.0, 1e-3, 2.5e3)])
def test_a_bit_line_settles_as_its_slowest_mode_or_a_quarter_later(ohm, siemens, sink):
    farad = 2.1e-15 * 64
    expected = np.log(2.0) * 9 * slowest(ohm, farad, siemens, sink)
    assert 0.99 * expected < float(settling(8, ohm / 2 + sink, farad, siemens)) < 1.25 * expected


@pytest.mark.parametrize(
    "rows, behind, settings",
    [
        pytest.param(8, 5.0 * 8 / 2, {"wires": ms.ResistiveWires(1.0, 5.0)}, marks=pytest.mark.slow),
        (16, 5.0 * 16 / 2 + 30.0, {"wires": ms.ResistiveWires(1.0, 5.0, sink=30.0)}),
        (16, 2e3, {"reads": ms.Reads("off", sense=ms.SenseAmplifier(series_resistance=2e3))}),
        (16, 0.0, {}),
    ],
    ids=["two arrays", "sink", "amplifier", "ideal"],
)
def test_a_line_settles_by_the_cells_of_its_own_array_and_all_behind_it(rows, behind, settings):
    chip = chip_of(ms.nn.Linear(16, 2, use_bias=False, key=KEY), tile=(rows, 16), **settings)
    cost = ms.energy.of(chip, jnp.ones((1, 16)), periphery=ms.energy.Periphery(**NM130, settle=0.0))
    g = np.asarray(chip.weight.conductances(0.0), np.float64).reshape(2, -1, rows, 2).sum(axis=2).min()
    by_hand = np.log(2.0) * 9 * (2.1e-15 * rows) / (1 / behind + g) if behind else 0.0
    np.testing.assert_allclose(cost.seconds.isel(sample=0, layer=0).sel(stage="settling"), by_hand, rtol=1e-5)


@pytest.mark.parametrize(
    "dac, more",
    [
        (None, 0.0),
        (ms.BitSerialDAC(4), 0.0),
        (ms.DAC(5), 15 * 1e-15 * 0.9**2),  # 2^4 - 1 unit capacitors
        (ms.PulseWidthDAC(5), 15 * 2 * 0.1e-12 / 32),  # a counter of 15 steps, two bits each
    ],
    ids=["spikes", "bits", "levels", "widths"],
)
def test_a_driver_takes_more_the_more_levels_it_has(dac, more):
    chip = chip_of(dac=dac)
    found = ms.energy.of(chip, jnp.ones((1, 5)), periphery=ms.energy.Periphery(node=45e-9, v_dd=0.9))
    pulses = 5 * 2 * (3 if isinstance(dac, ms.BitSerialDAC) else 1)  # lines, arrays of the pair, digits
    of_isaac = 0.39e-12 * (1.103 * 0.81 - 0.362 * 0.9 + 0.2767) / (0.9559 - 0.7823 + 0.471)  # from 32 nm at 1 V
    drivers = found.joules.isel(sample=0, layer=0).sel(component="drivers")
    np.testing.assert_allclose(drivers, pulses * (of_isaac + more), rtol=1e-6)
    assert "assumed" in str(found.assumed.sel(component="drivers").item())


def pulsed(chip):
    return np.asarray(ms.energy.of(chip, jnp.ones((1, 5))).programming.values)[0]


def test_programming_counts_the_pulses_of_each_cell_that_is_verified():
    noisy = dm.pcm_joshi2020()
    verified = dm.StuckCells(dm.WriteVerify(noisy, window=0.3e-6, max_pulses=6), p_on=0.1)
    chip = chip_of(device=verified)
    pulses = np.asarray(chip.weight.cells.cells.pulses)
    assert pulses.min() >= 1 and pulses.max() > 1
    np.testing.assert_array_equal(chip.weight.pulses, pulses)
    g = np.asarray(chip.weight.conductances(0.0), np.float64)
    np.testing.assert_allclose(pulsed(chip), (pulses * g).sum() * (4.0 * 1e-6 + 0.04 * 1e-7), rtol=1e-5)


def test_programming_counts_the_rewrites_of_descent_and_else_one_pulse_a_cell():
    once, often = (chip_of(programming=how) for how in (ms.OneShot(), ms.GradientDescent(rounds=2, steps=2, batch=4)))
    g = np.asarray(once.weight.conductances(0.0), np.float64)
    np.testing.assert_allclose(pulsed(once), g.sum() * (4.0 * 1e-6 + 0.04 * 1e-7), rtol=1e-5)
    mean = float(np.mean(often.weight.writes))
    np.testing.assert_allclose(often.weight.pulses, mean)
    g = np.asarray(often.weight.conductances(0.0), np.float64)
    np.testing.assert_allclose(pulsed(often), mean * g.sum() * (4.0 * 1e-6 + 0.04 * 1e-7), rtol=1e-5)


def test_a_periphery_that_was_changed_is_judged_before_the_read_and_a_traced_one_within_it():
    chip, x = chip_of(), jnp.ones((1, 5))
    broken = eqx.tree_at(lambda a: a.v_dd, ms.energy.Periphery(), 3.0)
    with pytest.raises(ValueError, match=r"`v_dd` must be from 0\.5 to 1\.8"):
        ms.energy.joules(chip, x, periphery=broken)

    @jax.jit
    def total(v_dd, rate):
        around = ms.energy.Periphery(node=65e-9, v_dd=v_dd, adc=ms.energy.SurveyADC(rate))
        return jnp.sum(ms.energy.joules(chip, x, periphery=around))

    assert total(0.9, 1e8) > 0
    for v_dd, rate, name in ((0.55, 1e8, "v_dd"), (0.9, -1.0, "rate")):
        with pytest.raises(Exception, match=f"`{name}` of the periphery must be from"):
            jax.block_until_ready(total(v_dd, rate))
