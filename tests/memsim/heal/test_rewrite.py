"""Weights are written again where that gains most, and age from then on."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from memsim.heal._rewrite import _number, _Plan
from memsim.heal._rewritten import Rewritten, RewrittenCells


class Spoilt(dm.AbstractDevice):
    """Cells that are what they are made, but that later, of those above half of the range, none is left."""

    g_min: float = 0.0
    g_max: float = 25e-6

    def program(self, target, *, key):
        return target

    def conductance(self, cells, t):
        return jnp.where((cells > 12.5e-6) & (t >= 1.0), 0.0, cells)


W = np.array([[1.0, 0.2, -0.3, 0.1], [0.3, -0.9, 0.2, 0.4], [1.0, 0.3, 0.1, -0.2]], np.float32)
LOST = np.abs(W) > 0.5


def network():
    layer = ms.nn.Linear(4, 3, use_bias=False, key=jr.key(0))
    object.__setattr__(layer, "weight", jnp.asarray(W))
    return ms.nn.SpikingNetwork([layer])


def samples(n=64):
    rng = np.random.default_rng(0)
    xs = rng.uniform(0.5, 1.0, size=(n, 1, 4)).astype(np.float32)
    return ms.data.Dataset(xs, np.argmax(xs[:, 0] @ W.T, axis=1))


def test_the_weights_that_are_lost_are_the_ones_written_again():
    model, data = network(), samples()
    chip = ms.program(model, ms.Crossbar(Spoilt(), compensation=None), key=jr.key(1))
    mended = ms.heal.Rewrite(0.25, repeats=1)(model, chip, data, t=1.0, key=jr.key(2))
    (layer,) = ms.nn.analog_layers(mended.repair.chip).values()
    np.testing.assert_array_equal(layer.weight.writes[0].T, 1 + LOST)
    np.testing.assert_allclose(mended.model(data.inputs[0]), model(data.inputs[0]), atol=1e-5)
    assert (mended.spent.writes, mended.spent.reads) == (3, 4)


def test_fewer_writes_go_to_those_that_gain_most():
    one = jnp.ones((1, 3))
    plan = _Plan(jnp.asarray([[0.5, 0.9, 1.1]]), one, None, jnp.asarray([[0.01, 0.01, 0.02]]))
    # By hand: h (d^2 - s^2) / 2 with h = 2: 0.25 - 0.01, 0.01 - 0.01, 0.01 - 0.02.
    np.testing.assert_allclose(plan.gain(2.0 * one), [[0.24, 0.0, -0.01]], atol=1e-6)


def test_nothing_is_written_where_a_write_leaves_more_than_it_mends():
    model, data = network(), samples()
    device = dm.Gaussian(0.0, 25e-6, write_noise=dm.curves.Constant(8e-6))
    exact = ms.program(model, ms.Crossbar(dm.Ideal(0.0, 25e-6)), key=jr.key(1))
    (layer,) = ms.nn.analog_layers(exact).values()
    chip = ms.program(model, ms.Crossbar(device, compensation=None), key=jr.key(1))
    (made,) = ms.nn.analog_layers(chip).values()
    held = made.weight.crossbar.measured(layer.weight.conductances(0.0), layer.weight.scales, key=jr.key(0))
    from memsim.nn._deploy import replace_weights

    mended = ms.heal.Rewrite(1.0)(model, replace_weights(chip, {".layers[0]": held}), data, t=0.0, key=jr.key(2))
    assert mended.spent.writes == 0


def test_cells_that_are_written_again_age_from_then_on():
    class Leaky(dm.AbstractDevice):
        g_min: float = 0.0
        g_max: float = 25e-6

        def program(self, target, *, key):
            return target

        def conductance(self, cells, t):
            return cells * (1.0 + t) ** -0.5

    device, g = Rewritten(Leaky()), jnp.asarray([1e-6, 2e-6])
    cells = RewrittenCells(g, g, jnp.asarray([False, True]), jnp.asarray(8.0))
    for t, wanted in ((3.0, [0.5e-6, 1e-6]), (8.0, [1e-6 / 3, 2e-6]), (24.0, [0.2e-6, 2e-6 / 17**0.5])):
        np.testing.assert_allclose(device.conductance(cells, jnp.asarray(t)), wanted, rtol=1e-6)
    once = device.program(g, key=jr.key(0))
    np.testing.assert_allclose(device.conductance(once, jnp.asarray(3.0)), g / 2, rtol=1e-6)


def test_new_cells_are_aimed_below_by_the_factor_of_the_compensation():
    """All cells lose half; one factor of 2 mends it, and a new cell must be written at half to present its weight."""

    class Half(dm.AbstractDevice):
        g_min: float = 0.0
        g_max: float = 25e-6

        def program(self, target, *, key):
            return target

        def conductance(self, cells, t):
            return jnp.where(t >= 1.0, 0.5, 1.0) * cells * jnp.where((cells > 24e-6) & (t >= 1.0), 0.2, 1.0)

    model, data = network(), samples()
    design = ms.Crossbar(Half(), adc=ms.ADC(None, 100.0), compensation=ms.GlobalDriftCompensation(patterns=256))
    chip = ms.program(model, design, key=jr.key(1))
    mended = ms.heal.Rewrite(0.25, repeats=1)(model, chip, data, t=1.0, key=jr.key(2))
    (layer,) = ms.nn.analog_layers(mended.repair.chip).values()
    rewritten = np.asarray(layer.weight.writes[0].T) == 2
    (before,) = ms.nn.analog_layers(ms.at(chip, 1.0)).values()
    factor = np.asarray(before.weight.sums.scale / ms.at(chip, 0.0).layers[0].weight.sums.scale)[0]
    raw = np.asarray(layer.weight.uncompensated(jnp.asarray(1.0), None).matrix.effective_weight)
    assert rewritten.any()
    np.testing.assert_allclose((raw * factor[:, None])[rewritten], W[rewritten], rtol=1e-4)


def test_cells_that_serve_several_weights_are_refused():
    model = network()
    chip = ms.program(model, ms.Crossbar(dm.Ideal(), ms.OffsetColumn()), key=jr.key(1))
    with pytest.raises(ValueError, match=r"must each belong to one weight.*OffsetColumn.*\.layers\[0\]"):
        ms.heal.Rewrite(0.5)(model, chip, samples(), t=0.0, key=jr.key(2))


def test_a_budget_of_some_writes_allows_as_many():
    # 1 / 49 of 49, and 15 / 22 of 22, are a little less than 1 and 15 in floats.
    for weights in range(1, 200):
        for writes in range(1, weights + 1):
            assert _number(writes / weights, weights) == writes
