"""Chosen inputs against chance and against the closed form of the best."""

import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms

CELL = dm.Ideal(1e-6, 50e-6)


def error(x, noise=1e-7):
    """Root mean square of the posterior's standard deviations over cells of 49 uS of range, of the range.

    The closed form of a linear Gaussian problem with a uniform law's spread before.
    """
    spread = 49e-6 / 12**0.5
    covariance = np.linalg.inv(np.eye(x.shape[1]) / spread**2 + x.T @ x / noise**2)
    return np.sqrt(np.trace(covariance) / x.shape[1]) / 49e-6


def chosen(number, how="expected", size=16, seed=0, **more):
    known = ms.identify.Known(noise=1e-7)
    circuit = ms.identify.Circuit(CELL, size, 4)
    return np.asarray(ms.identify.choose(circuit, number, known, how=how, key=jr.key(seed), **more))


def test_chosen_inputs_need_about_half_the_reads_of_random_ones():
    """Median of nine draws. Of normal inputs E[(x x)^-1] = 1 / (reads - rows - 1), of orthogonal ones 1 / reads."""
    by_chance = np.median([error(chosen(30, "random", seed=seed)) for seed in range(9)])
    assert error(chosen(16)) < by_chance
    assert error(chosen(16)) < 0.3 * error(chosen(16, "one-hot"))


def test_chosen_inputs_are_near_the_best_there_are():
    """Orthogonal corners, of which each of the inputs tells most: noise / (full input * root of reads)."""
    best = 1e-7 / (0.2 * 32**0.5) / 49e-6
    assert 0.999 * best < error(chosen(32)) < 1.1 * best


def test_inputs_after_others_are_those_that_were_still_to_come():
    first = chosen(8)
    after = chosen(8, after=first, seed=1)
    gram = np.abs(np.concatenate([first, after]) @ np.concatenate([first, after]).T)
    assert error(np.concatenate([first, after])) < 0.5 * error(np.concatenate([first, first]))
    assert np.all(np.diag(gram) > 0.63)


@pytest.mark.parametrize("how", ["expected", "random", "one-hot"])
def test_no_input_is_larger_than_full_input(how):
    circuit = ms.identify.Circuit(CELL, 3, 5, ms.ResistiveWires(1.0, 1.0), v_read=0.1, terminals="all")
    x = np.asarray(ms.identify.choose(circuit, 6, how=how, key=jr.key(0)))
    assert x.shape == (6, 8)
    assert np.abs(x).max() == pytest.approx(0.1)
    assert not x[0, 3:].any() and not x[1, :3].any()  # word lines and bit lines in turn
