"""Layers whose cells meet several inputs, and trained designs, on every mapping, converter and cell."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from helpers import quick_and_slow
from memsim.nn import Conv2d, DelayedLinear, Linear, SpikingNetwork

PAIR, COLUMN = ms.DifferentialPair(), ms.OffsetColumn(offset="column")
DESIGNS = {
    "digital": ms.Crossbar(dm.Ideal(1e-6, 25e-6), ms.OffsetColumn(), adc=ms.ADC(None, 1e3), tile=(5, 3)),
    "column": ms.Crossbar(dm.Ideal(1e-6, 25e-6), COLUMN, adc=ms.ADC(None, 1e3), tile=(5, 3)),
    "sliced": ms.Crossbar(dm.Ideal(), ms.BitSliced(PAIR, 8, 2), dac=ms.BitSerialDAC(16, 8.0), tile=(5, 3)),
    "curved": ms.Crossbar(dm.Ideal(20e-6, 110e-6, dm.iv.Cubic(0.0)), dac=ms.DAC(16, 8.0), tile=(5, 3)),
    "fixed": ms.Crossbar(dm.Ideal(20e-6, 110e-6, dm.iv.Sinh(4.0)), COLUMN, dac=ms.PulseWidthDAC(16, 8.0), tile=(5, 3)),
}
LAYERS = {
    "convolution": (Conv2d(4, 6, 3, groups=2, key=jr.key(0)), (4, 6, 6)),
    "delays": (DelayedLinear(7, 4, np.arange(28).reshape(4, 7) % 3, key=jr.key(0)), (7,)),
}


@pytest.mark.parametrize("layer", ["convolution", pytest.param("delays", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", quick_and_slow(list(DESIGNS)[::2], DESIGNS))
def test_ideal_cells_in_lanes_give_the_digital_layer(layer, name):
    made, shape = LAYERS[layer]
    model, xs = SpikingNetwork([made], input_shape=shape), jr.normal(jr.key(1), (5, *shape))
    deployed = eqx.filter_jit(ms.deploy)(model, DESIGNS[name], 0.0, key=jr.key(2))
    expected = np.asarray(model(xs))
    # 16 bits: steps of 2.4e-4 of inputs, and of 3e-5 of weights, over at most 18 inputs.
    np.testing.assert_allclose(eqx.filter_jit(deployed)(xs), expected, rtol=0, atol=2e-3)


def test_bit_lines_of_a_group_keep_the_variance_of_the_cells_that_they_share():
    made, _ = LAYERS["convolution"]
    design = ms.Crossbar(dm.pcm_joshi2020(), COLUMN, compensation=None)
    matrix = design.deploy(made.weight, 0.0, key=jr.key(0))
    x, n = jnp.ones((4, 3, 3)), 20_000
    chip = eqx.tree_at(lambda layer: layer.weight, made, matrix)
    y = jax.jit(jax.vmap(lambda key: chip(x, key=key)))(jr.split(jr.key(1), n))
    own, shared = (np.asarray(noise.variance, np.float64) for noise in (matrix.noise, matrix.noise.shared))
    cells = own.sum(0) + shared.sum()
    variance = cells * np.asarray(matrix.sums.scale, np.float64)[0] ** 2
    found = np.asarray(y, np.float64).reshape(n, 6).var(0)
    assert np.abs(found / variance - 1).max() < 5 * (2 / n) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize("mapping", [ms.OffsetColumn(), COLUMN, ms.BitSliced(ms.OffsetColumn(), 2, 3)], ids=str)
def test_training_starts_from_the_digital_weights_on_every_mapping(mapping):
    model = SpikingNetwork([Linear(6, 5, key=jr.key(0))])
    settings = {"dac": ms.DAC(8, 4.0), "adc": ms.ADC(None, 1e3), "tile": (4, 3)}
    sense = ms.SenseAmplifier(series_resistance=1e3, offset=1e-3)
    hardware = ms.train.SampledChip(ms.Crossbar(dm.pcm_joshi2020(), mapping, reads=ms.Reads(sense=sense), **settings))
    x = jr.normal(jr.key(1), (3, 6))

    @eqx.filter_jit
    def outputs(strength):
        sampled = hardware.sample(model, strength=strength, key=jr.key(2))
        return sampled(x, key=jr.key(3))

    np.testing.assert_allclose(outputs(jnp.asarray(0.0)), model(x), rtol=0, atol=0.05)  # the DAC rounds
    assert np.abs(outputs(jnp.asarray(1.0)) - model(x)).max() > 0.1
