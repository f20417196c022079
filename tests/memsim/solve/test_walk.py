"""Walks on arrays solve formulas that have solutions, in as many flips as the same walk in software."""

from pathlib import Path

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from memsim._cli import load_script
from memsim.solve._walk import _read

IDEAL = ms.Crossbar(dm.Ideal(), compensation=None)
FILE = Path(__file__).parents[2] / "data" / "satisfiability" / "random_14_64.cnf"


def formulas():
    """Clauses and the number of solutions, of each formula of the file."""
    found, solutions = [], []
    for line in FILE.read_text().splitlines():
        if line.startswith("c solutions") and line.split()[-1].isdigit():
            solutions.append(int(line.split()[-1]))
            found.append([])
        elif line[0] not in "cp":
            found[-1].append([int(word) for word in line.split()[:-1]])
    return [(np.array(clauses), count) for clauses, count in zip(found, solutions, strict=True)]


FORMULAS = formulas()


def is_solution(clauses, assignment):
    return all(any(assignment[abs(k) - 1] == (k > 0) for k in clause) for clause in clauses)


def test_the_stored_numbers_of_solutions_are_those_of_trying_all_assignments():
    assert len(FORMULAS) == 10
    every = (np.arange(2**14)[:, None] >> np.arange(14) & 1).astype(bool)
    for clauses, count in FORMULAS:
        true = np.ones(len(every), bool)
        for clause in clauses:
            true &= (every[:, np.abs(clause) - 1] == (clause > 0)).any(1)
        assert true.sum() == count


def test_python_sat_counts_the_same_solutions():
    solvers = pytest.importorskip("pysat.solvers")
    for clauses, count in FORMULAS:
        with solvers.Solver(bootstrap_with=clauses.tolist()) as solver:
            models = {tuple(literal for literal in model if abs(literal) <= 14) for model in solver.enum_models()}
        assert len(models) == count


def test_what_a_walk_finds_is_a_solution_and_what_has_none_is_not_found():
    for clauses, count in FORMULAS[:4]:
        found = ms.solve.walk_sat(jnp.asarray(clauses), IDEAL, flips=300, runs=20, key=jr.key(0))
        solved = np.isfinite(np.asarray(found.flips))
        assert solved.any() == (count > 0)
        for assignment, is_solved in zip(np.asarray(found.assignment), solved, strict=True):
            assert is_solution(clauses, assignment) == is_solved


@pytest.mark.slow
@pytest.mark.parametrize("formula", [0, 2, 4])
@pytest.mark.parametrize("device", [dm.Ideal(), dm.pcm_joshi2020()], ids=["exact", "pcm"])
def test_the_share_solved_within_so_many_flips_is_that_of_the_walk_in_software(formula, device):
    clauses, count = FORMULAS[formula]
    assert count > 0
    runs, software_runs = 4000, 1500
    design = ms.Crossbar(device, compensation=None)
    found = ms.solve.walk_sat(jnp.asarray(clauses), design, flips=300, runs=runs, time=1.0, key=jr.key(1)).flips
    walk = load_script("experiments", "satisfiability").walk
    rng = np.random.default_rng(0)
    software = np.array([walk(clauses, 14, 300, rng) for _ in range(software_runs)])
    for flips in (3, 10, 30, 100, 300):
        ours, theirs = np.mean(np.asarray(found) <= flips), np.mean(software <= flips)
        mean = (runs * ours + software_runs * theirs) / (runs + software_runs)
        error = np.sqrt(mean * (1 - mean) * (1 / runs + 1 / software_runs))
        assert abs(ours - theirs) <= 4 * error + 1e-12  # standard errors of the difference of two shares


@pytest.mark.parametrize("clauses", [[[1, 0, 2]], [[1, -1, 2]]])
def test_clauses_that_mean_nothing_are_refused(clauses, unchecked):
    with pytest.raises(ValueError, match="`clauses` must have literals"):
        ms.solve.walk_sat(jnp.array(clauses), IDEAL, key=jr.key(0))


def test_counts_are_whole_whatever_the_range_of_inputs():
    matrix = ms.Crossbar(dm.Ideal(), dac=ms.DAC(8, input_range=0.1), compensation=None).deploy(
        jnp.ones((2, 3)), 0.0, key=jr.key(0)
    )
    np.testing.assert_array_equal(_read(matrix, jnp.array([[True, True, True]]), jr.key(1)), [[3.0, 3.0]])
