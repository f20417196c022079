"""A crossbar computes W x through its tiles and converters, and adds the noise its cells have."""

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
from memsim import ADC, DAC, Crossbar, DifferentialPair, GlobalDriftCompensation, Reads

YEAR = 365.25 * 86400.0
N = 100_000  # samples of each random quantity
STANDARD_ERRORS = 4  # tolerance of each moment; the keys are fixed, so what passes keeps passing
NOISY = Crossbar(dm.pcm_joshi2020(), compensation=None, tile=(4, 2), reads=Reads("per_read"))
LEVELS = dataclasses.replace(NOISY, dac=DAC(None, 8.0))  # voltages, of which noise is a share


def normal(seed, *shape):
    return jr.normal(jr.key(seed), shape)


def reference(w, x, tile, scale, dac, adc):
    """What an ideal array computes, in float64 and in weights: (bits, range) of each converter, or None."""
    w, x, (rows, columns) = np.asarray(w, np.float64), np.asarray(x, np.float64), tile
    input_range = 1.0
    if dac is not None:
        bits, input_range = dac
        x = np.clip(x, -input_range, input_range)
        x = np.round(x / input_range * (2 ** (bits - 1) - 1)) / (2 ** (bits - 1) - 1) * input_range
    y = np.zeros((*x.shape[:-1], w.shape[0]))
    for i in range(0, w.shape[1], rows):
        for j in range(0, w.shape[0], columns):
            block = w[j : j + columns, i : i + rows]
            s = np.abs(block).max(axis=1 if scale == "column" else None, keepdims=True)[:, 0]
            s = np.where(s > 0, s, 1.0)
            part = x[..., i : i + rows] @ block.T
            if adc is not None:
                bits, full_scale = adc
                largest, full = 2 ** (bits - 1) - 1, full_scale * input_range * s
                part = np.round(np.clip(part / full, -1, 1) * largest) / largest * full
            y[..., j : j + columns] += part
    return y


def assert_moments(samples, mean, variance):
    """Each column of the N `samples` has this mean and variance, within STANDARD_ERRORS."""
    samples = np.asarray(samples, np.float64)
    error = math.sqrt(1 / len(samples))
    assert np.all(np.abs(samples.mean(0) - mean) < STANDARD_ERRORS * error * np.sqrt(variance))
    # The variance of N normal samples has relative standard error sqrt(2 / N).
    assert np.all(np.abs(samples.var(0) / variance - 1) < STANDARD_ERRORS * error * math.sqrt(2))


# The product.


@pytest.mark.parametrize("tile", [slow((1, 1)), (4, 5), slow((10, 6)), (256, 256)])
@pytest.mark.parametrize("shape", [(6, 10), (1, 1), slow((1, 9)), (9, 1)])
@pytest.mark.parametrize("device", [slow(dm.Ideal()), dm.Ideal(g_min=1e-6)], ids=["g_min=0", "g_min=1uS"])
def test_ideal_cells_give_the_matrix_product(device, shape, tile):
    w, x = normal(0, *shape), normal(1, 3, shape[1])
    matrix = Crossbar(device, tile=tile).deploy(w, 0.0, key=jr.key(0))
    expected = np.asarray(x, np.float64) @ np.asarray(w, np.float64).T
    np.testing.assert_allclose(matrix(x), expected, rtol=0, atol=1e-6 * np.abs(expected).max())
    np.testing.assert_allclose(matrix.effective_weight, w, rtol=0, atol=1e-6 * np.abs(w).max())


@pytest.mark.parametrize("w", [np.zeros((4, 6)), np.arange(24.0).reshape(4, 6) * (np.arange(4) != 2)[:, None]])
@pytest.mark.parametrize("adc", [None, ADC(8, 6.0)])
def test_zeros_stay_zero(w, adc):
    design = Crossbar(dm.Ideal(g_min=1e-6), adc=adc, tile=(4, 3))
    y = design.deploy(jnp.asarray(w, jnp.float32), YEAR, key=jr.key(0))(normal(0, 5, 6))
    assert np.isfinite(y).all() and not np.any(y[:, ~w.any(1)])


@pytest.mark.parametrize("tile", [slow((1, 1)), (4, 5), slow((256, 256))])
@pytest.mark.parametrize("scale", ["column", "tile"])
@pytest.mark.parametrize(
    "dac, adc",
    [
        slow((8, 1.7), (8, 2.3)),
        slow((3, 1.7), (8, 2.3)),
        ((8, 1.7), (3, 0.9)),
        slow((2, 0.6), (2, 0.9)),
        ((8, 1.7), None),
        (None, (8, 2.3)),
    ],
)
def test_converters_agree_with_numpy(dac, adc, scale, tile):
    w, x = normal(0, 6, 10), normal(1, 9, 10)
    design = Crossbar(
        dm.Ideal(),
        DifferentialPair(scale),
        dac=None if dac is None else DAC(*dac),
        adc=None if adc is None else ADC(*adc),
        compensation=None,
        tile=tile,
    )
    matrix = design.deploy(w, 0.0, key=jr.key(0))
    expected = reference(w, x, tile, scale, dac, adc)
    np.testing.assert_allclose(matrix(x), expected, rtol=0, atol=1e-6 * np.abs(expected).max())
    np.testing.assert_allclose(matrix(x[2]), expected[2], rtol=0, atol=1e-6 * np.abs(expected).max())  # no batch axis


# Read noise.


@pytest.mark.parametrize("adc", [slow(None), ADC(None, 1e3)], ids=["no_adc", "unrounded_adc"])
def test_read_noise_has_the_variance_of_the_cells(adc):
    w, x = normal(0, 3, 6), normal(1, 6)
    design = eqx.tree_at(lambda d: d.adc, LEVELS, adc, is_leaf=lambda leaf: leaf is None)
    chip = design.program(w, key=jr.key(2))
    matrix = chip.at(YEAR, key=jr.key(3))
    samples = jax.jit(jax.vmap(lambda key: matrix(x, key=key)))(jr.split(jr.key(4), N))

    g, std = (
        np.asarray(f(chip.cells, jnp.asarray(YEAR)), np.float64)
        for f in (design.device.conductance, design.device.read_noise)
    )
    fully_on = np.repeat(np.asarray(chip.scales), [4, 2], 0) / 25e-6  # weight of one siemens
    x = np.asarray(x, np.float64)
    assert_moments(samples, x @ ((g[0] - g[1]) * fully_on), x**2 @ ((std**2).sum(0) * fully_on**2))
    # The correlation of N independent pairs has standard error 1 / sqrt(N).
    assert np.abs(np.corrcoef(np.asarray(samples).T) - np.eye(3)).max() < STANDARD_ERRORS / math.sqrt(N)


def test_an_output_depends_on_no_other_row_of_the_batch():
    """Converters have one range, whatever comes: no row is scaled by the largest of its batch."""
    design = Crossbar(dm.pcm_joshi2020(), dac=DAC(8, 1.0), adc=ADC(8), reads=Reads("off"))
    matrix, x = design.deploy(normal(0, 3, 6), YEAR, key=jr.key(2)), 0.3 * normal(1, 4, 6)
    beside = matrix(jnp.concatenate([x, jnp.full((1, 6), 9.0)]))
    np.testing.assert_array_equal(beside[:4], matrix(x))
    np.testing.assert_array_equal(jnp.stack([matrix(row) for row in x]), matrix(x))


@pytest.mark.slow
def test_rows_of_a_batch_have_independent_noise():
    matrix = NOISY.deploy(normal(0, 1, 6), YEAR, key=jr.key(2))
    y = np.asarray(matrix(jnp.ones((N, 6)), key=jr.key(3)))[:, 0]
    assert abs(np.corrcoef(y[1:], y[:-1])[0, 1]) < STANDARD_ERRORS / math.sqrt(N)


def test_noise_on_outputs_has_the_law_of_fresh_noisy_cells():
    w, x = normal(0, 3, 6), normal(1, 6)
    chip = LEVELS.program(w, key=jr.key(2))
    matrix = chip.at(YEAR, key=jr.key(3))
    g, std = (np.asarray(f(chip.cells, jnp.asarray(YEAR))) for f in (NOISY.device.conductance, NOISY.device.read_noise))
    cells = g + std * np.random.default_rng(0).normal(size=(N, *g.shape))
    weights = (cells[:, 0] - cells[:, 1]) * np.repeat(np.asarray(chip.scales), [4, 2], 0) / 25e-6
    fresh = np.asarray(x, np.float64) @ weights
    ours = np.asarray(jax.jit(jax.vmap(lambda key: matrix(x, key=key)))(jr.split(jr.key(4), N)), np.float64)
    # Two independent estimates: standard errors sqrt(2) times those of one.
    error = STANDARD_ERRORS * math.sqrt(2 / N)
    assert np.all(np.abs(ours.mean(0) - fresh.mean(0)) < error * fresh.std(0))
    assert np.all(np.abs(ours.var(0) / fresh.var(0) - 1) < error * math.sqrt(2))


@pytest.mark.parametrize("adc", [slow(None), ADC(8)])
def test_a_silent_input_has_no_noise_and_a_finite_gradient(adc):
    design = eqx.tree_at(lambda d: d.adc, NOISY, adc, is_leaf=lambda leaf: leaf is None)
    x = jnp.zeros((2, 6)).at[1, 5].set(1.0)  # the first silent everywhere, the second on one of two tiles

    def read(w, x):
        return design.deploy(w, YEAR, key=jr.key(1))(x, key=jr.key(2))

    def both(w, x):
        return read(w, x), jax.grad(lambda w, x: read(w, x).sum(), argnums=(0, 1))(w, x)

    y, gradients = jax.jit(both)(normal(0, 3, 6), x)
    assert not y[0].any() and y[1].all()
    for gradient in gradients:
        assert np.isfinite(gradient).all() and gradient.any()


def test_noise_per_moment_stays_between_reads_and_differs_between_moments():
    design = Crossbar(dm.pcm_joshi2020(), tile=(4, 2), reads=Reads("per_moment"))
    x, chip = normal(1, 6), design.program(normal(0, 3, 6), key=jr.key(2))
    one, same, other = (chip.at(YEAR, key=jr.key(i)) for i in (3, 3, 4))
    np.testing.assert_array_equal(one(x), one(x, key=jr.key(5)))
    np.testing.assert_array_equal(one(x), same(x))
    assert np.all(np.asarray(one(x)) != np.asarray(other(x)))


def test_noise_per_moment_has_the_variance_of_the_cells():
    # A tenth of the noise: no cell is clipped at zero, which would change the law.
    design = Crossbar(dm.pcm_joshi2020(read_noise_scale=0.1), compensation=None, reads=Reads("per_moment"))
    x, chip = normal(1, 4), design.program(normal(0, 2, 4), key=jr.key(2))
    samples = jax.jit(jax.vmap(lambda key: chip.at(YEAR, key=key)(x)))(jr.split(jr.key(3), N))
    t, x = jnp.asarray(YEAR), np.asarray(x, np.float64)
    g, std = (np.asarray(f(chip.cells, t), np.float64) for f in (design.device.conductance, design.device.read_noise))
    fully_on = np.asarray(chip.scales) / 25e-6
    assert_moments(samples, x @ ((g[0] - g[1]) * fully_on), x**2 @ ((std**2).sum(0) * fully_on**2))


def test_reads_without_noise_need_no_key():
    for design in (Crossbar(dm.pcm_joshi2020(), reads=Reads("off")), Crossbar(dm.Ideal())):
        matrix = design.program(normal(0, 3, 6), key=jr.key(0)).at(YEAR)
        np.testing.assert_array_equal(matrix(normal(1, 6)), matrix(normal(1, 6), key=jr.key(1)))


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16])
def test_exact_cells_hold_weights_in_16_bits(dtype):
    w = normal(0, 3, 6).astype(dtype)
    found = Crossbar(dm.Ideal(), compensation=None).program(w, key=jr.key(0)).at(0.0).effective_weight
    np.testing.assert_allclose(np.asarray(found, np.float32), np.asarray(w, np.float32), rtol=1e-3, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16])
def test_weights_in_16_bits_are_those_numbers_on_cells_of_32(dtype):
    """Conductances of 1e-5 S are below float16's range. Outputs and gradients have the dtype that digital ones have."""
    w, x, design = normal(0, 5, 6).astype(dtype), normal(1, 3, 6).astype(dtype), Crossbar(dm.rram_wan2022(), adc=ADC(8))

    @jax.jit
    def read(w, x):
        return design.deploy(w, YEAR, key=jr.key(0))(x, key=jr.key(1))

    y, wide = read(w, x), read(w.astype(jnp.float32), x.astype(jnp.float32))
    assert y.dtype == (x @ w.T).dtype == dtype and wide.dtype == jnp.float32
    np.testing.assert_array_equal(y, wide.astype(dtype))
    gradient = jax.grad(lambda w: read(w, x).astype(jnp.float32).sum())(w)
    assert gradient.dtype == dtype and np.all(np.isfinite(gradient.astype(jnp.float32)))


# Bad input.


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda: Crossbar(dm.Ideal(), tile=(0, 4)), "`tile` must be (rows, columns), both at least 1. Got tile=(0, 4)"),
        (
            lambda: Crossbar(dm.Ideal(), reads=Reads("on")),
            '`noise` must be "per_read", "per_moment", "off" or a `Correlated`',
        ),
        (
            lambda: GlobalDriftCompensation(patterns=0),
            "`patterns` must be a whole number of at least 1. Got patterns=0.",
        ),
        (lambda: NOISY.program(jnp.ones((2, 2)).at[0, 1].set(jnp.nan), key=jr.key(0)), "Got 1 NaN or infinite of 4"),
        (lambda: NOISY.program(jnp.full((2, 2), -jnp.inf), key=jr.key(0)), "`w` must be finite. Got 4"),
        (lambda: NOISY.program(jnp.ones((0, 3)), key=jr.key(0)), "no empty axis. Got shape (0, 3)"),
        (lambda: NOISY.program(jnp.ones((3, 0)), key=jr.key(0)), "no empty axis. Got shape (3, 0)"),
        (
            lambda: NOISY.program(jnp.ones(3), key=jr.key(0)),
            "shape (outputs, inputs) with no empty axis. Got shape (3,)",
        ),
        (lambda: jax.jit(lambda w: NOISY.program(w, key=jr.key(0)).scales)(jnp.ones(3)), "`w` must be a matrix"),
        (lambda: deployed(t=-1.0), "at least 0 seconds after the end of programming, and at most 1e12. Got t=-1.0"),
        (lambda: deployed(t=math.nan), "at least 0 seconds after the end of programming, and at most 1e12. Got t=nan"),
        (lambda: deployed(t=jnp.asarray([0.0, 1.0])), "Several times? Use jax.vmap"),
        (lambda: NOISY.program(jnp.ones((2, 3)), key=jr.key(0)).at(0.0), "needs `at(t, key=...)`. Got no key"),
        (lambda: deployed()(jnp.ones(3)), "A noisy read needs `key=`. Got none"),
        (lambda: deployed()(jnp.ones((5, 2)), key=jr.key(0)), "must have 3 entries, one a word line. Got shape (5, 2)"),
        (lambda: deployed()(jnp.asarray(1.0), key=jr.key(0)), "must have 3 entries, one a word line. Got shape ()"),
    ],
)
def test_bad_input_is_refused_with_its_remedy(unchecked, call, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        call()


def deployed(t=0.0):
    return NOISY.deploy(jnp.ones((2, 3)), t, key=jr.key(0))


def test_a_negative_time_that_cannot_be_refused_gives_nan():
    chip = NOISY.program(jnp.ones((2, 3)), key=jr.key(0))
    weight = jax.jit(lambda t: chip.at(t, key=jr.key(1)).effective_weight)
    assert np.isfinite(weight(0.0)).all() and np.isnan(weight(-1.0)).all()


def test_a_device_whose_cells_have_another_shape_is_named():
    class Raveled(dm.AbstractDevice):
        g_min: float = 0.0
        g_max: float = 25e-6

        def program(self, target, *, key):
            return target.ravel()

        def conductance(self, cells, t):
            return cells

    with pytest.raises(ValueError, match=r"targets that it was to write, \(2, 3, 2\). Got \(12,\) of a Raveled"):
        Crossbar(Raveled()).program(jnp.ones((2, 3)), key=jr.key(0))
