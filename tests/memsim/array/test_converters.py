"""Converters: their codes, what they clip, and their gradients."""

import dataclasses
import re

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
from memsim import ADC, DAC, Crossbar

BITS = (2, 3, 8)


def matrix_of(w, dac=None, adc=None, tile=(256, 256)):
    """`w` on ideal cells, at once."""
    return Crossbar(dm.Ideal(), dac=dac, adc=adc, compensation=None, tile=tile).deploy(
        jnp.asarray(w), 0.0, key=jr.key(0)
    )


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("kind", ["dac", "adc"])
def test_codes_are_whole_symmetric_and_include_zero(kind, bits):
    largest = {2: 1, 3: 3, 8: 127}[bits]
    # An ADC's input is in units of its step already.
    codes, end = (DAC(bits, 2.5).codes, 5.0) if kind == "dac" else (ADC(bits).codes, 2.0 * largest)
    x = jnp.linspace(-end, end, 4001)
    np.testing.assert_array_equal(np.unique(codes(x)), np.arange(-largest, largest + 1))
    np.testing.assert_array_equal(codes(x), -codes(-x))


@pytest.mark.parametrize("bits", [*BITS, None])
def test_inputs_beyond_the_range_saturate_at_its_end(bits):
    dac = DAC(bits, 2.5)
    x = jnp.asarray([-1e30, -2.5, 0.0, 2.5, 3.0, jnp.inf])
    np.testing.assert_allclose(dac.codes(x) * dac.step, [-2.5, -2.5, 0.0, 2.5, 2.5, 2.5], rtol=1e-6)


def test_a_rounded_input_is_at_most_half_a_step_away():
    dac, x = DAC(8, 2.5), jnp.linspace(-2.5, 2.5, 4001)
    error = np.abs(np.asarray(dac.codes(x) * dac.step - x))
    assert 0.49 * 2.5 / 127 < error.max() < 0.501 * 2.5 / 127


def test_without_bits_a_converter_only_clips():
    x = jnp.linspace(-3.0, 3.0, 101)
    dac = DAC(None, 2.0)
    np.testing.assert_allclose(dac.codes(x) * dac.step, np.clip(x, -2, 2), rtol=1e-6)
    # One cell at g_max driven at 1.5 carries a current of 1.5; the full scale is 1.
    matrix = matrix_of([[0.4]], adc=ADC(None, 1.0))
    np.testing.assert_allclose(matrix(jnp.asarray([[0.5], [1.5]])), [[0.2], [0.4]], rtol=1e-6)


@pytest.mark.parametrize("bits", [*BITS, None])
def test_the_gradient_is_one_inside_the_range_and_zero_outside(bits):
    x = jnp.asarray([-9.0, -2.51, -2.49, -0.3, 0.001, 0.7, 2.49, 2.51, 9.0])
    dac, adc = DAC(bits, 2.5), ADC(bits, 2.5)
    step = adc.cells_per_code(word_lines=1)
    for read in (lambda v: dac.codes(v) * dac.step, lambda v: adc.codes(v / step) * step):
        gradient = jax.grad(lambda v, read=read: jnp.sum(read(v)))(x)
        np.testing.assert_allclose(gradient, [0, 0, 1, 1, 1, 1, 1, 0, 0], rtol=1e-6)


def test_clipping_is_counted_as_by_hand():
    # Weights are ones on two tiles of two word lines, so a tile's current is the sum of its inputs. The DAC's codes are
    # 1/3 apart: 1.16 still rounds to the last, 3, and 1.17 does not. The ADC's are 1 apart, so 1.5 is the end.
    x = jnp.asarray([[1.16, 1.17, 0.0, 0.0], [-2.0, -1.0, 9.0, 1.0], [0.5, 0.0, 1.0, 0.3], [0.0, 0.0, 0.1, 0.0]])
    found = matrix_of(np.ones((1, 4), np.float32), DAC(3), ADC(2, 1.0), tile=(2, 2)).clipping(x)
    np.testing.assert_allclose(found.dac, 3 / 16)
    np.testing.assert_allclose(found.adc, [2 / 4, 1 / 4])  # currents 2, -2, 2/3, 0 and 0, 2, 4/3, 0
    without = matrix_of(np.ones((1, 4), np.float32), tile=(2, 2)).clipping(x)
    assert without.dac == 0 and not without.adc.any()


def test_clipping_without_rounding_counts_what_is_beyond_the_range():
    x = jnp.asarray([[1.0, 0.9], [1.01, -1.5]])
    found = matrix_of(np.ones((1, 2), np.float32), DAC(None), ADC(None, 1.5)).clipping(x)
    np.testing.assert_allclose([found.dac, found.adc[0]], [2 / 4, 1 / 2])  # currents 1.9 and 0


def test_the_gradient_in_a_trained_range_is_the_finite_difference():
    with jax.enable_x64(True):
        x, w = jr.normal(jr.key(0), (20, 6)), jr.normal(jr.key(1), (4, 6))

        def loss(input_range, full_scale):
            matrix = matrix_of(w, DAC(None, input_range), ADC(None, full_scale), tile=(3, 2))
            clipped = matrix.clipping(x)
            return jnp.sum(jnp.sin(matrix(x))), (clipped.dac, clipped.adc)

        loss_and_gradient = jax.jit(jax.value_and_grad(loss, (0, 1), has_aux=True))
        (_, (dac, adc)), gradient = loss_and_gradient(1.0, 0.9)
        assert 0.1 < dac < 0.9 and np.all((adc > 0.1) & (adc < 0.9))
        for i, step in enumerate(1e-6 * np.eye(2)):
            up, down = (loss_and_gradient(1.0 + sign * step[0], 0.9 + sign * step[1])[0][0] for sign in (1, -1))
            np.testing.assert_allclose(gradient[i], (up - down) / 2e-6, rtol=1e-6)


def test_the_matrix_of_given_codes_has_the_given_effective_weight():
    w = jr.normal(jr.key(0), (5, 9))
    for dac, adc in ((None, None), (DAC(8), None), (None, ADC(8)), (DAC(3, 0.7), ADC(None, 4.0))):
        matrix = matrix_of(jr.normal(jr.key(1), (5, 9)), dac, adc, tile=(4, 2))
        other = dataclasses.replace(matrix, weight=matrix.in_codes(w))
        np.testing.assert_allclose(other.effective_weight, w, rtol=1e-6)


@pytest.mark.parametrize("converter", [DAC, ADC])
@pytest.mark.parametrize("bits", [0, -1, 1, 25])
def test_bits_that_leave_no_code_are_refused(converter, bits):
    with pytest.raises(
        ValueError, match=f"`bits` must be .* 2 to 24.*Got bits={bits}.*leave the {converter.__name__} out"
    ):
        converter(bits)


@pytest.mark.parametrize(
    "make, says",
    [
        (
            lambda: ADC(8, 0.0),
            "`full_scale` must be positive and finite, in units of one fully-on cell at full input, or None. "
            "Got full_scale=0.0",
        ),
        (lambda: ADC(8, float("nan")), "`full_scale` must be positive"),
        (
            lambda: DAC(8, -1.0),
            "`input_range` must be positive and finite, in the units of the layer's input. Got input_range=-1.0",
        ),
        (lambda: DAC(8, float("inf")), "`input_range` must be positive and finite"),
    ],
)
def test_a_range_that_is_not_positive_is_refused(make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()


def test_fractional_bits_are_refused(unchecked):
    with pytest.raises(ValueError, match=re.escape("Got bits=2.5")):
        DAC(2.5)
