"""Converter ranges from data."""

import re

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from device_models import Ideal
from memsim.nn import LI, Linear, SpikingNetwork

PATH = ".layers[0]"


def network():
    return SpikingNetwork([Linear(6, 5, key=jr.key(0)), LI(5)])


def calibrated(ranges, **settings):
    xs = jr.normal(jr.key(1), (8, 20, 6))
    return ms.calibrate(network(), xs, ms.Crossbar(Ideal(), tile=(4, 3), **settings), ranges=ranges).designs[PATH], xs


def test_a_percentile_covers_its_fraction():
    x = jr.normal(jr.key(0), (50, 200))
    np.testing.assert_allclose(ms.Percentile(0.95).of_inputs(x, 8), np.quantile(np.abs(x), 0.95), rtol=1e-6)
    np.testing.assert_allclose(ms.Percentile(1.0).of_currents(x, 8), np.abs(x).max(), rtol=1e-6)


@pytest.mark.slow
def test_least_squares_is_the_optimum_of_a_normal_distribution():
    # Max 1960 gives steps of 0.5860, 0.3352 and 0.1881 for 8, 16 and 32 levels; a symmetric converter has one level
    # less, with a level at zero: 7, 15 and 31, between his for 6 and 8 and so on (0.7334, 0.3534 for 6 and 15 levels).
    x = jr.normal(jr.key(0), (400_000,))
    found = float(ms.LeastSquares(candidates=400).of_inputs(x, 4)) / 7
    assert abs(found / 0.3534 - 1) < 0.03


@pytest.mark.parametrize("bits", [2, 3, 6])
def test_least_squares_beats_every_other_range(bits):
    x = np.asarray(jr.t(jr.key(0), 4.0, (5000,)), np.float64)
    found = float(ms.LeastSquares(candidates=200).of_inputs(jnp.asarray(x, jnp.float32), bits))

    def error(full):
        largest = 2 ** (bits - 1) - 1
        return np.mean((np.clip(np.round(x / full * largest), -largest, largest) * full / largest - x) ** 2)

    best = min(error(full) for full in np.abs(x).max() * np.linspace(0.01, 1, 1000))
    assert error(found) < 1.01 * best


def test_without_rounding_least_squares_clips_nothing():
    x = jr.normal(jr.key(0), (1000,))
    np.testing.assert_allclose(ms.LeastSquares().of_inputs(x, None), np.abs(x).max(), rtol=1e-5)


@pytest.mark.slow
def test_maximal_ranges_cover_all_inputs_and_all_cells():
    design, xs = calibrated(ms.Maximal(), dac=ms.DAC(8), adc=ms.ADC(8))
    np.testing.assert_allclose(design.dac.input_range, np.abs(xs).max())
    assert design.adc.full_scale is None
    clipped = ms.nn.clipping(ms.deploy(network(), design, 0.0, key=jr.key(0)), xs)[PATH]
    assert clipped.dac == 0 and not np.any(clipped.adc)


def test_a_full_scale_for_each_slice_covers_its_currents():
    mapping = ms.BitSliced(ms.DifferentialPair(), 2, 3)
    design, xs = calibrated(ms.Percentile(1.0), mapping=mapping, adc=ms.ADC(None))
    assert design.adc.full_scale.shape == (3,)
    w, x = np.asarray(network().layers[0].weight, np.float64).T, np.asarray(xs, np.float64).reshape(-1, 6)
    largest = np.zeros(3)
    for tile in (slice(0, 4), slice(4, 6)):
        relative = w[tile] / np.abs(w[tile]).max(axis=0)
        code = np.round(np.abs(relative) * 63).astype(int)
        for s in range(3):
            cells = np.sign(relative) * (code // 4**s % 4) / 3
            largest[s] = max(largest[s], np.abs(x[:, tile] @ cells).max())
    np.testing.assert_allclose(design.adc.full_scale, largest, rtol=1e-5)


@pytest.mark.slow
def test_the_full_scale_of_bit_serial_inputs_covers_single_digits():
    design, xs = calibrated(ms.Percentile(1.0), dac=ms.BitSerialDAC(4), adc=ms.ADC(8))
    deployed = ms.deploy(network(), design, 0.0, key=jr.key(0))
    assert not np.any(ms.nn.clipping(deployed, xs)[PATH].adc)
    assert design.adc.full_scale <= 4.0  # no digit is more than one, and a tile has four word lines


@pytest.mark.parametrize("ranges", [ms.Percentile(), ms.LeastSquares(), ms.Maximal()])
def test_a_silent_layer_keeps_a_range(ranges):
    assert ranges.of_inputs(jnp.zeros(9), 8) == 1.0


@pytest.mark.parametrize(
    "make, says",
    [
        (
            lambda: ms.Percentile(99.0),
            "`coverage` must be a fraction in (0, 1]. Got coverage=99.0. Percent? Divide by 100.",
        ),
        (lambda: ms.LeastSquares(candidates=1), "Got candidates=1"),
        (lambda: ms.LeastSquares(smallest=1.0), "`smallest` must be between 0 and 1"),
    ],
)
def test_bad_settings_are_refused(make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()
