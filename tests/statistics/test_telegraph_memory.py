"""The correlation of telegraph noise is a difference of exponential integrals, as SciPy has them, at every lag."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import exp1

import device_models as dm

LAGS = np.concatenate([np.geomspace(1e-30, 10.0, 60), [1e-5, 1e-2]])  # at the last two one series meets the other


@pytest.mark.parametrize("x64, error", [(False, 3e-6), (True, 1e-12)])
def test_it_and_its_slope_are_those_of_scipy(x64, error):
    with jax.enable_x64(x64):
        lag = jnp.asarray(LAGS)
        noise = dm.noise.Telegraph(1e-3, 1.0)
        found = noise.correlation(lag)
        slope = jax.vmap(jax.grad(noise.correlation))(lag)
    x = np.asarray(lag, float)
    np.testing.assert_allclose(found, (exp1(x) - exp1(x / 1e-3)) / np.log(1e3), atol=error)
    expected = -(np.exp(-x) - np.exp(-x / 1e-3)) / x / np.log(1e3)
    told = x >= 1e-3  # at shorter ones two slopes of 1 / lag all but cancel
    np.testing.assert_allclose(slope[told], expected[told], rtol=1e-4, atol=1e-9)
    assert np.isfinite(slope).all()
