"""Inputs as voltages, durations and digits, and cells whose current is not proportional to the voltage."""

import dataclasses
import math
import re

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
from helpers import quick_and_slow, slow
from memsim import (
    ADC,
    DAC,
    BitSerialDAC,
    BitSliced,
    ConverterErrors,
    Crossbar,
    OffsetColumn,
    PulseWidthDAC,
    Reads,
    SenseAmplifier,
)

N = 20_000
STANDARD_ERRORS = 5
V_READ = 0.3
IDEAL = dm.Ideal()
IVS = {"sinh": dm.iv.Sinh(4.0), "cubic": dm.iv.Cubic(5.0), "milo": dm.iv.MiloPolynomial()}


def normal(seed, *shape):
    return jr.normal(jr.key(seed), shape)


def read(w, x, device=IDEAL, **settings):
    return Crossbar(device, compensation=None, **settings).deploy(w, 0.0, key=jr.key(0))(x)


def noisy_reads(matrix, x):
    return np.asarray(jax.jit(jax.vmap(lambda key: matrix(x, key=key)))(jr.split(jr.key(1), N)), np.float64)


# Digits and durations.


@pytest.mark.parametrize("bits, bits_per_pulse", [(2, 1), (5, 1), (8, 1), (8, 2), (8, 3), (8, 7)])
def test_pulses_are_the_digits_of_the_code(bits, bits_per_pulse):
    largest = 2 ** (bits - 1) - 1
    dac, codes = BitSerialDAC(bits, 1.0, bits_per_pulse), np.arange(-largest, largest + 1)
    pulses = np.array(dac.pulses(jnp.asarray(codes, jnp.float32)))
    shifts = range(0, bits - 1, bits_per_pulse)
    expected = [np.sign(codes) * (np.abs(codes) >> shift & 2**bits_per_pulse - 1) for shift in shifts]
    np.testing.assert_array_equal(pulses, expected)
    np.testing.assert_array_equal(np.array(dac.significance) @ pulses, codes)


@pytest.mark.parametrize(
    "mapping", [slow(None), slow(OffsetColumn()), BitSliced(OffsetColumn(offset="column"), 2, 3)], ids=str
)
def test_digits_and_durations_give_what_voltage_levels_give_without_an_adc(mapping):
    w, x = normal(0, 5, 10), 2 * normal(1, 7, 10)
    settings = {} if mapping is None else {"mapping": mapping}
    levels = read(w, x, dac=DAC(6, 1.7), tile=(4, 3), **settings)
    wide = ADC(None, 1e3)
    for dac, adc in ((PulseWidthDAC(6, 1.7), None), (BitSerialDAC(6, 1.7), wide), (BitSerialDAC(6, 1.7, 2), None)):
        np.testing.assert_allclose(read(w, x, dac=dac, adc=adc, tile=(4, 3), **settings), levels, atol=2e-5)


def test_each_digit_is_converted_by_itself_as_by_numpy():
    w, x = np.asarray(normal(0, 3, 6), np.float64), np.asarray(normal(1, 7, 6), np.float64)
    got = read(jnp.asarray(w, jnp.float32), jnp.asarray(x, jnp.float32), dac=BitSerialDAC(5, 1.5), adc=ADC(6, 3.0))
    codes = np.clip(np.round(x / 1.5 * 15), -15, 15).astype(int)
    scale, total = np.abs(w).max(axis=1), np.zeros((7, 3))
    for p in range(4):
        digit = np.sign(codes) * (np.abs(codes) >> p & 1)
        seen = np.clip(np.round(digit @ (w / scale[:, None]).T / 3.0 * 31), -31, 31) * 3.0 / 31
        total += 2**p * seen * scale * 1.5 / 15
    np.testing.assert_allclose(got, total, rtol=0, atol=2e-5)


def test_every_pulse_has_read_noise_of_its_own():
    device, w, x = dm.pcm_joshi2020(), normal(0, 2, 6), normal(1, 6)
    matrix = Crossbar(device, dac=BitSerialDAC(4, 2.0), compensation=None).deploy(w, 0.0, key=jr.key(0))
    y = noisy_reads(matrix, x)
    codes = np.clip(np.round(np.asarray(x, np.float64) / 2 * 7), -7, 7).astype(int)
    power = sum(4**p * (np.abs(codes) >> p & 1) for p in range(3))
    variance = power @ np.asarray(matrix.noise.variance, np.float64)
    assert np.abs(y.var(0) / variance - 1).max() < STANDARD_ERRORS * math.sqrt(2 / N)


def test_the_gradient_passes_the_digits():
    w, x, v = normal(0, 3, 6), jr.uniform(jr.key(1), (6,), minval=-0.99, maxval=0.99), normal(2, 3)
    matrix = Crossbar(dm.Ideal(), dac=BitSerialDAC(6), adc=ADC(12), compensation=None).deploy(w, 0.0, key=jr.key(0))
    gradient = jax.jit(jax.grad(lambda x: v @ matrix(x)))(x)
    np.testing.assert_allclose(gradient, v @ w, rtol=1e-3, atol=1e-4)


def test_errors_of_the_drivers_are_frozen_and_one_a_word_line():
    errors = ConverterErrors(gain=0.1, offset=0.5)
    for make in (DAC, PulseWidthDAC):
        design = Crossbar(IDEAL, dac=make(8, 1.0, errors), compensation=None)
        chip = design.program(jnp.ones((1, 400)), key=jr.key(0))
        matrix = chip.at(0.0)
        lines = jnp.concatenate([jnp.eye(400), jnp.zeros((1, 400))])
        y = np.asarray(jax.jit(lambda x, matrix=matrix: matrix(x))(lines), np.float64)[:, 0]
        silent = y[-1] * 127  # the sum of all offsets, in codes
        assert abs(silent) < STANDARD_ERRORS * 0.5 * math.sqrt(400)
        gain = y[:-1] - y[-1]
        assert abs(gain.mean() - 1) < STANDARD_ERRORS * 0.1 / math.sqrt(400)
        assert abs(gain.std() / 0.1 - 1) < STANDARD_ERRORS / math.sqrt(800)
        np.testing.assert_array_equal(chip.at(0.0)(lines[0]), chip.at(9.0)(lines[0]))


# Nonlinear cells.


def cell_by_cell(iv, g, volts):
    """Amperes of each bit line, one cell after the other, in float64."""
    with jax.enable_x64(True):
        current = jax.jit(lambda g, v: iv.current(g, v))
        total = np.zeros((len(volts), g.shape[1]))
        for n, i in np.ndindex(volts.shape):
            total[n] += np.asarray(current(jnp.asarray(g[i]), jnp.full(g.shape[1], volts[n, i])))
    return total


@pytest.mark.parametrize("iv", quick_and_slow(("sinh", "milo"), IVS))
@pytest.mark.parametrize(
    "coding", [slow("levels"), "digits", *(pytest.param(c, marks=pytest.mark.slow) for c in ("duration", "spikes"))]
)
def test_nonlinear_cells_are_read_as_cell_by_cell(iv, coding):
    iv, w = IVS[iv], normal(0, 3, 5)
    x = np.clip(np.asarray(normal(1, 4, 5), np.float64), -1, 1)
    dac = {"levels": DAC(5), "duration": PulseWidthDAC(5), "digits": BitSerialDAC(5), "spikes": None}[coding]
    x = np.sign(x) if dac is None else np.round(x * 15) / 15
    design = Crossbar(dm.Ideal(20e-6, 110e-6, iv), dac=dac, compensation=None, tile=(2, 2), reads=Reads(v_read=V_READ))
    chip = design.program(w, key=jr.key(0))
    got = chip.at(0.0)(jnp.asarray(x, jnp.float32))

    g = np.asarray(chip.cells, np.float64)
    unit = cell_by_cell(iv, np.array([[110e-6, 20e-6]]), np.array([[V_READ]]))[0]
    expected = np.zeros((4, 3))
    for tile in (slice(0, 2), slice(2, 4), slice(4, 5)):
        amperes = np.zeros((4, 3))
        for sign, plane in zip((1, -1), g, strict=True):
            if coding == "levels":
                amperes += sign * cell_by_cell(iv, plane[tile], V_READ * x[:, tile])
            else:  # one voltage, for as long as the input is large
                for i in range(*tile.indices(5)):
                    at_v_read = cell_by_cell(iv, plane[i : i + 1], V_READ * np.sign(x[:, i : i + 1]))
                    amperes += sign * np.abs(x[:, i : i + 1]) * at_v_read
        expected += amperes / (unit[0] - unit[1]) * np.asarray(chip.scales)[tile.start // 2]
    np.testing.assert_allclose(got, expected, rtol=0, atol=3e-5)


def test_without_curvature_a_nonlinear_cell_is_ohmic():
    w, x = normal(0, 5, 10), normal(1, 3, 10)
    for dac in (None, DAC(8)):
        one, other = (read(w, x, dm.Ideal(1e-6, 25e-6, iv), dac=dac) for iv in (dm.iv.Cubic(0.0), dm.iv.Ohmic()))
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_noise_of_nonlinear_cells_is_that_of_their_current():
    """First order in the noise: the spread of a cell's current is its derivative times the spread of the cell."""
    iv, w, x = dm.iv.MiloPolynomial(), normal(0, 2, 6), np.array([1.0, -0.6, 0.2, -1.0, 0.8, 0.0])
    device = dataclasses.replace(dm.pcm_joshi2020(), iv=iv)
    for dac in (DAC(None), PulseWidthDAC(None)):
        design = Crossbar(device, dac=dac, compensation=None, reads=Reads("per_read", v_read=V_READ))
        chip = design.program(w, key=jr.key(0))
        matrix = chip.at(100.0, key=jr.key(1))
        y = noisy_reads(matrix, jnp.asarray(x, jnp.float32))
        t = jnp.asarray(100.0)
        g, std = (np.asarray(f(chip.cells, t), np.float64) for f in (device.conductance, device.read_noise))
        h, variance = 1e-9, np.zeros(2)
        for plane, spread in zip(g, std, strict=True):
            for i in range(6):
                # White noise of a pulse grows as the root of its duration.
                v, weight = (V_READ * np.sign(x[i]), abs(x[i]) ** 0.5) if dac.fixed_voltage else (V_READ * x[i], 1)
                up, down = (cell_by_cell(iv, plane[i : i + 1] + s * h, np.array([[v]]))[0] for s in (1, -1))
                variance += (weight * (up - down) / (2 * h) * spread[i]) ** 2
        (unit,) = cell_by_cell(iv, np.array([[device.g_max, 0.0]]), np.array([[V_READ]]))
        expected = variance / (unit[0] - unit[1]) ** 2 * np.asarray(chip.scales, np.float64)[0] ** 2
        assert np.abs(y.var(0) / expected - 1).max() < STANDARD_ERRORS * math.sqrt(2 / N) + 1e-3


def test_effective_weights_of_nonlinear_cells_are_those_at_full_input():
    w = normal(0, 3, 5)
    for dac in (DAC(8, 2.0), PulseWidthDAC(8, 2.0)):
        matrix = Crossbar(dm.Ideal(0.0, 25e-6, dm.iv.Sinh(4.0)), dac=dac, compensation=None).deploy(
            w, 0.0, key=jr.key(0)
        )
        np.testing.assert_allclose(matrix.effective_weight, w, rtol=0, atol=1e-5)
        np.testing.assert_allclose(matrix(2.0 * jnp.eye(5)).T / 2, w, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: BitSerialDAC(1), "`bits` must be a whole number from 2 to 24. Got bits=1"),
        (lambda: BitSerialDAC(4, 1.0, 4), "All in one pulse? Use PulseWidthDAC"),
        (lambda: PulseWidthDAC(8, 0.0), "`input_range` must be positive"),
        (lambda: Crossbar(dm.Ideal(), reads=Reads(v_read=200.0)), "Got v_read=200.0. Millivolts? Multiply by 1e-3"),
        (lambda: Crossbar(dm.Ideal(), reads=Reads(v_read=0.0)), "`v_read` must be positive"),
        (
            lambda: Crossbar(dm.Ideal(iv=dm.iv.Sinh(4.0)), reads=Reads(sense=SenseAmplifier(series_resistance=50.0))),
            "Cells with a nonlinear I-V must have ideal wires, and sense amplifiers without",
        ),
    ],
)
def test_bad_settings_are_refused(unchecked, make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()
