"""A moment of a chip as a linear operator of lineax."""

import dataclasses

import jax
import jax.numpy as jnp
import jax.random as jr
import lineax as lx
from jaxtyping import Array, Float, Int, Key, UInt32

from .._array import AnalogMatrix
from .._checks import check, whole
from ._transposed import transposed

WEYL = 2654435769  # 2^32 over the golden ratio, odd: multiples of it are spread evenly


class LinearOperator(lx.AbstractLinearOperator):
    r"""`matrix` as what the iterative solvers of lineax multiply with: one read a product.

    A product is $y = s\,\mathrm{read}(x / s)$ with $s = \max |x| / r$ and the input range $r$ of the matrix, so that
    every vector uses the whole range of the DAC, and noise is in proportion to it.

    A solver calls a function that has no state, in a loop of its own. So the noise of a read is drawn from `key`,
    `count` and the bits of the vector: other vectors have other noise, the same vector has the same in one solve, and
    `again` has other noise for all.

    `lx.GMRES` and `lx.BiCGStab` take it as it is; for `lx.CG` say that the matrix is positive definite,
    `lx.TaggedLinearOperator(operator, lx.positive_semidefinite_tag)`. Solvers that multiply with the transposed matrix
    (`lx.LSMR`, `lx.NormalCG`), and gradients through a solve, need an array that can be read from its other side, see
    `transposed`. A noisy product never fulfils a tight tolerance: stop by `max_steps=`, with `throw=False`.

    **Arguments:**

    - `matrix`: `chip.at(t)`, real, of any shape.
    - `key`: For the noise of reads; `None` for a matrix without.
    - `count`: Of solves with this key, from 0.

    >>> import device_models as dm, jax, lineax as lx, memsim as ms
    >>> crossbar = ms.Crossbar(dm.Ideal(), compensation=None)
    >>> matrix = crossbar.deploy([[2.0, 1.0], [0.0, 1.0]], 0.0, key=jax.random.key(0))
    >>> solver = lx.GMRES(rtol=1e-4, atol=1e-4)
    >>> solution = lx.linear_solve(ms.solve.LinearOperator(matrix), jax.numpy.array([3.0, 1.0]), solver)
    >>> [round(float(x), 3) for x in solution.value]
    [1.0, 1.0]
    """

    matrix: AnalogMatrix
    key: Key[Array, ""] | None = None
    count: int | Int[Array, ""] = 0

    def __check_init__(self):
        check(self, count=whole(0))
        needs_key = self.matrix.draws or (self.matrix.adc is not None and self.matrix.adc.needs_key)
        if self.key is None and needs_key:
            raise ValueError(
                "An operator whose reads draw noise needs `key`. Got none. Write `LinearOperator(matrix, key=key)`."
            )

    def mv(self, vector: Float[Array, " inputs"]) -> Float[Array, " outputs"]:
        """One read of `vector`, scaled to the input range."""
        key = None if self.key is None else jr.fold_in(jr.fold_in(self.key, self.count), digest(vector))
        return scaled_read(self.matrix, vector, key=key)

    def as_matrix(self) -> Float[Array, "outputs inputs"]:
        """The mean matrix, without noise and rounding. A simulator knows it; of a chip it takes many reads."""
        return self.matrix.effective_weight

    def transpose(self) -> "LinearOperator":
        """The operator of the same array read from its bit lines, see `transposed`."""
        return LinearOperator(transposed(self.matrix), self.key, self.count)

    def again(self) -> "LinearOperator":
        """The same operator, with other noise in all reads."""
        return dataclasses.replace(self, count=self.count + 1)

    def in_structure(self) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct((self.matrix.inputs,), self.matrix.weight.dtype)

    def out_structure(self) -> jax.ShapeDtypeStruct:
        return jax.eval_shape(self.mv, self.in_structure())


def scaled_read(
    matrix: AnalogMatrix, x: Float[Array, " inputs"], *, key: Key[Array, ""] | None
) -> Float[Array, " outputs"]:
    """A read of `x` over the whole input range; a vector of zeros is read as it is."""
    size = jnp.max(jnp.abs(x))
    scale = jnp.where(size > 0, size, jnp.ones_like(size)) / jnp.asarray(matrix.input_range, x.dtype)
    return scale * matrix(x / scale, key=key)


def digest(x: Float[Array, " n"]) -> UInt32[Array, ""]:
    """A number of 32 bits that differs between vectors, almost certainly, however little they differ."""
    bits = jax.lax.bitcast_convert_type(x, jnp.uint8 if x.dtype.itemsize < 4 else jnp.uint32)
    words = bits.astype(jnp.uint32).reshape(-1)
    places = jnp.arange(1, words.size + 1, dtype=jnp.uint32) * jnp.uint32(WEYL) | jnp.uint32(1)
    mixed = (words ^ (words >> 15)) * places
    mixed = (mixed ^ (mixed >> 13)) * jnp.uint32(WEYL)
    return jnp.sum(mixed ^ (mixed >> 16), dtype=jnp.uint32)


def _no(operator: LinearOperator) -> bool:
    return False


for _property in (
    lx.is_symmetric,
    lx.is_diagonal,
    lx.is_tridiagonal,
    lx.has_unit_diagonal,
    lx.is_lower_triangular,
    lx.is_upper_triangular,
    lx.is_positive_semidefinite,
    lx.is_negative_semidefinite,
):
    _property.register(LinearOperator)(_no)  # what cells happen to hold nobody knows; a tag says it
for _same in (lx.linearise, lx.conj):
    _same.register(LinearOperator)(lambda operator: operator)


@lx.materialise.register(LinearOperator)
def _(operator: LinearOperator) -> lx.MatrixLinearOperator:
    return lx.MatrixLinearOperator(operator.as_matrix())


@lx.diagonal.register(LinearOperator)
def _(operator: LinearOperator) -> Float[Array, " n"]:
    return jnp.diagonal(operator.as_matrix())
