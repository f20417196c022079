"""Convolutions and pools are what loops by hand say, digital and on a crossbar."""

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
from memsim.nn import (
    LI,
    LIF,
    AvgPool1d,
    AvgPool2d,
    Conv1d,
    Conv2d,
    Flatten,
    Linear,
    SpikingNetwork,
    SumPool1d,
    SumPool2d,
)

KEY = jr.key(1)
RNG = np.random.default_rng(0)
run = eqx.filter_jit(lambda model, x, key=None: model(x, key=key))
deploy = eqx.filter_jit(ms.deploy)
NOISY = ms.Crossbar(pcm_joshi2020(read_noise_scale=10.0), compensation=None)

CONVOLUTIONS = [
    dict(stride=1, padding=0, dilation=1, groups=1),
    dict(stride=2, padding=1, dilation=1, groups=1),
    dict(stride=(2, 3), padding="same", dilation=1, groups=1),
    dict(stride=1, padding="valid", dilation=(1, 2), groups=1),
    dict(stride=1, padding=((2, 0), (1, 3)), dilation=1, groups=1),
    dict(stride=2, padding="same", dilation=2, groups=2),
    dict(stride=1, padding=1, dilation=1, groups=4),
]


def for_rank(settings, rank):
    """Settings for two axes, or those of the second one."""
    return {k: v[2 - rank :] if isinstance(v, tuple) else v for k, v in settings.items()}


def pair(settings, rank, kernel=(3, 2), key=KEY):
    """A convolution of ours and one of Equinox with the same kernel and bias."""
    settings = for_rank(settings, rank)
    peer = (eqx.nn.Conv1d, eqx.nn.Conv2d)[rank - 1](4, 8, kernel[2 - rank :], key=key, **settings)
    ours = (Conv1d, Conv2d)[rank - 1](4, 8, kernel[2 - rank :], key=key, **settings)
    return eqx.tree_at(lambda c: (c.weight, c.bias), ours, (peer.weight.reshape(8, -1), peer.bias.ravel())), peer


@pytest.fixture
def x64():
    with jax.enable_x64(True):
        yield


# Convolutions.


@pytest.mark.parametrize("rank", [slow(1), 2])
@pytest.mark.parametrize("settings", CONVOLUTIONS)
def test_a_convolution_is_that_of_equinox_digital_and_on_ideal_cells(settings, rank):
    ours, peer = pair(settings, rank)
    x = jr.normal(jr.key(2), (4, 9, 8)[: rank + 1])
    expected = run(peer, x)
    assert ours.output_shape(x.shape) == expected.shape
    np.testing.assert_allclose(run(ours, x), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(ours.kernel, peer.weight)
    chip = deploy(ours, ms.Crossbar(Ideal(), tile=(5, 3)), 0.0, key=KEY)
    np.testing.assert_allclose(run(chip, x), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(chip.kernel, peer.weight, rtol=1e-5, atol=1e-6)


def test_a_convolution_is_a_loop_by_hand(x64):
    ours, _ = pair(dict(stride=(2, 1), padding=1, dilation=(1, 2), groups=2), 2)
    x, kernel = RNG.normal(size=(4, 6, 7)), np.asarray(ours.kernel)
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1)])
    expected = np.zeros((8, 3, 7))
    for o, i, j in np.ndindex(*expected.shape):
        for c, a, b in np.ndindex(*kernel.shape[1:]):
            expected[o, i, j] += kernel[o, c, a, b] * padded[o // 4 * 2 + c, 2 * i + a, j + 2 * b]
    np.testing.assert_allclose(ours(jnp.asarray(x)), expected + np.asarray(ours.bias)[:, None, None], rtol=1e-12)


@pytest.mark.parametrize("groups", [slow(1), 2])
def test_each_tile_of_a_convolution_is_read_through_its_own_converter(groups):
    ours, _ = pair(dict(groups=groups, padding=1), 2)
    ours = eqx.tree_at(lambda c: c.bias, ours, jnp.zeros(8))
    chip = deploy(ours, ms.Crossbar(Ideal(), adc=ms.ADC(5, 3.0), tile=(5, 3)), 0.0, key=KEY)
    x = RNG.normal(size=(4, 5, 4)).astype(np.float32)
    w, rows = np.asarray(ours.weight), 4 // groups * 6
    expected = np.zeros((8, 5, 5))  # kernel (3, 2)
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1)])
    step = 3.0 / 15
    for o, i, j in np.ndindex(*expected.shape):
        first = o // (8 // groups) * (4 // groups)
        patch = padded[first : first + 4 // groups, i : i + 3, j : j + 2].ravel()
        for start in range(0, rows, 5):
            tile = slice(start, min(start + 5, rows))
            scale = np.abs(w[o, tile]).max()
            code = np.clip(np.round(patch[tile] @ w[o, tile] / scale / step), -15, 15)
            expected[o, i, j] += code * scale * step
    wrong = np.abs(np.asarray(run(chip, jnp.asarray(x))) - expected) > 1e-4
    assert wrong.mean() < 0.01  # a current on the edge of a code may round either way in float32


@pytest.mark.parametrize("groups", [slow(1), 2])
def test_the_gradient_through_a_crossbar_is_that_of_the_convolution(x64, groups):
    ours, peer = pair(dict(stride=2, padding=1, groups=groups), 2)
    x = jnp.asarray(RNG.normal(size=(4, 6, 5)))

    def loss(w, x):
        model = eqx.tree_at(lambda c: c.weight, ours, w.reshape(8, -1))
        return jnp.sum(jnp.sin(deploy(model, ms.Crossbar(Ideal()), 0.0, key=KEY)(x)))

    def of_peer(w, x):
        return jnp.sum(jnp.sin(eqx.tree_at(lambda c: c.weight, peer, w)(x)))

    for ours_is, peer_is in zip(
        jax.jit(jax.grad(loss, (0, 1)))(peer.weight, x),
        jax.jit(jax.grad(of_peer, (0, 1)))(peer.weight, x),
        strict=True,
    ):
        np.testing.assert_allclose(ours_is, peer_is, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("groups", [slow(1), 4])
def test_read_noise_of_a_convolution_is_independent_for_each_pixel_and_channel(groups):
    ours = Conv2d(4, 4, 1, groups=groups, use_bias=False, key=KEY)
    chip = deploy(ours, NOISY, 0.0, key=KEY)
    x = jnp.ones((4, 40, 50))  # every pixel has the same mean and the same noise
    y = np.asarray(run(chip, x, jr.key(3)), np.float64).reshape(4, -1)
    variance = np.asarray(chip.weight.noise.variance).sum(axis=0)  # inputs of one, so the variances of the cells add up
    assert len(np.unique(y)) > 0.95 * y.size
    for channel in range(4):  # 2000 pixels: a variance has the relative standard error sqrt(2 / 2000)
        assert abs(y[channel].var() / variance[channel] - 1) < 4 * (2 / 2000) ** 0.5
    correlation = np.corrcoef(y) - np.eye(4)
    assert np.abs(correlation).max() < 4 / 2000**0.5
    for row in y:
        assert abs(np.corrcoef(row[1:], row[:-1])[0, 1]) < 4 / 2000**0.5


def test_a_noisy_convolution_without_a_key_is_refused():
    with pytest.raises(ValueError, match="needs `key=`"):
        deploy(Conv1d(4, 4, 3, key=KEY), NOISY, 0.0, key=KEY)(jnp.ones((4, 9)))


@pytest.mark.parametrize("groups", [slow(1), 2])
def test_calibrated_converters_just_cover_a_convolution(groups):
    conv = Conv2d(4, 6, 3, groups=groups, use_bias=False, key=KEY)
    model = SpikingNetwork([conv, LI((6, 4, 4))])
    xs = jr.normal(jr.key(2), (3, 5, 4, 6, 6))
    design = ms.calibrate(model, xs, ms.Crossbar(Ideal(), adc=ms.ADC(12), tile=(256, 256)), ranges=ms.Percentile(1.0))
    outputs = jax.vmap(jax.vmap(conv))(xs)
    cells = np.abs(outputs).max(axis=(0, 1, 3, 4)) / np.abs(conv.weight).max(axis=1)
    np.testing.assert_allclose(design(".layers[0]", conv).adc.full_scale, cells.max(), rtol=1e-5)
    clipped = ms.nn.clipping(deploy(model, design, 0.0, key=KEY), xs)[".layers[0]"]
    assert not np.any(clipped.adc)


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: Conv2d(3, 4, 3, groups=2, key=KEY), "multiples of `groups`"),
        (lambda: Conv2d(3, 4, (3, 3, 3), key=KEY), "`kernel_size` must be a whole number of at least 1, or 2 of them"),
        (lambda: Conv1d(3, 4, 0, key=KEY), "`kernel_size`"),
        (lambda: Conv1d(3, 4, 3, padding=-1, key=KEY), "`padding` must be a number of zeros"),
        (lambda: Conv1d(3, 4, 3, padding="full", key=KEY), '"same", "same_lower" or "valid"'),
        (lambda: SumPool2d((2, 2, 2)), "`kernel_size`"),
        (lambda: AvgPool1d(2, stride=0), "`stride`"),
        (lambda: SpikingNetwork([Conv2d(3, 4, 3, key=KEY)], input_shape=(2, 8, 8)), "must take an input of shape (3"),
        (lambda: SpikingNetwork([Conv2d(3, 4, 9, key=KEY)], input_shape=(3, 8, 8)), "at most the padded input"),
        (lambda: SpikingNetwork([Flatten(0, 3)], input_shape=(3, 8, 8)), "must have axes 0 to 3"),
        (lambda: Linear(3, 4, product="float16", key=KEY), '"float" or "bfloat16"'),
    ],
)
def test_what_does_not_fit_is_refused(unchecked, make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()


# Pools and shapes.


@pytest.mark.parametrize("kernel, stride, padding", [(2, None, 0), ((3, 2), (1, 2), 1), (3, 2, (1, 0))])
def test_pools_are_sums_and_means_by_hand(kernel, stride, padding):
    x = RNG.normal(size=(3, 7, 8)).astype(np.float32)
    k, p = np.broadcast_to(kernel, 2), np.broadcast_to(padding, 2)
    s = k if stride is None else np.broadcast_to(stride, 2)
    padded = np.pad(x, [(0, 0), (p[0], p[0]), (p[1], p[1])])
    shape = (3, *((padded.shape[a + 1] - k[a]) // s[a] + 1 for a in (0, 1)))
    total = np.zeros(shape)
    for c, i, j in np.ndindex(*shape):
        total[c, i, j] = padded[c, i * s[0] : i * s[0] + k[0], j * s[1] : j * s[1] + k[1]].sum()
    for pool, expected in ((SumPool2d, total), (AvgPool2d, total / k.prod())):
        layer = pool(kernel, stride, padding)
        assert layer.output_shape(x.shape) == shape
        np.testing.assert_allclose(layer(jnp.asarray(x)), expected, rtol=1e-5, atol=1e-5)


def test_pools_of_signals_are_those_of_images_one_pixel_high():
    x = jr.normal(KEY, (3, 9))
    for one, two in ((SumPool1d, SumPool2d), (AvgPool1d, AvgPool2d)):
        expected = two((1, 3), (1, 2), (0, 1))(x[:, None])[:, 0]
        np.testing.assert_allclose(one(3, 2, 1)(x), expected, rtol=1e-6)


def test_flatten_keeps_channels_first():
    x = jnp.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(Flatten()(x), np.arange(24.0))
    np.testing.assert_array_equal(Flatten(start_dim=1)(x), np.arange(24.0).reshape(2, 12))
    np.testing.assert_array_equal(Flatten(0, -2)(x), np.arange(24.0).reshape(6, 4))


# Modules of Equinox within a network.


@pytest.mark.parametrize(
    "layer",
    [eqx.nn.LayerNorm((6,)), slow(eqx.nn.RMSNorm((6,))), slow(eqx.nn.GroupNorm(2, channelwise_affine=False))],
    ids=["layer", "rms", "group"],
)
def test_a_normalisation_runs_at_each_step_and_trains(layer):
    model = SpikingNetwork([Linear(4, 6, key=KEY), layer, LIF(6)])
    xs = jr.normal(KEY, (20, 4))
    ys, record = model(xs, record=("currents",))
    currents = record["currents"][".layers[2]"]
    np.testing.assert_allclose(currents, [layer(model.layers[0](x)) for x in xs], rtol=1e-5, atol=1e-5)
    gradient = eqx.filter_grad(lambda model: jnp.sum(model(xs)))(model)
    assert ys.shape == (20, 6) and np.any(gradient.layers[0].weight)


def test_dropout_draws_a_mask_a_step_and_none_in_inference_mode():
    model = SpikingNetwork([eqx.nn.Dropout(0.5)])
    xs = jnp.ones((50, 40))
    with pytest.raises(RuntimeError, match="key"):
        model(xs)
    masks = np.asarray(model(xs, key=KEY)) / 2
    assert set(np.unique(masks)) == {0.0, 1.0}
    assert len(np.unique(masks, axis=0)) == 50
    assert abs(masks.mean() - 0.5) < 4 * 0.5 / masks.size**0.5
    np.testing.assert_array_equal(eqx.nn.inference_mode(model)(xs), xs)


@pytest.mark.slow
def test_a_convolutional_network_goes_onto_chips_and_trains():
    k = jr.split(KEY, 2)
    model = SpikingNetwork(
        [
            Conv2d(2, 4, 3, padding=1, gain=3.0, key=k[0]),
            LIF((4, 6, 6)),
            SumPool2d(2),
            Flatten(),
            Linear(36, 5, key=k[1]),
            LI(5),
        ],
        input_shape=(2, 6, 6),
    )
    xs = jr.normal(KEY, (10, 2, 6, 6))

    @eqx.filter_jit
    @eqx.filter_grad
    def gradient(model):
        return jnp.mean(deploy(model, NOISY, 10.0, key=KEY)(xs, key=KEY) ** 2)

    for path, layer in ms.nn.analog_layers(gradient(model)).items():
        assert np.isfinite(layer.weight).all() and np.mean(layer.weight != 0) > 0.5, path


# Products in bfloat16.


def bfloat16_pair():
    return Linear(300, 50, product="bfloat16", key=KEY), Linear(300, 50, key=KEY)


@pytest.mark.parametrize("most", [1, 4, 256])
def test_a_bfloat16_product_of_counts_is_within_1e_5_of_the_float32_one(most):
    fast, slow = bfloat16_pair()
    x = jnp.asarray(RNG.integers(0, most + 1, (6, 40, 300)), jnp.float32)

    def outcome(layer):
        def loss(w, x):
            ys = jax.vmap(eqx.tree_at(lambda one: one.weight, layer, w))(x)
            return jnp.sum(jnp.sin(jnp.arange(ys.size).reshape(ys.shape).astype(ys.dtype)) * ys)

        return jax.jit(jax.vmap(layer))(x), *jax.jit(jax.grad(loss, (0, 1)))(layer.weight, x)

    for ours, exact in zip(outcome(fast), outcome(slow), strict=True):
        assert ours.dtype == exact.dtype
        assert np.abs(ours - exact).max() < 1e-5 * np.abs(exact).max()
    rounded = x[0] @ slow.weight.astype(jnp.bfloat16).astype(jnp.float32).T  # one term is not enough
    assert np.abs(rounded - slow(x[0])).max() > 1e-4 * np.abs(slow(x[0])).max()


def test_the_gradient_of_a_bfloat16_product_is_one_product_over_steps_and_sequences():
    fast, _ = bfloat16_pair()
    model, xs = SpikingNetwork([fast], chunk=None), jnp.ones((6, 40, 300))
    arrays, rest = eqx.partition(model, eqx.is_array)
    gradient = jax.grad(lambda arrays: jnp.sum(jnp.sin(jax.vmap(eqx.combine(arrays, rest))(xs))))
    compiled = jax.jit(gradient).lower(arrays).compile().as_text()
    assert "f32[50,300]" in compiled and not re.search(r"f32\[\d+,(\d+,)?50,300\]", compiled)


def test_a_bfloat16_product_has_forward_mode_and_doubles():
    fast, slow = bfloat16_pair()
    x, dx = jr.bernoulli(KEY, 0.3, (300,)).astype(jnp.float32), jr.normal(KEY, (300,))
    ours, exact = (jax.jvp(layer, (x,), (dx,))[1] for layer in (fast, slow))
    np.testing.assert_allclose(ours, exact, atol=1e-5 * np.abs(exact).max())
    with jax.enable_x64(True):
        fast, slow = bfloat16_pair()
        y = fast(x.astype(jnp.float64))
        assert y.dtype == jnp.float64
        np.testing.assert_allclose(y, slow(x.astype(jnp.float64)), atol=1e-5 * np.abs(y).max())


@pytest.mark.slow
def test_a_layer_with_bfloat16_products_is_read_as_always_on_a_crossbar():
    fast, slow = (deploy(layer, NOISY, 0.0, key=KEY) for layer in bfloat16_pair())
    x = jr.normal(KEY, (300,))
    np.testing.assert_array_equal(fast(x, key=KEY), slow(x, key=KEY))


def test_an_input_without_channels_first_is_refused_by_the_kind_of_layer():
    with pytest.raises(
        ValueError, match=r"A Conv1d must take an input of shape \(1, and 1 spatial axes\). Got \(48, 1\)"
    ):
        ms.nn.Conv1d(1, 8, 5, key=jr.key(0))(jnp.ones((48, 1)))
