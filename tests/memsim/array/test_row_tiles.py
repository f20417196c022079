"""Row tiles in a loop are the row tiles one by one."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from helpers import quick_and_slow, slow
from memsim._array import _tiles
from memsim._array._row_tiles import RowTiles
from memsim._array._word_lines import rows_alone


def _read(product, drive, cells, tile, key):
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
        return RowTiles(rows_alone, (lines, powers), cells, tiles, keys, in_loops=True).each(_read)

    def loss(cells):
        return sum(jnp.sum(part**2) for part in found(cells))

    def both(cells):
        return found(cells), jax.grad(loss)(cells)

    monkeypatch.setattr(_tiles, "LOOPED", 4)
    looped, slope = jax.jit(lambda cells: both(cells))(cells)
    assert str(jax.make_jaxpr(found)(cells)).count("scan[") == 1
    monkeypatch.setattr(_tiles, "LOOPED", 100)
    assert "scan[" not in str(jax.make_jaxpr(lambda cells: found(cells))(cells))
    alone, gradient = jax.jit(lambda cells: both(cells))(cells)
    for one, other in zip(looped, alone, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)
    for one, other in zip(jax.tree.leaves(slope), jax.tree.leaves(gradient), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def design_of(adc, noise, measure="patterns", per="tile"):
    compensation = ms.GlobalDriftCompensation(measure=measure, per=per)
    return ms.Crossbar(dm.pcm_joshi2020(), adc=adc, compensation=compensation, tile=(2, 3), reads=ms.Reads(noise))


ERRORS = ms.ConverterErrors(gain=0.05, offset=0.5)
MANY = {
    "off": design_of(ms.ADC(6, 2.0), "off"),
    "per read": design_of(ms.ADC(6, 2.0), "per_read"),
    "errors": design_of(ms.ADC(6, 2.0, errors=ERRORS), "off"),
    "stochastic": design_of(ms.ADC(6, 2.0, "stochastic"), "per_moment", per="bit line"),
    "successive approximation": design_of(ms.SAR(6, 2.0), "off"),
    "identity": design_of(ms.ADC(6, 2.0), "off", measure="identity"),
}


@pytest.mark.parametrize("name", quick_and_slow(("per read", "identity"), MANY))
@pytest.mark.parametrize("shape", [slow((15, 12)), (14, 13)])
def test_chips_of_many_tiles_are_those_of_tiles_one_by_one(name, shape, monkeypatch):
    """Also where the last tiles are smaller."""
    w, x = jr.normal(jr.key(5), shape), jr.normal(jr.key(6), (3, shape[1]))

    def found(tiles):
        monkeypatch.setattr(_tiles, "LOOPED", tiles)

        @eqx.filter_jit
        def read(w, x):
            matrix = MANY[name].deploy(w, jnp.asarray(1e4), key=jr.key(7))
            return matrix.effective_weight, matrix.clipping(x, key=jr.key(8)), matrix(x, key=jr.key(8))

        return jax.tree.leaves(read(w, x))

    for together, one_by_one in zip(found(4), found(100), strict=True):
        np.testing.assert_allclose(together, one_by_one, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("noise", ["off", slow("per_read")])
def test_what_is_compiled_of_a_deployed_matrix_hardly_grows_with_its_row_tiles(noise):
    def lines(row_tiles):
        w = jnp.ones((4, 2 * row_tiles))
        deploy = jax.jit(lambda w, key: design_of(ms.ADC(8), noise).deploy(w, 60.0, key=key).weight)
        return deploy.lower(w, jr.key(0)).as_text().count("\n")

    assert lines(80) < 1.2 * lines(40)


@pytest.mark.slow
def test_large_tiles_behind_wires_are_the_same_one_after_the_other(monkeypatch):
    g, weights = jr.uniform(jr.key(9), (2, 9, 7), minval=1e-5, maxval=1e-4), jr.normal(jr.key(10), (2, 9, 7))
    effective = ms.ResistiveWires(2.0, 2.0).effective

    def found(large):
        monkeypatch.setattr(_tiles, "LARGE", large)

        def value(g):
            return jnp.sum(weights * jnp.sin(1e5 * _tiles.map_tiles(effective, g, (4, 3))))

        return jax.jit(jax.value_and_grad(value))(g)

    for one, other in zip(found(1), found(10**6), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4)
