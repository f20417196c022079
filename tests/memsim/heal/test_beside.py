"""Digital work beside an array is what its equation says."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms

PATH = ".layers[0]"
DESIGNS = {
    "one product": ms.Crossbar(dm.Ideal()),
    "row tiles": ms.Crossbar(dm.Ideal(), adc=ms.ADC(None, 1e3), tile=(2, 8)),
    "codes": ms.Crossbar(dm.Ideal(), dac=ms.DAC(None, 2.0), adc=ms.ADC(None, 1e3)),
    "offset column": ms.Crossbar(dm.Ideal(), ms.OffsetColumn(), dac=ms.DAC(None, 2.0)),
}


def moment(design):
    model = ms.nn.SpikingNetwork([ms.nn.Linear(4, 3, key=jr.key(0))])
    return model, ms.deploy(model, design, 0.0, key=jr.key(1))


@pytest.mark.parametrize("name", DESIGNS)
def test_low_rank_matrices_and_offsets_are_added(name):
    model, now = moment(DESIGNS[name])
    a, b, offset = jr.normal(jr.key(2), (4, 2)), jr.normal(jr.key(3), (2, 3)), jnp.arange(3.0)
    x = jr.uniform(jr.key(4), (5, 4))
    mended = ms.heal.beside(now, {PATH: ms.heal.Beside(factors=(a, b), offset=offset)})
    wanted = np.asarray(x, float) @ (np.asarray(model.layers[0].weight, float).T + np.asarray(a, float) @ np.asarray(b))
    np.testing.assert_allclose(mended(x), wanted + np.arange(3.0), atol=2e-5)


@pytest.mark.parametrize("name", ["one product", "row tiles", "codes"])
def test_a_gain_is_that_of_its_bit_line(name):
    model, now = moment(DESIGNS[name])
    x, gain = jr.uniform(jr.key(4), (5, 4)), jnp.asarray([[1.0, 2.0, -0.5]])
    mended = ms.heal.beside(now, {PATH: ms.heal.Beside(gain=gain)})
    np.testing.assert_allclose(mended(x), (x @ model.layers[0].weight.T) * gain, atol=2e-5)


def test_each_row_tile_has_a_gain_of_its_own():
    model, now = moment(DESIGNS["row tiles"])
    x, gain = jr.uniform(jr.key(4), (5, 4)), jnp.asarray([[1.0, 2.0, 3.0], [0.5, 0.0, -1.0]])
    parts = [x[:, part] @ model.layers[0].weight.T[part] for part in (slice(0, 2), slice(2, 4))]
    wanted = parts[0] * gain[:1] + parts[1] * gain[1:]
    np.testing.assert_allclose(ms.heal.beside(now, {PATH: ms.heal.Beside(gain)})(x), wanted, atol=2e-5)


def test_a_gain_is_one_of_the_noise_too():
    device = dm.pcm_joshi2020()
    _, now = moment(ms.Crossbar(device, compensation=None))
    doubled = ms.heal.beside(now, {PATH: ms.heal.Beside(jnp.full((1, 3), 2.0))})
    x = jnp.ones((1, 4))
    np.testing.assert_allclose(doubled(x, key=jr.key(0)), 2 * now(x, key=jr.key(0)), rtol=1e-5)


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ({".layers[1]": ms.heal.Beside()}, r"`added`"),
        ({PATH: ms.heal.Beside(factors=(jnp.ones((4, 2)), jnp.ones((3, 3))))}, r"`factors` beside .layers\[0\]"),
        ({PATH: ms.heal.Beside(gain=jnp.ones((1, 2)))}, r"`gain` beside"),
        ({PATH: ms.heal.Beside(gain=jnp.ones((2, 3)))}, "all are one product"),
        ({PATH: ms.heal.Beside(offset=jnp.ones(2))}, r"`offset` beside"),
    ],
)
def test_what_does_not_fit_is_told(added, message):
    with pytest.raises(ValueError, match=message):
        ms.heal.beside(moment(DESIGNS["one product"])[1], added)


def test_a_layer_that_is_no_moment_is_told():
    model, _ = moment(DESIGNS["one product"])
    with pytest.raises(ValueError, match="must be a moment of a chip"):
        ms.heal.beside(model, {PATH: ms.heal.Beside()})


def test_numbers_are_counted():
    one = ms.heal.Beside(jnp.ones((2, 3)), (jnp.ones((4, 1)), jnp.ones((1, 3))), jnp.ones(3))
    assert one.parameters == 6 + 4 + 3 + 3
    assert eqx.tree_equal(ms.heal.Beside(), ms.heal.Beside())
