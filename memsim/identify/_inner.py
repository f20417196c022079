"""What reads tell of cells, gains and offsets while all that lines share is known: a linear problem with many unknowns.

In units of the noise of the outputs and of the prior, reads $r$ that follow the unknowns by $J$ tell
$z = (1 + J^\\top J)^{-1} J^\\top r = J^\\top C^{-1} r$, $C = 1 + J J^\\top$, and leave $r - J z = C^{-1} r$.
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float

from ._network import inverse_root
from ._problem import Moves, Unknown

ENOUGH, MOST = 1e-5, 60  # of conjugate gradients: error relative to that of nothing, and steps
ROUGH = 1e-3  # error that the next step of Gauss and Newton makes up for
PROBES = 16
Reads = Float[Array, "reads outputs"]


class Told(NamedTuple):
    """What reads tell of the unknowns, and what they leave."""

    unknown: Unknown
    left: Reads


class AbstractInner(eqx.Module):
    """The inner problem at some estimate of the unknowns."""

    moves: eqx.AbstractVar[Moves]

    @abstractmethod
    def told(self, r: Float[Array, "n reads outputs"]) -> Told:
        """What each of several reads `r`, in units of their noise, tells."""

    @abstractmethod
    def refined(self, missing: Reads, before: Told) -> Told:
        """What reads tell that are `missing` this much from those of the unknowns `before`, and what they then leave.

        As `told` of all that was read, but to the precision of the change.
        """

    @abstractmethod
    def variances(self) -> Unknown:
        """Of each unknown, in units of its prior's; nothing of what lines share."""

    @abstractmethod
    def halves(self) -> Float[Array, ""]:
        """Of shares `s` that reads did not tell the sum of `s (1 - s)`: what is told by halves."""


class ByLines(AbstractInner):
    """Through `C`, with bit lines that do not meet as the start.

    The two differ by what wires share, a bounded factor whatever the noise: some ten steps do.
    """

    moves: Moves
    start: Float[Array, "lines reads reads"]
    enough: float = eqx.field(static=True)

    @classmethod
    def at(cls, moves: Moves, enough: float) -> "ByLines":
        """At the estimate of `moves`, solved but for `enough`."""
        phi = _in_noise(moves)
        c = jnp.eye(phi.shape[1], dtype=phi.dtype)[None] + jnp.matmul(phi, jnp.swapaxes(phi, 1, 2), precision="highest")
        return cls(moves, inverses(c), enough)

    def told(self, r: Float[Array, "n reads outputs"]) -> Told:
        def one(r: Reads) -> Told:
            left = self._solved(r)
            return Told(backward(self.moves, left), left)

        return jax.lax.map(one, r)  # one after the other: products of several together are no faster on a processor

    def refined(self, missing: Reads, before: Told) -> Told:
        off = jax.tree.map(jnp.subtract, before.unknown, backward(self.moves, before.left))
        left = before.left + self._solved(missing - before.left + scaled(self.moves, off))
        return Told(backward(self.moves, left), left)

    def _solved(self, r: Reads) -> Reads:
        def near(r: Reads) -> Reads:
            return jnp.einsum("jnm,mj->nj", self.start, r, precision="highest")

        def product(r: Reads) -> Reads:
            return r + scaled(self.moves, backward(self.moves, r))

        return conjugate_gradients(product, near, r, self.enough)

    def variances(self) -> Unknown:
        phi = _in_noise(self.moves)
        a = jnp.eye(phi.shape[2], dtype=phi.dtype)[None] + jnp.matmul(jnp.swapaxes(phi, 1, 2), phi, precision="highest")
        left = jnp.diagonal(inverses(a), axis1=1, axis2=2)  # (lines, unknowns)
        rows = left.shape[1] - 2
        like, of_rows = self.moves.u, left[None, :, :rows].swapaxes(1, 2)
        share = self.moves.shares
        zeros = jnp.zeros_like(like.shared)
        return Unknown(1 - share + share * of_rows, left[:, rows], left[:, rows + 1], zeros)

    def halves(self) -> Float[Array, ""]:
        return jnp.sum(jnp.trace(self.start, axis1=1, axis2=2)) - jnp.sum(self.start**2)


class Whole(AbstractInner):
    """By the information about all cells together, for outputs of one variance each; others are steps away."""

    moves: Moves
    factor: Float[Array, "cells cells"]

    @classmethod
    def at(cls, moves: Moves) -> "Whole":
        """At the estimate of `moves`."""
        p = moves.problem
        weight = jnp.mean(p.weight, axis=0) * moves.factor**2
        used = (jnp.mean(p.weight, axis=1) > 0).astype(p.x.dtype)[:, None]
        information = p.array.information(moves.seen, p.x * used, weight)
        std = moves.std.reshape(-1)
        a = jnp.eye(std.shape[0], dtype=std.dtype) + std[:, None] * information * std[None]
        return cls(moves, jnp.linalg.cholesky(a))

    def told(self, r: Float[Array, "n reads outputs"]) -> Told:
        def one(r: Reads) -> Told:
            found = self._solved(backward(self.moves, r))
            return Told(found, r - scaled(self.moves, found))

        return jax.lax.map(one, r)

    def refined(self, missing: Reads, before: Told) -> Told:
        change = self._solved(jax.tree.map(jnp.subtract, backward(self.moves, missing), before.unknown))
        return Told(jax.tree.map(jnp.add, before.unknown, change), missing - scaled(self.moves, change))

    def _solved(self, b: Unknown) -> Unknown:
        def near(d: Unknown) -> Unknown:
            found = jax.scipy.linalg.cho_solve((self.factor, True), d.cells.reshape(-1))
            return eqx.tree_at(lambda v: v.cells, d, found.reshape(d.cells.shape))

        def product(d: Unknown) -> Unknown:
            return jax.tree.map(jnp.add, d, backward(self.moves, scaled(self.moves, d)))

        return conjugate_gradients(product, near, b, ENOUGH)

    def variances(self) -> Unknown:
        u = self.moves.u
        root = jax.scipy.linalg.solve_triangular(self.factor, jnp.eye(u.cells.size, dtype=u.cells.dtype), lower=True)
        found = jnp.sum(root**2, axis=0).reshape(u.cells.shape)
        return Unknown(found, jnp.ones_like(u.gain), jnp.ones_like(u.offset), jnp.zeros_like(u.shared))

    def halves(self) -> Float[Array, ""]:
        # Of the trace an estimate, from as many signs by chance (Hutchinson1990): exact to some percent of what it is.
        signs = jr.rademacher(jr.key(0), (self.factor.shape[0], PROBES), self.factor.dtype)
        found = jax.scipy.linalg.cho_solve((self.factor, True), signs)
        return jnp.maximum(jnp.sum((signs - found) * found) / PROBES, 0.0)


def scaled(moves: Moves, d: Unknown) -> Reads:
    """`J d`: change of the reads in units of their noise, what is shared left as it is."""
    return jnp.sqrt(moves.problem.weight) * moves.forward(d)


def backward(moves: Moves, r: Reads) -> Unknown:
    """The transpose of `scaled`."""
    d = moves.backward(jnp.sqrt(moves.problem.weight) * r)
    return eqx.tree_at(lambda v: v.shared, d, jnp.zeros_like(d.shared))


def conjugate_gradients(product: Callable, near: Callable, b, enough: float):
    """Solves, but for `enough`, with the symmetric `product`, of whose inverse `near` is an approximation."""
    z = near(b)
    first = dot(b, z)

    def unfinished(state):
        *_, rz, count = state
        return (rz > enough**2 * first) & (count < MOST)

    def step(state):
        x, r, p, rz, count = state
        ap = product(p)
        length = rz / dot(p, ap)
        x, r = _plus(x, length, p), _plus(r, -length, ap)
        z = near(r)
        new = dot(r, z)
        return x, r, _plus(z, new / rz, p), new, count + 1

    nothing = jax.tree.map(jnp.zeros_like, b)
    return jax.lax.while_loop(unfinished, step, (nothing, b, z, first, jnp.zeros((), int)))[0]


def inverses(a: Float[Array, "n k k"]) -> Float[Array, "n k k"]:
    """Of positive definite matrices."""

    def one(a: Float[Array, "k k"]) -> Float[Array, "k k"]:
        root = inverse_root(a)
        return jnp.matmul(root.T, root, precision="highest")

    # One by one: side by side within a loop, factorisations were seen to wait for each other for ever.
    return jax.lax.map(one, a)


def dot(a, b) -> Float[Array, ""]:
    """The sum over all entries."""
    return jax.tree.reduce(jnp.add, jax.tree.map(jnp.vdot, a, b))


def _plus(a, share: Array, b):
    return jax.tree.map(lambda p, q: p + share * q, a, b)


def _in_noise(moves: Moves) -> Float[Array, "lines reads unknowns"]:
    return moves.features() * jnp.sqrt(moves.problem.of_lines(moves.problem.weight)).T[..., None]
