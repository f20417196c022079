"""The posterior of all unknowns: Gauss-Newton steps, each by conjugate gradients through the exact gradient."""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from ._blocks import Blocks
from ._problem import Moves, Problem, Unknown

MOST_STEPS, MOST_PRODUCTS = 30, 200
LONGEST = 1.5  # of a step of what is shared, in standard deviations of the prior
CLOSE = 1e-3  # squared: of all unknowns together from the solution, in standard deviations of the posterior
ENOUGH = 1e-6  # of conjugate gradients, relative
NEAR = 0.3  # squared, of a cell: how far from what reads tell of cells the shared unknowns move

Products = Callable[[Unknown], Unknown]


class Posterior(NamedTuple):
    """The unknowns, in units of the prior: a normal law.

    `variances` are those of each alone, `shared` is the covariance of what all lines share and `follows` how the other
    unknowns change with it. `left` is what reads deviate by, `steps` counts those of Gauss and Newton.
    """

    mean: Unknown
    variances: Unknown
    shared: Float[Array, "shared shared"]
    follows: Unknown
    blocks: Blocks
    left: Float[Array, "reads outputs"]
    steps: Int[Array, ""]
    close: Bool[Array, ""]


class _State(NamedTuple):
    u: Unknown
    follows: Unknown
    decrement: Array
    steps: Array


@eqx.filter_jit
def solved(problem: Problem) -> Posterior:
    """The posterior of one array."""
    start = problem.start
    follows = jax.tree.map(lambda a: jnp.zeros((len(problem.names), *a.shape), a.dtype), start)

    def unfinished(state: _State) -> Array:
        return (state.decrement > CLOSE) & (state.steps < MOST_STEPS)

    first = _State(start, follows, jnp.asarray(jnp.inf, start.cells.dtype), jnp.zeros((), int))
    end = jax.lax.while_loop(unfinished, lambda state: _stepped(problem, state), first)
    system = _System(problem, end.u)
    shared = jnp.linalg.inv(system.information(end.follows)[1])
    variances = system.blocks.variances(start)
    more = jax.tree.map(lambda f: jnp.einsum("k...,kl,l...->...", f, shared, f), end.follows)
    variances = jax.tree.map(jnp.add, variances, more)
    variances = eqx.tree_at(lambda v: v.shared, variances, jnp.diagonal(shared))
    left = problem.y - problem.reads(end.u, system.moves.seen)
    return Posterior(end.u, variances, shared, end.follows, system.blocks, left, end.steps, end.decrement <= CLOSE)


def _stepped(problem: Problem, state: _State) -> _State:
    system, u = _System(problem, state.u), state.u
    left = problem.weight * (problem.y - problem.reads(u, system.moves.seen))
    slope = system.slope(left)
    follows = system.follows(state.follows)
    alone = system.solved(without(slope), None)
    alone_is = dot(without(slope), alone)
    moving, information = system.information(follows)
    # Not `slope.shared - follows . slope`, the small difference of large numbers.
    wanted = jnp.tensordot(moving, left, [[1, 2], [0, 1]]) + jax.vmap(lambda f: dot(f, u))(follows) - u.shared
    shared = jnp.linalg.solve(information, wanted)
    longest = jnp.max(jnp.abs(shared), initial=0.0)
    # Far from what the cells can explain, what is shared would be moved by what is not linear in them.
    share = jnp.where(alone_is < NEAR * u.cells.size, LONGEST / jnp.maximum(longest, LONGEST), 0.0)
    step = jax.tree.map(lambda a, f: a - jnp.tensordot(share * shared, f, 1), alone, follows)
    step = eqx.tree_at(lambda v: v.shared, step, share * shared)
    return _State(jax.tree.map(jnp.add, u, step), follows, alone_is + jnp.sum(wanted * shared), state.steps + 1)


class _System:
    """The linear system of one step."""

    def __init__(self, problem: Problem, u: Unknown):
        self.problem, self.u = problem, u
        self.moves = Moves.at(problem, u)
        self.blocks = Blocks.of(self.moves)

    def slope(self, r: Float[Array, "reads outputs"]) -> Unknown:
        """Where the posterior rises: by the reads, which are off by `r`, against the prior."""
        return jax.tree.map(jnp.subtract, self.moves.backward(r), self.u)

    def product(self, d: Unknown) -> Unknown:
        """The information about cells, gains and offsets, prior included, times `d`."""
        found = self.moves.backward(self.problem.weight * self.moves.forward(d))
        return without(jax.tree.map(jnp.add, found, d))

    def solved(self, b: Unknown, start: Unknown | None) -> Unknown:
        """What `product` makes `b` of."""
        return _conjugate_gradients(self.product, self.blocks.times, b, start)

    def follows(self, start: Unknown) -> Unknown:
        """Of each shared unknown, what the reads of its change would be taken for: cells, gains, offsets."""
        if not self.problem.names:
            return start
        effects = jax.vmap(lambda along: without(self.moves.backward(self.problem.weight * along)))(self.moves.along)
        return jax.vmap(self.solved)(effects, start)

    def information(self, follows: Unknown) -> tuple[Float[Array, "shared reads outputs"], Float[Array, "shared shared"]]:
        """How reads move by the shared unknowns where the others follow, and what that and the prior tell of them."""
        left = self.moves.along - jax.vmap(self.moves.forward)(follows)
        seen = jnp.einsum("kno,no,lno->kl", left, self.problem.weight, left)
        prior = jax.vmap(lambda a: jax.vmap(lambda b: dot(a, b))(follows))(follows)
        return left, jnp.eye(len(self.problem.names), dtype=seen.dtype) + seen + prior


def _conjugate_gradients(product: Products, near: Products, b: Unknown, start: Unknown | None):
    """Solves with the symmetric `product`, of whose inverse `near` is an approximation."""
    x = jax.tree.map(jnp.zeros_like, b) if start is None else start
    r = b if start is None else jax.tree.map(jnp.subtract, b, product(x))
    z = near(r)
    enough = ENOUGH**2 * dot(b, near(b))

    def unfinished(state):
        _, _, _, rz, count = state
        return (rz > enough) & (count < MOST_PRODUCTS)

    def step(state):
        x, r, p, rz, count = state
        ap = product(p)
        length = rz / dot(p, ap)
        x, r = add(x, length, p), add(r, -length, ap)
        z = near(r)
        new = dot(r, z)
        return x, r, add(z, new / rz, p), new, count + 1

    return jax.lax.while_loop(unfinished, step, (x, r, z, dot(r, z), jnp.zeros((), int)))[0]


def dot(a: Unknown, b: Unknown) -> Float[Array, ""]:
    """The sum over cells, gains and offsets."""
    return jnp.vdot(a.cells, b.cells) + jnp.vdot(a.gain, b.gain) + jnp.vdot(a.offset, b.offset)


def add(a: Unknown, share: Array, b: Unknown) -> Unknown:
    return jax.tree.map(lambda p, q: p + share * q, a, b)


def without(d: Unknown) -> Unknown:
    """`d` without what all lines share."""
    return eqx.tree_at(lambda v: v.shared, d, jnp.zeros_like(d.shared))
