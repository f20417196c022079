"""Pools whose windows stand side by side against XLA's windows: values, gradients, slopes."""

import math

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from jax import lax

import memsim as ms

WINDOWS = {"even": ((3, 6, 8), (2, 2)), "rest left out": ((2, 7, 5), (3, 2)), "signal": ((4, 11), (4,))}


@pytest.mark.parametrize("shape, window", WINDOWS.values(), ids=WINDOWS.keys())
@pytest.mark.parametrize("mean", [False, True])
def test_windows_side_by_side_are_those_of_xla(shape, window, mean):
    kinds = {1: (ms.nn.SumPool1d, ms.nn.AvgPool1d), 2: (ms.nn.SumPool2d, ms.nn.AvgPool2d)}
    pool = kinds[len(window)][mean](window if len(window) > 1 else window[0])
    x, change = jr.normal(jr.key(0), (2, *shape))

    def of_xla(x):
        y = lax.reduce_window(x, np.float32(0), lax.add, (1, *window), (1, *window), "VALID")
        return y / math.prod(window) if mean else y

    def loss(form):
        return lambda x: jnp.sum(jnp.sin(form(x)))

    np.testing.assert_allclose(pool(x), of_xla(x), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(jax.grad(loss(pool))(x), jax.grad(loss(of_xla))(x), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(jax.jvp(pool, (x,), (change,))[1], of_xla(change), rtol=1e-5, atol=1e-6)
    xs = jnp.stack([x, change])
    np.testing.assert_array_equal(jax.vmap(pool)(xs), jnp.stack([pool(x), pool(change)]))
