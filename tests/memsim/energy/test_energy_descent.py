"""Designs descend by gradients that are right, and end as designs that anybody could have written."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr
from jax.scipy.stats import norm

import device_models as dm
import memsim as ms
from helpers import slow
from memsim.energy._descent import _descend, _front
from memsim.energy._descent._descend import _begin
from memsim.energy._descent._designed import Designed
from memsim.energy._descent._free import starting
from memsim.energy._descent._verified import Verified
from memsim.energy._relaxed import Between, RelaxedADC, RelaxedDAC
from memsim.train._run import Task

KEY, N, STANDARD_ERRORS = jr.key(0), 100_000, 4
NOISY = ms.Reads("off", sense=ms.SenseAmplifier(noise=0.04))
DRIFTING = dm.pcm_joshi2020(read_noise_scale=0.0)
CROSSBAR = ms.Crossbar(DRIFTING, adc=ms.ADC(8), dac=ms.PulseWidthDAC(8), compensation=None, reads=NOISY)
NET = ms.nn.convert(eqx.nn.MLP(4, 3, 8, 1, key=KEY))


def few():
    """Three clouds of points, which a line tells apart."""
    labels = np.arange(96) % 3
    inputs = np.asarray(jr.normal(KEY, (96, 4))) * 0.3 + np.eye(4)[labels]
    part = ms.data.Dataset(inputs.astype(np.float32), labels)
    return ms.data.Splits(part, part, part)


@pytest.mark.parametrize("bits", [2, 5, 8])
def test_relaxed_converters_of_whole_bits_are_those_of_whole_bits(bits):
    x = jr.uniform(KEY, (1000,), minval=-1.5, maxval=1.5)
    steps = 2 ** (bits - 1) - 1
    relaxed = RelaxedADC(resolution=jnp.asarray(float(bits)))
    np.testing.assert_allclose(relaxed.codes(x), ms.ADC(bits).codes(x * steps) / steps, atol=1e-6)
    for whole, fixed in ((ms.DAC(bits, 0.7), False), (ms.PulseWidthDAC(bits, 0.7), True)):
        relaxed = RelaxedDAC(resolution=jnp.asarray(float(bits)), input_range=0.7, fixed=fixed)
        np.testing.assert_allclose(relaxed.codes(x), whole.codes(x) / steps, atol=1e-6)
        w = jr.normal(KEY, (3, 8))
        pair = (dataclasses.replace(CROSSBAR, dac=dac, adc=None, reads=ms.Reads("off")) for dac in (relaxed, whole))
        one, other = (crossbar.deploy(w, 0.0, key=KEY)(x.reshape(-1, 8)) for crossbar in pair)
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("bits", [3.0, 4.4, 6.0])
def test_bits_descend_by_the_error_of_rounding(bits):
    """Of uniform currents it is 1 / (12 L^2) with L = 2^(b - 1) - 1 steps, of which the derivative is known."""
    steps = 2 ** (bits - 1) - 1
    whole = (np.floor(steps) - 0.5) / steps  # as many steps as are whole
    x = jr.uniform(KEY, (N,), minval=-whole, maxval=whole)
    _, each = jax.jvp(lambda b: (RelaxedADC(resolution=b).codes(x) - x) ** 2, (jnp.asarray(bits),), (jnp.ones(()),))
    found = np.asarray(each, np.float64)
    exact = -np.log(2) * 2 ** (bits - 1) / (6 * steps**3)
    assert abs(found.mean() - exact) < STANDARD_ERRORS * found.std() / np.sqrt(N)


def test_a_conversion_between_whole_bits_costs_between_them():
    whole = ms.energy.SurveyADC()
    between = Between(whole, 4, 9)
    for bits in (4, 6, 9):
        np.testing.assert_allclose(between.joules(float(bits), 28e-9, 0.9), whole.joules(bits, 28e-9, 0.9), rtol=1e-5)
    middle = between.joules(6.5, 28e-9, 0.9)
    np.testing.assert_allclose(middle**2, whole.joules(6, 28e-9, 0.9) * whole.joules(7, 28e-9, 0.9), rtol=1e-5)


def test_what_takes_no_time_takes_none_between_whole_bits():
    whole = ms.energy.OscillatorADC()
    between = Between(whole, 4, 9)
    both = jax.value_and_grad(lambda bits: between.joules(bits, 14e-9, 0.8) + between.seconds(bits))
    value, slope = both(6.5)
    low, high = (float(whole.joules(bits, 14e-9, 0.8)) for bits in (6, 7))
    np.testing.assert_allclose(value**2, low * high, rtol=1e-5)
    np.testing.assert_allclose(slope, value * np.log(high / low), rtol=1e-5)
    assert between.seconds(6.5) == 0.0


def test_a_descent_of_learned_ranges_begins_at_them():
    learned = ms.nn.LearnedRanges(NET, CROSSBAR)
    scales = {path: log + 0.5 for path, log in learned.log_full_scales.items()}
    learned = eqx.tree_at(lambda m: m.log_full_scales, learned, scales)
    for ranges in (True, False):
        free = ms.energy.Free(v_read=(0.02, 0.4), ranges=ranges)
        designs, start = _begin(learned, CROSSBAR, free, ms.energy.Descent(), ms.energy.Periphery())
        found = (start.model.design(designs) if ranges else designs).designs
        for path, scale in scales.items():
            np.testing.assert_allclose(found[path].adc.full_scale, np.exp(scale), rtol=1e-6)


def test_prices_that_are_nearly_one_keep_their_states_apart(monkeypatch, tmp_path):
    files = []

    def fit(start, data, *, checkpoint, **how):
        files.append(checkpoint.name)
        return start

    monkeypatch.setattr(_descend, "fit", fit)
    monkeypatch.setattr(_descend, "front_of", lambda found, *rest, **how: _front.Front(xr.Dataset(), found))
    free, how = ms.energy.Free(adc_bits=(4, 8)), ms.energy.Descent(folder=tmp_path)
    ms.energy.descend(NET, CROSSBAR, few(), free=free, prices=(0.1, 0.10000001), descent=how, key=KEY)
    assert len(files) == len(set(files)) == 4


@pytest.mark.parametrize("cut", [0.3, slow(1.0), slow(2.5)])
def test_verified_cells_follow_their_window(cut):
    """A write error of sigma, accepted within w: its second moment, and the mean of geometric pulses, are known."""
    sigma, most = 1e-6, 200
    plain = dm.Gaussian(0.0, 25e-6, write_noise=dm.curves.Constant(sigma))

    def second_moment(window):
        device = Verified(dm.WriteVerify(plain, window, most))
        cells = device.program(jnp.full(N, 12e-6), key=KEY)
        return jnp.mean((device.conductance(cells, jnp.zeros(())) - 12e-6) ** 2), jnp.mean(cells.verified.pulses)

    def exact(q):
        p = 2 * norm.cdf(q) - 1
        return sigma**2 * (1 - 2 * q * norm.pdf(q) / p), (1 - (1 - p) ** most) / p

    _, found = jax.jvp(second_moment, (jnp.asarray(cut * sigma),), (jnp.asarray(sigma),))
    (moment, pulses), slopes = jax.jvp(exact, (cut,), (1.0,))
    # The derivative is within 10 % of it: that of a sample whose width p of the first write says to 1 %.
    np.testing.assert_allclose(found[0], slopes[0], rtol=0.1, atol=0.002 * sigma**2)
    np.testing.assert_allclose(found[1], slopes[1], rtol=0.05, atol=0.01)
    np.testing.assert_allclose(second_moment(cut * sigma)[1], pulses, rtol=0.02)
    np.testing.assert_allclose(second_moment(cut * sigma)[0], moment, rtol=0.02)


@pytest.mark.parametrize("name, ends", [("v_read", (0.05, 0.8)), ("g_max", (4e-6, 24e-6)), ("interval", (60.0, 1e6))])
def test_loss_and_price_have_the_slopes_of_finite_differences(name, ends):
    """With the key fixed, and converters whose steps are smaller than the difference."""
    with jax.enable_x64(True):
        fine = dataclasses.replace(CROSSBAR, adc=ms.ADC(24, 4.0), dac=ms.PulseWidthDAC(24, 3.0))
        around = ms.energy.Periphery(adc=ms.energy.RampADC())  # has a price for so many bits
        free = ms.energy.Free(ranges=False, **{name: ends})
        hardware = ms.energy.PricedChip(fine, 0.3, around, per_second=1.0)
        start = Designed(ms.nn.Linear(4, 3, key=KEY), starting(free, {"": fine}), free)
        xs, keys = jr.normal(KEY, (16, 4)), jr.split(KEY, 16)

        @jax.jit
        def both(place):
            model = eqx.tree_at(lambda m: m.knobs[name][""].place, start, place)
            on_chip, paid = hardware.priced(model, xs, strength=jnp.ones(()), key=KEY)
            outputs = jax.vmap(lambda x, key: ms.nn.call(on_chip, x, key=key))(xs, keys)
            return jnp.stack([jnp.mean(outputs**2), paid])

        place, step = jnp.asarray(0.2), 0.02
        _, slopes = jax.jvp(both, (place,), (jnp.ones(()),))
        np.testing.assert_allclose(slopes, (both(place + step) - both(place - step)) / (2 * step), rtol=2e-3)
        assert slopes[1] != 0


def test_what_is_priced_is_the_sampled_chip():
    crossbar = ms.calibrate(NET, few().train.inputs, CROSSBAR)
    hardware = ms.energy.PricedChip(crossbar, 0.3)
    how = {"strength": jnp.asarray(0.5), "key": KEY}
    found, paid = eqx.filter_jit(hardware.priced)(NET, jnp.ones((4, 4)), **how)
    sampled = eqx.filter_jit(ms.train.SampledChip(crossbar).sample)(NET, **how)
    arrays = (jax.tree.leaves(eqx.filter(model, eqx.is_array)) for model in (found, sampled))
    for one, other in zip(*arrays, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)
    chip = ms.program(NET, crossbar, key=jr.split(jr.split(KEY)[1])[0])
    joules = ms.energy.joules(chip, jnp.ones((4, 4)), key=KEY)  # only amplifiers are noisy
    np.testing.assert_allclose(paid, 0.3 * np.log(1e12 * joules.sum() / 4), rtol=1e-3)


def test_one_array_in_two_layers_is_told_before_it_is_priced():
    net = ms.nn.convert(eqx.nn.MLP(4, 4, 4, 1, key=KEY))
    net = eqx.tree_at(lambda m: m.layers[1].weight, net, net.layers[0].weight)
    with pytest.warns(UserWarning, match="One array is the weight of"):
        Task.of(few(), None, None).check(net, 16, ms.energy.PricedChip(CROSSBAR, 0.1), None)


def test_energy_is_paid_for_and_designs_end_in_plain_numbers():
    data = few()
    free = ms.energy.Free(v_read=(0.02, 0.4), adc_bits=(4, 8), dac_bits=(3, 8))
    how = ms.energy.Descent(epochs=6, last_epochs=1, batch_size=16, pace=0.3, chips=2)
    front = ms.energy.descend(NET, CROSSBAR, data, free=free, prices=(0.0, 3.0), descent=how, key=KEY)
    dear, cheap = (front.table.joules.sel(price=price).sum("component").mean() for price in (0.0, 3.0))
    assert float(cheap) < 0.8 * float(dear)
    assert front.table.sizes == {"design": 1, "price": 2, "chip": 2, "time": 1, "component": 12, "layer": 2}
    point = front.points["", 3.0]
    design = point.crossbar.designs[".layers[0]"]
    assert isinstance(design.adc, ms.ADC) and isinstance(design.dac, ms.PulseWidthDAC)
    assert design.adc.bits == front.table.adc_bits.sel(price=3.0, layer=".layers[0]").item() < 8
    np.testing.assert_allclose(design.reads.v_read, front.table.v_read.sel(price=3.0).item(), rtol=1e-6)
    # An amplifier has the noise that it had, in amperes.
    amperes = [one.reads.sense.noise * one.one_cell * one.reads.v_read for one in (design, CROSSBAR)]
    np.testing.assert_allclose(*amperes, rtol=1e-5)
    assert {path for _, path in front.efficient} <= {0.0, 3.0} and "nJ a sample" in str(front)


def test_designs_that_leave_other_layers_digital_stand_in_one_table(monkeypatch):
    def judge(one, test, how, *, key):
        places = {"accuracy": (("chip", "time"), [[1.0]]), "joules": (("chip", "component"), [[1.0]])}
        return xr.Dataset(
            places | {"programming": ("chip", [0.0]), "adc_bits": ("layer", [8.0])}, {"layer": [one.model]}
        )

    monkeypatch.setattr(_front, "judge", judge)
    found = {
        (name, 0.1): _front.Descended(f"of {name}", ms.nn.PerLayer({}), ms.energy.Periphery(), {}) for name in "ab"
    }
    table = _front.front_of(found, few().test, None, key=KEY).table
    assert float(table.adc_bits.sel(design="b", price=0.1, layer="of b")) == 8.0
    assert np.isnan(table.adc_bits.sel(design="b", price=0.1, layer="of a"))


@slow
def test_a_free_window_and_interval_share_the_energy_of_writing():
    verified = dm.WriteVerify(dm.rram_relaxing("C"), 1e-6, 20)
    crossbar = dataclasses.replace(CROSSBAR, device=verified)
    free = ms.energy.Free(window=(2e-7, 5e-6), interval=(60.0, 1e5))
    how = ms.energy.Descent(
        epochs=20, last_epochs=1, batch_size=16, pace=0.2, chips=2, per_second=0.01, times=(0.5, 1.0)
    )
    front = ms.energy.descend(NET, crossbar, few(), free=free, prices=(0.0, 1.0), descent=how, key=KEY)
    table = front.table.sel(design="")
    assert float(table.interval.sel(price=1.0).item()) > float(table.interval.sel(price=0.0).item())
    assert float(table.programming.sel(price=1.0).mean()) < float(table.programming.sel(price=0.0).mean())
    assert isinstance(front.points["", 1.0].crossbar.designs[".layers[0]"].device, dm.WriteVerify)


BARE = ms.Crossbar(DRIFTING, adc=ms.ADC(8))


@pytest.mark.parametrize(
    "crossbar, free, says",
    [
        (BARE, {"v_read": (0.1, 0.2)}, "an amplifier whose noise it is compared with"),
        (BARE, {"window": (1e-7, 1e-6)}, "cells that are verified"),
        (BARE, {"interval": (1.0, 10.0)}, "a rate of inferences"),
        (BARE, {"dac_bits": (4, 8)}, "a DAC of one pulse"),
        (BARE, {"adc_bits": (3, 8)}, "4 to 16 effective bits. Got 3"),
        (ms.Crossbar(dm.Ideal(), adc=ms.ADC(8)), {"g_max": (1e-6, 1e-5)}, "cells or amplifiers with errors"),
        (ms.Crossbar(DRIFTING, adc=ms.SAR(8)), {"adc_bits": (4, 8)}, "an ADC of equal steps"),
        (BARE, {"g_max": (5e-6, 1e-4)}, r"within the range of the device, in siemens. Got \(5e-06, 0.0001\)"),
        (ms.Crossbar(dm.Levels(DRIFTING, 16)), {"g_max": (5e-6, 2e-5)}, "a continuous range. Got one with 16 levels"),
        (ms.Crossbar(dm.WriteVerify(DRIFTING, 1e-6, 9)), {"window": (1e-6, 3e-5)}, "less than the range of the device"),
        (
            ms.Crossbar(DRIFTING, adc=ms.ADC(8, errors=ms.ConverterErrors(0.1))),
            {"adc_bits": (4, 8)},
            "errors of their own",
        ),
    ],
)
def test_a_free_number_without_effect_is_refused(crossbar, free, says):
    with pytest.raises(ValueError, match=says):
        ms.energy.descend(NET, crossbar, few(), free=ms.energy.Free(**free), prices=[0.1], key=KEY)


@pytest.mark.parametrize(
    "free, says",
    [
        ({"v_read": (50.0, 400.0)}, "Millivolts"),
        ({"g_max": (2.0, 25.0)}, "Micro-siemens"),
        ({"window": (0.1, 5.0)}, "Micro-siemens"),
        ({"interval": (1.0, 1e30)}, "in seconds"),
    ],
)
def test_ends_in_other_units_are_refused(free, says):
    with pytest.raises(ValueError, match=says):
        ms.energy.Free(**free)


@pytest.mark.parametrize(
    "spoilt, says",
    [
        ({"data": few().train}, "`data` must be a Splits"),
        ({"prices": [0.1, 0.1]}, "different numbers"),
        ({"prices": [-0.1]}, "e-fold of energy"),
    ],
)
def test_what_no_descent_can_take_is_refused(spoilt, says):
    right = {"crossbar": BARE, "data": few(), "free": ms.energy.Free(adc_bits=(4, 8)), "prices": [0.1], "key": KEY}
    with pytest.raises(ValueError, match=says):
        ms.energy.descend(NET, **(right | spoilt))
