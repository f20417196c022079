"""An update of few rows is that of the whole array, to the last bit."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
from device_models.pulsed import _coincidence, _rows
from helpers import slow

ROWS, COLUMNS = 150, 30  # more than four blocks, and no multiple of one
DEVICES = {name: entry.make for name, entry in dm.pulsed.PULSED.items()} | {
    "soft_bounds": lambda: dm.pulsed.SoftBounds(dm.pulsed.Steps(0.02, noise=dm.pulsed.AdditiveNoise(0.3))),
    "pow_step": lambda: dm.pulsed.PowStep(
        dm.pulsed.Steps(0.02, write_noise=0.5), dm.pulsed.Bounds(-0.5, 1.0), 1.5, 0.7
    ),
    "steep": lambda: dm.pulsed.PowStep(
        dm.pulsed.Steps(0.2, noise=dm.pulsed.AdditiveNoise(0.3)), dm.pulsed.Bounds(), 2.0, 2.0
    ),
}
SHORTEST = dm.pulsed.ShortestTrains()


def updated(kind, device, d, *, scaling=SHORTEST, rate=0.1, array=None):
    array = kind.fabricate(device, (ROWS, COLUMNS), key=jr.key(0)) if array is None else array
    x = jr.uniform(jr.key(1), (*d.shape[:-1], COLUMNS), minval=-1.0)
    return array, eqx.filter_jit(lambda a, x, d: a.update(x, d, rate, scaling=scaling, key=jr.key(2)))(array, x, d)


def few_rows(batch=(), rows=7):
    """What drives the rows, of which all but some stand still."""
    d = jr.normal(jr.key(3), (*batch, ROWS))
    return jnp.where(jr.uniform(jr.key(4), d.shape) < rows / ROWS, d, 0.0)


def assert_same(found, expected):
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture
def whole(monkeypatch):
    """Runs a function with arrays updated as a whole, and trains drawn in full."""

    def run(function):
        with monkeypatch.context() as patch:
            patch.setattr(_rows, "BLOCK", ROWS)
            patch.setattr(_coincidence, "SHORT", 0)
            return function()

    return run


QUICK = ("gokmen2016",)  # of the others the slow tests take care


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (not name.startswith(QUICK))) for name in DEVICES]
)
def test_few_rows_are_updated_as_the_whole_array_is(name, whole):
    device = DEVICES[name]()
    kind = dm.pulsed.OneSidedPair if name.startswith("pcm_onesided") else dm.pulsed.PulsedArray
    before, found = updated(kind, device, few_rows((3,)))
    _, expected = whole(lambda: updated(kind, device, few_rows((3,))))
    assert_same(found, expected)
    moved = np.any(np.asarray(found.shown != before.shown), axis=1)
    assert 0 < moved.sum() < ROWS // 2


@pytest.mark.parametrize("scaling", [SHORTEST, slow(dm.pulsed.BalancedScaling())], ids=["short", "long"])
def test_any_number_of_rows_and_pulses_gives_the_numbers_of_the_whole_array(scaling, whole):
    array = dm.pulsed.PulsedArray.fabricate(dm.pulsed.gokmen2016(), (ROWS, COLUMNS), key=jr.key(0))
    x, order = jr.uniform(jr.key(1), (COLUMNS,)), jr.permutation(jr.key(5), jnp.arange(ROWS))
    ds = [jnp.where(order < rows, jr.uniform(jr.key(6), (ROWS,)), 0.0) for rows in (0, 1, 40, 75, 76, ROWS)]

    def run():
        update = eqx.filter_jit(lambda a, d, rate: a.update(x, d, rate, scaling=scaling, key=jr.key(2)))
        return [update(array, d, jnp.asarray(rate)) for d in ds for rate in (0.01, 0.5)]

    assert_same(run(), whole(run))


@pytest.mark.slow
def test_arrays_of_a_batch_with_different_numbers_of_rows_are_updated_as_each_alone():
    array = dm.pulsed.PulsedArray.fabricate(dm.pulsed.gokmen2016(), (ROWS, COLUMNS), key=jr.key(0))
    ds = jnp.stack([few_rows(rows=rows) for rows in (0, 3, 60, ROWS)])
    x = jr.uniform(jr.key(1), (COLUMNS,))
    one = lambda d, key: array.update(x, d, 0.1, scaling=dm.pulsed.ShortestTrains(), key=key).hidden  # noqa: E731
    keys = jr.split(jr.key(2), 4)
    single = jax.jit(one)
    for count in (3, 4):  # few rows in all, and all rows in one
        together = jax.jit(jax.vmap(one))(ds[:count], keys[:count])
        alone = jnp.stack([single(d, key) for d, key in zip(ds[:count], keys[:count], strict=True)])
        np.testing.assert_allclose(together, alone, rtol=1e-6, atol=1e-7)


@pytest.mark.slow
def test_the_gradient_of_an_update_of_few_rows_is_that_of_the_whole_array(whole):
    array = dm.pulsed.PulsedArray.fabricate(dm.pulsed.gokmen2016(), (ROWS, COLUMNS), key=jr.key(0))
    x, d = jr.uniform(jr.key(1), (COLUMNS,)), few_rows()

    def gradient():
        def loss(hidden):
            moved = eqx.tree_at(lambda a: a.hidden, array, hidden).update(x, d, 0.1, key=jr.key(2))
            return jnp.sum(jnp.sin(moved.hidden + moved.shown))

        return jax.jit(jax.grad(loss))(array.hidden)

    np.testing.assert_allclose(gradient(), whole(gradient), rtol=1e-6)


def test_a_rule_that_keeps_numbers_of_other_shapes_is_updated_as_a_whole():
    array = dm.pulsed.PulsedArray.fabricate(dm.pulsed.gokmen2016(), (ROWS, COLUMNS), key=jr.key(0))
    other = eqx.tree_at(lambda a: a.cells.shape, array, jnp.zeros(3), is_leaf=lambda leaf: leaf is None)
    _, found = updated(dm.pulsed.PulsedArray, array.device, few_rows(), array=other)
    _, expected = updated(dm.pulsed.PulsedArray, array.device, few_rows(), array=array)
    np.testing.assert_array_equal(found.hidden, expected.hidden)
