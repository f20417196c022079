"""Errors of cells are normals of JAX, whether or not a gradient follows, and made once where that is asked."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

import device_models as dm
import memsim as ms
from device_models._draws import scattered
from device_models._held import held

KEY, SIZE = jr.key(3), jnp.linspace(0.0, 2.0, 12).reshape(3, 4)


def test_errors_and_their_gradient_are_those_of_normals_of_jax():
    found, slope = jax.value_and_grad(lambda size: jnp.sum(jnp.sin(scattered(size, KEY))))(SIZE)
    expected, exact = jax.value_and_grad(lambda size: jnp.sum(jnp.sin(size * jr.normal(KEY, size.shape))))(SIZE)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(slope, exact, rtol=1e-6)


def test_what_is_held_is_itself_also_for_many_and_passes_a_gradient():
    keys = jr.split(KEY, 3)
    np.testing.assert_array_equal(held(jnp.exp, SIZE), jnp.exp(SIZE))
    many = jax.jit(jax.vmap(lambda key: held(scattered, SIZE, key)))(keys)
    np.testing.assert_allclose(many, jnp.stack([scattered(SIZE, key) for key in keys]), rtol=1e-6)
    np.testing.assert_allclose(jax.grad(lambda x: jnp.sum(held(jnp.sin, x)))(SIZE), jnp.cos(SIZE), rtol=1e-6)


def test_cells_written_in_a_branch_are_those_that_a_gradient_finds():
    design = ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads("per_moment"), adc=ms.ADC(8), tile=(3, 2))
    w = jr.normal(jr.key(1), (4, 5))

    def read(w):
        return jnp.sum(jnp.sin(design.deploy(w, jnp.asarray(60.0), key=KEY)(jnp.ones(5))))

    value, slope = jax.jit(jax.value_and_grad(read))(w)
    np.testing.assert_allclose(jax.jit(read)(w), value, rtol=1e-6)
    np.testing.assert_allclose(slope, jax.jit(jax.jacfwd(read))(w), rtol=1e-4, atol=1e-5)


def test_programming_keeps_no_draw_where_no_gradient_follows():
    device, target = dm.pcm_joshi2020(), jnp.full(100_000, 1e-5)
    compiled = jax.jit(lambda target: device.program(target, key=KEY)).lower(target).compile()
    assert compiled.memory_analysis().temp_size_in_bytes < target.nbytes / 10
