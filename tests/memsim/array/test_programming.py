"""Writing an array by its own outputs: what is written again, what it wins, and what it cannot do."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms

SIGMA = 0.05  # write noise, in units of one fully-on cell


def noisy(sigma=SIGMA):
    """Cells with the same write noise at every target, and nothing else."""
    zero = dm.curves.Polynomial((0.0,))
    return dm.PCM(0.0, 1.0e-5, dm.curves.Polynomial((sigma * 1e-5,)), zero, zero, zero, t_0=1.0, t_read=1e-6)


W = jr.normal(jr.key(0), (24, 32))


@eqx.filter_jit
def made(design, key):
    chip = design.program(W, key=key)
    return chip.at(0.0, key=jr.key(9)).effective_weight, chip.writes, chip.scales


def design(device, **settings):
    return ms.Crossbar(device, compensation=None, reads=ms.Reads("off"), **settings)


def relative_error(found, scales):
    """Root mean square, in units of one fully-on cell."""
    return float(jnp.sqrt(jnp.mean(((found - W) / scales.T) ** 2)))


def test_exact_cells_are_written_once():
    found, writes, _ = made(design(dm.Ideal(), programming=ms.GradientDescent(3)), jr.key(1))
    np.testing.assert_allclose(found, W, atol=1e-5)
    assert jnp.all(writes == 1)


def test_one_shot_counts_no_writes():
    assert design(dm.Ideal()).program(W, key=jr.key(1)).writes is None


def test_errors_end_within_the_threshold_after_as_many_writes_as_chance_takes():
    """A weight is accepted with the probability p of an error within the threshold; 1/p writes on average.

    Cells of target zero are cut off at zero, so a pair's error has a standard deviation between sigma and sqrt(2)
    sigma; p lies between those of the two. 768 weights; correction off, so that writes are independent.
    """
    from scipy.stats import norm

    descent = ms.GradientDescent(40, threshold=0.05, steps=40, correction=0.0)
    found, writes, scales = made(design(noisy(), programming=descent), jr.key(2))
    once, _, _ = made(design(noisy()), jr.key(2))
    assert relative_error(once, scales) > SIGMA
    error = jnp.abs((found - W) / scales.T)
    assert jnp.mean(error < 0.055) > 0.99  # the estimate itself is good to a tenth of the threshold
    few, many = (1 / (2 * norm.cdf(0.05 / s) - 1) for s in (SIGMA, 2**0.5 * SIGMA))
    spread = 4 * many / np.sqrt(writes.size)
    assert few - spread < float(writes.mean()) < many + spread


@pytest.mark.slow
def test_what_wires_take_is_corrected_by_outputs_and_not_cell_by_cell():
    wires = ms.AlphaBetaWires(150.0, 150.0)
    verified, _, scales = made(design(dm.WriteVerify(noisy(), 0.2e-6, 20), wires=wires), jr.key(3))
    descent = ms.GradientDescent(20, threshold=0.04)
    by_outputs, writes, _ = made(design(noisy(), wires=wires, programming=descent), jr.key(3))
    lost = 1 - float(jnp.sum(verified * W) / jnp.sum(W**2))
    kept = 1 - float(jnp.sum(by_outputs * W) / jnp.sum(W**2))
    assert lost > 0.04 and abs(kept) < 0.4 * lost
    assert relative_error(by_outputs, scales) < relative_error(verified, scales)
    assert writes.max() > 1


@pytest.mark.slow
def test_one_key_makes_one_chip_alone_and_in_a_batch():
    crossbar = design(noisy(), programming=ms.GradientDescent(2))
    keys = jr.split(jr.key(4), 2)
    batch = jax.jit(jax.vmap(lambda key: crossbar.program(W, key=key).writes))(keys)
    np.testing.assert_array_equal(batch[1], crossbar.program(W, key=keys[1]).writes)
    assert not jnp.array_equal(batch[0], batch[1])


@pytest.mark.slow
def test_gradients_reach_the_weights():
    crossbar = design(noisy(), adc=ms.ADC(8, 20.0), programming=ms.GradientDescent(2))
    x = jnp.ones((1, 32))
    gradient = jax.jit(jax.grad(lambda w: crossbar.deploy(w, 0.0, key=jr.key(5))(x, key=jr.key(6)).sum()))(W)
    # Straight through: one for each weight, but for those that set the scale of a column.
    assert jnp.isfinite(gradient).all() and abs(float(jnp.median(gradient)) - 1) < 0.2


def test_a_whole_model_is_written_by_its_outputs():
    model = ms.nn.SpikingNetwork([ms.nn.Linear(8, 4, key=jr.key(0)), ms.nn.LI(4)])
    chip = ms.program(model, design(noisy(), programming=ms.GradientDescent(2)), key=jr.key(1))
    assert chip.layers[0].weight.writes.shape == (1, 8, 4)


def test_what_cannot_be_written_again_is_told():
    descent = ms.GradientDescent(2)
    for device, mapping in (
        (dm.StuckCells(dm.Ideal(), 0.1), ms.DifferentialPair()),
        (dm.Ideal(), ms.OffsetColumn(offset="column")),
        (dm.Ideal(), ms.BitSliced(ms.DifferentialPair(), 2, 2)),
    ):
        with pytest.raises(ValueError, match="must each belong to one weight"):
            design(device, mapping=mapping, programming=descent)
    with pytest.raises(
        ValueError, match=r"`rounds` must be a whole number of at least 1. Got rounds=0. To write once, use OneShot\(\)"
    ):
        ms.GradientDescent(0)
    with pytest.raises(ValueError, match="`threshold` must be between 0 and 1"):
        ms.GradientDescent(2, threshold=3.0)
