r"""The exact effective matrix of a crossbar, by joining ever larger blocks of it.

A block of cells is a linear network with four groups of ports: the near ends (towards driver or sink) and the far ends
of its word lines and of its bit lines. Near ends are given voltages and answer with the currents that enter there; far
ends are given the currents that leave there and answer with voltages:
$(i_\mathrm{near}, v_\mathrm{far}) = H\,(v_\mathrm{near}, i_\mathrm{far})$.

In this hybrid form H is symmetric, wires without resistance and open cells are numbers like any other, and all that
differs from an ideal array is small where the voltage drops are small, so that float32 is enough. Two blocks are joined
by identifying the far ends of one with the near ends of the other, a matrix inverse and a few products. Pairs of blocks
are joined until one is left: about n^3 operations for an n x n array, and for all its inputs at once.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

LARGEST_LEAF = 8


def effective_matrix(
    g: Float[Array, "rows columns"],
    word: Float[Array, "rows columns"],
    bit: Float[Array, "rows columns"],
    far_driver: Float[Array, ""] | None,
) -> Float[Array, "rows columns"]:
    """Current into the sink of each bit line for one volt on each word line.

    **Arguments:**

    - `g`: Conductances, with drivers at column 0 and sinks at row 0.
    - `word`, `bit`: Resistance of the segment that joins each cell to its neighbour (or terminal) on the near side.
    - `far_driver`: Resistance from the last cell of each word line to a second driver; `None` where it is open.
    """
    rows, columns = g.shape
    row_factors, column_factors = _factors(rows), _factors(columns)
    # Cells that conduct nothing on wires without resistance change nothing at an open end.
    size = int(np.prod(row_factors, dtype=int)), int(np.prod(column_factors, dtype=int))
    g, word, bit = (jnp.pad(a, [(0, n - m) for n, m in zip(size, g.shape, strict=True)]) for a in (g, word, bit))
    blocks = _cells(g, word, bit)
    steps = _steps(row_factors, column_factors)
    for place, (axis, factor) in enumerate(steps):
        later = [step_axis for step_axis, _ in steps[place + 1 :]]
        open_end = axis not in later and not (axis == WORD and far_driver is not None)
        blocks = _join_runs(blocks, axis, factor, open_end, turn=bool(later) and later[0] != axis)
    return _seen_from_terminals(blocks, far_driver)[:rows, :columns]


WORD, BIT = 1, 0  # the axis along which word lines, and bit lines, run


class _Blocks(NamedTuple):
    """Equal blocks in a grid: `h` has shape (grid rows, grid columns, ports, ports).

    The ports are, in this order: `along` near ends of the lines that run along `axis`, `across` near ends of the
    others, `across_far` far ends of the others, and `along_far` far ends of the first. Open far ends may be left out.
    """

    h: Array
    axis: int
    along: int
    across: int
    across_far: int
    along_far: int


def _factors(length: int) -> list[int]:
    """A small factor, then twos, whose product is the least not below `length`."""
    leaf, doublings = min(
        ((leaf, p) for leaf in range(1, LARGEST_LEAF + 1) for p in range(32) if leaf * 2**p >= length),
        key=lambda pair: pair[0] * 2 ** pair[1],
    )
    return [leaf] * (leaf > 1) + [2] * doublings


def _steps(row_factors: list[int], column_factors: list[int]) -> list[tuple[int, int]]:
    """Joins as (axis, factor), in an order that keeps the blocks nearly square."""
    left = {WORD: list(column_factors), BIT: list(row_factors)}
    size = {WORD: 1, BIT: 1}
    steps = []
    while left[WORD] or left[BIT]:
        axis = WORD if left[WORD] and (not left[BIT] or size[WORD] <= size[BIT]) else BIT
        factor = left[axis].pop(0)
        size[axis] *= factor
        steps.append((axis, factor))
    return steps


def _cells(g: Array, word: Array, bit: Array) -> _Blocks:
    """Single cells, each with the wire segments on its near side."""
    y = g / (1 + g * (word + bit))
    a, b = word * y, bit * y
    rows = [
        [y, -y, b, 1 - a],  # near end of the word line
        [-y, y, 1 - b, a],  # near end of the bit line
        [b, 1 - b, bit * b - bit, -(word * b)],  # far end of the bit line
        [1 - a, a, -(word * b), word * a - word],  # far end of the word line
    ]
    return _Blocks(jnp.stack([jnp.stack(row, -1) for row in rows], -2), WORD, 1, 1, 1, 1)


def _join_runs(blocks: _Blocks, axis: int, factor: int, open_end: bool, turn: bool) -> _Blocks:
    """Joins runs of `factor` blocks along `axis`; `turn` readies them for a join along the other axis."""
    blocks = blocks if blocks.axis == axis else _turned(blocks)
    grid = list(blocks.h.shape[:2])
    grid[axis : axis + 1] = [grid[axis] // factor, factor]
    run = jnp.moveaxis(blocks.h.reshape(*grid, *blocks.h.shape[2:]), axis + 1, 0)
    joined = blocks._replace(h=run[0])
    for place in range(1, factor):
        last = place == factor - 1
        joined = _joined(joined, blocks._replace(h=run[place]), open_end and last, turn and last)
    return joined


def _joined(left: _Blocks, right: _Blocks, open_end: bool, turn: bool) -> _Blocks:
    r"""`left` with its far ends on the near ends of `right`.

    With $v = T^\top x_1 - Z i$ at the far ends of the left and $i = Q v + U^\top x_2$ at the near ends of the right,
    $v = M (T^\top x_1 - Z U^\top x_2)$, $M = (1 + Z Q)^{-1}$. Z and Q are positive semidefinite, so M exists.
    """
    k = left.along
    inner = left.h.shape[-1] - k
    h_1, t, z = left.h[..., :inner, :inner], left.h[..., :inner, inner:], -left.h[..., inner:, inner:]
    end = right.h.shape[-1] - (k if open_end else 0)
    q, u, h_2 = right.h[..., :k, :k], right.h[..., k:end, :k], right.h[..., k:end, k:end]
    m = _inverse(jnp.eye(k, dtype=z.dtype)[None, None] + _product(z, q))
    um = _product(u, m)
    x_11 = h_1 + _product(_product(t, _product(q, m)), _transpose(t))
    x_21 = _product(um, _transpose(t))
    x_22 = h_2 - _product(um, _product(z, _transpose(u)))
    top = jnp.concatenate([x_11, _transpose(x_21)], -1)
    h = jnp.concatenate([top, jnp.concatenate([x_21, x_22], -1)], -2)
    sizes = [k, left.across, left.across_far, right.across, right.across_far, right.along_far * (not open_end)]
    joined = _Blocks(h, left.axis, k, sizes[1] + sizes[3], sizes[2] + sizes[4], sizes[5])
    near, across_1, far_1, across_2, far_2, far = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
    if not turn:
        return joined._replace(h=_permuted(h, [near, across_1, across_2, far_1, far_2, far]))
    h = _permuted(h, [across_1, across_2, near, far, far_1, far_2])
    return _Blocks(h, 1 - left.axis, joined.across, k, joined.along_far, joined.across_far)


def _turned(blocks: _Blocks) -> _Blocks:
    """The same blocks with the ports in the order that a join along the other axis wants."""
    _, axis, along, across, across_far, along_far = blocks
    sizes = [along, across, across_far, along_far]
    a, b, b_far, a_far = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
    return _Blocks(_permuted(blocks.h, [b, a, a_far, b_far]), 1 - axis, across, along, along_far, across_far)


def _seen_from_terminals(block: _Blocks, far_driver: Array | None) -> Array:
    block = block if block.axis == WORD else _turned(block)
    h = block.h[0, 0]
    word, bit = slice(0, block.along), slice(block.along, block.along + block.across)
    if far_driver is None:
        return -h[word, bit]
    far = slice(h.shape[0] - block.along_far, None)
    # The current j that leaves at the far ends: T v - Z j = v + far_driver j. A line without any resistance has j = 0.
    resistance = jnp.where(far_driver > 0, far_driver, 1.0).astype(h.dtype)
    eye = jnp.eye(block.along, dtype=h.dtype)
    j = jnp.linalg.solve(resistance * eye - h[far, far], h[far, word] - eye)
    return -(h[word, bit] + _product(_transpose(j), h[far, bit]))


@jax.custom_jvp
def _inverse(a: Float[Array, "*batch k k"]) -> Float[Array, "*batch k k"]:
    """By Gauss-Jordan elimination over the whole batch at once.

    Its pivots are positive without an exchange of rows: Z and Q are an inverse and an M-matrix with non-negative row
    sums, and the leading minors of 1 + ZQ are products of minors of M-matrices. LAPACK takes longer for many small
    matrices, and its pivots compile slowly.
    """
    size = a.shape[-1]
    places = jnp.arange(size).reshape((1,) * (a.ndim - 1) + (size,))

    def eliminate(pivot, a):
        unit = (places == pivot).astype(a.dtype)
        row, column = jax.lax.dynamic_index_in_dim(a, pivot, -2), jax.lax.dynamic_index_in_dim(a, pivot, -1)
        diagonal = jax.lax.dynamic_index_in_dim(row, pivot, -1)
        return a - (column - _transpose(unit)) * ((row + unit) / diagonal)

    return 1 / a if size == 1 else jax.lax.fori_loop(0, size, eliminate, a)


@_inverse.defjvp
def _inverse_jvp(primals, tangents):
    inverse = _inverse(*primals)
    return inverse, -_product(_product(inverse, tangents[0]), inverse)


def _permuted(h: Array, groups: list[np.ndarray]) -> Array:
    """Both port axes of `h` in the order of `groups`."""
    order = np.concatenate(groups)
    if (order == np.arange(order.size)).all():
        return h

    def permute(order):
        return lambda h: h[..., order[:, None], order[None, :]]

    there, back = permute(order), permute(np.argsort(order))
    # Stated as a solve for its transpose's sake: a permutation back. A gather's own is a scatter, which is slow.
    return jax.lax.custom_linear_solve(back, h, lambda _, b: there(b), lambda _, b: back(b))


def _product(a: Array, b: Array) -> Array:
    return jnp.matmul(a, b, precision="highest")


def _transpose(a: Array) -> Array:
    return jnp.swapaxes(a, -1, -2)
