"""Whole models go onto chips, and converters find their ranges from data."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from device_models import Ideal, pcm_joshi2020
from memsim.nn import LI, LIF, Linear, Recurrent, SpikingNetwork, analog_layers

MONTH = 30 * 86400.0
PATHS = [".layers[0]", ".layers[1].synapse", ".layers[2]"]
PCM = ms.Crossbar(pcm_joshi2020(), compensation=None, reads=ms.Reads("per_moment"))
KEY = jr.key(1)


def network():
    k = jr.split(jr.key(0), 3)
    hidden = Recurrent(LIF(6), Linear(6, 6, use_bias=False, key=k[1]))
    return SpikingNetwork([Linear(6, 6, key=k[0], gain=2.0), hidden, Linear(6, 6, key=k[2]), LI(6)])


def sequence(*batch):
    return jr.normal(jr.key(9), (*batch, 20, 6)) + 0.3


def weights(model):
    """The weight each analog layer presents, by path."""
    layers = analog_layers(model).items()
    return {path: np.asarray(getattr(layer.weight, "effective_weight", layer.weight)) for path, layer in layers}


def assert_same_weights(one, other, **tolerance):
    for path, w in weights(one).items():
        np.testing.assert_allclose(w, weights(other)[path], **tolerance)


# Programming and ageing.


def test_every_analog_layer_becomes_a_chip_and_then_a_matrix():
    chips = ms.program(network(), PCM, key=KEY)
    matrices = ms.at(chips, MONTH, key=KEY)
    assert list(analog_layers(chips)) == list(analog_layers(matrices)) == PATHS
    assert all(isinstance(layer.weight, ms.Chip) for layer in analog_layers(chips).values())
    assert all(isinstance(layer.weight, ms.AnalogMatrix) for layer in analog_layers(matrices).values())


@pytest.mark.slow
def test_an_ideal_device_gives_the_digital_outputs():
    model, xs = network(), sequence()
    for crossbar in (ms.Crossbar(Ideal()), ms.Crossbar(Ideal(g_min=1e-6), tile=(3, 6), compensation=None)):
        np.testing.assert_allclose(ms.deploy(model, crossbar, MONTH, key=KEY)(xs), model(xs), rtol=1e-5, atol=1e-5)


def test_one_key_makes_one_chip_and_another_key_another():
    one, same, other = (weights(ms.deploy(network(), PCM, MONTH, key=jr.key(i))) for i in (0, 0, 1))
    for path in PATHS:
        np.testing.assert_array_equal(one[path], same[path])
        assert np.any(one[path] != other[path])


def test_a_model_that_was_programmed_before_its_training_is_written_as_it_was_trained():
    model, design = network(), ms.Crossbar(Ideal())
    aged = ms.at(ms.program(model, design, key=KEY), MONTH, key=KEY)
    trained = jax.tree.map(lambda leaf: leaf + 0.1 if eqx.is_inexact_array(leaf) else leaf, model)
    again = ms.at(ms.program(trained, design, key=KEY), MONTH, key=KEY)
    assert_same_weights(again, trained, rtol=1e-5, atol=1e-6)
    assert_same_weights(aged, model, rtol=1e-5, atol=1e-6)


def test_layers_of_equal_weights_are_different_chips():
    layer = Linear(6, 6, key=jr.key(0))
    with pytest.warns(UserWarning, match=re.escape("the weight of .layers[0], .layers[1], which become 2 chips")):
        chip = ms.deploy(SpikingNetwork([layer, layer]), PCM, MONTH, key=KEY)
    first, second = weights(chip).values()
    assert np.mean(first != second) > 0.9


def test_one_chip_has_one_history():
    chips = ms.program(network(), PCM, key=KEY)
    first, _, again = (ms.at(chips, t, key=jr.key(2)) for t in (MONTH, 0.0, MONTH))
    assert_same_weights(first, again, rtol=0)


@pytest.mark.parametrize("left", PATHS)
def test_a_layer_left_digital_leaves_the_other_chips_as_they_are(left):
    model = network()
    mixed = ms.deploy(model, lambda path, layer: None if path == left else PCM, MONTH, key=KEY)
    everywhere = ms.deploy(model, PCM, MONTH, key=KEY)
    for path in PATHS:
        np.testing.assert_array_equal(weights(mixed)[path], weights(model if path == left else everywhere)[path])
    assert eqx.is_array(analog_layers(mixed)[left].weight)


def test_a_design_may_depend_on_the_layer():
    def design(path, layer):
        return PCM if path == PATHS[0] else ms.Crossbar(Ideal())

    model, everywhere = network(), ms.deploy(network(), PCM, MONTH, key=KEY)
    mixed = weights(ms.deploy(model, design, MONTH, key=KEY))
    np.testing.assert_array_equal(mixed[PATHS[0]], weights(everywhere)[PATHS[0]])
    np.testing.assert_allclose(mixed[PATHS[2]], weights(model)[PATHS[2]], rtol=1e-5)


def test_an_ensemble_is_its_chips_one_by_one():
    model, xs, keys = SpikingNetwork([Linear(6, 6, key=jr.key(0)), LI(6)]), sequence(), jr.split(KEY, 3)
    ensemble = eqx.filter_jit(eqx.filter_vmap(lambda key: ms.deploy(model, PCM, MONTH, key=key)))(keys)
    outputs = eqx.filter_vmap(lambda chip: chip(xs))(ensemble)
    for output, key in zip(outputs, keys, strict=True):
        np.testing.assert_allclose(output, ms.deploy(model, PCM, MONTH, key=key)(xs), rtol=1e-4, atol=1e-5)


def test_a_compiled_deployment_is_the_eager_one():
    layer = Linear(6, 6, key=jr.key(0))
    eager, compiled = (
        f(layer, PCM, MONTH, key=KEY).weight.effective_weight for f in (ms.deploy, eqx.filter_jit(ms.deploy))
    )
    np.testing.assert_allclose(compiled, eager, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_gradient_through_a_deployed_network_reaches_every_synapse():
    @eqx.filter_jit
    @eqx.filter_grad
    def gradient(model, crossbar):
        return jnp.mean(ms.deploy(model, crossbar, MONTH, key=KEY)(sequence(), key=jr.key(3)) ** 2)

    crossbar = ms.Crossbar(pcm_joshi2020(), dac=ms.DAC(8, 3.0), adc=ms.ADC(8), compensation=None)
    for path, slope in weights(gradient(network(), crossbar)).items():
        assert np.isfinite(slope).all() and np.mean(slope != 0) > 0.5, path  # a neuron may be silent


def test_programming_twice_is_refused():
    keyed = ms.nn.with_read_keys(ms.deploy(list(network().layers), PCM, 0.0, key=KEY), key=KEY)
    for model in (ms.program(network(), PCM, key=KEY), ms.deploy(network(), PCM, 0.0, key=KEY), keyed):
        with pytest.raises(ValueError, match=re.escape("must hold digital weights")):
            ms.program(model, PCM, key=KEY)


def test_designs_of_which_no_layer_gets_one_are_refused():
    message = "`crossbar` must give at least one layer a design. It gives no layer a design: None for .layers[0]"
    with pytest.raises(ValueError, match=re.escape(message)):
        ms.deploy(network(), lambda path, layer: None, 0.0, key=KEY)


def test_a_model_that_multiplies_by_itself_is_told_how_it_gets_on_a_chip():
    class Own(eqx.Module):
        w: jax.Array

        def __call__(self, x):
            return self.w @ x

    own = ms.nn.convert(Own(jnp.ones((3, 4))))
    for ask in (lambda: ms.program(own, PCM, key=KEY), lambda: ms.calibrate(own, np.ones((2, 4)), PCM)):
        with pytest.raises(ValueError, match=re.escape("`self.w @ x`, becomes one as an `equinox.nn.Linear`")):
            ask()
    with pytest.raises(ValueError, match=r"Got none in an Own.*becomes one"):
        ms.study.robustness(own, (np.ones((4, 4)), np.arange(4) % 3), PCM, chips=1, times=[0.0], key=KEY)


def test_ageing_what_was_never_programmed_is_refused():
    with pytest.raises(ValueError, match=re.escape("memsim.program")):
        ms.at(network(), MONTH)


# Calibration.


def converters(dac=None, adc=None, device=None):
    return ms.Crossbar(device or Ideal(), dac=dac, adc=adc, tile=(3, 6), compensation=None)


@pytest.mark.slow
def test_full_coverage_clips_nothing_of_the_data_with_ideal_cells():
    model, xs = network(), sequence(8)
    design = converters(ms.DAC(12), ms.ADC(12))
    deployed = ms.deploy(model, ms.calibrate(model, xs, design, ranges=ms.Percentile(1.0)), 0.0, key=KEY)
    inputs = jax.vmap(lambda x: model(x, record="inputs")[1]["inputs"])(xs)
    for path, layer in analog_layers(deployed).items():
        clipped = layer.weight.clipping(inputs[path])
        assert clipped.dac == 0 and not np.any(clipped.adc), path


def test_the_converters_just_cover_the_data():
    # The full scale in cells by hand: each bit line of each tile of 3 word lines, over its largest weight.
    model, xs = network(), sequence(8)
    calibrated = ms.calibrate(model, xs, converters(ms.DAC(8), ms.ADC(8)), ranges=ms.Percentile(1.0))
    inputs = jax.vmap(lambda x: model(x, record="inputs")[1]["inputs"])(xs)
    for path, layer in analog_layers(model).items():
        x, w, design = (
            np.asarray(inputs[path]).reshape(-1, layer.in_features),
            weights(model)[path],
            calibrated(path, layer),
        )
        tiles = [(x[:, i : i + 3], w[:, i : i + 3]) for i in (0, 3)]
        cells = max(np.max(np.abs(a @ b.T) / np.abs(b).max(axis=1)) for a, b in tiles) / np.abs(x).max()
        np.testing.assert_allclose(design.dac.input_range, np.abs(x).max(), rtol=1e-6)
        np.testing.assert_allclose(design.adc.full_scale, cells, rtol=1e-5)


def test_coverage_is_the_fraction_of_inputs_within_the_range():
    model, xs = network(), sequence(8)  # 960 inputs of the first layer
    calibrated = ms.calibrate(model, xs, converters(ms.DAC(None)), ranges=ms.Percentile(0.9))
    clipped = ms.nn.clipping(ms.deploy(model, calibrated, 0.0, key=KEY), xs)
    np.testing.assert_allclose(clipped[PATHS[0]].dac, 0.1, atol=2e-3)


def test_calibration_leaves_the_rest_of_a_design_as_it_is():
    model, xs = network(), sequence(8)
    calibrated = ms.calibrate(model, xs, lambda path, layer: None if path == PATHS[1] else PCM)
    layers = analog_layers(model)
    assert calibrated(PATHS[1], layers[PATHS[1]]) is None
    assert eqx.tree_equal(calibrated(PATHS[0], layers[PATHS[0]]), PCM)


@pytest.mark.slow
def test_a_silent_layer_keeps_a_range():
    model = network()
    with pytest.warns(UserWarning, match="with zeros only"):
        calibrated = ms.calibrate(model, jnp.zeros((2, 20, 6)), converters(ms.DAC(8), ms.ADC(8)))
    outputs = ms.deploy(model, calibrated, 0.0, key=KEY)(sequence())
    assert np.isfinite(outputs).all()


@pytest.mark.parametrize("coverage", [0.0, -0.1, 1.5, 99.99, float("nan")])
def test_a_coverage_that_is_no_fraction_is_refused(coverage):
    with pytest.raises(ValueError, match=re.escape("`coverage` must be a fraction in (0, 1]")):
        ms.Percentile(coverage)


def test_calibrating_a_chip_is_refused():
    with pytest.raises(ValueError, match="must hold digital weights"):
        ms.calibrate(ms.deploy(network(), PCM, 0.0, key=KEY), sequence(2), PCM)


@pytest.mark.slow
def test_clipping_is_counted_for_each_deployed_layer_and_tile():
    model, xs = network(), sequence(8)
    design = converters(ms.DAC(None, 0.5), ms.ADC(None, 0.01), pcm_joshi2020())
    model = ms.deploy(model, lambda path, layer: None if path == PATHS[1] else design, 0.0, key=KEY)
    clipped = ms.nn.clipping(model, xs, key=jr.key(2))
    assert list(clipped) == [PATHS[0], PATHS[2]]
    for path in clipped:  # 6 word lines on tiles of 3
        assert clipped[path].dac.shape == () and clipped[path].adc.shape == (2,)
    np.testing.assert_allclose(clipped[PATHS[0]].dac, np.mean(np.abs(xs) > 0.5), rtol=1e-5)
    assert np.all(clipped[PATHS[0]].adc > 0.9)


@pytest.mark.slow
def test_a_convolution_and_a_delayed_layer_are_calibrated_and_counted_over_every_read():
    k = jr.split(jr.key(0), 2)
    conv = ms.nn.Conv2d(2, 4, 3, groups=2, key=k[0])
    delayed = ms.nn.DelayedLinear(16, 5, np.arange(80).reshape(5, 16) % 4, key=k[1])
    model = SpikingNetwork([conv, ms.nn.Flatten(), LIF(16), delayed, LI(5)], input_shape=(2, 4, 4))
    xs = jr.normal(jr.key(9), (3, 20, 2, 4, 4)) * 2
    calibrated = ms.calibrate(model, xs, converters(ms.DAC(8), ms.ADC(8)), ranges=ms.Percentile(1.0))
    deployed = ms.deploy(model, calibrated, 0.0, key=KEY)
    for path, clipped in ms.nn.clipping(deployed, xs).items():
        assert clipped.dac == 0 and not np.any(clipped.adc), path
    for narrow in (".layers[0]", ".layers[3]"):
        design = converters(adc=ms.ADC(8, 1e-4))
        one = ms.deploy(model, lambda path, layer, narrow=narrow, d=design: d if path == narrow else None, 0.0, key=KEY)
        assert np.all(ms.nn.clipping(one, xs)[narrow].adc > 0.1)
    # Ideal cells behind eight bits: within a code for each tile and bit line of the digital product.
    currents = {
        p: m(xs[0], record="currents")[1]["currents"][".layers[2]"] for p, m in {"a": deployed, "d": model}.items()
    }
    scale = np.abs(np.asarray(currents["d"])).max()
    np.testing.assert_allclose(currents["a"], currents["d"], atol=0.05 * scale)
