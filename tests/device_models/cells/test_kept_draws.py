"""Normals that several results follow from are drawn once, and are those of JAX."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
from device_models._draws import normal

SHAPE = (3, 5, 7)


def of_jax(key):
    return jr.normal(key, SHAPE)


def kept(key):
    return normal(key, SHAPE, kept=True)


def test_kept_normals_are_those_of_jax():
    np.testing.assert_array_equal(kept(jr.key(3)), of_jax(jr.key(3)))
    np.testing.assert_array_equal(jax.jit(kept)(jr.key(3)), of_jax(jr.key(3)))


def test_kept_normals_of_many_keys_are_those_of_jax():
    keys = jr.split(jr.key(4), 6)
    np.testing.assert_array_equal(jax.vmap(kept)(keys), jax.vmap(of_jax)(keys))


def test_kept_normals_of_one_key_are_the_same_for_each_lane():
    drawn = jax.vmap(lambda x: x * kept(jr.key(5)))(jnp.ones(2))
    np.testing.assert_array_equal(drawn, np.stack([of_jax(jr.key(5))] * 2))


def test_a_gradient_passes_kept_normals_as_constants():
    slope = jax.jit(jax.grad(lambda x: jnp.sum(x * kept(jr.key(6)))))(1.0)
    np.testing.assert_allclose(slope, np.sum(of_jax(jr.key(6))), rtol=1e-5)


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="elsewhere JAX draws")
def test_a_gradient_through_a_written_cell_draws_each_normal_once():
    device = dm.pcm_joshi2020()

    def later(target, key):
        return jnp.sum(device.conductance(device.program(target, key=key), jnp.asarray(3600.0)) ** 2)

    target = jnp.full(SHAPE, 1e-5)
    one = shifts(lambda target, key: normal(key, target.shape, kept=True), target)
    none = shifts(lambda target, key: jr.split(key), target)
    both = shifts(jax.grad(later), target)
    assert both <= 2 * one + none


def shifts(function, target) -> int:
    """How many shifts of the cipher are in the compiled `function`."""
    return str(jax.jit(function).lower(target, jr.key(0)).compile().as_text()).count(" shift-left(")
