"""Akida: the published formulas in Python's whole numbers, and layers in a row."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from memsim.chips._akida._rule import Scaled, relu, version1, version2
from memsim.chips._sums._whole import saturating_product, saturating_shift

MLP = eqx.nn.MLP(100, 10, 48, 2, key=jr.key(0))
XS = jr.uniform(jr.key(1), (200, 100))
RNG = np.random.default_rng(5)


def clip(x, bits):
    return max(-(1 << (bits - 1)), min((1 << (bits - 1)) - 1, x))


def integers(low, high, shape):
    return jnp.asarray(RNG.integers(low, high, shape), jnp.int32)


def test_a_saturating_product_is_that_of_whole_numbers():
    edges = [0, 1, -1, 2**31 - 1, -(2**31), 2**27 - 1, -(2**27), 8421504, 8421505, -8421505]
    a = np.concatenate([edges, RNG.integers(-(2**31), 2**31, 500), RNG.integers(-(2**24), 2**24, 500)])
    for b in (1, 2, 3, 127, 128, 255, 2**31 - 1):
        wanted = [clip(int(each) * b, 32) for each in a]
        np.testing.assert_array_equal(
            saturating_product(jnp.asarray(a, jnp.int32), jnp.full(a.shape, b, jnp.int32)), wanted
        )


@pytest.mark.parametrize("bits", [28, 32])
def test_a_saturating_shift_is_that_of_whole_numbers(bits):
    top = 1 << (bits - 1)
    a = np.concatenate([[0, 1, -1, top - 1, -top], RNG.integers(-top, top, 500), RNG.integers(-300, 300, 200)])
    for by in (0, 1, 7, 20, 31):
        wanted = [clip(int(each) << by, bits) for each in a]
        np.testing.assert_array_equal(saturating_shift(jnp.asarray(a, jnp.int32), by, bits), wanted)


@pytest.mark.parametrize("in_shift, bias_shift, scale, shift", [(0, 0, 1, 0), (3, 4, 255, 9), (12, 20, 200, 0)])
def test_version_2_is_its_published_formula_on_the_rails_too(in_shift, bias_shift, scale, shift):
    xs, weight, bias = integers(0, 256, (20, 30)), integers(-127, 128, (8, 30)), integers(-127, 128, 8)
    to = Scaled(bias, *(jnp.int32(each) for each in (in_shift, bias_shift, scale, shift)))
    found = jax.jit(lambda xs: version2(xs, weight, to, most=255, largest=127))(xs)
    for row, x in enumerate(np.asarray(xs)):
        for column, w in enumerate(np.asarray(weight)):
            total = clip(sum(int(a) << in_shift for a in x * w), 28)
            total = clip(total + clip(int(bias[column]) << bias_shift, 28), 28)
            assert int(found[row, column]) == clip(total * scale, 32) >> shift
    np.testing.assert_array_equal(relu(found, bits=8), np.clip(found, 0, 255))


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_version_1_rises_by_equal_steps_from_its_threshold(bits):
    xs, weight = integers(0, 16, (20, 30)), integers(-7, 8, (8, 30))
    threshold, step = integers(-50, 50, 8), integers(1, 40, 8)
    found = version1(xs, weight, threshold, step, bits=bits, most=15)
    sums = np.asarray(xs) @ np.asarray(weight).T
    wanted = np.clip(np.floor((sums - np.asarray(threshold)) / np.asarray(step)), 0, 2**bits - 1)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("version, bits, most", [(2, 4, 0.02), (1, 4, 0.25)])
def test_a_network_does_on_the_chip_nearly_what_it_does_as_floats(version, bits, most):
    chip = ms.chips.akida(version, bits)
    assert chip.checked == "published formula, not bit-checked"
    placed, own = chip.deploy(MLP, calibration=XS), np.asarray(jax.vmap(MLP)(XS))
    found, counts = placed(XS)
    assert np.sqrt(np.mean((found - own) ** 2)) < most * own.std()
    assert all(each.shape == (200, 3) for each in counts)
    np.testing.assert_array_equal(found[:5], placed(XS[:5])[0])


def test_too_many_inputs_are_refused_by_version():
    wide = eqx.nn.MLP(3000, 4, 8, 1, key=jr.key(0))
    assert "at most 2048 inputs. Got 3000" in str(ms.chips.akida().fits(wide)) and ms.chips.akida(1).fits(wide)
