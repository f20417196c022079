"""Row tiles in a loop are the row tiles one by one."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from memsim._array import _tiles


def _read(drive, cells, key):
    lines, powers = drive
    weight, variance = cells["weight"], cells["variance"]
    return lines @ weight + jnp.sqrt(powers @ variance[0]) * jr.normal(key, (lines.shape[0], weight.shape[1]))


@pytest.mark.parametrize("inputs", [16, 18])
def test_many_row_tiles_are_the_same_in_a_loop_as_one_by_one_and_a_smaller_last_one_apart(inputs, monkeypatch):
    lines, powers = jr.normal(jr.key(0), (5, 2 * inputs)), jr.uniform(jr.key(1), (5, 3 * inputs))
    cells = {"weight": jr.normal(jr.key(2), (2 * inputs, 7)), "variance": jr.uniform(jr.key(3), (1, 3 * inputs, 7))}
    tiles = _tiles.cuts(inputs, 4)
    keys = jr.split(jr.key(4), len(tiles))

    def found(cells):
        return _tiles.each_row_tile(_read, (lines, powers), cells, tiles, keys)

    def loss(cells):
        return sum(jnp.sum(part**2) for part in found(cells))

    monkeypatch.setattr(_tiles, "LOOPED", 4)
    looped, slope = found(cells), jax.grad(loss)(cells)
    assert str(jax.make_jaxpr(found)(cells)).count("scan[") == 1
    monkeypatch.setattr(_tiles, "LOOPED", 100)
    assert "scan[" not in str(jax.make_jaxpr(lambda cells: found(cells))(cells))
    np.testing.assert_allclose(jnp.stack(looped), jnp.stack(found(cells)), rtol=1e-6, atol=1e-6)
    for one, other in zip(jax.tree.leaves(slope), jax.tree.leaves(jax.grad(loss)(cells)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
