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
    if how != "one-hot":
        assert np.abs(x).min() == pytest.approx(0.1)  # all terminals at once


def error_at_all_terminals(x, noise=1e-7, size=16):
    """As `error`, of an array without wires whose word lines and bit lines are driven and measured."""
    across = x[:, :size, None] - x[:, None, size:]
    eye = np.eye(size)
    at_sinks = np.einsum("nij,nkj,jl->ijkl", across, across, eye)
    told = np.einsum("nij,nil,ik->ijkl", across, across, eye) + at_sinks
    information = told.reshape(size * size, size * size) / noise**2
    covariance = np.linalg.inv(information + np.eye(size * size) / (49e-6 / 12**0.5) ** 2)
    return np.sqrt(np.mean(np.diag(covariance))) / 49e-6


def test_terminals_driven_together_need_half_the_reads_of_those_driven_in_turn():
    """Median of three draws; 24 random reads in turn leave half the cells unknown."""
    circuit = ms.identify.Circuit(CELL, 16, 16, ms.ResistiveWires(1e-3, 1e-3), terminals="all")
    known, together, turned = ms.identify.Known(noise=1e-7), [], []
    for seed in range(3):
        x = np.asarray(ms.identify.choose(circuit, 16, known, key=jr.key(seed)), float)
        together.append(error_at_all_terminals(x))
        x = np.random.default_rng(seed).choice([-0.2, 0.2], (32, 32))
        x[::2, 16:], x[1::2, :16] = 0.0, 0.0
        turned.append(error_at_all_terminals(x))
    assert np.median(together) < np.median(turned)
    by_chance = [error_at_all_terminals(np.random.default_rng(s).choice([-0.2, 0.2], (16, 32))) for s in range(3)]
    assert np.median(together) < np.median(by_chance)
