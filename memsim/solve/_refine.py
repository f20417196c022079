"""Mixed precision: a matrix equation solved coarsely by arrays, and refined by exact residuals."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from .._array import AnalogMatrix, Crossbar
from .._checks import checked, whole, write
from ._inverse import AbstractInverse, AbstractSolved, ClosedLoop
from ._operator import scaled_read

LOOP = ClosedLoop()
LEAST = 1e-3  # of a correction's effect: what is left after all others are taken off is rounding below it


class Refined(eqx.Module):
    """What a refinement found.

    **Arguments:**

    - `iterates`: After the first solve, and after each refinement, shape (steps + 1, *batch, n).
    - `residuals`: Norms of $b - A x$ of the iterates over that of $b$, as the refinement saw them.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> a, b = jnp.array([[2.0, 1.0], [0.0, 1.0]]), jnp.array([3.0, 1.0])
    >>> found = ms.solve.refine(a, b, ms.Crossbar(dm.Ideal(), compensation=None), steps=2, key=jr.key(0))
    >>> found.iterates.shape, found.residuals.shape
    ((3, 2), (3,))
    """

    iterates: Float[Array, "steps *batch n"]
    residuals: Float[Array, "steps *batch"]

    @property
    def x(self) -> Float[Array, "*batch n"]:
        """The solution, the last of the iterates."""
        return self.iterates[-1]


@checked(
    crossbar=write("Such as `Crossbar(dm.Levels(device, 8), compensation=None)`."),
    inverse=write("Such as `ClosedLoop()`."),
    product=write("Such as `bit_sliced(device)`; None computes residuals in digital."),
    steps=whole(0),
    memory=whole(0, hint="None combines all corrections; 0 is plain refinement."),
)
def refine(
    a: Float[Array, "n n"],
    b: Float[Array, "*batch n"],
    crossbar: Crossbar,
    *,
    inverse: AbstractInverse = LOOP,
    product: Crossbar | None = None,
    steps: int = 10,
    memory: int | None = None,
    key: Key[Array, ""],
) -> Refined:
    r"""The solution of $A x = b$ by arrays that know $A$ coarsely, refined by residuals that are exact.

    $x_{k+1} = x_k + \alpha_k z_k$ with $z_k \approx A^{-1} (b - A x_k)$ from the arrays. Plain refinement has
    $\alpha_k = 1$, and converges where the arrays deviate little. With `memory`, each correction is first freed of what
    the last ones did to the residual, and its length leaves the smallest residual (generalised conjugate residuals,
    which allow another preconditioner in each step): it costs one more product, and no residual grows.

    Residuals are computed in the dtype of `a` and `b`, and no error gets below their rounding. For more than single
    precision, run within `jax.enable_x64(True)` and pass arrays of float64.

    Whether closed loops settle is not looked at; `inverse.program(a, crossbar, key=key).settles` tells it of chips.

    The same arrays answer all right-hand sides, with noise of their own. Many chips at once:
    `jax.vmap(lambda key: refine(a, b, crossbar, key=key))(jax.random.split(key, 100))`.

    **Arguments:**

    - `a`: The matrix.
    - `b`: One right-hand side, or several.
    - `crossbar`: Design of the arrays that solve.
    - `inverse`: How they do: `ClosedLoop()` or `Iterative()`.
    - `product`: Design of an array that multiplies with $A$ for the residuals, such as `bit_sliced(device)`; `None` for
      digital products.
    - `steps`: Refinements after the first solve.
    - `memory`: How many earlier corrections each is combined with; `None` for all, 0 for plain refinement.
    - `key`: For the chips and their noise.

    Reference: Elman1983 (GCR; recalled), Zuo2025.

    >>> import device_models as dm, jax, jax.numpy as jnp, memsim as ms
    >>> cells = dm.Levels(dm.Gaussian(0.5e-6, 35e-6, write_noise=dm.curves.Constant(0.35e-6)), 8)
    >>> a = 3 * jnp.eye(16) - jnp.eye(16, k=1) - jnp.eye(16, k=-1)
    >>> found = ms.solve.refine(a, a @ jnp.ones(16), ms.Crossbar(cells, compensation=None), key=jax.random.key(0))
    >>> bool(abs(found.x - 1).max() < 1e-5)
    True
    """
    if a.shape[0] != a.shape[1] or a.size == 0 or b.ndim == 0 or b.shape[-1] != a.shape[0]:
        raise ValueError(
            "`a` must be a square matrix, and the last axis of `b` as long as its rows. Got shapes "
            f"{a.shape} and {b.shape}."
        )
    if a.dtype != b.dtype:
        raise ValueError(f"`a` and `b` must have one dtype, that of the residuals. Got {a.dtype} and {b.dtype}.")
    return _refined(a, b, crossbar, inverse, product, steps, steps if memory is None else memory, key)


@eqx.filter_jit
def _refined(
    a: Array,
    b: Array,
    crossbar: Crossbar,
    inverse: AbstractInverse,
    product: Crossbar | None,
    steps: int,
    memory: int,
    key: Array,
) -> Refined:
    chip_key, product_key, noise_key = jr.split(key, 3)
    solved = inverse.program(a, crossbar, key=chip_key)
    multiply = _Product(a, None if product is None else product.deploy(a, 0.0, key=product_key))
    rows = b.reshape(-1, b.shape[-1])
    keys = jr.split(noise_key, rows.shape[0])
    each = jax.vmap(lambda b, key: _one(b, solved, multiply, steps, memory, key))
    iterates, residuals = each(rows, keys)
    shape = (steps + 1, *b.shape[:-1])
    return Refined(jnp.swapaxes(iterates, 0, 1).reshape(*shape, b.shape[-1]), residuals.T.reshape(shape))


class _Product(eqx.Module):
    """Products with the matrix, in digital or on an array."""

    a: Float[Array, "n n"]
    matrix: AnalogMatrix | None

    def __call__(self, x: Float[Array, " n"], *, key: Key[Array, ""]) -> Float[Array, " n"]:
        if self.matrix is None:
            return jnp.matmul(self.a, x, precision="highest")
        return scaled_read(self.matrix, x, key=key)


class _State(NamedTuple):
    """Solution and residual, and the last corrections with what they do to it, normed and orthogonal."""

    x: Array
    residual: Array
    moves: Float[Array, "memory n"]
    effects: Float[Array, "memory n"]


def _one(
    b: Float[Array, " n"], solved: AbstractSolved, multiply: _Product, steps: int, memory: int, key: Key[Array, ""]
) -> tuple[Float[Array, "steps n"], Float[Array, " steps"]]:
    """The iterates for one right-hand side, and their residuals over its norm."""
    size = jnp.linalg.norm(b)
    none = jnp.zeros((memory, b.shape[0]), b.dtype)

    def step(state: _State, key: Array) -> tuple[_State, tuple[Array, Array]]:
        solve_key, effect_key, residual_key = jr.split(key, 3)
        move = solved(state.residual, key=solve_key)
        moves, effects = state.moves, state.effects
        if memory:
            move, effect, kept = _freed(move, multiply(move, key=effect_key), state)
            moves = jnp.concatenate([kept * moves[1:], move[None]])
            effects = jnp.concatenate([kept * effects[1:], effect[None]])
            move = (effect @ state.residual) * move
        x = state.x + move
        residual = b - multiply(x, key=residual_key)
        return _State(x, residual, moves, effects), (x, jnp.linalg.norm(residual) / jnp.where(size > 0, size, 1.0))

    start = _State(jnp.zeros_like(b), b, none, none)
    return jax.lax.scan(step, start, jr.split(key, steps + 1))[1]


def _freed(move: Array, effect: Array, state: _State) -> tuple[Array, Array, Array]:
    """A correction with an effect on the residual that no earlier one has, of length one; and whether those are kept.

    Where little is left, as when there are as many of them as unknowns, the correction stays as it is, and they go.
    """
    whole = jnp.linalg.norm(effect)
    free_move, free_effect = move, effect
    for _ in range(2):  # once more: the first pass leaves what rounding adds
        shares = state.effects @ free_effect
        free_move, free_effect = free_move - shares @ state.moves, free_effect - shares @ state.effects
    kept = jnp.linalg.norm(free_effect) > LEAST * whole
    move, effect = jnp.where(kept, free_move, move), jnp.where(kept, free_effect, effect)
    size = jnp.linalg.norm(effect)
    size = jnp.where(size > 0, size, jnp.ones_like(size))
    return move / size, effect / size, kept.astype(move.dtype)
