"""The curve of PCM's read noise is the power it says, and so is its slope."""

import jax
import jax.numpy as jnp
import numpy as np

from device_models.curves import InversePower

CURVE = InversePower(0.0088, 0.65, 0.2)
REACHED = (0.0088 / 0.2) ** (1 / 0.65)


def test_an_inverse_power_is_the_power_in_double_precision():
    g = jnp.linspace(0.0, 1.0, 1001)
    expected = 0.0088 * np.maximum(np.asarray(g, np.float64), REACHED) ** -0.65
    np.testing.assert_allclose(CURVE(g), expected, rtol=1e-6)


def test_an_inverse_power_has_the_slope_of_the_power():
    g = np.array([0.5 * REACHED, 0.02, 0.3, 1.0])
    slope = jax.vmap(jax.grad(lambda one: CURVE(one)))(jnp.asarray(g, jnp.float32))
    expected = np.where(g > REACHED, -0.65 * 0.0088 * g**-1.65, 0.0)
    np.testing.assert_allclose(slope, expected, rtol=1e-5)


def test_an_inverse_power_without_a_bound_is_infinite_at_zero():
    assert InversePower(1.0, 0.5, float("inf"))(jnp.zeros(())) == jnp.inf
