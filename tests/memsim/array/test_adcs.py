"""Converters as circuits: transfer curves, their spread over lines, and what a chip keeps of them."""

import dataclasses
import math
import re

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
from helpers import slow
from memsim import ADC, SAR, BitSliced, ConverterErrors, Crossbar, DifferentialPair, Ramp

STANDARD_ERRORS = 5
ERRORS = ConverterErrors(gain=0.02, offset=0.7, inl=0.4)


def curve(adc, v, tile=0):
    """Codes of one voltage on every line, for each voltage of `v`."""
    lines = adc.fabricate((2, 300), key=jr.key(0)) if adc.bits else adc
    return np.asarray(jax.jit(lambda x: lines.codes(x, tile))(jnp.tile(jnp.asarray(v, jnp.float32)[:, None], (1, 300))))


def column_of(weights, adc, **settings):
    return Crossbar(dm.Ideal(), adc=adc, compensation=None, **settings).program(jnp.asarray(weights), key=jr.key(0))


@pytest.mark.parametrize("make", [SAR, Ramp])
@pytest.mark.parametrize("bits", [2, slow(5), slow(8)])
def test_exact_capacitors_round_to_the_nearest_code_and_saturate(make, bits):
    largest = 2 ** (bits - 1) - 1
    v = np.linspace(-1.5 * largest - 1, 1.5 * largest + 1, 999)
    for converter in (make(bits), make(bits).fabricate((1, 1), key=jr.key(0))):
        codes = np.asarray(converter.codes(jnp.asarray(v, jnp.float32)[:, None]))[:, 0]
        edge = np.abs(v % 1 - 0.5) < 1e-4  # on the edge of two codes
        np.testing.assert_array_equal(codes[~edge], np.clip(np.round(v), -largest, largest)[~edge])


def test_the_nonlinearity_of_a_sar_is_that_of_its_capacitors():
    """The level of a code is the sum of its capacitors over all; its variance is that of independent units."""
    bits, mismatch, units = 8, 0.02, 2**7
    v = np.linspace(0, 130, 13_001)
    sar = SAR(bits, mismatch=mismatch, columns_per_adc=1)
    codes = curve(sar, v)
    # Where a code begins, less half a code, is its level, unless mismatch leaves the code out.
    for code in (32, 64, 96):
        levels = v[np.argmax(codes >= code, axis=0)] + 0.5
        # c of n units over their sum: relative variance of c (n - c) / n units, to first order in the mismatch.
        std = mismatch * math.sqrt(code * (units - code) / units)
        assert abs(levels.mean() - code) < STANDARD_ERRORS * std / math.sqrt(300) + 0.01
        assert abs(levels.std() / std - 1) < STANDARD_ERRORS / math.sqrt(600)


def test_bit_lines_that_share_a_sar_have_one_curve():
    codes = curve(SAR(8, mismatch=0.3, columns_per_adc=8), np.linspace(-130, 130, 500))
    groups = codes[:, :296].reshape(500, 37, 8)
    assert np.all(groups == groups[:, :, :1])
    assert len(np.unique(groups[:, :, 0], axis=1).T) == 37
    assert np.any(codes != curve(SAR(8, mismatch=0.3), np.linspace(-130, 130, 500), tile=1))


def test_a_ramp_stays_monotone_where_mismatch_makes_it_fall():
    v = np.linspace(-140, 140, 2001)
    codes = curve(Ramp(8, mismatch=0.8, columns_per_ramp=10), v)
    assert np.all(np.diff(codes, axis=0) >= 0)
    assert np.any(np.diff(codes, axis=0) > 1)  # codes that a line never shows
    np.testing.assert_array_equal(codes[:, 0], codes[:, 9])
    assert np.any(codes[:, 0] != codes[:, 10])


def test_the_ramp_is_crossed_first_as_by_hand():
    # Capacitors of 1, 2 and 3 codes: the ramp is 1, 2, 3, 3, 4, 5, 6 from code 1 to 7, half a code earlier.
    ramp = Ramp(4, weights=jnp.asarray([[[1.0, 2.0, 3.0]]]))
    v = jnp.asarray([0.4, 0.6, 2.4, 2.6, 3.4, 3.6, 5.6, -2.6])[:, None]
    np.testing.assert_array_equal(ramp.codes(v)[:, 0], [0, 1, 2, 4, 4, 5, 7, -4])


def test_comparator_offsets_shift_each_line():
    v = np.linspace(-20, 20, 8001)
    codes = curve(Ramp(8, comparator_offset=0.8), v)
    zero = v[np.argmax(codes >= 5, axis=0)] - 4.5
    assert abs(zero.mean()) < STANDARD_ERRORS * 0.8 / math.sqrt(300)
    assert abs(zero.std() / 0.8 - 1) < STANDARD_ERRORS / math.sqrt(600)


def test_spreads_of_gain_offset_and_nonlinearity_are_those_asked_for():
    # 300 lines; without rounding the range is one code, so offset and nonlinearity are scaled to it.
    v = np.array([-1.0, -(3**-0.5), 0.0, 3**-0.5, 1.0])
    errors = ConverterErrors(gain=0.02, offset=0.007, inl=0.004)
    drawn = errors.fabricate((300,), key=jr.key(0))
    seen = np.asarray(drawn(jnp.tile(jnp.asarray(v, jnp.float32)[:, None], (1, 300)), 1), np.float64)
    ends, middle = seen[4] - seen[0], seen[2] - (seen[0] + seen[4]) / 2
    inner = seen[3] - seen[1] - ends * 3**-0.5
    found = {"gain": ends / 2 - 1, "offset": (seen[0] + seen[4]) / 2, "bow": middle, "s": inner / 2}
    for values, std in zip(found.values(), (0.02, 0.007, 0.004, 0.004), strict=True):
        assert abs(values.mean()) < STANDARD_ERRORS * std / math.sqrt(300)
        assert abs(values.std() / std - 1) < STANDARD_ERRORS / math.sqrt(600)
    assert np.abs(np.corrcoef(list(found.values())) - np.eye(4)).max() < STANDARD_ERRORS / math.sqrt(300)


def test_stochastic_rounding_is_unbiased_and_of_the_two_nearest_codes():
    n, v = 40_000, jnp.asarray([-126.7, -3.25, 0.0, 0.5, 2.0, 99.9, 140.0])
    adc = ADC(8, rounding="stochastic")
    codes = np.asarray(jax.jit(lambda key: adc.codes(jnp.tile(v[None], (n, 1)), key=key))(jr.key(0)))
    fraction = np.array([0.3, 0.75, 0, 0.5, 0, 0.9, 0])
    mean = np.clip(np.asarray(v), -127, 127)
    error = STANDARD_ERRORS * np.sqrt(fraction * (1 - fraction) / n)
    assert np.all(np.abs(codes.mean(0) - mean) <= error + 1e-5)
    assert np.all((codes == np.floor(mean + 1e-5)) | (codes == np.ceil(mean - 1e-5)))


def test_stochastic_rounding_is_drawn_anew_in_each_read_and_needs_its_key():
    matrix = column_of(np.full((1, 4), 0.3, np.float32), ADC(4, rounding="stochastic")).at(0.0)
    x = jnp.ones((1000, 4))
    one, same, other = (np.asarray(matrix(x, key=jr.key(i))) for i in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert 0.2 < np.mean(one != other) < 0.8
    with pytest.raises(ValueError, match="Stochastic rounding needs `key=`"):
        matrix(x)


@pytest.mark.slow
def test_drift_compensation_is_measured_through_stochastic_rounding():
    chip = Crossbar(dm.Ideal(), adc=ADC(8, rounding="stochastic")).program(jnp.eye(4), key=jr.key(0))
    np.testing.assert_allclose(chip.at(0.0, key=jr.key(1)).effective_weight, np.eye(4), atol=0.1)
    with pytest.raises(ValueError, match="Stochastic rounding needs `key=`"):
        chip.at(0.0)


@pytest.mark.parametrize(
    "adc", [ADC(8, 4.0, errors=ERRORS), SAR(8, 4.0, 0.05), Ramp(8, 4.0, 0.05, 0.5), ADC(8, 4.0, "stochastic")]
)
def test_the_gradient_is_straight_through_and_zero_where_clipped(adc):
    chip = column_of(np.eye(3, dtype=np.float32), adc)
    matrix = chip.at(0.0)
    x = jnp.asarray([0.3, 3.0, 5.0])
    gradient = jax.jit(jax.grad(lambda x: jnp.sum(matrix(x, key=jr.key(1)))))(x)
    np.testing.assert_allclose(gradient, [1, 1, 0], rtol=0.1)


def test_a_chip_keeps_its_converters_and_another_has_others():
    w, x = jr.normal(jr.key(0), (40, 9)), jr.normal(jr.key(1), (5, 9))
    for adc in (ADC(8, 4.0, errors=ERRORS), SAR(8, 4.0, 0.1), Ramp(8, 4.0, 0.1, 1.0)):
        design = Crossbar(dm.Ideal(), adc=adc, compensation=None, tile=(4, 16))
        chip, other = (design.program(w, key=jr.key(i)) for i in (0, 1))
        np.testing.assert_array_equal(chip.at(0.0)(x), chip.at(9.0)(x))
        assert np.mean(chip.at(0.0)(x) != other.at(0.0)(x)) > 0.3


@pytest.mark.slow
def test_errors_of_the_converters_leave_the_cells_as_they_are():
    w = jr.normal(jr.key(0), (6, 9))
    design = Crossbar(dm.pcm_joshi2020(), adc=ADC(8), compensation=None)
    plain = design.program(w, key=jr.key(0))
    for adc in (ADC(8, errors=ERRORS), SAR(8, mismatch=0.1), Ramp(8, mismatch=0.1)):
        chip = dataclasses.replace(design, adc=adc).program(w, key=jr.key(0))
        for one, other in zip(jax.tree.leaves(plain.cells), jax.tree.leaves(chip.cells), strict=True):
            np.testing.assert_array_equal(one, other)


def test_the_maximal_full_scale_is_all_word_lines_on():
    w = np.ones((1, 6), np.float32)
    matrix = column_of(w, ADC(4, None), tile=(4, 4)).at(0.0)
    x = jnp.ones((1, 6))
    assert not np.any(matrix.clipping(x).adc)
    np.testing.assert_allclose(matrix.currents(x)[0], 7.0, rtol=1e-6)  # the largest code
    np.testing.assert_allclose(matrix.currents(x)[1], 3.5, rtol=1e-6)


def test_each_slice_may_have_a_full_scale_of_its_own():
    mapping, x = BitSliced(DifferentialPair(), 2, 2), jnp.ones((1, 3))
    w = jnp.asarray([[1.0, 9 / 15, 4 / 15]])  # digits (3, 3), (1, 2) and (0, 1), of 3
    matrix = column_of(w, ADC(None, jnp.asarray([2.0, 4.0])), mapping=mapping).at(0.0)
    np.testing.assert_allclose(matrix.currents(x)[0], [[(3 + 1 + 0) / 3 / 2, (3 + 2 + 1) / 3 / 4]], rtol=1e-6)
    np.testing.assert_allclose(matrix(x), jnp.sum(w)[None, None], rtol=1e-6)


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: Crossbar(dm.Ideal(), adc=ADC(8, jnp.ones(2))), "one for each slice of the mapping"),
        (lambda: ADC(8, rounding="up"), '`rounding` must be "nearest" or "stochastic". Got rounding=\'up\''),
        (lambda: ADC(None, rounding="stochastic"), "Stochastic rounding must have `bits`"),
        (lambda: ConverterErrors(gain=-0.1), "`gain` must be from 0 to 1, relative. Got gain=-0.1"),
        (lambda: SAR(17), "`bits` must be a whole number from 2 to 16. Got bits=17"),
        (lambda: SAR(8, mismatch=float("nan")), "`mismatch` must be from 0 to 1, relative. Got mismatch=nan"),
        (lambda: SAR(8, columns_per_adc=0), "`columns_per_adc` must be a whole number of at least 1"),
        (lambda: Ramp(1), "`bits` must be a whole number from 2 to 12"),
        (lambda: Ramp(8, comparator_offset=-1.0), "`comparator_offset` must be finite and at least 0, in codes"),
        (lambda: Ramp(8, full_scale=0.0), "`full_scale` must be positive"),
        (lambda: Ramp(8, columns_per_ramp=0), "`columns_per_ramp` must be a whole number of at least 1"),
    ],
)
def test_bad_settings_are_refused(unchecked, make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()
