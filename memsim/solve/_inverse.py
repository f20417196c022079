"""Arrays that solve a matrix equation, coarsely: by a closed loop, or by an iteration on noisy products."""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import lineax as lx
from jaxtyping import Array, Bool, Float, Key

from .._array import AnalogMatrix, Crossbar
from .._checks import Checked, check, plain, whole, write
from ._codes import AGE, BITS, rounded
from ._operator import LinearOperator, scaled_read


class AbstractSolved(eqx.Module):
    """A matrix on arrays that answer right-hand sides.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> loop = ms.solve.ClosedLoop().program(jnp.eye(2), ms.Crossbar(dm.Ideal(), compensation=None), key=jr.key(0))
    >>> isinstance(loop, ms.solve.AbstractSolved), bool(loop.settles)
    (True, True)
    """

    @abstractmethod
    def __call__(self, b: Float[Array, " n"], *, key: Key[Array, ""]) -> Float[Array, " n"]:
        """About the solution for `b`, with fresh noise."""

    @property
    @abstractmethod
    def settles(self) -> Bool[Array, ""]:
        """Whether its circuits settle. By eigenvalues, which JAX computes on processors only."""


class AbstractInverse(Checked):
    """How arrays solve a matrix equation.

    >>> import memsim as ms
    >>> inverses = [ms.solve.ClosedLoop(), ms.solve.Iterative()]
    >>> all(isinstance(inverse, ms.solve.AbstractInverse) for inverse in inverses)
    True
    """

    @abstractmethod
    def program(self, a: Float[Array, "n n"], crossbar: Crossbar, *, key: Key[Array, ""]) -> AbstractSolved:
        """Arrays of the design `crossbar` that hold `a`, at the moment at which they are used."""


class ClosedLoop(AbstractInverse):
    r"""Arrays in the feedback of amplifiers: their outputs $x$ settle where the bit lines carry $b$, $W x = b$.

    The circuit is ideal but for its cells, wires and converters: amplifiers have no offset and an infinite gain, and
    the answer is read when they have settled; a finite gain, a bandwidth and a time to settle are not modelled. They do
    where all eigenvalues of $W$ have a positive real part, which `settles` tells. Read noise $N$ of the
    cells moves the answer by $-W^{-1} N x$, in first order.

    A matrix larger than `block` is cut in four, $A = \begin{pmatrix} A_1 & A_2 \\ A_3 & A_4 \end{pmatrix}$. $A_1$ and
    the Schur complement $A_4 - A_3 A_1^{-1} A_2$, which a computer prepares, are closed loops, $A_2$ and $A_3$ arrays
    that multiply: two loops and two products one after the other, and the first loop once more.

    **Arguments:**

    - `block`: Rows of the largest closed loop.
    - `bits`: Of the converters in front of and behind each loop, scaled to the largest entry; `None` for no rounding.
    - `time`: Age at which the arrays are used, in seconds.

    Reference: Zuo2025, which has loops of 8 x 8, and solves 16 x 16 by blocks.

    >>> import device_models as dm, jax, memsim as ms
    >>> a = jax.numpy.array([[2.0, 1.0], [0.0, 1.0]])
    >>> loop = ms.solve.ClosedLoop().program(a, ms.Crossbar(dm.Ideal(), compensation=None), key=jax.random.key(0))
    >>> loop(jax.numpy.array([3.0, 1.0]), key=jax.random.key(1)).round(3)
    Array([1., 1.], dtype=float32)
    """

    block: int = eqx.field(static=True, converter=plain, default=8)
    bits: int | None = eqx.field(static=True, converter=plain, default=None)
    time: float | Float[Array, ""] = 0.0

    def __check_init__(self):
        check(self, block=whole(1), bits=BITS, time=AGE)

    def program(self, a: Float[Array, "n n"], crossbar: Crossbar, *, key: Key[Array, ""]) -> AbstractSolved:
        if a.shape[0] > self.block:
            return self._blocks(a, crossbar, key)
        matrix = _loop_design(crossbar).deploy(a, self.time, key=key)
        if matrix.word_lines.terms > 1:
            raise ValueError(
                "A closed loop must be of ohmic cells: what others settle at is no product with an inverse. Got cells "
                "with a nonlinear I-V. Take `device.without('I-V')`, or `Iterative()`, which reads them as they are."
            )
        return _Loop(matrix, jnp.linalg.inv(matrix.effective_weight), self.bits)

    def _blocks(self, a: Array, crossbar: Crossbar, key: Array) -> "_Blocks":
        half = -(-a.shape[0] // 2)
        a_1, a_2, a_3, a_4 = a[:half, :half], a[:half, half:], a[half:, :half], a[half:, half:]
        complement = a_4 - a_3 @ jnp.linalg.solve(a_1, a_2)
        keys = jr.split(key, 4)
        right, left = (crossbar.deploy(part, self.time, key=own) for part, own in ((a_2, keys[1]), (a_3, keys[2])))
        first, second = self.program(a_1, crossbar, key=keys[0]), self.program(complement, crossbar, key=keys[3])
        return _Blocks(first, right, left, second)


class Iterative(AbstractInverse):
    """An iterative solver of lineax on the noisy products of one array, `LinearOperator`.

    **Arguments:**

    - `solver`: Such as `lx.GMRES(rtol=1e-2, atol=1e-2, max_steps=8)`; its tolerance should be above the read noise. It
      ends when its steps are used up, too. `None` is `lx.GMRES` to 1 %, of at most two cycles of 16 products.
    - `time`: Age at which the array is read, in seconds.

    Where the solver breaks down, the answer is 0: `lx.BiCGStab` does where its first half step is exact, as for
    multiples of the identity. A refinement then keeps what it has, and its residuals say so.

    >>> import jax.numpy as jnp, jax.random as jr, numpy as np, device_models as dm, memsim as ms
    >>> a, exact = jnp.array([[2.0, 1.0], [0.0, 1.0]]), ms.Crossbar(dm.Ideal(), compensation=None)
    >>> solved = ms.solve.Iterative().program(a, exact, key=jr.key(0))
    >>> print(np.asarray(solved(jnp.array([3.0, 1.0]), key=jr.key(1))).round(2))
    [1. 1.]
    """

    solver: lx.AbstractLinearSolver | None = None
    time: float | Float[Array, ""] = 0.0

    def __check_init__(self):
        check(self, solver=write("Such as `lineax.GMRES(rtol=1e-2, atol=1e-2, max_steps=8)`."), time=AGE)

    def program(self, a: Float[Array, "n n"], crossbar: Crossbar, *, key: Key[Array, ""]) -> AbstractSolved:
        usual = lx.GMRES(rtol=1e-2, atol=1e-2, restart=16, max_steps=2)
        solver = usual if self.solver is None else self.solver
        return _Iterated(crossbar.deploy(a, self.time, key=key), solver)


class _Loop(AbstractSolved):
    """One closed loop; `inverse` is that of the matrix its array presents."""

    matrix: AnalogMatrix
    inverse: Float[Array, "n n"]
    bits: int | None = eqx.field(static=True)

    def __call__(self, b: Float[Array, " n"], *, key: Key[Array, ""]) -> Float[Array, " n"]:
        b = rounded(b, self.bits)
        x = self.inverse @ b
        if self.matrix.draws:
            x = x + self.inverse @ (b - scaled_read(self.matrix, x, key=key))
        return rounded(x, self.bits)

    @property
    def settles(self) -> Bool[Array, ""]:
        return jnp.min(jnp.real(jnp.linalg.eigvals(self.matrix.effective_weight))) > 0


class _Blocks(AbstractSolved):
    """A matrix of four blocks, the first and the complement of which are solved, the others multiply."""

    first: AbstractSolved
    right: AnalogMatrix
    left: AnalogMatrix
    second: AbstractSolved

    def __call__(self, b: Float[Array, " n"], *, key: Key[Array, ""]) -> Float[Array, " n"]:
        keys = jr.split(key, 5)
        upper, lower = jnp.split(b, [self.right.outputs])
        x = self.first(upper, key=keys[0])
        lower = self.second(lower - scaled_read(self.left, x, key=keys[1]), key=keys[2])
        upper = self.first(upper - scaled_read(self.right, lower, key=keys[3]), key=keys[4])
        return jnp.concatenate([upper, lower])

    @property
    def settles(self) -> Bool[Array, ""]:
        return self.first.settles & self.second.settles


class _Iterated(AbstractSolved):
    """One array, and the solver that multiplies with it."""

    matrix: AnalogMatrix
    solver: lx.AbstractLinearSolver

    def __call__(self, b: Float[Array, " n"], *, key: Key[Array, ""]) -> Float[Array, " n"]:
        size = jnp.max(jnp.abs(b))
        scale = jnp.where(size > 0, size, jnp.ones_like(size))  # tolerances are relative to it
        operator = LinearOperator(self.matrix, key)
        found = lx.linear_solve(operator, b / scale, self.solver, throw=False).value
        return jnp.where(jnp.all(jnp.isfinite(found)), scale * found, jnp.zeros_like(found))

    @property
    def settles(self) -> Bool[Array, ""]:
        return jnp.ones((), bool)


def _loop_design(crossbar: Crossbar) -> Crossbar:
    """`crossbar` without the converters of a product: a loop has its own."""
    return eqx.tree_at(lambda c: (c.dac, c.adc), crossbar, (None, None), is_leaf=lambda leaf: leaf is None)
