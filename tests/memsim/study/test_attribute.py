"""Why accuracy fell: effects are found, removed one by one, and named."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from memsim._array import UnlimitedADC, UnlimitedDAC

FULL = ms.Crossbar(
    dm.StuckCells(dm.Levels(dm.pcm_joshi2020(), 8), 0.01, 0.01),
    dac=ms.DAC(6),
    adc=ms.ADC(6),
    wires=ms.AlphaBetaWires(2.0, 2.0),
    reads=ms.Reads(sense=ms.SenseAmplifier(offset=1e-3)),
)
STEADY_DRIFT = dm.PCM(
    0.0,
    25e-6,
    write_noise=dm.curves.Polynomial((0.0,)),
    nu_mean=dm.curves.Polynomial((0.1,)),
    nu_std=dm.curves.Polynomial((0.0,)),
    relative_read_noise=dm.curves.Polynomial((0.0,)),
    t_0=20.0,
    t_read=250e-9,
    write_noise_scale=0.0,
    read_noise_scale=0.0,
)


def test_effects_of_a_design_are_all_found_in_their_order():
    assert ms.effects(FULL) == tuple(effect for effect in ms.EFFECTS if effect != "I-V")
    assert ms.effects(ms.Crossbar(dm.Ideal())) == ()
    assert ms.effects(ms.Crossbar(dm.Ideal(iv=dm.iv.Sinh(2.0)), dac=ms.DAC(None))) == ("I-V", "saturation")
    assert "read noise" not in ms.effects(dataclasses.replace(FULL, reads=ms.Reads("off")))


@pytest.mark.parametrize("effect", ms.effects(FULL))
def test_a_design_without_an_effect_has_all_others(effect):
    rest = ms.without(FULL, effect)
    assert ms.effects(rest) == tuple(other for other in ms.effects(FULL) if other != effect)
    assert ms.effects(ms.without(rest, effect)) == ms.effects(rest)


def test_an_unknown_effect_is_told_with_near_ones():
    with pytest.raises(ValueError, match="Did you mean IR drop"):
        ms.without(FULL, "IR-drop")


@pytest.mark.slow
def test_converters_without_saturation_go_on_beyond_their_range():
    dac = ms.without(FULL, "saturation").dac
    x = jnp.asarray([-2.0, -0.4, 0.013, 0.9, 1.7])
    np.testing.assert_allclose(dac.codes(x), np.round(np.asarray(x) * 31))
    adc = UnlimitedADC(ms.ADC(4, 10.0))
    np.testing.assert_allclose(adc.codes(jnp.asarray([-20.2, -6.6, 3.4, 7.6])), [-20, -7, 3, 8])
    np.testing.assert_allclose(jax.grad(lambda x: adc.codes(x).sum())(jnp.asarray([-20.2, 3.4])), 1.0)
    serial = UnlimitedDAC(ms.BitSerialDAC(4, 1.0))
    codes = serial.codes(jnp.asarray([1.0, 3.0, -2.0]))
    pulses = serial.pulses(codes)
    total = sum(weight * pulse for weight, pulse in zip(serial.significance, pulses, strict=True))
    np.testing.assert_allclose(total, [7.0, 21.0, -14.0])


@pytest.fixture(scope="module")
def task():
    """Ten classes of noisy patterns, told apart by a linear readout whose weights are their means; and the patterns."""
    rng = np.random.default_rng(0)
    means = rng.normal(size=(10, 20)).astype(np.float32)
    labels = (np.arange(100) % 10).astype(np.int32)
    xs = np.clip((means[labels][:, None] + 2.0 * rng.normal(size=(100, 4, 20))) / 4, -1, 1).astype(np.float32)
    linear = ms.nn.Linear(20, 10, use_bias=False, key=jr.key(0))
    linear = eqx.tree_at(lambda layer: layer.weight, linear, jnp.asarray(means))
    classes = tuple(str(n) for n in range(10))
    data = ms.data.Dataset(xs, labels, classes)
    return ms.nn.SpikingNetwork([linear, ms.nn.LI(10)]), data


@pytest.mark.slow
def test_errors_of_levels_and_converters_are_those_of_plain_rounding(task):
    model, data = task
    design = ms.Crossbar(dm.Levels(dm.Ideal(), 8), dac=ms.DAC(4, 1.0), compensation=None)
    found = ms.study.attribute(model, data, design, chips=1, recordings=100, key=jr.key(1))
    assert list(found.effect.values) == ["levels", "DAC", "saturation"]
    w, x = np.asarray(model.layers[0].weight, float), data.inputs.reshape(-1, 20).astype(float)
    scale = np.abs(w).max(1, keepdims=True)
    rounded_w, rounded_x = np.round(w / scale * 7) / 7 * scale, np.round(x * 7) / 7

    def error(x_seen, w_seen):
        return np.sqrt(np.mean((x_seen @ w_seen.T - x @ w.T) ** 2) / np.mean((x @ w.T) ** 2))

    layer = found.layer_error.isel(layer=0, chip=0, time=0)
    np.testing.assert_allclose(layer.sel(case="alone", effect="levels"), error(x, rounded_w), rtol=1e-3)
    np.testing.assert_allclose(layer.sel(case="alone", effect="DAC"), error(rounded_x, w), rtol=1e-3)
    np.testing.assert_allclose(layer.sel(case="left out", effect="levels"), error(rounded_x, w), rtol=1e-3)
    together = error(rounded_x, rounded_w)
    np.testing.assert_allclose(found.layer_error_together.values.ravel(), together, rtol=1e-3)
    np.testing.assert_allclose(layer.sel(case="left out", effect="saturation"), together, rtol=1e-3)
    assert found.layer_error_ideal.max() < 1e-6
    assert found.accuracy_ideal.values == found.digital_accuracy.values > 0.8
    assert found.layer.values[0] == ".layers[0]"


def test_the_culprit_is_named(task):
    model, data = task
    design = ms.Crossbar(dm.StuckCells(dm.Ideal(), 0.3, 0.0), adc=ms.ADC(10, 20.0), compensation=None)
    found = ms.study.attribute(model, data, design, chips=6, key=jr.key(2))
    table = ms.study.attribution_table(found).set_index("effect")
    assert set(table.interval_over) == {"chip, recording; for one network"} and table.measured.all()
    np.testing.assert_allclose(ms.study.right(found).mean("recording"), found.accuracy, atol=1e-6)
    assert table.gain_low["stuck cells"] > 0 > table.gain_low["ADC"] - 0.1
    np.testing.assert_allclose(table.cost_alone["stuck cells"], table.gain_left_out["stuck cells"], atol=3.0)
    words = ms.study.explain(found)
    culprits = [line for line in words if "points higher" in line]
    assert len(culprits) == 1 and culprits[0].startswith("Without stuck cells accuracy is")
    figure = ms.plotting.attribution(found)
    rows = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert sorted(rows) == sorted(found.effect.values) and rows[-1] == "stuck cells"  # what costs most stands on top


@pytest.mark.slow
def test_a_rise_because_drift_relieves_a_saturated_adc_is_told_apart_from_robustness(task):
    """Within 3e7 s cells keep (3e7/20)^-0.1 = 24 % of their conductance: the ADC no longer clips what it did."""
    model, data = task
    narrow = ms.Crossbar(STEADY_DRIFT, adc=ms.ADC(8, 0.5))
    found = ms.study.attribute(model, data, narrow, chips=2, times=(0.0, 3e7), key=jr.key(3))
    accuracy = found.accuracy_together.mean("chip").values
    assert accuracy[1] > accuracy[0] + 0.02, "the trap must be there for this test to say anything"
    told = [line for line in ms.study.explain(found) if "drift relieves a saturated ADC" in line]
    assert len(told) == 1 and "That is not robustness" in told[0]
    wide = ms.Crossbar(STEADY_DRIFT, adc=ms.ADC(8, 20.0))
    found = ms.study.attribute(model, data, wide, chips=2, times=(0.0, 3e7), key=jr.key(3))
    assert not [line for line in ms.study.explain(found) if "saturated" in line]


def test_what_cannot_be_attributed_is_told(task):
    model, data = task
    with pytest.raises(ValueError, match="must show at least one effect"):
        ms.study.attribute(model, data, ms.Crossbar(dm.Ideal()), key=jr.key(0))
    with pytest.raises(ValueError, match="`chips` must be a whole number of at least 1"):
        ms.study.attribute(model, data, FULL, chips=0, key=jr.key(0))
    with pytest.raises(ValueError, match="`times` must be one or more seconds"):
        ms.study.attribute(model, data, FULL, times=(-1.0,), key=jr.key(0))
