"""Signed weights become cells of one or more arrays, and their bit lines give the weights back."""

import dataclasses
import math
import re

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
from helpers import slow
from memsim import (
    ADC,
    DAC,
    BitSliced,
    Crossbar,
    DifferentialPair,
    OffsetColumn,
    Reads,
    SenseAmplifier,
    nn,
    train,
)
from memsim.extend import AbstractWires

W = np.array([[0.5, -4.0, 0.0], [-2.0, 1.0, 0.0], [0.25, 0.0, 0.0], [8.0, 3.0, 0.0]], np.float32)  # rows are inputs
MAPPINGS = {
    "pair": DifferentialPair(),
    "interleaved": DifferentialPair(arrangement="interleaved"),
    "digital": OffsetColumn(),
    "column": OffsetColumn(offset="column"),
    "sliced_pair": BitSliced(DifferentialPair(), 2, 4),
    "sliced_interleaved": BitSliced(DifferentialPair(arrangement="interleaved"), 3, 2),
    "sliced_digital": BitSliced(OffsetColumn(), 4, 2),
    "sliced_column": BitSliced(OffsetColumn(offset="column"), 1, 7),
}
CELLS = {  # planes, and more bit lines than weights in tiles of 5 of 12 columns
    "pair": (2, 0),
    "interleaved": (2, 0),
    "digital": (1, 0),
    "column": (1, 3),
    "sliced_pair": (8, 0),
    "sliced_interleaved": (4, 0),
    "sliced_digital": (2, 0),
    "sliced_column": (7, 3),
}
N = 20_000  # samples of each random quantity
STANDARD_ERRORS = 5
each_mapping = pytest.mark.parametrize("name", MAPPINGS)
# What compiles long: the others are slow tests.
QUICK = ("pair", "column", "sliced_digital")
mappings = pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in MAPPINGS]
)


def normal(seed, *shape):
    return jr.normal(jr.key(seed), shape)


def rounded(mapping, w, scale):
    """`w` as the mapping holds it on ideal cells, in float64 and by its definition."""
    if not isinstance(mapping, BitSliced):
        return w
    bits = mapping.bits_per_cell * mapping.slices
    # A pair has the sign besides; an offset column has it in the code, as a signed converter.
    largest = 2**bits - 1 if isinstance(mapping.mapping, DifferentialPair) else 2 ** (bits - 1) - 1
    return np.round(w / scale * largest) / largest * scale


@pytest.mark.parametrize(
    "scale, tile, expected",
    [  # by hand; a column of zeros has scale zero
        ("column", (2, 2), [[2, 4, 0], [8, 3, 0]]),
        ("column", (3, 1), [[2, 4, 0], [8, 3, 0]]),
        ("column", (9, 9), [[8, 4, 0]]),
        ("column", (1, 1), [[0.5, 4, 0], [2, 1, 0], [0.25, 0, 0], [8, 3, 0]]),
        ("tile", (2, 2), [[4, 4, 0], [8, 8, 0]]),
        ("tile", (3, 3), [[4, 4, 4], [8, 8, 8]]),
        ("tile", (9, 9), [[8, 8, 8]]),
        ("tensor", (2, 2), [[8, 8, 8], [8, 8, 8]]),
    ],
)
def test_scales_are_the_largest_magnitudes_of_a_bit_line_a_tile_or_the_matrix(scale, tile, expected):
    for mapping in (DifferentialPair(scale), OffsetColumn(scale), BitSliced(OffsetColumn(scale), 2, 2)):
        np.testing.assert_array_equal(mapping.scales(jnp.asarray(W), tile), expected)


def test_a_weight_goes_to_the_cell_of_its_sign_and_leaves_the_partner_off():
    positive, negative = DifferentialPair().fractions(jnp.asarray([[0.25, -1.0, 0.0]]), 3)
    np.testing.assert_array_equal(positive, [[0.25, 0, 0]])
    np.testing.assert_array_equal(negative, [[0, 1, 0]])


@each_mapping
def test_targets_run_from_g_min_to_g_max(name):
    w = normal(0, 10, 12)
    cells = np.asarray(MAPPINGS[name].fractions(w / jnp.max(jnp.abs(w)), 5))
    assert np.min(cells) >= 0 and np.max(cells) == 1
    chip = Crossbar(dm.Ideal(1e-6, 21e-6), compensation=None).program(w, key=jr.key(0))
    np.testing.assert_allclose([np.min(chip.cells), np.max(chip.cells)], [1e-6, 21e-6], rtol=1e-5)


@each_mapping
def test_cells_are_as_many_as_the_mapping_says(name):
    chip = Crossbar(dm.Ideal(), MAPPINGS[name], tile=(4, 5)).program(normal(0, 12, 10), key=jr.key(0))
    planes, references = CELLS[name]
    assert chip.cells.shape == (planes, 10, 12 + references)


@each_mapping
@pytest.mark.parametrize("scale, tile", [slow("column", (4, 5)), ("tile", (4, 5)), slow("tensor", (99, 99))])
def test_ideal_cells_give_the_product_with_the_weights_as_the_mapping_rounds_them(name, scale, tile):
    mapping = MAPPINGS[name]
    base = dataclasses.replace(mapping.mapping if isinstance(mapping, BitSliced) else mapping, scale=scale)
    mapping = dataclasses.replace(mapping, mapping=base) if isinstance(mapping, BitSliced) else base
    w, x = normal(0, 12, 10), normal(1, 3, 10)
    design = Crossbar(dm.Ideal(1e-6, 21e-6), mapping, compensation=None, tile=tile)
    matrix = design.deploy(w, 0.0, key=jr.key(0))
    expected = np.array(w, np.float64)
    for i in range(0, 10, tile[0]):
        for j in range(0, 12, tile[1]):
            block = expected[j : j + tile[1], i : i + tile[0]]
            largest = {"column": np.abs(block).max(1, keepdims=True), "tile": np.abs(block).max()}
            block[:] = rounded(mapping, block, largest.get(scale, np.abs(np.asarray(w, np.float64)).max()))
    np.testing.assert_allclose(matrix.effective_weight, expected, rtol=0, atol=5e-6)
    np.testing.assert_allclose(matrix(x), np.asarray(x, np.float64) @ expected.T, rtol=0, atol=3e-5)


def test_digits_are_those_of_the_code():
    pair = BitSliced(DifferentialPair(), bits_per_cell=2, slices=3).fractions(jnp.asarray([[27 / 63, -38 / 63]]), 2)
    # 27 = 1 * 16 + 2 * 4 + 3 and 38 = 2 * 16 + 1 * 4 + 2; the smallest digit first, positive before negative cells.
    expected = [[3, 0], [0, 2], [2, 0], [0, 1], [1, 0], [0, 2]]
    np.testing.assert_allclose(np.asarray(pair)[:, 0] * 3, expected, atol=1e-6)
    # -1, 0 and 1 are the codes 1, 32 and 63.
    offset = BitSliced(OffsetColumn(), bits_per_cell=3, slices=2)
    codes = np.asarray(offset.fractions(jnp.asarray([[-1.0, 0.0, 1.0]]), 3))[:, 0] * 7
    np.testing.assert_allclose(codes, [[1, 0, 7], [0, 4, 7]], atol=1e-5)
    np.testing.assert_allclose(np.array(offset.middle) * 7, [0, 4], atol=1e-6)


@pytest.mark.parametrize("slices", [None, (2, 4)])
def test_a_reference_column_takes_off_what_the_digital_sum_does_with_ideal_cells(slices):
    found = []
    for offset in ("digital", "column"):
        mapping = OffsetColumn(offset=offset)
        mapping = mapping if slices is None else BitSliced(mapping, *slices)
        design = Crossbar(dm.Ideal(1e-6, 21e-6), mapping, compensation=None, tile=(4, 5))
        found.append(design.deploy(normal(0, 12, 10), 0.0, key=jr.key(0))(normal(1, 3, 10)))
    np.testing.assert_allclose(*found, rtol=0, atol=3e-5)


# Read noise.


@mappings
def test_read_noise_has_the_law_of_fresh_noisy_cells(name):
    settings = {"dac": DAC(None, 8.0), "tile": (4, 3), "reads": Reads("per_read")}
    design = Crossbar(dm.pcm_joshi2020(), MAPPINGS[name], compensation=None, **settings)
    w, x = normal(0, 5, 6), normal(1, 6)
    chip = design.program(w, key=jr.key(2))
    matrix = chip.at(1e5, key=jr.key(3))
    ours = np.asarray(jax.jit(jax.vmap(lambda key: matrix(x, key=key)))(jr.split(jr.key(4), N)), np.float64)
    mean, covariance = moments(chip, np.asarray(x, np.float64))
    spread = np.sqrt(np.diag(covariance))
    assert np.all(np.abs(ours.mean(0) - mean) < STANDARD_ERRORS * spread / math.sqrt(N) + 1e-4 * np.abs(mean).max())
    # A covariance of N normal pairs has at most the standard error sqrt(2 / N) of the product of the spreads.
    error = np.abs(np.cov(ours.T) - covariance) / np.outer(spread, spread)
    assert error.max() < STANDARD_ERRORS * math.sqrt(2 / N)
    if "column" in name:  # the reference is common to a tile
        assert covariance[0, 1] > 0.1 * covariance[0, 0]


def moments(chip, x):
    """Mean and covariance of a read by its definition: the output is linear in the cells, and they are independent."""
    design, t = chip.crossbar, jnp.asarray(1e5)
    g, std = (np.asarray(f(chip.cells, t), np.float64) for f in (design.device.conductance, design.device.read_noise))
    (rows, columns), mapping = design.tile, design.mapping
    base = mapping.mapping if isinstance(mapping, BitSliced) else mapping
    slices = mapping.slices if isinstance(mapping, BitSliced) else 1
    planes, lines = g.shape[0] // slices, columns + (getattr(base, "offset", "") == "column")
    scales = np.asarray(chip.scales, np.float64)
    slope = np.zeros((scales.shape[1], *g.shape))  # of each output with respect to each cell
    mean = np.zeros(scales.shape[1])
    for j, s, i in np.ndindex(scales.shape[1], slices, len(x)):
        unit = mapping.weights[s] * scales[i // rows, j] * x[i] / design.device.g_max
        line = j // columns * lines + j % columns
        slope[j, s * planes, i, line] += unit
        if planes == 2:
            slope[j, s * planes + 1, i, line] -= unit
        elif base.offset == "column":
            slope[j, s * planes, i, min(j // columns * lines + columns, g.shape[2] - 1)] -= unit
        else:
            mean[j] -= unit * mapping.middle[s] * design.device.g_max
    flat = slope.reshape(len(slope), -1)
    return mean + flat @ g.ravel(), flat * std.ravel() ** 2 @ flat.T


# Wires, gradients, compensation.


class Recorded(AbstractWires):
    """Wires that weaken every cell by its bit line's place, so that neighbours are told apart."""

    shapes: list = eqx.field(static=True)

    def effective(self, g):
        self.shapes.append(g.shape)
        return g / (1 + jnp.arange(g.shape[1], dtype=g.dtype))[None]


@pytest.mark.parametrize(
    "name, shapes",
    [
        slow("pair", [(4, 5), (4, 2), (3, 5), (3, 2)]),
        slow("interleaved", [(4, 10), (4, 4), (3, 10), (3, 4)]),
        slow("digital", [(4, 5), (4, 2), (3, 5), (3, 2)]),
        ("column", [(4, 6), (4, 3), (3, 6), (3, 3)]),
        ("sliced_interleaved", [(4, 10), (4, 4), (3, 10), (3, 4)]),
    ],
)
def test_wires_see_whole_arrays_tiles_of_one_size_together(name, shapes):
    wires, mapping = Recorded([]), MAPPINGS[name]
    g = mapping.fractions(jnp.ones((7, 7)), 5)
    seen = np.asarray(mapping.behind(wires.effective, g, (4, 5)))
    assert wires.shapes == shapes and seen.shape == g.shape
    if "interleaved" in name:  # 1/1, 1/2, 1/3, ... alternate between the signs
        place, g = np.arange(7) % 5, np.asarray(g)
        np.testing.assert_allclose(seen[0], np.tile(g[0, 0] / (2 * place + 1), (7, 1)), rtol=1e-6)
        np.testing.assert_allclose(seen[1], np.tile(g[1, 0] / (2 * place + 2), (7, 1)), rtol=1e-6)


@mappings
def test_the_gradient_passes_every_mapping_as_if_weights_were_held_exactly(name):
    x, v = normal(1, 10), normal(2, 12)

    @jax.jit
    @jax.grad
    def gradient(w):
        design = Crossbar(dm.Ideal(), MAPPINGS[name], compensation=None, tile=(4, 5))
        return v @ design.deploy(w, 0.0, key=jr.key(0))(x)

    # Not at the largest weight of a bit line: it sets the scale of the others.
    w = normal(0, 12, 10)
    tiles = np.split(np.abs(w), [4, 8], axis=1)
    largest = np.concatenate([tile == tile.max(1, keepdims=True) for tile in tiles], axis=1)
    np.testing.assert_allclose(np.asarray(gradient(w))[~largest], np.outer(v, x)[~largest], rtol=1e-4)


@mappings
def test_a_matrix_that_should_present_given_weights_does(name):
    design = Crossbar(dm.pcm_joshi2020(), MAPPINGS[name], compensation=None, tile=(4, 5), reads=Reads("off"))
    matrix, w = design.deploy(normal(0, 12, 10), 0.0, key=jr.key(0)), normal(1, 12, 10)
    changed = dataclasses.replace(matrix, weight=matrix.in_codes(w))
    np.testing.assert_allclose(changed.effective_weight, w, rtol=0, atol=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["column", "sliced_digital"])
def test_chips_of_many_keys_are_the_chips_one_by_one(name):
    design = Crossbar(dm.pcm_joshi2020(), MAPPINGS[name], tile=(9, 3))
    w, x, keys = normal(0, 5, 6), normal(1, 6), jr.split(jr.key(0), 3)

    def read(key):
        chip = design.program(w, key=key)
        once, again = (chip.at(1e5, key=jr.key(1))(x, key=jr.key(2)) for _ in range(2))
        return once, again

    batch, one = jax.jit(jax.vmap(read))(keys), jax.jit(read)
    np.testing.assert_array_equal(*batch)
    np.testing.assert_allclose(batch[0], [one(key)[0] for key in keys], rtol=0, atol=1e-5)


# Bit lines of zeros.


@pytest.mark.parametrize("name", [*map(slow, ("pair", "digital")), "sliced_column"])
@pytest.mark.parametrize("adc", [slow(None), ADC(8, 4.0)], ids=["no_adc", "adc"])
def test_outputs_of_a_multiple_of_the_weights_are_that_multiple_also_with_dead_lines(name, adc):
    """To the bit for a power of two. A bit line of zeros reads zero, as do all of a matrix of zeros."""
    noise = SenseAmplifier(noise=0.1) if adc else None
    design = Crossbar(dm.pcm_joshi2020(), MAPPINGS[name], adc=adc, reads=Reads(sense=noise), tile=(4, 3))
    w, x = normal(0, 5, 6).at[2].set(0.0).at[3, 4:].set(0.0).at[:3, :4].set(0.0), normal(1, 3, 6)

    @jax.jit
    def read(w):
        return design.deploy(w, 1e5, key=jr.key(2))(x, key=jr.key(3))

    once = np.asarray(read(w))
    assert np.all(once[:, 2] == 0) and np.all(once[:, [0, 1, 3, 4]] != 0)
    np.testing.assert_array_equal(read(32 * w), 32 * once)
    np.testing.assert_allclose(read(3 * w), 3 * once, rtol=0, atol=1e-5 * np.abs(once).max() if adc is None else 0.2)
    np.testing.assert_array_equal(read(0 * w), 0)


@pytest.mark.parametrize("name", [slow("pair"), "column", "sliced_digital"])
@pytest.mark.parametrize("adc", [slow(None), ADC(None, 100.0)], ids=["no_adc", "adc"])
def test_a_bit_line_of_zeros_has_the_gradient_of_the_digital_product(name, adc):
    """A layer that starts from zeros learns: the gradient of v W x is the outer product of v and x."""
    x, v, live = normal(1, 10), normal(2, 12), normal(0, 12, 10).at[5].set(0.0)

    @jax.jit
    @jax.grad
    def gradient(w):
        return v @ Crossbar(dm.Ideal(), MAPPINGS[name], adc=adc, tile=(4, 5)).deploy(w, 9.0, key=jr.key(0))(x)

    np.testing.assert_allclose(gradient(live)[5], v[5] * x, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(gradient(0 * live), np.outer(v, x), rtol=1e-4, atol=1e-6)


def test_training_noise_leaves_bit_lines_of_zeros_alone_as_chips_do():
    layer = nn.Linear(4, 3, key=jr.key(0))
    layer = eqx.tree_at(lambda layer: layer.weight, layer, layer.weight.at[1].set(0.0))
    model = nn.SpikingNetwork([layer])
    noisy = train.GaussianNoise(0.1).sample(model, strength=jnp.ones(()), key=jr.key(1)).layers[0].weight
    assert not noisy[1].any() and np.all(np.asarray(noisy != layer.weight)[[0, 2]])


# Bad input.


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: DifferentialPair("row"), '`scale` must be "tensor", "tile" or "column". Got scale=\'row\'.'),
        (lambda: OffsetColumn("row"), '`scale` must be "tensor", "tile" or "column". Got scale=\'row\'.'),
        (lambda: DifferentialPair(arrangement="mixed"), '`arrangement` must be "separate" or "interleaved"'),
        (lambda: OffsetColumn(offset="none"), '`offset` must be "digital" or "column". Got offset=\'none\'.'),
        (
            lambda: BitSliced(DifferentialPair(), 0, 4),
            "`bits_per_cell` must be a whole number of at least 1. Got bits_per_cell=0",
        ),
        (lambda: BitSliced(DifferentialPair(), 8, 4), "2 to 23 bits together"),
        (lambda: BitSliced(BitSliced(DifferentialPair(), 2, 2), 2, 2), "`mapping` must be"),
    ],
)
def test_bad_settings_are_refused(unchecked, make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()
