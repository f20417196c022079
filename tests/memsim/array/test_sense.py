"""Sense amplifiers that are neither at ground nor without resistance, nor linear."""

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
from memsim import ADC, DAC, BitSliced, Crossbar, DifferentialPair, OffsetColumn, Reads, SenseAmplifier

G_MAX, V_READ = 25e-6, 0.25
MAPPINGS = [DifferentialPair(), OffsetColumn(), OffsetColumn(offset="column"), BitSliced(DifferentialPair(), 2, 2)]


def normal(seed, *shape):
    return jr.normal(jr.key(seed), shape)


def of(chip, x):
    return np.asarray(chip.at(0.0)(jnp.asarray(x)), np.float64)


def design(sense, *mapping, **settings):
    return Crossbar(
        dm.Ideal(0.0, G_MAX), *mapping, compensation=None, reads=Reads(sense=sense, v_read=V_READ), **settings
    )


def test_a_series_resistance_divides_the_current_of_one_cell_as_by_hand():
    # One cell of 40 kOhm behind 10 kOhm: 4/5 of the current, whatever the input.
    chip = design(SenseAmplifier(series_resistance=10e3)).program(jnp.ones((1, 1)), key=jr.key(0))
    np.testing.assert_allclose(of(chip, [[1.0], [-0.5]]), [[0.8], [-0.4]], rtol=1e-6)


@pytest.mark.parametrize("mapping", [slow(m) for m in MAPPINGS[:2]] + MAPPINGS[2:], ids=str)
@pytest.mark.parametrize("adc", [ADC(None, 1e3), pytest.param(None, marks=pytest.mark.slow)], ids=["adc", "no_adc"])
def test_a_bit_line_passes_the_current_of_its_circuit(mapping, adc):
    """Kirchhoff at the amplifier's input, solved for the voltage of each bit line of each array."""
    resistance, x, tile = 3e3, np.asarray(normal(1, 4, 7), np.float64), (3, 4)
    sense = SenseAmplifier(series_resistance=resistance, offset=5e-3)
    for dac in (None, DAC(None, 4.0)):
        chip = design(sense, mapping, adc=adc, dac=dac, tile=tile).program(normal(0, 6, 7), key=jr.key(0))
        g, volts = np.asarray(chip.cells, np.float64), np.asarray(chip.offsets, np.float64)
        full = 1.0 if dac is None else 4.0
        currents = np.zeros((len(g), 3, 4, g.shape[2]))
        for p, k, n, line in np.ndindex(currents.shape):
            cells, v = g[p, 3 * k : 3 * k + 3, line], V_READ * x[n, 3 * k : 3 * k + 3] / full
            # sum g_i (v_i - u) = i and u = v_os + R i, two equations for u and i.
            system = np.array([[cells.sum(), 1.0], [1.0, -resistance]])
            currents[p, k, n, line] = np.linalg.solve(system, [cells @ v, volts[p, k, line]])[1]
        expected = combined(mapping, currents, np.asarray(chip.scales, np.float64), x / full) * full
        np.testing.assert_allclose(of(chip, x.astype(np.float32)), expected, rtol=0, atol=3e-5)


def combined(mapping, currents, scales, x):
    """Outputs from the currents (planes, row_tiles, n, lines) of tiles with 4 columns, in units of full input."""
    relative, slices = currents / (G_MAX * V_READ), len(mapping.weights)
    base = mapping.mapping if isinstance(mapping, BitSliced) else mapping
    total = np.zeros((currents.shape[2], scales.shape[1]))
    for s, j, k in np.ndindex(slices, scales.shape[1], len(scales)):
        line = j // 4 * 5 + j % 4 if getattr(base, "offset", "") == "column" else j
        if isinstance(base, DifferentialPair):
            value = relative[2 * s, k, :, line] - relative[2 * s + 1, k, :, line]
        elif base.offset == "column":
            value = relative[s, k, :, line] - relative[s, k, :, min(j // 4 * 5 + 4, relative.shape[3] - 1)]
        else:
            value = relative[s, k, :, line] - mapping.middle[s] * x[:, 3 * k : 3 * k + 3].sum(1)
        total[:, j] += mapping.weights[s] * scales[k, j] * value
    return total


def test_offsets_have_the_spread_asked_for_and_stay_with_the_chip():
    chip = design(SenseAmplifier(offset=2e-3), tile=(4, 8)).program(normal(0, 500, 8), key=jr.key(0))
    assert chip.offsets.shape == (2, 2, 500)
    offsets = np.asarray(chip.offsets, np.float64)
    assert abs(offsets.std() / 2e-3 - 1) < 5 / math.sqrt(2 * offsets.size)
    x = jnp.zeros((1, 8))
    np.testing.assert_array_equal(chip.at(0.0)(x), chip.at(9.0)(x))
    assert np.all(np.asarray(chip.at(0.0)(x)) != 0)


def test_read_noise_is_divided_as_the_current_is():
    device, w = dm.pcm_joshi2020(), normal(0, 3, 6)
    plain = Crossbar(device, compensation=None, reads=Reads("per_read"))
    settings = (Reads("per_read"), Reads("per_read", sense=SenseAmplifier(4e3)))
    chips = [dataclasses.replace(plain, reads=reads).program(w, key=jr.key(0)) for reads in settings]
    ideal, real = (np.asarray(chip.at(0.0, key=jr.key(1)).noise.variance, np.float64) for chip in chips)
    g, std = (np.asarray(f(chips[0].cells, jnp.zeros(())), np.float64) for f in (device.conductance, device.read_noise))
    passed = 1 / (1 + 4e3 * g.sum(1, keepdims=True))
    ratio = ((std * passed) ** 2).sum(0) / (std**2).sum(0)
    np.testing.assert_allclose(real, ideal * ratio, rtol=1e-4)


def test_saturation_bends_the_current_as_by_hand():
    # A full scale of 2 cells: currents of 1 and 2 become 1 / (1 + 0.5 / 2) and 2 / (1 + 0.5).
    matrix = design(SenseAmplifier(saturation=0.5), adc=ADC(None, 2.0)).deploy(jnp.ones((1, 2)), 0.0, key=jr.key(0))
    x = jnp.asarray([[1.0, 0.0], [-1.0, -1.0], [0.0, 0.0]])
    np.testing.assert_allclose(matrix(x), [[0.8], [-2 / 1.5], [0.0]], rtol=1e-6)


def test_the_gradient_through_an_amplifier_is_the_finite_difference():
    with jax.enable_x64(True):
        sense = SenseAmplifier(series_resistance=3e3, offset=5e-3, saturation=0.3)
        x, w, h = normal(1, 3, 5), normal(0, 2, 5), 1e-6
        made = design(sense, adc=ADC(None, 3.0), tile=(3, 4))
        loss = jax.jit(jax.value_and_grad(lambda w: jnp.sum(jnp.sin(made.deploy(w, 0.0, key=jr.key(2))(x)))))
        steps = h * jnp.eye(10).reshape(10, 2, 5)
        difference = [(loss(w + step)[0] - loss(w - step)[0]) / (2 * h) for step in steps]
        np.testing.assert_allclose(np.ravel(loss(w)[1]), difference, rtol=1e-5)


def test_an_amplifier_without_fault_is_none():
    w, x = normal(0, 5, 6), normal(1, 3, 6)
    np.testing.assert_array_equal(*(of(design(s).program(w, key=jr.key(0)), x) for s in (None, SenseAmplifier())))


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: SenseAmplifier(series_resistance=-1.0), "`series_resistance` must be finite and at least 0, in ohms"),
        (lambda: SenseAmplifier(offset=5.0), "Got offset=5.0. Millivolts? Multiply by 1e-3"),
        (lambda: design(SenseAmplifier(saturation=0.1)), "must be followed by an ADC. Got adc=None"),
    ],
)
def test_bad_settings_are_refused(unchecked, make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()
