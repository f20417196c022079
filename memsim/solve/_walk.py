"""Satisfiability by a walk whose gradients are reads of two arrays."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from .._array import AnalogMatrix, Crossbar
from .._checks import at_least, checked, fraction, is_known, whole, write


class Walked(eqx.Module):
    """What runs of a walk found.

    **Arguments:**

    - `assignment`: Of each run, at its solution or at its end, shape (runs, variables).
    - `flips`: How many flips the solution took, shape (runs,); infinite where none was found.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> clauses = jnp.array([[1, 2], [-1, 2]])
    >>> found = ms.solve.walk_sat(clauses, ms.Crossbar(dm.Ideal(), compensation=None), flips=10, key=jr.key(0))
    >>> found.assignment.shape  # of one run, two variables
    (1, 2)
    """

    assignment: Bool[Array, "runs variables"]
    flips: Float[Array, " runs"]


@checked(
    crossbar=write("Such as `Crossbar(dm.pcm_joshi2020())`."),
    random=fraction(),
    flips=whole(1),
    runs=whole(1),
    time=at_least(0.0, "in seconds after the end of programming", most=1e12),
)
def walk_sat(
    clauses: Int[Array, "clauses literals"],
    crossbar: Crossbar,
    *,
    random: float = 0.5,
    flips: int = 1000,
    runs: int = 1,
    time: float = 0.0,
    key: Key[Array, ""],
) -> Walked:
    r"""WalkSAT/SKC, with what it must know of a formula read from arrays: an assignment that makes all `clauses` true.

    Array $M$ has an input for each literal and an output for each clause, 1 where the clause has the literal. A read
    with the true literals counts the true ones of every clause: none in a false one, one in a critical one. A read of
    $M^T$, on a second array, with the critical clauses is the gradient: how many clauses each true literal alone holds,
    the `break` of its variable. Counts are rounded to whole numbers, as an ADC of one step a cell does, and digital
    logic takes a false clause at random: it flips a variable without break, if there is one; else with probability
    `random` any, or the one with the least break; ties are drawn.

    A run ends when all clauses are true, which digital logic checks. It counts flips; the arrays are read twice a flip.

    **Arguments:**

    - `clauses`: Variables from 1, negative where negated, as in DIMACS files; every clause of as many literals, of
      different variables.
    - `crossbar`: Design of both arrays.
    - `random`: Share of random flips where every flip breaks a clause.
    - `flips`: At most so many in a run.
    - `runs`: Walks on the same two chips, from random assignments.
    - `time`: Age of the chips, in seconds.
    - `key`: For the chips and all draws.

    **Raises:** `ValueError` for clauses with a variable 0, or with one variable twice.

    Reference: Selman1994 (the walk; recalled), Bhattacharya2024 (gradients in memory; read in part).

    >>> import device_models as dm, jax, jax.numpy as jnp, memsim as ms
    >>> clauses = jnp.array([[1, 2], [-1, 2], [1, -2]])
    >>> found = ms.solve.walk_sat(clauses, ms.Crossbar(dm.Ideal(), compensation=None), key=jax.random.key(0))
    >>> found.assignment.tolist()
    [[True, True]]
    """
    _check_clauses(clauses)
    known = np.asarray(clauses)
    variables = int(np.abs(known).max())
    return _walked(clauses, variables, crossbar, jnp.asarray(random), flips, runs, jnp.asarray(time), key)


def _check_clauses(clauses: Array) -> None:
    if not is_known(clauses):
        raise ValueError("`clauses` must be known when the walk is traced: they say how large the arrays are.")
    found = np.sort(np.abs(np.asarray(clauses)), axis=1)
    if found.size == 0 or (found == 0).any() or (found[:, 1:] == found[:, :-1]).any():
        raise ValueError(
            "`clauses` must have literals such as 3 or -3, of different variables in each clause, counted from 1. Got "
            f"{'none' if found.size == 0 else 'a 0, or a variable twice in a clause'}."
        )


class _Formula(NamedTuple):
    """The clauses, as whole numbers and on arrays."""

    literals: Int[Array, "clauses literals"]  # from 0: a variable, or, negated, a variable beyond all of them
    forward: AnalogMatrix
    backward: AnalogMatrix


class _State(NamedTuple):
    assignment: Bool[Array, "runs variables"]
    flips: Float[Array, " runs"]


@eqx.filter_jit
def _walked(
    clauses: Array, variables: int, crossbar: Crossbar, random: Array, flips: int, runs: int, time: Array, key: Array
) -> Walked:
    forward_key, backward_key, start_key, walk_key = jr.split(key, 4)
    literals = jnp.abs(clauses) - 1 + jnp.where(clauses < 0, variables, 0)
    incidence = (
        jnp.zeros((clauses.shape[0], 2 * variables)).at[jnp.arange(clauses.shape[0])[:, None], literals].set(1.0)
    )
    formula = _Formula(
        literals,
        crossbar.deploy(incidence, time, key=forward_key),
        crossbar.deploy(incidence.T, time, key=backward_key),
    )

    def flip(state: _State, now: tuple[Array, Array]) -> tuple[_State, None]:
        number, key = now
        solved = _is_solution(literals, state.assignment)
        found = jnp.where(solved & jnp.isinf(state.flips), number, state.flips)
        variable = _chosen(formula, state.assignment, random, key)
        flipped = state.assignment ^ (jnp.arange(variables)[None] == variable[:, None])
        return _State(jnp.where(solved[:, None], state.assignment, flipped), found), None

    start = jr.bernoulli(start_key, 0.5, (runs, variables))
    numbers = jnp.arange(flips, dtype=jnp.result_type(float))
    begin = _State(start, jnp.full(runs, jnp.inf))
    state, _ = jax.lax.scan(flip, begin, (numbers, jr.split(walk_key, flips)))
    last = _is_solution(literals, state.assignment) & jnp.isinf(state.flips)
    return Walked(state.assignment, jnp.where(last, float(flips), state.flips))


def _true_literals(assignment: Bool[Array, "runs variables"]) -> Bool[Array, "runs literals"]:
    return jnp.concatenate([assignment, ~assignment], axis=1)


def _is_solution(literals: Array, assignment: Array) -> Bool[Array, " runs"]:
    return jnp.all(jnp.any(_true_literals(assignment)[:, literals], axis=2), axis=1)


def _chosen(formula: _Formula, assignment: Array, random: Array, key: Array) -> Int[Array, " runs"]:
    """The variable that each run flips, by reads of the arrays."""
    forward_key, backward_key, clause_key, tie_key, random_key, any_key = jr.split(key, 6)
    true = _true_literals(assignment)
    counts = _read(formula.forward, true, forward_key)
    breaks = _read(formula.backward, counts == 1, backward_key)

    # Without a clause that seems false, which noise can make of a formula that is not yet true, any clause is taken.
    false = counts <= 0
    seen = jnp.where(jnp.any(false, axis=1, keepdims=True), false, True)
    draw = jr.uniform(clause_key, seen.shape)
    clause = formula.literals[jnp.argmax(jnp.where(seen, draw, -1.0), axis=1)]

    variables = assignment.shape[1]
    of_clause = clause % variables
    holding = jnp.where(jnp.take_along_axis(assignment, of_clause, 1), of_clause, of_clause + variables)
    least = jnp.take_along_axis(breaks, holding, axis=1)
    tie = jr.uniform(tie_key, least.shape, maxval=0.5)
    best = jnp.argmin(least + tie, axis=1)
    anyone = jr.randint(any_key, best.shape, 0, clause.shape[1])
    at_random = jr.bernoulli(random_key, random, best.shape) & (jnp.min(least, axis=1) > 0)
    place = jnp.where(at_random, anyone, best)
    return jnp.take_along_axis(of_clause, place[:, None], axis=1)[:, 0]


def _read(matrix: AnalogMatrix, lines: Bool[Array, "runs inputs"], key: Array) -> Float[Array, "runs outputs"]:
    """Counts, as whole numbers; a line that is true has full input."""
    reach = jnp.asarray(matrix.input_range, matrix.weight.dtype)
    return jnp.round(matrix(lines.astype(reach.dtype) * reach, key=key) / reach)
