"""Draws in one pass are those of JAX, bit for bit, wherever they are made."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from device_models._draws import bits, normal, uniform

SHAPES = [(), (1,), (7,), (33, 5), (3, 1, 129), (700, 300), (0, 4)]
PAIRS = [(normal, jr.normal), (uniform, jr.uniform), (bits, jr.bits)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_numbers_are_those_of_jax(ours, theirs, shape):
    key = jr.fold_in(jr.key(5), 17)
    found = ours(key, shape)
    assert found.dtype == theirs(key, shape).dtype
    np.testing.assert_array_equal(found, theirs(key, shape))
    np.testing.assert_array_equal(jax.jit(lambda key: ours(key, shape))(key), found)


def test_a_million_normals_with_their_tails_are_those_of_jax():
    found = np.asarray(normal(jr.key(0), (2**20,)))
    np.testing.assert_array_equal(found, jr.normal(jr.key(0), (2**20,)))
    assert np.max(np.abs(found)) > 4.5


def test_kept_numbers_are_the_same():
    np.testing.assert_array_equal(normal(jr.key(1), (100, 3), kept=True), jr.normal(jr.key(1), (100, 3)))


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_mapped_and_scanned_keys_draw_the_same(ours, theirs):
    keys = jr.split(jr.key(2), 5)
    expected = jnp.stack([theirs(key, (4, 3)) for key in keys])
    np.testing.assert_array_equal(jax.vmap(lambda key: ours(key, (4, 3)))(keys), expected)
    np.testing.assert_array_equal(jax.lax.map(lambda key: ours(key, (4, 3)), keys), expected)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float16, jnp.bfloat16])
def test_other_floats_are_those_of_jax(dtype):
    for ours, theirs in PAIRS[:2]:
        np.testing.assert_array_equal(ours(jr.key(3), (50,), dtype), theirs(jr.key(3), (50,), dtype))


@pytest.mark.parametrize("impl", ["rbg", "unsafe_rbg"])
def test_other_generators_draw_as_jax_does(impl):
    key = jr.key(4, impl=impl)
    for ours, theirs in PAIRS:
        np.testing.assert_array_equal(ours(key, (6, 7)), theirs(key, (6, 7)))


def test_the_older_layout_of_threefry_draws_as_jax_does():
    before = jax.config.jax_threefry_partitionable  # pyright: ignore[reportAttributeAccessIssue]
    jax.config.update("jax_threefry_partitionable", not before)
    try:
        for ours, theirs in PAIRS:
            np.testing.assert_array_equal(ours(jr.key(6), (9, 4)), theirs(jr.key(6), (9, 4)))
    finally:
        jax.config.update("jax_threefry_partitionable", before)


@pytest.mark.slow
def test_doubles_are_those_of_jax():
    with jax.enable_x64(True):
        for ours, theirs in PAIRS[:2]:
            np.testing.assert_array_equal(ours(jr.key(7), (40,)), theirs(jr.key(7), (40,)))
