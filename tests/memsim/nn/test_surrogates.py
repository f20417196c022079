"""Surrogates are a step forward, and backward the slope their docstring states."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import memsim as ms
from helpers import SURROGATES, slow

X = np.linspace(-3, 3, 998)  # not zero, and no end of a triangle or a box
NEGATIVE = {"MultiGaussian"}  # slopes with side lobes

every_surrogate = pytest.mark.parametrize("name", SURROGATES)


def make(name, *slope):
    return SURROGATES[name].make(*slope)


def derivative(surrogate, x):
    return jax.vmap(jax.grad(surrogate))(jnp.asarray(x, jnp.result_type(float)))


def test_every_surrogate_stands_in_the_table():
    classes = {x for x in vars(ms.nn).values() if inspect.isclass(x) and issubclass(x, ms.nn.AbstractSurrogate)}
    assert classes - {ms.nn.AbstractSurrogate} == {surrogate.make for surrogate in SURROGATES.values()}


@every_surrogate
def test_a_spike_comes_only_from_above_zero(name):
    x = jnp.asarray([-1e3, -1.0, -1e-6, 0.0, 1e-6, 1.0, 1e3])
    spikes = make(name)(x)
    np.testing.assert_array_equal(spikes, [0, 0, 0, 0, 1, 1, 1])
    assert spikes.dtype == x.dtype


@every_surrogate
@pytest.mark.parametrize("slope", [None, slow(0.7), 10.0], ids=["default", "shallow", "steep"])
def test_derivative_is_the_stated_slope(name, slope):
    surrogate = make(name) if slope is None else make(name, slope)
    x = np.append(X, 0.0)
    expected = SURROGATES[name].slope(x, surrogate.slope)
    np.testing.assert_allclose(derivative(surrogate, x), expected, rtol=1e-4, atol=1e-5)


@every_surrogate
def test_derivative_is_that_of_the_relaxation_by_finite_difference(name):
    surrogate, h = make(name), 1e-6
    with jax.enable_x64(True):
        difference = (surrogate.relaxation(jnp.asarray(X + h)) - surrogate.relaxation(jnp.asarray(X - h))) / (2 * h)
        np.testing.assert_allclose(derivative(surrogate, X), difference, rtol=1e-5, atol=1e-8)


@every_surrogate
@pytest.mark.parametrize("slope", [slow(None), 100.0], ids=["default", "steep"])
def test_derivative_is_finite_far_from_threshold(name, slope):
    surrogate = make(name) if slope is None else make(name, slope)
    found = np.asarray(derivative(surrogate, np.linspace(-1e3, 1e3, 10_001)))
    assert np.isfinite(found).all() and found.max() > 0
    assert found.min() >= 0 or name in NEGATIVE


@every_surrogate
def test_derivative_is_finite_at_the_kinks(name):
    kinks = [0.0, 0.5, 1.0, -0.5, -1.0, 1e-30, -1e-30, np.inf, -np.inf]
    assert np.isfinite(derivative(make(name, 1.0), kinks[:7])).all()
    assert np.all(np.isin(make(name, 1.0)(jnp.asarray(kinks)), [0, 1]))


@every_surrogate
@pytest.mark.parametrize("x64", [slow(False), True])
def test_forward_mode_is_reverse_mode(name, x64):
    with jax.enable_x64(x64):
        x, direction = jnp.asarray(X, jnp.result_type(float)), jnp.linspace(-2.0, 1.0, len(X))
        _, forward = jax.jvp(make(name), (x,), (direction,))
        _, pull_back = jax.vjp(make(name), x)
        np.testing.assert_allclose(forward, pull_back(direction)[0], rtol=1e-12 if x64 else 1e-4, atol=1e-7)


@pytest.mark.parametrize("name", ["Triangle", "Boxcar"])
def test_no_gradient_passes_beyond_a_bounded_surrogate(name):
    np.testing.assert_array_equal(derivative(make(name, 2.0), np.array([-9.0, -0.51, 0.51, 9.0])), 0.0)


@every_surrogate
def test_a_batch_of_membranes_is_the_membranes_one_by_one(name):
    x = jnp.asarray(X, jnp.float32).reshape(2, 499)
    np.testing.assert_array_equal(jax.vmap(make(name))(x), make(name)(x))


@pytest.mark.parametrize("lobes, width", [(0.15, 6.0), (0.4, 3.0)])
def test_side_lobes_are_negative_and_without_them_a_multi_gaussian_is_a_gaussian(lobes, width):
    x = np.linspace(-3, 3, 61)
    slope = np.asarray(derivative(ms.nn.MultiGaussian(2.0, lobes, width), x))
    expected = SURROGATES["MultiGaussian"].slope(x, 2.0, lobes, width)
    np.testing.assert_allclose(slope, expected, rtol=1e-4, atol=1e-5)
    assert slope.min() < 0
    plain = derivative(ms.nn.MultiGaussian(2.0, 0.0), x)
    np.testing.assert_allclose(plain, derivative(ms.nn.Gaussian(2.0), x), rtol=1e-5, atol=1e-7)


def test_a_slayer_slope_has_a_height_of_its_own():
    np.testing.assert_allclose(derivative(ms.nn.Slayer(2.0, scale=3.0), [0.0]), 6.0, rtol=1e-6)


# Peers' slopes under the same name, retyped from their code; sech^2 is 1 / cosh^2.
@pytest.mark.parametrize(
    "ours, factor, theirs",
    [
        (ms.nn.Arctan(2 * 3.0), 1 / (np.pi * 3.0), lambda x: 1 / (np.pi * (1 + (np.pi * 3 * x) ** 2))),  # Spyx arctan
        (ms.nn.Sigmoid(2 * 3.0), 2 / 3.0, lambda x: 1 / np.cosh(3 * x) ** 2),  # Spyx and norse tanh
        (ms.nn.Triangle(1 / 0.5), 1 / 0.5, lambda x: np.maximum(0, 1 - np.abs(x) / 0.5) / 0.5),  # jaxpike, width 0.5
        (ms.nn.Boxcar(1 / 0.5), 1.0, lambda x: (np.abs(x) < 0.25) / 0.5),  # jaxpike, width 0.5
        (ms.nn.Gaussian(3.0), 2 / 3.0, lambda x: 2 / np.sqrt(np.pi) * np.exp(-9 * x**2)),  # norse heavi_erfc
        (ms.nn.Gaussian(2**0.5), 1.0, lambda x: np.exp(-(x**2) / 0.5) / (0.5 * np.sqrt(2 * np.pi))),  # sinabs
        (ms.nn.Slayer(1 / 0.5, 3.0), 1.0, lambda x: 3 / 0.5 * np.exp(-np.abs(x) / 0.5)),  # lava-dl, tau 0.5, scale 3
    ],
    ids=["arctan", "tanh", "triangle", "boxcar", "erfc", "gaussian", "slayer"],
)
def test_slopes_of_other_libraries_are_ours_times_the_stated_factor(ours, factor, theirs):
    np.testing.assert_allclose(factor * derivative(ours, X), theirs(X), rtol=1e-4, atol=1e-6)
