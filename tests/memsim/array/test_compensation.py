"""Drift and its compensation, one chip through time, and gradients through it."""

import dataclasses
import itertools

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
    BitSerialDAC,
    BitSliced,
    Crossbar,
    DifferentialPair,
    GlobalDriftCompensation,
    OffsetColumn,
    Reads,
)

YEAR = 365.25 * 86400.0
FULL = Crossbar(dm.pcm_joshi2020(), dac=DAC(8, 2.0), adc=ADC(8, 4.0), tile=(4, 3))


def normal(seed, *shape):
    return jr.normal(jr.key(seed), shape)


def drifting(nu):
    """PCM without noise of any kind whose cells all drift with the curve `nu` of their conductance."""
    joshi = dm.pcm_joshi2020(write_noise_scale=0.0, read_noise_scale=0.0)
    zero = dm.curves.Polynomial((0.0,))
    return eqx.tree_at(lambda d: (d.nu_mean, d.nu_std), joshi, (dm.curves.Polynomial(nu), zero))


# Drift compensation.


@pytest.mark.parametrize("adc", [slow(None), ADC(None, 100.0)], ids=["no_adc", "unrounded_adc"])
def test_compensation_undoes_a_drift_that_all_cells_share(adc):
    w, device = normal(0, 5, 6), drifting((0.06,))
    weight = {}
    for compensation in (None, GlobalDriftCompensation()):
        design = Crossbar(device, adc=adc, compensation=compensation, tile=(4, 3), reads=Reads("off"))
        chip = design.program(w, key=jr.key(0))
        weight[compensation] = [np.asarray(chip.at(t).effective_weight) for t in (0.0, YEAR)]
    start, year = weight[GlobalDriftCompensation()]
    np.testing.assert_allclose(start, w, rtol=1e-5)
    np.testing.assert_allclose(year, start, rtol=1e-5)
    left = (YEAR / 20 + 1) ** -0.06  # t_0 of Joshi 2020 is 20 s
    np.testing.assert_allclose(weight[None][1], left * weight[None][0], rtol=1e-5)


@pytest.mark.parametrize("adc", [ADC(None, 100.0), pytest.param(None, marks=pytest.mark.slow)], ids=["adc", "no_adc"])
@pytest.mark.parametrize(
    "mapping",
    [
        slow(OffsetColumn()),
        OffsetColumn(offset="column"),
        slow(BitSliced(OffsetColumn(), 2, 3)),
        BitSliced(DifferentialPair(), 3, 2),
    ],
    ids=str,
)
def test_compensation_undoes_a_common_drift_of_every_mapping(mapping, adc):
    w, x = normal(0, 5, 6), normal(1, 6)
    settings = {"dac": BitSerialDAC(6, 3.0), "adc": adc, "tile": (4, 3), "reads": Reads("off")}
    chip = Crossbar(drifting((0.06,)), mapping, **settings).program(w, key=jr.key(0))
    start, year = chip.at(0.0), chip.at(YEAR)
    np.testing.assert_allclose(year.effective_weight, start.effective_weight, rtol=0, atol=2e-5)
    np.testing.assert_allclose(year(x), start(x), rtol=0, atol=1e-4)


def test_each_tile_has_its_own_factor():
    # Exponents are 0.08 - 0.06 g. Weights are 1 on the first three bit lines, 1 or 1/2 on the others.
    magnitude = np.ones((5, 6))
    magnitude[3:, [1, 2, 3, 5]] = 0.5
    w = magnitude * np.random.default_rng(0).choice([-1, 1], (5, 6))
    design = Crossbar(
        drifting((0.08, -0.06)), compensation=GlobalDriftCompensation(4096), tile=(4, 3), reads=Reads("off")
    )
    chip = design.program(jnp.asarray(w, jnp.float32), key=jr.key(0))
    left = (YEAR / 20 + 1) ** -(0.08 - 0.06 * magnitude)  # t_0 of Joshi 2020 is 20 s
    factor = np.asarray(chip.at(YEAR).effective_weight) / (w * left)

    def expected(lines):
        """Mean output at the start over that after a year, over all patterns of +1 and -1."""
        patterns = np.array(list(itertools.product([-1, 1], repeat=len(lines))))
        return np.abs(patterns @ magnitude[3, lines]).mean() / np.abs(patterns @ (magnitude * left)[3, lines]).mean()

    np.testing.assert_allclose(factor[:3], 1 / left[0, 0], rtol=1e-5)
    for lines in ([0, 1, 2, 3], [4, 5]):
        np.testing.assert_allclose(factor[3:, lines], factor[3, lines[0]], rtol=1e-5)
        # 4096 patterns a bit line, and the same ones at both times: 1 % is more than 4 standard errors.
        np.testing.assert_allclose(factor[3, lines[0]], expected(lines), rtol=0.01)
    assert factor[3, 0] > 1.1 / left[0, 0]


def test_without_compensation_the_drift_stays():
    x, w = jnp.ones(6), jnp.abs(normal(0, 5, 6))
    design = Crossbar(dm.pcm_joshi2020(read_noise_scale=0.0), reads=Reads("off"))
    for compensation, low, high in ((None, 0.4, 0.6), (GlobalDriftCompensation(), 0.85, 1.15)):
        chip = eqx.tree_at(lambda d: d.compensation, design, compensation).program(w, key=jr.key(0))
        kept = chip.at(YEAR)(x) / chip.at(0.0)(x)
        assert np.all((kept > low) & (kept < high))


# One chip.


def test_one_chip_has_one_history():
    chip, x = FULL.program(normal(0, 5, 6), key=jr.key(0)), normal(1, 3, 6)
    first, _, again = (chip.at(t, key=jr.key(1)) for t in (YEAR, 0.0, YEAR))
    np.testing.assert_array_equal(first(x, key=jr.key(2)), again(x, key=jr.key(2)))
    np.testing.assert_array_equal(first.effective_weight, again.effective_weight)
    assert np.any(first.effective_weight != chip.at(YEAR, key=jr.key(3)).effective_weight)  # noise in the measurement


def test_deploy_is_program_then_at():
    w, x, (program_key, moment_key) = normal(0, 5, 6), normal(1, 6), jr.split(jr.key(0))
    by_hand = FULL.program(w, key=program_key).at(YEAR, key=moment_key)
    at_once = FULL.deploy(w, YEAR, key=jr.key(0))
    np.testing.assert_array_equal(by_hand(x, key=jr.key(1)), at_once(x, key=jr.key(1)))


# Compiled, batched, differentiated.


@pytest.mark.parametrize(
    "read_noise",
    ["per_read", slow("per_moment"), slow("off")],
)
def test_compiled_and_batched_chips_are_the_chips_one_by_one(read_noise):
    # The ADC does not round: a current on the edge of two codes could fall to either side.
    design = dataclasses.replace(FULL, adc=ADC(None, 4.0), reads=Reads(read_noise))
    w, x, keys, times = normal(0, 5, 6), normal(1, 3, 6), jr.split(jr.key(0), 3), jnp.asarray([0.0, 3600.0, YEAR])

    def program(key):
        return design.program(w, key=key)

    def read(chip, t):
        return chip.at(t, key=jr.key(1))(x, key=jr.key(2))

    one_by_one = np.array([[read(program(key), t) for t in times] for key in keys])
    assert len(np.unique(one_by_one[:, 1:, 0, 0])) == 6
    tolerance = {"rtol": 0, "atol": 1e-6 * np.abs(one_by_one).max()}

    @eqx.filter_jit
    def batch(keys):
        chips = eqx.filter_vmap(program)(keys)
        return eqx.filter_vmap(lambda chip: jax.vmap(lambda t: read(chip, t))(times))(chips)

    np.testing.assert_allclose(batch(keys), one_by_one, **tolerance)


@pytest.mark.parametrize("adc, read_noise", [(ADC(None, 1.5), "per_read"), slow(None, "per_moment")])
def test_the_gradient_through_a_sampled_chip_is_the_finite_difference(adc, read_noise):
    with jax.enable_x64(True):
        design = Crossbar(dm.pcm_joshi2020(), dac=DAC(None, 2.0), adc=adc, tile=(4, 3), reads=Reads(read_noise))
        w, x, h = normal(0, 5, 6), normal(1, 3, 6), 1e-6

        @jax.jit
        @jax.value_and_grad
        def loss_and_gradient(w):
            return jnp.sum(jnp.sin(design.deploy(w, YEAR, key=jr.key(2))(x, key=jr.key(3))))

        steps = h * jnp.eye(w.size).reshape(-1, *w.shape)
        difference = [(loss_and_gradient(w + step)[0] - loss_and_gradient(w - step)[0]) / (2 * h) for step in steps]
        gradient = np.asarray(loss_and_gradient(w)[1]).ravel()
        assert np.all(gradient != 0)
        np.testing.assert_allclose(gradient, difference, rtol=1e-4)


# Patterns, the ADC, and other measurements.


@pytest.mark.parametrize("full_scale, amplitude", [(4.0, 1.0), slow(0.5, 1.0), slow(30.0, 0.05)])
def test_patterns_are_scaled_to_the_adc(full_scale, amplitude):
    """Cells that all keep (3e7/20)^-0.1 of their conductance: whatever the ADC's range, the factor gives it back."""
    w = np.asarray(jr.uniform(jr.key(0), (16, 64), minval=-1.0))
    adc, compensation = ADC(8, full_scale), GlobalDriftCompensation(amplitude=amplitude)
    design = Crossbar(drifting((0.1,)), adc=adc, compensation=compensation, tile=(40, 16), reads=Reads("off"))
    chip = design.program(w, key=jr.key(2))
    for t in (0.0, 3e7):
        slope = np.sum(np.asarray(chip.at(t).effective_weight) * w) / np.sum(w**2)
        codes = chip.compensation_codes(t)
        assert abs(slope - 1) < 0.01
        assert codes.clipped.shape == (2,) and np.all(codes.clipped < 0.005) and np.all(codes.zero < 0.25)


def test_what_the_patterns_clip_is_told():
    """A full scale of a thousandth of a cell: no drive is small enough."""
    design = Crossbar(drifting((0.1,)), adc=ADC(8, 1e-3), reads=Reads("off"))
    chip = design.program(normal(0, 5, 6), key=jr.key(0))
    assert chip.compensation_codes(0.0).clipped[0] > 0.2
    with pytest.raises(ValueError, match="must have drift compensation"):
        dataclasses.replace(chip, reference=None).compensation_codes(0.0)
    with pytest.raises(ValueError, match="`amplitude` must be a share"):
        GlobalDriftCompensation(amplitude=0.0)


@pytest.mark.parametrize("measure", ["identity", slow("summed current")])
def test_other_measurements_are_what_they_are_called(measure):
    """By numpy, on pairs of exact cells of exponents 0.08 - 0.06 g: one line at a time, or the sum of all cells."""
    w = np.asarray(normal(0, 5, 6))
    g = np.abs(w) / np.abs(w).max(1, keepdims=True)
    left = (YEAR / 20 + 1) ** -(0.08 - 0.06 * g)  # t_0 of Joshi 2020 is 20 s
    size = np.abs(w) if measure == "identity" else g  # currents know no digital scale
    for per, axis in (("tile", None), ("bit line", 1)):
        compensation = GlobalDriftCompensation(measure=measure, per=per)
        design = Crossbar(drifting((0.08, -0.06)), compensation=compensation, tile=(9, 9), reads=Reads("off"))
        found = design.program(w, key=jr.key(0)).at(YEAR).effective_weight
        factor = size.sum(axis, keepdims=True) / (size * left).sum(axis, keepdims=True)
        np.testing.assert_allclose(found, w * left * factor, rtol=1e-4, err_msg=per)


@pytest.mark.slow
@pytest.mark.parametrize(
    "measure, after", [("patterns", (0.979, 0.970)), ("identity", (1.089, 1.107)), ("summed current", (1.112, 1.132))]
)
def test_the_bias_of_each_measurement_is_that_of_its_docstring(optimised, measure, after):
    """Side by side with aihwkit 1.2.0 on HERMES-1 cells, after one year and ten, to half a percent."""
    w = jnp.clip(normal(0, 256, 256), -2.5, 2.5)
    design = Crossbar(dm.pcm_hermes1(), compensation=GlobalDriftCompensation(measure=measure), reads=Reads("off"))
    chip = design.program(w, key=jr.key(1))
    start, *late = (float(jnp.sum(chip.at(t).effective_weight * w)) for t in (0.0, YEAR, 10 * YEAR))
    np.testing.assert_allclose(np.array(late) / start, after, rtol=0, atol=0.005)


def test_tiles_of_zeros_stay_zero_and_the_others_are_compensated():
    w = jnp.zeros((6, 8)).at[0, :4].set(0.3)
    for adc in (None, ADC(8)):
        design = Crossbar(drifting((0.1,)), adc=adc, tile=(4, 3), reads=Reads("off"))
        weight = np.asarray(design.deploy(w, YEAR, key=jr.key(0)).effective_weight)
        np.testing.assert_allclose(weight, w, rtol=0, atol=0.003)
        assert not weight[1:].any() and not weight[:, 4:].any()
