"""Noisy networks on arrays descend, flip as often as their noise says, and find the best cuts there are."""

import itertools

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.stats import norm

import device_models as dm
import memsim as ms

IDEAL = ms.Crossbar(dm.Ideal(), compensation=None)


def graph(n, seed):
    rng = np.random.default_rng(seed)
    upper = np.triu((rng.random((n, n)) < 0.5) * rng.integers(1, 11, (n, n)), 1)
    return (upper + upper.T).astype(float)


def best_by_trying_all(w):
    """Cuts of a vertex more: those of before, with the new vertex on either side."""
    cuts = np.zeros((1,))
    spins = np.array([[1.0]])
    for n in range(1, len(w)):
        towards = spins @ w[:n, n]
        total = w[:n, n].sum()
        cuts = np.concatenate([cuts + (total - towards) / 2, cuts + (total + towards) / 2])
        spins = np.block([[spins, np.ones((len(spins), 1))], [spins, -np.ones((len(spins), 1))]])
    return cuts.max()


def annealed(w, noise, seed):
    """All of one shape: compiled once."""
    return ms.solve.anneal(jnp.asarray(-w, jnp.float32), IDEAL, ms.solve.Cooling(noise), runs=10, key=jr.key(seed))


def test_the_best_cut_of_a_small_graph_is_found_and_is_what_it_is_said_to_be():
    w = graph(10, 0)
    edges = list(itertools.combinations(range(10), 2))
    best = max(sum(w[i, j] for i, j in edges if s[i] != s[j]) for s in itertools.product((0, 1), repeat=10))
    assert best == best_by_trying_all(w)
    found = annealed(w, 15.0, 0)
    np.testing.assert_array_equal(annealed(w, 15.0, 0).spins, found.spins)  # the same key
    cuts = np.asarray(ms.solve.cut(jnp.asarray(w, jnp.float32), found.spins))
    assert cuts.max() == best
    spins = np.asarray(found.spins)
    np.testing.assert_allclose(cuts, [sum(w[i, j] for i, j in edges if s[i] != s[j]) for s in spins])
    np.testing.assert_allclose(found.energy, [-0.5 * s @ -w @ s for s in spins])
    assert (np.asarray(found.last) >= np.asarray(found.energy)).all() and set(np.unique(spins)) == {-1.0, 1.0}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_24_vertices_are_always_cut_best_on_cells_with_errors(seed):
    w = graph(24, seed)
    size = np.sqrt(np.mean(np.sum(w**2, axis=1)))
    design = ms.Crossbar(dm.pcm_joshi2020(), compensation=None)
    cooling = ms.solve.Cooling(0.6 * size)
    found = ms.solve.anneal(jnp.asarray(-w, jnp.float32), design, cooling, runs=100, time=1.0, key=jr.key(seed))
    assert float(np.max(ms.solve.cut(jnp.asarray(w, jnp.float32), found.spins))) == best_by_trying_all(w)


def test_without_noise_the_last_state_is_one_that_no_single_flip_improves():
    w = graph(10, 1)
    found = annealed(w, 0.0, 1)
    spins = np.asarray(found.spins, float)
    np.testing.assert_allclose(found.last, found.energy)  # descent ends at its best
    assert (spins * (spins @ -w) >= 0).all()


@pytest.mark.slow
def test_a_spin_is_against_its_field_as_often_as_normal_noise_says():
    # Two spins with coupling 1, one cycle: the second to be updated sees the first one, whatever that became.
    runs, std = 40_000, 1.5
    found = ms.solve.anneal(
        jnp.array([[0.0, 1.0], [1.0, 0.0]]), IDEAL, ms.solve.Cooling(std, end=1.0), cycles=1, runs=runs, key=jr.key(0)
    )
    against = float(np.mean(np.asarray(found.last) > 0))
    expected = norm.cdf(-1 / std)
    assert abs(against - expected) < 5 * np.sqrt(expected * (1 - expected) / runs)  # standard errors


def test_couplings_that_mean_nothing_are_refused(unchecked):
    w, cooling = jnp.asarray(-graph(6, 2), jnp.float32), ms.solve.Cooling(3.0)
    for wrong, words in ((w.at[0, 1].add(1.0), "symmetric"), (w.at[0, 0].add(1.0), "diagonal"), (w[:3], "square")):
        with pytest.raises(ValueError, match=words):
            ms.solve.anneal(wrong, IDEAL, cooling, key=jr.key(0))


def test_spins_are_full_inputs_whatever_the_range_and_the_rounding_of_converters():
    # With field 1 and noise 1 a spin that saw a tenth of its field would be at random.
    pair, cooling = jnp.array([[0.0, 1.0], [1.0, 0.0]]), ms.solve.Cooling(0.25, end=1.0)
    for range_, rounding in ((0.1, "nearest"), (10.0, "stochastic")):
        converters = {"dac": ms.DAC(8, input_range=range_), "adc": ms.ADC(8, rounding=rounding)}
        design = ms.Crossbar(dm.Ideal(), **converters, compensation=None)
        found = ms.solve.anneal(pair, design, cooling, cycles=3, runs=400, key=jr.key(0))
        assert float(np.mean(np.asarray(found.last) > 0)) < 0.01  # a normal number below -4, 3e-5 of all


def test_spins_of_another_size_have_no_energy(unchecked):
    with pytest.raises(ValueError, match="`spins` must have one for each row"):
        ms.solve.cut(jnp.eye(3), jnp.ones((2, 4)))
