"""Delays of axons and of synapses are what loops by hand say, digital and on a crossbar."""

import itertools
import re

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from device_models import Ideal, pcm_joshi2020
from helpers import slow
from memsim.nn import Delay, DelayedLinear, SpikingNetwork

KEY = jr.key(1)
RNG = np.random.default_rng(0)
NOISY = ms.Crossbar(pcm_joshi2020(read_noise_scale=10.0), compensation=None)
run = eqx.filter_jit(lambda model, x, key=None: model(x, key=key))
deploy = eqx.filter_jit(ms.deploy)


@pytest.fixture
def x64():
    with jax.enable_x64(True):
        yield


DELAYS = np.array([0, 3, 1, 7])


@pytest.mark.parametrize("steps", [DELAYS, 2, 0])
def test_each_channel_arrives_its_delay_late(steps):
    xs = RNG.normal(size=(12, 4)).astype(np.float32)
    expected = np.zeros_like(xs)
    for t, i in np.ndindex(12, 4):
        d = np.broadcast_to(steps, 4)[i]
        expected[t, i] = xs[t - d, i] if t >= d else 0
    np.testing.assert_array_equal(SpikingNetwork([Delay(4, steps)])(jnp.asarray(xs)), expected)


@pytest.mark.slow
def test_a_delay_may_have_any_shape_of_layer():
    steps = RNG.integers(0, 4, (2, 3))
    xs = jr.normal(KEY, (9, 2, 3))
    apart = SpikingNetwork([Delay(6, steps.ravel())])(xs.reshape(9, 6))
    np.testing.assert_array_equal(SpikingNetwork([Delay((2, 3), steps)])(xs), apart.reshape(9, 2, 3))


def delayed(**settings):
    return DelayedLinear(4, 5, RNG.integers(0, 6, (5, 4)), key=KEY, **settings)


def delayed_by_hand(layer, xs):
    w, d, bias = (np.asarray(a) for a in (layer.weight, layer.delays, layer.bias))
    expected = np.tile(bias, (len(xs), 1)).astype(float)
    for t, j, i in itertools.product(range(len(xs)), range(5), range(4)):
        if t >= d[j, i]:
            expected[t, j] += w[j, i] * xs[t - d[j, i], i]
    return expected


def test_each_synapse_arrives_its_delay_late():
    layer = eqx.tree_at(lambda one: one.bias, delayed(), jnp.arange(5.0))
    xs = RNG.normal(size=(15, 4)).astype(np.float32)
    expected = delayed_by_hand(layer, xs)
    np.testing.assert_allclose(SpikingNetwork([layer])(jnp.asarray(xs)), expected, rtol=1e-5, atol=1e-5)
    for tile in ((256, 256), (3, 2)):
        chip = deploy(SpikingNetwork([layer]), ms.Crossbar(Ideal(), tile=tile), 0.0, key=KEY)
        np.testing.assert_allclose(run(chip, jnp.asarray(xs)), expected, rtol=1e-5, atol=1e-5)
        assert analog(chip).weight.shape == (4, 5)  # one cell pair a synapse


def analog(model):
    return model.layers[0].weight


def test_currents_of_all_delays_are_summed_before_the_converter():
    layer, xs = delayed(use_bias=False), RNG.normal(size=(40, 4)).astype(np.float32)
    chip = deploy(SpikingNetwork([layer]), ms.Crossbar(Ideal(), adc=ms.ADC(5, 2.0), tile=(3, 2)), 0.0, key=KEY)
    w, d, step = np.asarray(layer.weight), np.asarray(layer.delays), 2.0 / 15
    expected = np.zeros((40, 5))
    for t, j in np.ndindex(40, 5):
        then = np.array([xs[t - d[j, i], i] if t >= d[j, i] else 0 for i in range(4)])
        for tile in (slice(0, 3), slice(3, 4)):
            scale = np.abs(w[j, tile]).max()
            expected[t, j] += np.clip(np.round(then[tile] @ w[j, tile] / scale / step), -15, 15) * scale * step
    wrong = np.abs(np.asarray(run(chip, jnp.asarray(xs))) - expected) > 1e-4
    assert wrong.mean() < 0.02  # a current on the edge of a code may round either way in float32


def test_read_noise_of_delayed_synapses_comes_from_the_cells_that_are_driven():
    layer = delayed(use_bias=False)
    chip = deploy(SpikingNetwork([layer]), NOISY, 0.0, key=KEY)
    xs = jnp.ones((3000, 4))
    noise = np.asarray(run(chip, xs, jr.key(3)), np.float64)[5:]  # from step 5 on every cell is driven with one
    variance = np.asarray(analog(chip).noise.variance).sum(axis=0)
    assert np.abs(noise.var(axis=0) / variance - 1).max() < 4 * (2 / 2995) ** 0.5
    for column in noise.T:
        assert abs(np.corrcoef(column[1:], column[:-1])[0, 1]) < 4 / 2995**0.5


@pytest.mark.slow
def test_calibrated_converters_just_cover_delayed_synapses():
    layer = delayed(use_bias=False)
    model, xs = SpikingNetwork([layer]), jr.normal(KEY, (3, 20, 4))
    design = ms.calibrate(model, xs, ms.Crossbar(Ideal(), adc=ms.ADC(12)), ranges=ms.Percentile(1.0))
    cells = np.abs(jax.vmap(model)(xs)).max(axis=(0, 1)) / np.abs(layer.weight).max(axis=1)
    np.testing.assert_allclose(design(".layers[0]", layer).adc.full_scale, cells.max(), rtol=1e-5)
    assert not np.any(ms.nn.clipping(deploy(model, design, 0.0, key=KEY), xs)[".layers[0]"].adc)


@pytest.mark.parametrize("hardware", [slow(None), slow(ms.Crossbar(Ideal())), NOISY], ids=["digital", "ideal", "noisy"])
def test_delays_in_one_piece_in_chunks_and_step_by_step_are_the_same(hardware):
    layers = [Delay(4, DELAYS), delayed()]
    key, xs = jr.key(5), jr.normal(KEY, (23, 4))

    def made(chunk):
        model = SpikingNetwork(layers, chunk=chunk)
        return model if hardware is None else deploy(model, hardware, 0.0, key=KEY)

    whole = made(None)(xs, key=key)
    np.testing.assert_allclose(made(4)(xs, key=key), whole, rtol=1e-5, atol=1e-5)
    model = made(None)
    state, ys = model.initial_state(), []
    for t, x in enumerate(xs):
        y, state = model.step(x, state, key=jr.fold_in(key, t))
        ys.append(y)
    np.testing.assert_allclose(jnp.stack(ys), whole, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_the_gradient_of_delayed_synapses_is_that_of_the_loop(x64):
    layer, xs = delayed(), jnp.asarray(RNG.normal(size=(10, 4)))
    d = np.asarray(layer.delays)

    def loss(w, crossbar=None):
        model = SpikingNetwork([eqx.tree_at(lambda one: one.weight, layer, w)])
        model = model if crossbar is None else deploy(model, crossbar, 0.0, key=KEY)
        return jnp.sum(model(xs) ** 2) / 2

    ys, inputs = np.asarray(SpikingNetwork([layer])(xs)), np.asarray(xs)
    expected = np.zeros((5, 4))
    for j, i in np.ndindex(5, 4):
        expected[j, i] = sum(ys[t, j] * inputs[t - d[j, i], i] for t in range(d[j, i], 10))
    for crossbar in (None, ms.Crossbar(Ideal(), tile=(3, 2))):
        gradient = jax.jit(lambda w, crossbar=crossbar: jax.grad(loss)(w, crossbar))(layer.weight)
        np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-12)


def test_delays_may_differ_from_chip_to_chip():
    steps = jnp.asarray(RNG.integers(0, 6, (3, 5, 4)))
    xs = jr.normal(KEY, (10, 4))

    def delayed_by(steps):
        return SpikingNetwork([DelayedLinear(4, 5, steps, longest=5, key=KEY)])(xs)

    together = jax.jit(jax.vmap(delayed_by))(steps)
    for y, one in zip(together, steps, strict=True):
        np.testing.assert_allclose(y, jax.jit(delayed_by)(one), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: SpikingNetwork([Delay(3, 2)], input_shape=(4,)), "must take an input of shape (3,)"),
        (lambda: Delay(3, -1), "at least 0"),
        (lambda: Delay(3, np.array([1, 2])), "an array of shape (3,)"),
        (lambda: Delay(3, np.array([0.5, 1.0, 2.0])), "Seconds? Divide by dt"),
        (lambda: Delay(3, 4, longest=3), "at least the longest of `steps`, 4 steps"),
        (lambda: jax.jit(lambda d: Delay(3, d)(jnp.zeros(3)))(jnp.arange(3)), "`longest` must be given"),
    ],
)
def test_what_is_no_delay_is_refused(unchecked, make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()
