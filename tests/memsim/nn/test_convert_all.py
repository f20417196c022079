"""Every layer of Equinox that multiplies by a matrix: converted, on ideal cells, and on noisy ones."""

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
from memsim.nn import analog_layers, convert, with_read_keys

KEY = jr.key(1)
NOISY = ms.Crossbar(pcm_joshi2020(read_noise_scale=10.0), compensation=None)
IDEAL = ms.Crossbar(Ideal(), tile=(5, 3))
run = eqx.filter_jit(lambda model, *xs: model(*xs))
deploy = eqx.filter_jit(ms.deploy)
SIZES = (5, 6, 4)  # of the spatial axes


def check(model, *xs, layers=1, **options):
    """Converted, and on ideal cells, the outputs are those of Equinox to float64."""
    with jax.enable_x64(True):
        model = jax.tree.map(lambda a: a.astype(float) if eqx.is_inexact_array(a) else a, model)
        xs = [x.astype(float) if jnp.issubdtype(x.dtype, jnp.inexact) else x for x in xs]
        ours, expected = convert(model, **options), run(model, *xs)
        assert len(analog_layers(ours)) == layers
        found = run(ours, *xs)
        assert found.shape == expected.shape == getattr(ours, "output_shape", lambda _: found.shape)(xs[0].shape)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(run(deploy(ours, IDEAL, 0.0, key=KEY), *xs), expected, rtol=1e-8, atol=1e-10)
        return ours


CONVOLUTIONS = [
    dict(padding=1),
    dict(padding="SAME_LOWER", stride=2, dilation=2),
    dict(padding="SAME", groups=2),
    dict(padding=1, padding_mode="REFLECT", groups=2),
    dict(padding="SAME", padding_mode="REPLICATE", stride=2),
    dict(padding="SAME_LOWER", padding_mode="CIRCULAR"),
    dict(padding=2, padding_mode="CIRCULAR", dilation=2),
]


@pytest.mark.parametrize("rank", [slow(1), 2, slow(3)])
@pytest.mark.parametrize("settings", CONVOLUTIONS)
def test_a_convolution_is_that_of_equinox(settings, rank):
    kind = (eqx.nn.Conv1d, eqx.nn.Conv2d, eqx.nn.Conv3d)[rank - 1]
    x = jr.normal(KEY, (2, *SIZES[:rank]))
    ours = check(kind(2, 4, (3, 2, 2)[:rank], key=KEY, **settings), x)
    assert type(ours).__name__ == kind.__name__


TRANSPOSED = [
    dict(),
    dict(stride=3, padding=2, output_padding=1),
    dict(stride=2, padding=3),  # takes more off than the kernel reaches
    dict(stride=2, padding=((1, 0), (0, 2), (1, 1)), dilation=2, use_bias=False),
    dict(stride=2, padding="SAME", groups=2),
    dict(stride=3, padding="SAME_LOWER", output_padding=2),
    dict(stride=4, padding="SAME", dilation=1),  # a kernel shorter than the stride
    dict(stride=2, padding="VALID", output_padding=1),
    dict(stride=2, padding="SAME", padding_mode="CIRCULAR"),
    dict(stride=(2, 1, 2), padding="SAME_LOWER", padding_mode="CIRCULAR", dilation=2, groups=2),
]


@pytest.mark.parametrize("rank", [slow(1), 2, slow(3)])
@pytest.mark.parametrize("settings", TRANSPOSED)
def test_a_transposed_convolution_is_that_of_equinox(settings, rank):
    kind = (eqx.nn.ConvTranspose1d, eqx.nn.ConvTranspose2d, eqx.nn.ConvTranspose3d)[rank - 1]
    settings = {k: v[:rank] if isinstance(v, tuple) else v for k, v in settings.items()}
    x = jr.normal(KEY, (2, *SIZES[:rank]))
    ours = check(kind(2, 4, (3, 2, 2)[:rank], key=KEY, **settings), x)
    assert type(ours).__name__ == kind.__name__


@pytest.mark.parametrize("features", [("scalar", 3), (4, "scalar"), slow(("scalar", "scalar"))])
def test_a_linear_layer_of_scalars_is_that_of_equinox(features):
    x = jnp.asarray(0.7) if features[0] == "scalar" else jr.normal(KEY, (4,))
    ours = check(eqx.nn.Linear(*features, key=KEY), x)
    assert (ours.in_features, ours.out_features) == features
    ours, xs = convert(eqx.nn.Linear(*features, key=KEY)), jnp.stack([x, 2 * x])
    np.testing.assert_allclose(ours(xs), jax.vmap(ours)(xs), rtol=1e-6)


@pytest.mark.parametrize("word", [0, 3, 6, -2, 9])  # 9 is beyond the table, as where JAX indexes
def test_an_embedding_is_that_of_equinox(word):
    check(eqx.nn.Embedding(7, 4, key=KEY), jnp.asarray(word), embeddings=True)


def test_an_embedding_stays_digital_unless_it_is_asked_for():
    model = [eqx.nn.Embedding(7, 4, key=KEY), eqx.nn.Linear(4, 2, key=KEY)]
    assert list(analog_layers(convert(model))) == ["[1]"]
    assert list(analog_layers(convert(model, embeddings=True))) == ["[0]", "[1]"]
    assert list(analog_layers(convert(model, paths=["[0]"]))) == ["[0]"]
    ms.program(convert(model), IDEAL, key=KEY)  # without a warning of the table


class Block(eqx.Module):
    """Self-attention with rotary positions and a norm, as in a transformer."""

    attention: eqx.nn.MultiheadAttention
    rotary: eqx.nn.RotaryPositionalEmbedding
    norm: eqx.nn.LayerNorm

    def __init__(self, key, dtype=jnp.float32, **settings):
        self.attention = eqx.nn.MultiheadAttention(2, 8, key=key, **settings)
        self.rotary = eqx.nn.RotaryPositionalEmbedding(4, dtype=dtype)
        self.norm = eqx.nn.LayerNorm(8)

    def __call__(self, x):
        def rotate(query, key, value):
            heads = jax.vmap(self.rotary, in_axes=1, out_axes=1)
            return heads(query), heads(key), value

        x = jax.vmap(self.norm)(x)
        mask = jnp.tril(jnp.ones((x.shape[0],) * 2, bool))
        return self.attention(x, x, x, mask=mask, process_heads=rotate)


@pytest.mark.parametrize("settings", [slow({}), {"use_query_bias": True, "use_output_bias": True}])
def test_an_attention_block_is_that_of_equinox(settings):
    block, xs = Block(KEY, **settings), jr.normal(KEY, (3, 5, 8))
    check(Block(KEY, np.dtype("float64"), **settings), xs[0], layers=4)
    ours = deploy(convert(block), IDEAL, 0.0, key=KEY)
    ideal = jax.vmap(with_read_keys(ours, key=KEY))(xs)
    np.testing.assert_allclose(ideal, jax.vmap(block)(xs), rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_a_noisy_attention_block_draws_for_each_token_and_sample():
    xs = jnp.broadcast_to(jr.normal(KEY, (8,)), (3, 5, 8))  # equal tokens of equal samples
    chip = deploy(convert(Block(KEY)), NOISY, 0.0, key=KEY)
    ys = np.asarray(jax.vmap(with_read_keys(chip, key=KEY))(xs))
    assert len(np.unique(ys)) == ys.size


def variance(reads, expected, count):
    """Every output has the variance of its cells, to four standard errors."""
    ys = np.asarray(reads, np.float64)
    assert np.abs(ys.var(axis=0) / expected - 1).max() < 4 * (2 / count) ** 0.5 * 1.2  # of the largest of several


@pytest.mark.parametrize(
    "layer, x",
    [
        slow(eqx.nn.Conv3d(2, 3, 2, key=KEY), jnp.ones((2, 2, 2, 2))),
        slow(eqx.nn.ConvTranspose2d(2, 3, 2, stride=2, key=KEY), jnp.ones((2, 2, 2))),
        (eqx.nn.ConvTranspose1d(2, 4, 3, stride=2, groups=2, key=KEY), jnp.ones((2, 3))),
        (eqx.nn.Embedding(6, 3, key=KEY), jnp.asarray(4)),
        (eqx.nn.Linear("scalar", 3, key=KEY), jnp.asarray(1.0)),
    ],
)
def test_the_noise_of_a_chip_has_the_variance_of_the_cells_that_are_driven(layer, x):
    ours = convert(layer, embeddings=True)
    chip, count = deploy(ours, NOISY, 0.0, key=KEY), 3000
    ys = eqx.filter_jit(jax.vmap(lambda key: chip(x, key=key)))(jr.split(KEY, count))
    # Each cell has its own variance: the layer with variances for weights, and squares of ones for inputs.
    squares = eqx.tree_at(lambda made: made.weight, ours, chip.weight.noise.variance.T)
    if layer.__class__ is not eqx.nn.Embedding:
        squares = eqx.tree_at(lambda made: made.bias, squares, jnp.zeros_like(squares.bias))
    variance(ys, np.asarray(squares(x), np.float64), count)


@pytest.mark.slow
@pytest.mark.parametrize("rank", [1, slow(2)])
def test_calibrated_converters_just_cover_a_transposed_convolution(rank):
    kind = (eqx.nn.ConvTranspose1d, eqx.nn.ConvTranspose2d)[rank - 1]
    layer = convert(kind(2, 3, 3, stride=2, use_bias=False, key=KEY))
    xs = jr.normal(KEY, (4, 2, 5, 5)[: rank + 2])
    crossbar = ms.Crossbar(Ideal(), adc=ms.ADC(12), dac=ms.DAC(None))
    design = ms.calibrate(layer, xs, crossbar, ranges=ms.Percentile(1.0))
    found = design("", layer)
    np.testing.assert_allclose(found.dac.input_range, np.abs(xs).max(), rtol=1e-6)
    cells = np.abs(jax.vmap(layer)(xs)).max(axis=(0, *range(2, rank + 2))) / np.abs(layer.weight).max(axis=1)
    np.testing.assert_allclose(found.adc.full_scale * found.dac.input_range, cells.max(), rtol=1e-4)
    assert not np.any(ms.nn.clipping(deploy(layer, design, 0.0, key=KEY), xs)[""].adc)


@pytest.mark.slow
def test_an_embedding_in_a_model_is_calibrated_to_one_word_line():
    class Words(eqx.Module):
        table: eqx.nn.Embedding
        head: eqx.nn.Linear

        def __call__(self, words):
            return self.head(jax.vmap(self.table)(words.astype(int)).mean(axis=0))

    model = convert(Words(eqx.nn.Embedding(6, 4, key=KEY), eqx.nn.Linear(4, 2, key=KEY)), embeddings=True)
    words = jr.randint(KEY, (5, 7), 0, 6)
    design = ms.calibrate(model, words, ms.Crossbar(Ideal(), adc=ms.ADC(8), dac=ms.DAC(8)), ranges=ms.Percentile(1.0))
    np.testing.assert_allclose(design(".table", model.table).dac.input_range, 1.0)
    np.testing.assert_allclose(design(".table", model.table).adc.full_scale, 1.0, rtol=1e-4)  # one word, fully on


def test_a_layer_that_is_one_object_twice_or_shared_is_as_before():
    table = eqx.nn.Embedding(6, 4, key=KEY)
    shared = eqx.nn.Shared((table, table), where=lambda pair: pair[1], get=lambda pair: pair[0])
    ours = convert(shared, embeddings=True)
    assert len(analog_layers(ours)) == 1
    one, other = deploy(ours, NOISY, 0.0, key=KEY)()
    np.testing.assert_array_equal(one.weight.weight, other.weight.weight)


@pytest.mark.slow
def test_dropout_of_a_converted_model_follows_inference_mode():
    model = convert(eqx.nn.Sequential([eqx.nn.Linear(4, 50, key=KEY), eqx.nn.Dropout(0.5)]))
    chip = with_read_keys(deploy(model, NOISY, 0.0, key=KEY), key=KEY)
    assert np.any(np.asarray(chip(jnp.ones(4), key=KEY)) == 0)
    still = eqx.nn.inference_mode(chip)
    assert not np.any(np.asarray(still(jnp.ones(4))) == 0)


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: ms.nn.ConvTranspose1d(1, 1, 3, output_padding=1, key=KEY), "`output_padding` must be less than"),
        (lambda: ms.nn.ConvTranspose1d(1, 1, 3, padding_mode="circular", key=KEY), "Circular padding must go with"),
        (lambda: ms.nn.Conv3d(1, 1, 3, padding_mode="mirror", key=KEY), '"zeros", "reflect", "replicate" or'),
        (lambda: ms.nn.Linear("scalars", 1, key=KEY), "`in_features` must be a whole number of at least 1"),
        (lambda: ms.nir.to_nir(ms.nn.SpikingNetwork([CIRCULAR]), dt=1e-3, input_shape=(1, 5)), "padded with zeros"),
    ],
)
def test_what_does_not_fit_is_refused(unchecked, make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()


CIRCULAR = ms.nn.Conv1d(1, 1, 3, padding_mode="circular", key=KEY)
