"""The unknowns bit line by bit line, as if lines did not meet: exact for ideal wires, a preconditioner for others."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._problem import Moves, Unknown

class Blocks(eqx.Module):
    """The covariance of cells, gain and offset of each bit line while what all lines share is known.

    **Arguments:**

    - `covariance`: Shape (lines, unknowns, unknowns), in units of the prior.
    """

    covariance: Float[Array, "lines unknowns unknowns"]

    @classmethod
    def of(cls, moves: Moves) -> "Blocks":
        """Those of reads that follow the unknowns by `moves`."""
        phi, problem = moves.features(), moves.problem
        weight = problem.of_lines(problem.weight)
        information = jnp.einsum("jnb,nj,jnc->jbc", phi, weight, phi, precision="highest")
        return cls(jnp.linalg.inv(jnp.eye(phi.shape[2], dtype=phi.dtype)[None] + information))

    def times(self, d: Unknown) -> Unknown:
        """The covariance times `d`, of its cells, gains and offsets."""
        return unpacked(jnp.einsum("jbc,jc->jb", self.covariance, packed(d), precision="highest"), d)

    def variances(self, like: Unknown) -> Unknown:
        """The diagonal."""
        return unpacked(jnp.diagonal(self.covariance, axis1=1, axis2=2), like)


def packed(d: Unknown) -> Float[Array, "lines unknowns"]:
    """Cells, gain and offset of each bit line side by side."""
    cells = jnp.moveaxis(d.cells, 2, 0)
    return jnp.concatenate([cells.reshape(cells.shape[0], -1), d.gain[:, None], d.offset[:, None]], axis=1)


def unpacked(values: Float[Array, "lines unknowns"], like: Unknown) -> Unknown:
    """The inverse of `packed`, with nothing of what lines share."""
    planes, rows, lines = like.cells.shape
    cells = jnp.moveaxis(values[:, :-2].reshape(lines, planes, rows), 0, 2)
    return Unknown(cells, values[:, -2], values[:, -1], jnp.zeros_like(like.shared))


