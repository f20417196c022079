"""Surrogates are a step forward, and backward the slope their docstring states."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit

import memsim as ms

SLOPES = {  # derivative of each surrogate at x for the slope parameter k, retyped from the papers
    ms.nn.SuperSpike: lambda x, k: 1 / (1 + k * np.abs(x)) ** 2,  # Zenke & Ganguli 2018
    ms.nn.Arctan: lambda x, k: k / 2 / (1 + (np.pi / 2 * k * x) ** 2),  # Fang et al. 2021
    ms.nn.Sigmoid: lambda x, k: k * expit(k * x) * (1 - expit(k * x)),
    ms.nn.Triangle: lambda x, k: np.maximum(0, 1 - k * np.abs(x)),
    ms.nn.Boxcar: lambda x, k: np.where(np.abs(x) <= 1 / (2 * k), k, 0.0),
}
X = np.linspace(-3, 3, 998)  # not zero, and no end of a triangle or a box

every_surrogate = pytest.mark.parametrize("make", SLOPES, ids=lambda make: make.__name__)


def derivative(surrogate, x):
    return jax.vmap(jax.grad(surrogate))(jnp.asarray(x, jnp.result_type(float)))


@every_surrogate
def test_a_spike_comes_only_from_above_zero(make):
    x = jnp.asarray([-1e3, -1.0, -1e-6, 0.0, 1e-6, 1.0, 1e3])
    spikes = make()(x)
    np.testing.assert_array_equal(spikes, [0, 0, 0, 0, 1, 1, 1])
    assert spikes.dtype == x.dtype


@every_surrogate
@pytest.mark.parametrize("slope", [None, 0.7, 10.0], ids=["default", "shallow", "steep"])
def test_derivative_is_the_stated_slope(make, slope):
    surrogate = make() if slope is None else make(slope)
    x = np.append(X, 0.0)
    np.testing.assert_allclose(derivative(surrogate, x), SLOPES[make](x, surrogate.slope), rtol=1e-4, atol=1e-5)


@every_surrogate
def test_derivative_is_that_of_the_relaxation_by_finite_difference(make):
    surrogate, h = make(), 1e-6
    with jax.enable_x64(True):
        difference = (surrogate.relaxation(jnp.asarray(X + h)) - surrogate.relaxation(jnp.asarray(X - h))) / (2 * h)
        np.testing.assert_allclose(derivative(surrogate, X), difference, rtol=1e-5, atol=1e-8)


@every_surrogate
def test_derivative_is_finite_and_never_negative_far_from_threshold(make):
    slope = np.asarray(derivative(make(), np.linspace(-1e3, 1e3, 10_001)))
    assert np.isfinite(slope).all() and slope.min() >= 0
    assert slope.max() > 0


@every_surrogate
def test_forward_mode_is_reverse_mode(make):
    x, direction = jnp.asarray(X, jnp.float32), jnp.linspace(-2.0, 1.0, len(X))
    _, forward = jax.jvp(make(), (x,), (direction,))
    _, pull_back = jax.vjp(make(), x)
    np.testing.assert_allclose(forward, pull_back(direction)[0], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("make", [ms.nn.Triangle, ms.nn.Boxcar], ids=lambda make: make.__name__)
def test_no_gradient_passes_beyond_a_bounded_surrogate(make):
    np.testing.assert_array_equal(derivative(make(2.0), np.array([-9.0, -0.51, 0.51, 9.0])), 0.0)


@every_surrogate
def test_a_batch_of_membranes_is_the_membranes_one_by_one(make):
    x = jnp.asarray(X, jnp.float32).reshape(2, 499)
    np.testing.assert_array_equal(jax.vmap(make())(x), make()(x))
