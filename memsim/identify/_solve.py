"""The posterior of all unknowns, by steps of Gauss and Newton through the exact circuit."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ._inner import AbstractInner, ByLines, Told, Whole, dot, scaled
from ._problem import Moves, Problem, Unknown

MOST_STEPS = 40
LONGEST = 1.5  # of a step of what is shared, in standard deviations of the prior
CLOSE = 1e-3  # squared: of all unknowns together from the solution, in standard deviations of the posterior
NEAR = 0.3  # squared, of a cell: how far from what reads tell of the cells what is shared moves


class Posterior(NamedTuple):
    """A normal law of the unknowns, in units of the prior.

    `variances` are those of each alone, `shared` is the covariance of what all lines share and `follows` by how much
    the other unknowns are taken for it. `left` is what reads deviate by, in units of their noise; `steps` were taken,
    and `close` says whether they came to an end.
    """

    mean: Unknown
    variances: Unknown
    shared: Float[Array, "shared shared"]
    follows: Unknown
    left: Float[Array, "reads outputs"]
    steps: Int[Array, ""]
    close: Bool[Array, ""]


class _State(NamedTuple):
    u: Unknown
    left: Array
    change: Array
    steps: Array


@eqx.filter_jit
def solved(problem: Problem) -> Posterior:
    """The posterior of one array."""
    start = problem.start

    def unfinished(state: _State) -> Array:
        return (state.change > CLOSE) & (state.steps < MOST_STEPS)

    first = _State(start, jnp.zeros_like(problem.y), jnp.asarray(jnp.inf, start.cells.dtype), jnp.zeros((), int))
    u, _, change, steps = jax.lax.while_loop(unfinished, lambda state: _moved(problem, state), first)
    inner = _inner(problem, u)
    (follows, _), information = _shared(inner)
    shared = jnp.linalg.inv(information)
    more = jax.tree.map(lambda f: jnp.einsum("k...,kl,l...->...", f, shared, f), follows)
    variances = jax.tree.map(jnp.add, inner.variances(), more)
    variances = eqx.tree_at(lambda v: v.shared, variances, jnp.diagonal(shared))
    left = jnp.sqrt(problem.weight) * (problem.y - problem.reads(u, inner.moves.seen))
    return Posterior(u, variances, shared, follows, left, steps, change <= CLOSE)


def _moved(problem: Problem, state: _State) -> _State:
    """One step: cells, gains and offsets to where the reads say, what is shared only when they explain the reads."""
    u = state.u
    inner = _inner(problem, u)
    missing = jnp.sqrt(problem.weight) * (problem.y - problem.reads(u, inner.moves.seen))
    lines = eqx.tree_at(lambda v: v.shared, u, jnp.zeros_like(u.shared))
    alone, left = inner.refined(missing, Told(lines, state.left))
    change = jax.tree.map(jnp.subtract, alone, lines)
    of_lines = dot(change, change) + jnp.sum(scaled(inner.moves, change) ** 2)

    def all_of_it() -> tuple[Unknown, Array, Array]:
        told, information = _shared(inner)
        wanted = jnp.einsum("kno,no->k", inner.moves.along, jnp.sqrt(problem.weight) * left) - u.shared
        step = jnp.linalg.solve(information, wanted)
        change = of_lines + jnp.sum(wanted * step)
        # The last step is of the lines alone: reads deviate by the square of a move of what is shared, which is large
        # in units of their noise long before it is in those of the posterior.
        step = jnp.where(change > CLOSE, step, 0.0)
        taken = step * (LONGEST / jnp.max(jnp.abs(step), initial=LONGEST))
        new = jax.tree.map(lambda a, f: a - jnp.tensordot(taken, f, 1), alone, told.unknown)
        new = eqx.tree_at(lambda v: v.shared, new, u.shared + taken)
        return new, left - jnp.tensordot(taken, told.left, 1), change

    def lines_only() -> tuple[Unknown, Array, Array]:
        return eqx.tree_at(lambda v: v.shared, alone, u.shared), left, jnp.asarray(jnp.inf, of_lines.dtype)

    if not problem.names:
        return _State(alone, left, of_lines, state.steps + 1)
    new, left, change = jax.lax.cond(of_lines < NEAR * u.cells.size, all_of_it, lines_only)
    return _State(new, left, change, state.steps + 1)


def _inner(problem: Problem, u: Unknown) -> AbstractInner:
    moves = Moves.at(problem, u)
    return Whole.at(moves) if problem.array.whole else ByLines.at(moves)


def _shared(inner: AbstractInner) -> tuple[Told, Float[Array, "shared shared"]]:
    """By how much other unknowns are taken for the shared ones, and what reads and prior tell of these."""
    along = jnp.sqrt(inner.moves.problem.weight)[None] * inner.moves.along
    told = inner.told(along)
    seen = jnp.einsum("kno,lno->kl", along, told.left)
    return told, jnp.eye(along.shape[0], dtype=seen.dtype) + (seen + seen.T) / 2
