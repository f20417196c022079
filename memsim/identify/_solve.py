"""The posterior of all unknowns, by steps of Gauss and Newton through the exact circuit."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ._inner import ENOUGH, ROUGH, AbstractInner, ByLines, Told, Whole, dot, scaled
from ._problem import Moves, Problem, Unknown, Usual

MOST_STEPS = 40
LONGEST = 1.5  # of a step of what is shared, in standard deviations of the prior
CLOSE = 1e-3  # squared: of all unknowns together from the solution, in standard deviations of the posterior
LEAST_RATE = 1e-4  # squared: a step is trusted to come nearer to the solution by no larger a factor than its inverse
FADING, FADED = 1 / 9, 1e-2  # of the doubt, a variance: at most this much is left by a step; of the noise's, it is none


class Posterior(NamedTuple):
    """A normal law of the unknowns, in units of the prior.

    `variances` are those of each alone, `shared` is the covariance of what all lines share and `follows` by how much
    the other unknowns are taken for it. `left` is what reads deviate by, in units of their noise, `halves` what they
    tell by halves (`AbstractInner.halves`); `steps` were taken, and `close` says whether they came to an end.
    """

    mean: Unknown
    variances: Unknown
    shared: Float[Array, "shared shared"]
    follows: Unknown
    left: Float[Array, "reads outputs"]
    halves: Float[Array, ""]
    steps: Int[Array, ""]
    close: Bool[Array, ""]


class _State(NamedTuple):
    """An estimate; `kept` is what it was taken from, weighted reads, and `doubt` bounds that of the next step.

    `usual` goes with its shared unknowns, `slope` is that of their score at the step before. `change` is the square of
    the last step, `off` that of the next, as expected.
    """

    u: Unknown
    kept: Array
    usual: Usual
    slope: Array
    doubt: Array
    change: Array
    off: Array
    steps: Array


@eqx.filter_jit
def solved(problem: Problem) -> Posterior:
    """The posterior of one array."""
    start = problem.start

    def unfinished(state: _State) -> Array:
        return (state.off > CLOSE) & (state.steps < MOST_STEPS)

    far = jnp.asarray(jnp.inf, start.cells.dtype)
    usual, eye = Usual.at(problem, start.shared), jnp.eye(start.shared.shape[0], dtype=far.dtype)
    first = _State(start, jnp.zeros_like(problem.y), usual, eye, far, far, far, jnp.zeros((), int))
    u, _, usual, *_, off, steps = jax.lax.while_loop(unfinished, lambda state: _moved(problem, state), first)
    inner = _inner(Moves.at(problem, u, usual), ENOUGH)
    follows, shared = _shared(inner)
    more = jax.tree.map(lambda f: jnp.einsum("k...,kl,l...->...", f, shared, f), follows)
    variances = jax.tree.map(jnp.add, inner.variances(), more)
    variances = eqx.tree_at(lambda v: v.shared, variances, jnp.diagonal(shared))
    left = jnp.sqrt(problem.weight) * (problem.y - problem.reads(u, inner.moves.seen))
    return Posterior(u, variances, shared, follows, left, inner.halves(), steps, off <= CLOSE)


def _moved(problem: Problem, state: _State) -> _State:
    """One step. What is shared follows the reads by the cells as they are, its score by those of the law's middle."""
    u = state.u
    moves = Moves.at(problem, u, state.usual)
    missing = problem.y - problem.reads(u, moves.seen)
    doubt = jnp.minimum(_doubt(problem, missing), state.doubt)
    doubt = jnp.where(doubt * jnp.max(problem.weight) < FADED, 0.0, doubt)
    weight = problem.weight / (1 + problem.weight * doubt)
    inner = _inner(eqx.tree_at(lambda m: m.problem.weight, moves, weight), ROUGH)
    root = jnp.sqrt(weight)
    lines = eqx.tree_at(lambda v: v.shared, u, jnp.zeros_like(u.shared))
    alone, left = inner.refined(root * missing, Told(lines, state.kept / jnp.where(root > 0, root, 1.0)))
    change = jax.tree.map(jnp.subtract, alone, lines)
    of_lines = dot(change, change) + jnp.sum(scaled(inner.moves, change) ** 2)
    wanted = jnp.einsum("kno,no->k", moves.along, root * left) - u.shared
    # What is shared ends first: by a move of it reads are off by its square, which is large in units of their noise
    # long before it is in those of the posterior.
    ended = (doubt == 0) & (_squared(state.slope, wanted) <= CLOSE) & (state.steps > 0)

    def asked() -> tuple[Told, Array, Array]:
        told = inner.told(root[None] * moves.true)
        slope = _mixed(root[None] * moves.along, told.left)
        return told, slope, jnp.linalg.solve(slope, wanted)

    def at_rest() -> tuple[Told, Array, Array]:
        nothing = jax.tree.map(jnp.zeros_like, jax.eval_shape(asked)[0])
        return nothing, state.slope, jnp.zeros_like(wanted)

    told, slope, step = jax.lax.cond(ended, at_rest, asked)
    of_shared = _squared(slope, wanted)
    step = jnp.where((of_shared > CLOSE) | (doubt > 0), step, 0.0)
    taken = step * (LONGEST / jnp.max(jnp.abs(step), initial=LONGEST))
    new = jax.tree.map(lambda a, f: a - jnp.tensordot(taken, f, 1), alone, told.unknown)
    new = eqx.tree_at(lambda v: v.shared, new, u.shared + taken)
    kept = root * (left - jnp.tensordot(taken, told.left, 1))
    total = jnp.where(doubt > 0, jnp.inf, of_lines + of_shared)
    rate = jnp.where(jnp.isfinite(state.change), total / state.change, 1.0)
    off = jnp.where(doubt > 0, jnp.inf, total * jnp.clip(rate, LEAST_RATE, 1.0))
    moved = jnp.any(step != 0)
    usual = jax.lax.cond(moved, lambda: Usual.at(problem, new.shared), lambda: state.usual)
    return _State(new, kept, usual, slope, FADING * doubt, total, off, state.steps + 1)


def _squared(slope: Array, wanted: Array) -> Array:
    """Of a step of what is shared, in standard deviations of its posterior."""
    return jnp.sum(jnp.abs(wanted * jnp.linalg.solve(slope, wanted)))


def _doubt(problem: Problem, missing: Float[Array, "reads outputs"]) -> Float[Array, ""]:
    """Variance by which outputs may be off because they do not follow the unknowns in straight lines.

    Of the order of the square of what is missing, relative to the outputs. Exact reads would else pull every step to
    what straight lines say, which is nonsense far from the solution.
    """
    used = problem.weight > 0
    whole = jnp.sum(jnp.where(used, problem.y, 0.0) ** 2)
    squares = jnp.sum(jnp.where(used, missing, 0.0) ** 2)
    return squares**2 / jnp.maximum(whole * jnp.sum(used), jnp.finfo(squares.dtype).tiny)


def _inner(moves: Moves, enough: float) -> AbstractInner:
    return Whole.at(moves) if moves.problem.array.whole else ByLines.at(moves, enough)


def _shared(inner: AbstractInner) -> tuple[Unknown, Float[Array, "shared shared"]]:
    """By how much other unknowns are taken for the shared ones, and the covariance of these.

    That of a root of the score: its own variance between the inverses of its slope.
    """
    moves = inner.moves
    root = jnp.sqrt(moves.problem.weight)[None]
    along, told = root * moves.along, inner.told(root * moves.true)
    back = jnp.linalg.inv(_mixed(along, told.left))
    seen = jnp.einsum("kno,lno->kl", along, inner.told(along).left)
    covariance = back @ (jnp.eye(along.shape[0], dtype=seen.dtype) + seen) @ back.T
    return told.unknown, (covariance + covariance.T) / 2


def _mixed(along: Float[Array, "shared reads outputs"], left: Float[Array, "shared reads outputs"]) -> Array:
    """Slope of the score, where `left` is what reads leave of each shared unknown."""
    return jnp.eye(along.shape[0], dtype=along.dtype) + jnp.einsum("kno,lno->kl", along, left)
